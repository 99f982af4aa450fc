"""Steps that take and give their items one by one; on disk, and for the next step, they are a list."""

from collections.abc import Iterable, Iterator

from steps import Join, Word, Words

from wurzel import WZ, NoSettings, TypedStep


class Count(TypedStep[NoSettings, list[Word], Iterator[Word]]):
    """Count up to the number of letters of each word."""

    def run(self, inpt: list[Word]) -> Iterator[Word]:
        for word in inpt:
            for number in range(len(word.text)):
                yield Word(text=word.text, count=number)


class Even(TypedStep[NoSettings, Iterator[Word], Iterator[Word]]):
    """Keep every second item."""

    def run(self, inpt: Iterator[Word]) -> Iterator[Word]:
        for word in inpt:
            if word.count % 2 == 0:
                yield word


class Share(TypedStep[NoSettings, Iterable[Word], list[Word]]):
    """Read the items twice: once for their number, once for themselves."""

    def run(self, inpt: Iterable[Word]) -> list[Word]:
        total = sum(1 for _ in inpt)
        return [Word(text=f"{word.text} of {total}", count=word.count) for word in inpt]


def pipeline():
    return WZ(Words) >> WZ(Count) >> WZ(Even) >> WZ(Share) >> WZ(Join)
