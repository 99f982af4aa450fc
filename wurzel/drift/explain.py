"""Every rendered line with the template line and the configuration that it comes from: `render --explain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wurzel.drift.influence import influence
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.job import JobResult
    from wurzel.drift.fields import Setting
    from wurzel.render import Renderer
    from wurzel.render.trace import Origin

_SHOWN = 3


class Line(NamedTuple):
    """One line of a file."""

    text: str
    origin: Origin
    fields: Sequence[Setting]
    """The settings that influence the line; those that influence the fewest lines first."""


class Explained(NamedTuple):
    """All lines of one file, without its header."""

    path: str
    lines: Sequence[Line]
    untried: int
    """Number of settings that were not tried because there are too many."""


def explain(result: JobResult, renderer: Renderer) -> Iterator[Explained]:
    """The files of one job, line by line; renders the job again with one setting changed at a time."""
    found = influence(result, renderer)
    for file in result.files:
        by_line = found.lines.get(file.output.path, {})
        texts = file.rendered.text.split("\n")
        lines = [
            Line(text, origin, by_line.get(number, ()))
            for number, (text, origin) in enumerate(zip(texts, file.rendered.origins, strict=False), 1)
        ]
        yield Explained(file.output.path, lines, found.untried)


def as_text(files: Sequence[Explained]) -> str:
    """`template:line | text  <- expressions  [fields and their places]`, with the path of each file above it."""
    return "".join(f"{line}\n" for file in files for line in _rows(file))


def _rows(file: Explained) -> Iterator[str]:
    yield f"# {file.path}"
    if file.untried:
        yield f"# {file.untried} settings were not tried because the pipeline is large"
    width = max((len(str(line.origin)) for line in file.lines), default=0)
    for line in file.lines:
        values = f"  <- {', '.join(line.origin.values)}" if line.origin.values else ""
        more = f" and {len(line.fields) - _SHOWN} more" if len(line.fields) > _SHOWN else ""
        fields = f"  [{', '.join(map(_setting_name, line.fields[:_SHOWN]))}{more}]" if line.fields else ""
        yield f"{line.origin!s:<{width}} | {line.text}{values}{fields}"


def _setting_name(setting: Setting) -> str:
    whose = f"{setting.steps[0]}: " if len(setting.steps) == 1 else ""
    return f"{whose}{setting.field} {setting.place}".rstrip()


def as_json(files: Sequence[Explained]) -> str:
    """The same as data; `line` counts from 1, without the header."""
    data = [
        {
            "path": file.path,
            "fields_not_tried": file.untried,
            "lines": [
                {
                    "line": number,
                    "text": line.text,
                    "template": line.origin.template,
                    "template_line": line.origin.line,
                    "values": list(line.origin.values),
                    "fields": [
                        {"field": field.field, "steps": list(field.steps), "place": field.place or None}
                        for field in line.fields
                    ],
                }
                for number, line in enumerate(file.lines, 1)
            ],
        }
        for file in files
    ]
    return json.dumps({"version": 1, "files": data}, indent=2, ensure_ascii=False) + "\n"
