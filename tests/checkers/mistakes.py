"""Every line that ends in `wrong` is refused by type checkers, and no other."""

from collections.abc import Iterator

from wurzel import WZ, Inputs, NoSettings, Outputs, PydanticModel, TypedStep


class Doc(PydanticModel):
    text: str


class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]


class Pair(Inputs):
    docs: Iterator[Doc]
    more: list[Doc] | None


class Cut(TypedStep[NoSettings, list[Doc], Halves]):
    def when(self, inpt: list[Doc]) -> str:  # wrong
        return ""

    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt, test=[Doc(text="")])


class Positional(TypedStep[NoSettings, list[Doc], Halves]):
    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(inpt, inpt)  # wrong


class Incomplete(TypedStep[NoSettings, list[Doc], Halves]):
    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt)  # wrong


class OtherType(TypedStep[NoSettings, list[Doc], Halves]):
    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt, test="all")  # wrong


class Changing(TypedStep[NoSettings, list[Doc], Halves]):
    def run(self, inpt: list[Doc]) -> Halves:
        halves = Halves(train=inpt, test=inpt)
        halves.train = []  # wrong
        return halves


class Streamed(TypedStep[NoSettings, Iterator[Doc], list[Doc]]):
    def run(self, inpt: list[Doc]) -> list[Doc]:  # wrong
        return inpt


class Unknown(TypedStep[NoSettings, Pair, list[Doc]]):
    def run(self, inpt: Pair) -> list[Doc]:
        return list(inpt.dcos)  # wrong


class Optional(TypedStep[NoSettings, Pair, int]):
    def run(self, inpt: Pair) -> int:
        return len(inpt.more)  # wrong


class Later(TypedStep[NoSettings, list[Doc], list[Doc]]):
    async def run(self, inpt: list[Doc]) -> Doc:  # wrong
        return inpt[0]


cut, unknown = WZ(Cut), WZ(Unknown)
good = cut["train"] >> unknown["docs"]
numbered = cut[0] >> unknown  # wrong
unmade = cut["train"] >> Unknown  # wrong
counted = cut["test"] >> 3  # wrong
last: Cut = cut["train"] >> unknown  # wrong
