"""As many slices as the data has portions, at most four; the step has two outputs, so each slice has both."""

from steps import Join, Word, Words

from wurzel import WZ, NoSettings, Outputs, TypedStep


class Split(Outputs):
    loud: list[Word]
    count: list[Word]


class Portions(TypedStep[NoSettings, list[Word], Split]):
    """Treat two words at a time."""

    shards = {"items": 2, "max": 4}

    def run(self, inpt: list[Word]) -> Split:
        loud = [Word(text=word.text.upper()) for word in inpt]
        return Split(loud=loud, count=[Word(text="portion", count=len(inpt))])


def pipeline():
    portions = WZ(Words) >> WZ(Portions)
    return [portions["loud"] >> WZ(Join), portions["count"] >> WZ(Join, name="count")]
