"""Writes what jobs or templates of a file repeat only once, with YAML anchors, after patches and blocks are applied.

Only whole values are shared: GitHub reads anchors and aliases, but no merge keys (`<<`),
https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from wurzel.exceptions import VerifyError
from wurzel.patterns import pattern
from wurzel.render.documents import parsed
from wurzel.render.verify import Unreadable, yaml_events

Lines = Sequence[tuple[str, int]]
"""Lines, each with the number of the line that it was."""
Parts = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""By the name of its anchor, the lines of a shared part as they were, and with the anchor."""

GITHUB = (pattern(r" {4}(?!steps:)[-\w]+:$| {6}- "), pattern(r" {8}[-\w]+:$| {8}uses: \S+/"))
"""Keys of a job, and its steps; then keys of a step, and the action that it uses."""
ARGO = (pattern(r" {4,8}retryStrategy:$"),)
"""Retries of templates: `templateDefaults` cannot have them."""
CRONJOB = (pattern(r"(?: {10}| {14})(?:env|envFrom|resources|securityContext|volumeMounts):$"),)
"""What containers of a pod have in common; the pod of a CronJob is four columns further in than that of a Job."""
_NAMED = pattern(r"\W*(?:name: )?(?:uses: \S+/([-\w]+)@.*)?(.*)")


def anchored(text: str, start: str, patterns: Sequence[re.Pattern[str]]) -> tuple[str, list[int]]:
    """The file with repeated parts below the key `start` written once, and for each line its old number (from 0).

    `patterns` say which lines begin what may be shared. The text is valid YAML, and as the templates write it: two
    spaces for each level. Raises `VerifyError` when a template indents so differently that the file would say something
    else.
    """
    lines: Lines = [(line, number) for number, line in enumerate(text.split("\n"))]
    parts: Parts = {}
    for each in patterns:
        lines = list(_shared(lines, start, each, parts))
    found = "\n".join(line for line, _ in lines)
    try:
        same = not parts or _is_sure(text, found, parts) or parsed(found) == parsed(text)
    except Unreadable:
        same = False
    if not same:
        raise VerifyError(
            "written without anchors, which would change what this file says",
            hint="Indent lines in your templates as wurzel's templates do, or set anchors: false.",
        )
    return found, [number for _, number in lines][: found.count("\n")]


def _is_sure(text: str, found: str, parts: Parts) -> bool:
    """Whether both texts mean the same, decided without parsing them, which would take a tenth of a cold render.

    The only anchors and aliases are ours, where a node of a block starts. Each stands for lines that are a whole node
    wherever one starts; no line after them belongs to it, see `_parts`.
    """
    if not text.endswith("\n") or any(line.isspace() for line in text.split("\n")):
        return False  # the text of a block may end differently there
    marks = [
        (number, words[1][1:], False)
        for number, line in enumerate(found.split("\n"))
        if len(words := line.split(None, 2)) > 1 and words[1][0] in "&*" and words[1][1:] in parts
    ]
    if any(f"&{name}" in text for name in parts) or list(_marks(found)) != marks:
        return False
    return all(_is_whole(*lines) for lines in parts.values())


def _marks(text: str) -> Iterator[tuple[int, str, bool]]:
    """The line and the name of each anchor and alias, and whether it is in a flow collection."""
    flow = [False]
    for event in yaml_events(text):
        if name := getattr(event, "anchor", None):
            yield event.start_mark.line, name, flow[-1]
        if hasattr(event, "flow_style"):
            flow.append(bool(event.flow_style))
        elif type(event).__name__ in {"MappingEndEvent", "SequenceEndEvent"}:
            flow.pop()


def _is_whole(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a part is one whole entry, which means the same with its anchor and before any text that may follow."""
    margin = " " * (len(before[0]) - len(before[0].lstrip()))
    end = f"{margin}- end" if before[0].lstrip().startswith("- ") else f"{margin}end:"
    one, *others = parsed("\n---\n".join("\n".join([*lines, end]) for lines in (before, (*before, ""), after)))
    return len(one) == 2 and others == [one, one]  # noqa: PLR2004 - the part and the end


def _shared(lines: Lines, start: str, pattern: re.Pattern[str], shared: Parts) -> Iterator[tuple[str, int]]:
    """The lines with the first of equal parts behind an anchor, and an alias for each of the others."""
    texts = {begin: tuple(line for line, _ in lines[begin:end]) for begin, end in _parts(lines, start, pattern)}
    count = Counter(texts.values())
    known: dict[tuple[str, ...], str] = {}
    skipped = 0
    for number, (line, was) in enumerate(lines):
        if number < skipped:
            continue
        text = texts.get(number, ())
        key, value = _split(line)
        if count[text] < 2 or (len(text) == 1 and not value) or not text:  # noqa: PLR2004 - shared by two or more
            yield line, was
        elif text in known:
            yield f"{key} *{known[text]}", was
            skipped = number + len(text)
        else:
            known[text] = name = _name(line, shared)
            first = [f"{key} &{name}", f"        {value}"] if key.endswith("-") else [f"{key} &{name} {value}".rstrip()]
            shared[name] = text, (*first, *text[1:])
            yield from ((each, was) for each in first)


def _parts(lines: Lines, key: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each part. A part ends before the next line that is indented no further, or with its document.

    Comments end nothing.
    """
    start = next((number for number, (line, _) in enumerate(lines) if line.strip() == key), len(lines))
    end = next((number for number in range(start, len(lines)) if lines[number][0] == "---"), len(lines))
    first, depth = 0, -1
    last = start
    for number in range(start, end):
        line = lines[number][0]
        if not line.strip():
            continue
        here = len(line) - len(line.lstrip())
        if depth >= 0 and here <= depth:
            if line[here] == "#":
                continue
            yield first, last + 1
            depth = -1
        if depth < 0 and pattern.match(line):
            first, depth = number, here
        last = number
    if depth >= 0:
        yield first, last + 1


def _split(line: str) -> tuple[str, str]:
    """What stands before an anchor, and behind it on the same line."""
    start = len(line) - len(line.lstrip())
    end = line.find(" ", start)
    return (line, "") if end < 0 else (line[:end], line[end + 1 :])


def _name(line: str, names: Collection[str]) -> str:
    """A new name for what starts on a line."""
    match = _NAMED.fullmatch(line)
    text = (match[1] or match[2]) if match else ""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", text).lower()
    wanted = re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "shared"
    name, number = wanted, 1
    while name in names:
        number += 1
        name = f"{wanted}-{number}"
    return name
