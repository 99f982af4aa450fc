"""Pictures of the terminal: real commands in a copy of the example, on a pseudo-terminal, drawn as SVG.

What differs from run to run is left out: times become `…s`, and slowest steps, named on a slow machine, are not
shown. Nothing is fetched when a picture is shown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from rich.console import Console
from rich.segment import Segment
from rich.terminal_theme import MONOKAI
from rich.text import Text

from reference.example import copy_example
from reference.registry import ROOT
from reference.terminal import on_a_terminal

_COLUMNS, _ROWS = 100, 60
_LETTER, _LINE, _EDGE = 8.4, 20, 16
_TIME = re.compile(r"\b\d+\.\d+s\b")
_CONTROL = re.compile(r"\x1b\[(\?25[lh]|\d*A|2K)|(\r)|(\n)")
_WORDS = re.compile(r"\S+(?: \S+)*")
"""What gets a column: browsers collapse two spaces to one, and then stretch what is left over the whole length."""

_PAPER, _INK = "#0d1117", "#e6edf3"

SHOWN: Mapping[str, tuple[str, ...]] = {
    "run": ("wurzel run rag -j 1", "wurzel run rag --param split.TOKEN_COUNT_MAX=128 -j 1"),
    "render": ("wurzel render", "sed -i 's/cpu: 500m/cpu: 1/' wurzel.yaml", "wurzel render"),
    "check": (
        "wurzel render -t dvc",
        "sed -i 's/TOKEN_COUNT_MAX: 256/TOKEN_COUNT_MAX: 300/' wurzel.yaml",
        "wurzel render -t dvc --check",
    ),
    "targets": ("wurzel targets",),
    "error": ("sed -i 's/cpu: 500m, memory/cpu: 500m, memroy/' wurzel.yaml", "wurzel render"),
}
"""Name of a picture to the commands it shows, one after the other."""


def terminal(name: str) -> str:
    """The picture of what some commands write to a terminal, in the folder of the example."""
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        example = copy_example(Path(scratch))
        for command in SHOWN[name]:
            lines.append(f"\x1b[1m$ {command}\x1b[0m")
            lines += _screen(_run(command, example, scratch))
    texts = [Text.from_ansi(line) for line in steady(lines)]
    wrapped = [part for text in texts for part in text.divide(range(_COLUMNS, len(text), _COLUMNS))]
    return _svg(wrapped, "; ".join(SHOWN[name]))


def steady(lines: Iterable[str]) -> list[str]:
    """The lines without what depends on how fast the machine is."""
    return [_TIME.sub("…s", line) for line in lines if not line.startswith("slowest: ")]


def graph() -> str:
    """What `wurzel graph rag --format svg` draws of the example."""
    command = [sys.executable, "-m", "wurzel", "graph", "rag", "--format", "svg"]
    example = ROOT / "docs" / "examples" / "rag"
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=example, env=env, capture_output=True, text=True, check=True).stdout


def _run(command: str, folder: Path, home: str) -> str:
    """All that a command writes to a terminal."""
    env = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": home,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLUMNS": str(_COLUMNS),
    }
    _, written = on_a_terminal(["/bin/sh", "-c", command], _COLUMNS, _ROWS, cwd=folder, env=env)
    return written


def _screen(written: str) -> list[str]:
    """The lines that stay on the screen, with their colours, once bars and what else is written over are gone."""
    lines, row, start = [""], 0, 0
    for control in _CONTROL.finditer(written):
        lines[row] += written[start : control.start()]
        start = control.end()
        if control.group(3):
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif control.group(1) == "2K":
            lines[row] = ""
        elif (control.group(1) or "").endswith("A"):
            row -= int(control.group(1)[:-1] or 1)
    while lines and not lines[-1]:  # a bar has stood there, or not, as it came
        lines.pop()
    return lines


def _svg(lines: list[Text], title: str) -> str:
    width = max(line.cell_len for line in lines) * _LETTER + 2 * _EDGE
    height = len(lines) * _LINE + 2 * _EDGE
    console = Console(color_system="truecolor", width=_COLUMNS, force_terminal=True)
    rows = [
        f'<text y="{number * _LINE + _EDGE + 15}">{_spans(line, console)}</text>'
        for number, line in enumerate(lines)
        if line.plain.strip()
    ]
    size = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
    style = f"text{{font:14px ui-monospace,Menlo,Consolas,monospace;fill:{_INK}}}"
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
    ]
    paper = f'<rect width="100%" height="100%" rx="8" fill="{_PAPER}"/>'
    return "\n".join([*head, f"<style>{style}</style>", paper, *rows, "</svg>"]) + "\n"


def _spans(line: Text, console: Console) -> str:
    """Pieces of a line, each at its column whatever the font."""
    column, found = 0, []
    for text, style, _ in Segment.simplify(line.render(console)):
        bold = ' font-weight="bold"' if style and style.bold else ""
        colour = f' fill="{style.color.get_truecolor(MONOKAI).hex}"' if style and style.color else ""
        for words in _WORDS.finditer(text):
            left, size = column + Text(text[: words.start()]).cell_len, Text(words[0]).cell_len
            place = f'x="{left * _LETTER + _EDGE:.1f}" textLength="{size * _LETTER:.1f}"'
            found.append(f"<tspan {place}{bold}{colour}>{escape(words[0])}</tspan>")
        column += Text(text).cell_len
    return "".join(found)
