"""Data that is files: one file, many files and folders, between steps."""

from steps import Word, Words

from wurzel import WZ, File, Folder, NoSettings, TypedStep


class Text(File):
    suffix = ".txt"


class Write(TypedStep[NoSettings, list[Word], list[Text]]):
    """Write a file for each word, with names that need care; the first can be executed."""

    def run(self, inpt: list[Word]) -> list[Text]:
        found = []
        for number, word in enumerate(inpt):
            path = self.workdir / f"{number} {word.text} it's $HOME.txt"
            path.write_text(f"{word.text}\n", encoding="utf-8")
            path.chmod(0o755 if number == 0 else 0o644)
            found.append(Text(path))
        return found


class Sort(TypedStep[NoSettings, list[Text], Folder]):
    """Put the files into a folder, by their first letter; one folder stays empty, and one file is hidden."""

    def run(self, inpt: list[Text]) -> Folder:
        root = self.workdir / "sorted"
        for text in inpt:
            content = text.path.read_text(encoding="utf-8")
            target = root / content[0] / text.path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        (root / "empty").mkdir()
        (root / ".hidden").write_text("hidden\n", encoding="utf-8")
        return Folder(root)


class Whole(TypedStep[NoSettings, Folder, Text]):
    """List all there is in the folder."""

    def run(self, inpt: Folder) -> Text:
        path = self.workdir / "list.txt"
        names = sorted(item.relative_to(inpt.path).as_posix() for item in inpt.path.rglob("*"))
        path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        return Text(path)


class Lines(TypedStep[NoSettings, Text, list[Word]]):
    """Read the lines of a file."""

    def run(self, inpt: Text) -> list[Word]:
        return [Word(text=line) for line in inpt.path.read_text(encoding="utf-8").splitlines()]


def pipeline():
    return WZ(Words) >> WZ(Write) >> WZ(Sort) >> WZ(Whole) >> WZ(Lines)
