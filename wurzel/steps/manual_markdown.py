"""A source: the Markdown files of a folder."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from wurzel.core import Settings, TypedStep
from wurzel.datacontract import MarkdownDataContract
from wurzel.exceptions import StepFailed

_SHOWN = 20


class ManualMarkdownSettings(Settings):
    """Which files to read, and the URLs they get."""

    FOLDER_PATH: Path = Field(description="folder with Markdown files, searched recursively")
    INCLUDE: list[str] = Field(
        ["*.md"], min_length=1, description="patterns of the files to read; one with a / matches the whole path"
    )
    EXCLUDE: list[str] = Field([], description="patterns of files to skip")
    URL_PREFIX: str = Field("", description="put before the path of a file, relative to the folder, to make its URL")


class ManualMarkdownStep(TypedStep[ManualMarkdownSettings, None, Iterator[MarkdownDataContract]]):
    """Read a folder of Markdown files with front matter."""

    input_paths = ("FOLDER_PATH",)

    def run(self, inpt: None) -> Iterator[MarkdownDataContract]:
        """The documents, one by one, in the byte order of their paths; front matter as in `MarkdownDataContract`.

        If the front matter has no URL, it is URL_PREFIX plus the path relative to the folder.

        Raises:
            StepFailed: when the folder is missing or holds no such file, or when files cannot be read; the message
                names each of them.
        """
        from wurzel.datacontract.markdown import read_markdown
        from wurzel.steps.folder import find

        folder = self.settings.FOLDER_PATH
        where = f"FOLDER_PATH={folder}"
        try:
            files = find(folder, self.settings.INCLUDE, self.settings.EXCLUDE)
        except FileNotFoundError:
            raise StepFailed("the folder does not exist", where=where, hint=f"Looked from {Path.cwd()}.") from None
        except NotADirectoryError:
            raise StepFailed("this is a file, not a folder", where=where) from None
        except OSError as error:
            raise StepFailed(f"the folder cannot be read: {error.strerror}", where=where) from error
        if not files:
            patterns = ", ".join(self.settings.INCLUDE)
            without = f" but not {', '.join(self.settings.EXCLUDE)}" if self.settings.EXCLUDE else ""
            raise StepFailed(f"no file in it matches {patterns}{without}", where=where)
        problems = []
        for file in files:
            if file.problem:
                problems.append(f"{file.path}: {file.problem}")
                continue
            try:
                document = MarkdownDataContract(**read_markdown(file.path, self.settings.URL_PREFIX + file.name))
            except (StepFailed, ValueError) as error:
                problems.append(_error_text(error, file.path))
                continue
            if not problems:  # otherwise nothing is stored, and what counts is to name the others
                yield document
        if problems:
            raise StepFailed(_summary(problems, len(files)), where=where)


def _error_text(error: StepFailed | ValueError, path: Path) -> str:
    text = str(error).replace("\n", "\n  ")
    return text if str(path) in text else f"{path}: {text}"


def _summary(problems: list[str], files: int) -> str:
    lines = problems[:_SHOWN]
    if len(problems) > len(lines):
        lines.append(f"and {len(problems) - len(lines)} more")
    count = f"{len(problems)} of {files} files" if files > 1 else "the only file"
    return f"{count} cannot be read:" + "".join(f"\n  {line}" for line in lines)
