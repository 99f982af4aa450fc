"""A step with several inputs of different types; each edge finds its input by its type."""

from steps import Join, Reverse, Word, Words

from wurzel import WZ, Inputs, NoSettings, TypedStep


class Parts(Inputs):
    words: list[Word]
    title: Word | None


class Title(TypedStep[NoSettings, Parts, list[Word]]):
    """Put a title before the words."""

    def run(self, inpt: Parts) -> list[Word]:
        return [*([inpt.title] if inpt.title else []), *inpt.words]


def pipeline():
    words, title = WZ(Words), WZ(Title)
    words >> WZ(Join) >> title
    [words, words >> WZ(Reverse)] >> title
    return title
