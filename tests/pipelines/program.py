"""Steps that are programs, which read and write files."""

from pydantic import Field
from steps import Word, Words

from wurzel import WZ, CommandStep, File, NoSettings, Settings, TypedStep


class Text(File):
    suffix = ".txt"


class Write(TypedStep[NoSettings, list[Word], Text]):
    """Write the words into a file, one a line."""

    def run(self, inpt: list[Word]) -> Text:
        path = self.workdir / "words.txt"
        path.write_text("".join(f"{word.text}\n" for word in inpt), encoding="utf-8")
        return Text(path)


class SortSettings(Settings):
    KEY: str = Field("1.2", description="where in a line the key begins")


class Sort(CommandStep[SortSettings, Text, Text]):
    """Sort the lines; `sort` writes into the file that it is given."""

    command = ["sort", "--reverse", "--key={settings.KEY}", "--output={output}", "{input}"]
    env = {"LC_ALL": "C"}


class First(CommandStep[NoSettings, Text, Text]):
    """Keep three lines; what `head` prints is the file."""

    command = ["head", "-n", "3", "{input}"]


class Lines(TypedStep[NoSettings, Text, list[Word]]):
    """Read the lines of a file."""

    def run(self, inpt: Text) -> list[Word]:
        return [Word(text=line) for line in inpt.path.read_text(encoding="utf-8").splitlines()]


def pipeline():
    return WZ(Words) >> WZ(Write) >> WZ(Sort) >> WZ(First) >> WZ(Lines)
