"""Small steps that the example pipelines are made of."""

from pathlib import Path

from pydantic import Field, SecretStr

from wurzel.core import NoSettings, SelfConsumingLeafStep, Settings, TypedStep
from wurzel.datacontract import PydanticModel


class Word(PydanticModel):
    text: str
    count: int = 1


class WordsSettings(Settings):
    WORDS: list[str] = Field(["one", "two", "three", "four", "five"], description="what the source gives")


class Words(TypedStep[WordsSettings, None, list[Word]]):
    """Give words."""

    def run(self, inpt: None) -> list[Word]:
        return [Word(text=text) for text in self.settings.WORDS]


class FileWordsSettings(Settings):
    FILE: Path = Field(description="text file with one word a line")


class FileWords(TypedStep[FileWordsSettings, None, list[Word]]):
    """Read words from a file."""

    input_paths = ("FILE",)

    def run(self, inpt: None) -> list[Word]:
        return [Word(text=line) for line in self.settings.FILE.read_text(encoding="utf-8").splitlines()]


class SuffixSettings(Settings):
    SUFFIX: str = Field("!", description="put behind every word")
    TIMES: int = Field(1, ge=0, description="how often")


class Suffix(TypedStep[SuffixSettings, list[Word], list[Word]]):
    """Put a suffix behind every word."""

    def run(self, inpt: list[Word]) -> list[Word]:
        suffix = self.settings.SUFFIX * self.settings.TIMES
        return [Word(text=word.text + suffix, count=word.count) for word in inpt]


class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    """Make words upper case."""

    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text.upper(), count=word.count) for word in inpt]


class Reverse(TypedStep[NoSettings, list[Word], list[Word]]):
    """Write words backwards."""

    def run(self, inpt: list[Word]) -> list[Word]:
        return [Word(text=word.text[::-1], count=word.count) for word in inpt]


class Join(TypedStep[NoSettings, list[Word], Word]):
    """Join all words into one."""

    def run(self, inpt: list[Word]) -> Word:
        return Word(text=" ".join(word.text for word in inpt), count=len(inpt))


class Shout(TypedStep[NoSettings, Word, Word]):
    """Map over single words."""

    def run(self, inpt: Word) -> Word:
        return Word(text=f"{inpt.text}!", count=inpt.count)


class SecretSettings(Settings):
    TOKEN: SecretStr = Field(description="never shown")
    USER: str = "anna"


class SecretSuffix(TypedStep[SecretSettings, list[Word], list[Word]]):
    """Put the length of a secret behind every word."""

    def run(self, inpt: list[Word]) -> list[Word]:
        length = len(self.settings.TOKEN.get_secret_value())
        return [Word(text=f"{word.text}{length}", count=word.count) for word in inpt]


class FlakySettings(Settings):
    MARKER: Path = Field(Path("flaky.marker"), description="exists after the first try")


class Flaky(TypedStep[FlakySettings, list[Word], list[Word]]):
    """Fail at the first try, work at the second."""

    retry = {"limit": 2}

    def run(self, inpt: list[Word]) -> list[Word]:
        if not self.settings.MARKER.exists():
            self.settings.MARKER.write_text("tried")
            raise RuntimeError("the first try fails")
        return inpt


class Failing(TypedStep[NoSettings, list[Word], list[Word]]):
    """Fail at every try."""

    def run(self, inpt: list[Word]) -> list[Word]:
        raise RuntimeError("this step always fails")


class Polling(TypedStep[NoSettings, None, list[Word]]):
    """Read something outside that may change at any time."""

    polls = True

    def run(self, inpt: None) -> list[Word]:
        return [Word(text="polled")]


class Memory(SelfConsumingLeafStep[NoSettings, list[Word]]):
    """Remember how often it has run."""

    def run(self, inpt: list[Word] | None) -> list[Word]:
        return [*(inpt or []), Word(text="again")]
