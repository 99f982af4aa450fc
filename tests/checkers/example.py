"""A pipeline with several inputs and outputs, streams, files, a program and a condition, as an author writes it."""

from collections.abc import Iterator

from wurzel import WZ, CommandStep, File, Inputs, NoSettings, Outputs, PydanticModel, TypedStep


class Doc(PydanticModel):
    text: str


class Pdf(File):
    suffix = ".pdf"


class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]


class Trained(Inputs):
    docs: Iterator[Doc]
    scan: Pdf | None


class Ocr(CommandStep[NoSettings, Pdf, Pdf]):
    command = ["ocrmypdf", "{input}", "{output}"]


class Scan(TypedStep[NoSettings, None, Pdf]):
    def run(self, inpt: None) -> Pdf:
        return Pdf(self.workdir / "a.pdf")


class Read(TypedStep[NoSettings, None, Iterator[Doc]]):
    def run(self, inpt: None) -> Iterator[Doc]:
        yield from (Doc(text=f"page {n}") for n in range(1_000_000))


class Cut(TypedStep[NoSettings, list[Doc], Halves]):
    shards = {"items": 500, "max": 64}

    def when(self, inpt: list[Doc]) -> bool:
        return len(inpt) > 1

    def run(self, inpt: list[Doc]) -> Halves:
        return Halves(train=inpt[1:], test=inpt[:1])


class Fit(TypedStep[NoSettings, Trained, list[Doc]]):
    async def run(self, inpt: Trained) -> list[Doc]:
        return [doc for doc in inpt.docs if inpt.scan]


cut, fit = WZ(Cut), WZ(Fit)
pipeline = [WZ(Read) >> cut, cut["train"] >> fit["docs"], WZ(Scan) >> WZ(Ocr) >> fit]
