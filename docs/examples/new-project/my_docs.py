"""The pipeline my-docs."""

from wurzel import WZ, NoSettings, PydanticModel, Settings, TypedStep


class Doc(PydanticModel):
    """What flows between the steps."""

    text: str


class Read(TypedStep[NoSettings, None, list[Doc]]):
    """Read documents."""

    def run(self, inpt: None) -> list[Doc]:
        return [Doc(text="Roots hold the plant."), Doc(text="Leaves catch light.")]


class ShortenSettings(Settings):
    LENGTH: int = 10


class Shorten(TypedStep[ShortenSettings, list[Doc], list[Doc]]):
    """Cut documents to a length."""

    def run(self, inpt: list[Doc]) -> list[Doc]:
        return [Doc(text=doc.text[: self.settings.LENGTH]) for doc in inpt]


pipeline = WZ(Read) >> WZ(Shorten)
