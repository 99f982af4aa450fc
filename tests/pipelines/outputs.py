"""A step with two named outputs, each read by another step, and in the end both by one."""

from steps import Reverse, Upper, Word, Words

from wurzel import WZ, Inputs, NoSettings, Outputs, TypedStep


class Halves(Outputs):
    train: list[Word]
    test: list[Word]


class Cut(TypedStep[NoSettings, list[Word], Halves]):
    """Keep the first word for the test."""

    def run(self, inpt: list[Word]) -> Halves:
        return Halves(train=inpt[1:], test=inpt[:1])


class Sides(Inputs):
    left: list[Word]
    right: list[Word]


class Compare(TypedStep[NoSettings, Sides, list[Word]]):
    """Count the words of both sides."""

    def run(self, inpt: Sides) -> list[Word]:
        return [Word(text=name, count=len(words)) for name, words in (("left", inpt.left), ("right", inpt.right))]


def pipeline():
    cut, compare = WZ(Cut), WZ(Compare)
    WZ(Words) >> cut
    cut["train"] >> WZ(Upper) >> compare["left"]
    cut["test"] >> WZ(Reverse) >> compare["right"]
    cut["test"] >> compare["left"]
    return compare
