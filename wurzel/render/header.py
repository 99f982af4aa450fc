"""The header, the first line of every file we write: its command, its source, and a digest of the rest."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from hashlib import sha256

from wurzel.patterns import pattern
from wurzel.render.characters import presented

MARK = "Rendered by `"
"""The start of the line, after the comment sign."""

IN_FOLDER = "-C"
"""The option of `wurzel` with the folder to work in: files at the top of a repository name their project by it."""

_COMMENTS: dict[str, tuple[str, str]] = {
    ".json": ('  "//": "', '",'),
    **dict.fromkeys((".js", ".ts", ".jsonnet", ".libsonnet", ".groovy", ".go", ".proto", ".cue"), ("// ", "")),
    **dict.fromkeys((".sql", ".lua"), ("-- ", "")),
    **dict.fromkeys((".md", ".html", ".xml"), ("<!-- ", " -->")),
}
"""Text around the line, by the suffix of a template's name; a `#` before it for all others."""

_HEADER = pattern(
    rb"(?:# |// |-- |<!-- |  \"//\": \")Rendered by `([^\n]*)` from [^\n]*?(?: with (?P<packs>[^\n;]+))?; do not edit\."
    rb" sha256:([0-9a-f]{64})(?: -->|\",)?\r?"
)
_FIRST = ("#!", "<?xml", "{\n")
_CONFLICT = pattern(rb"^<{7} .*?^>{7} ", re.MULTILINE | re.DOTALL)
_COOKIE = pattern(r"(coding)(?=[:=])")


def sign(text: str, *, command: str, source: str, packs: str = "", template: str = "") -> str:
    """The text with its header as first line, or as second one after `#!`, `<?xml` or the brace that opens JSON.

    Args:
        text: the output of the template.
        command: the command that renders the file again, e.g. `wurzel render rag -t dvc`.
        source: its source, e.g. `mypkg.pipelines:rag`.
        packs: the template packs with their versions, e.g. `globex 2.1.0`.
        template: the template's name, whose suffix tells what a comment looks like.
    """
    suffix = posixpath.splitext(template.removesuffix(".j2"))[1]
    start, end = _COMMENTS.get(suffix, ("# ", ""))
    source = f"{source} with {packs}" if packs else source
    shebang, rest = _split(text)
    line = f"Rendered by `{_one_line(command)}` from {_one_line(source)}; do not edit. sha256:{_digest(shebang + rest)}"
    if suffix == ".json":
        line = json.dumps(line, ensure_ascii=False)[1:-1]
    return f"{shebang}{start}{line}{end}\n{rest}"


def is_ours(content: bytes) -> bool:
    """Whether a file has our header."""
    return _find(content) is not None


def is_untouched(content: bytes) -> bool:
    """Whether a file with our header is unchanged since we wrote it, except for line ends that git changed."""
    match = _find(content)
    if match is None:
        return False
    return _digest(_without(content, match).replace(b"\r\n", b"\n")) == match.group(3).decode()


def is_conflicted(content: bytes) -> bool:
    """Whether the file contains a merge conflict between two rendered versions, whose first lines always differ."""
    return MARK.encode() in content and _CONFLICT.search(content) is not None


def body(content: bytes) -> bytes:
    """A file without our header, if it has one."""
    match = _find(content)
    return content if match is None else _without(content, match)


def command_of(content: bytes) -> list[str]:
    """The words of the command that wrote a file with our header, in its project; empty for other files."""
    words = _words(content)
    return [*words[:1], *words[3:]] if words[1:2] == [IN_FOLDER] else words


def project_of(content: bytes) -> str:
    """The folder of the project that a file with our header belongs to, if the file is above it; otherwise ''."""
    words = _words(content)
    return "".join(words[2:3]) if words[1:2] == [IN_FOLDER] else ""


def within(folder: str, command: str) -> str:
    """A command of wurzel for a project in a folder below; the command itself for ''."""
    return command.replace("wurzel", shlex.join(["wurzel", IN_FOLDER, folder]), 1) if folder else command


def _words(content: bytes) -> list[str]:
    match = _find(content)
    try:
        return shlex.split(_unescaped(match)) if match is not None else []
    except ValueError:
        return []


def _unescaped(match: re.Match[bytes]) -> str:
    text = match.group(1).decode()
    return str(json.loads(f'"{text}"')) if match.group().startswith(b"  ") else text


def packs_of(content: bytes) -> dict[str, str]:
    """The template packs that a file with our header was written with, and their versions."""
    match = _find(content)
    packs = match.group("packs") if match is not None else None
    pairs = (pack.rpartition(" ") for pack in packs.decode().split(", ")) if packs else ()
    return {name: version for name, _, version in pairs}


def _without(content: bytes, match: re.Match[bytes]) -> bytes:
    return content[: match.start()] + content[match.end() + 1 :]


def _find(content: bytes) -> re.Match[bytes] | None:
    start = content.find(b"\n") + 1 if content.startswith(tuple(first.encode() for first in _FIRST)) else 0
    stop = content.find(b"\n", start)
    return _HEADER.fullmatch(content, start, stop if stop >= 0 else len(content))


def _split(text: str) -> tuple[str, str]:
    """The line that must stay first, such as `#!`, and the rest."""
    if not text.startswith(_FIRST):
        return "", text
    first, _, rest = text.partition("\n")
    return first + "\n", rest


def _digest(body: str | bytes) -> str:
    return sha256(body.encode() if isinstance(body, str) else body).hexdigest()


def _one_line(text: str) -> str:
    # Python reads `coding:` in a comment of the first two lines as the encoding of the file.
    return _COOKIE.sub(r"\1 ", presented(text))
