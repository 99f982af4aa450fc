"""What is generated: whole files, and marked parts of hand-written pages.

A generator is a function that gives text. It is named as `module:function`, or `module:function:argument`, so that
writing one file imports what that file needs. To add one, add a line here, run `make reference`, and commit what it
writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from wurzel.backends.registry import BUILT_IN

ROOT = Path(__file__).resolve().parents[1]

TERMINALS = ("run", "render", "check", "targets", "error")
FILES = {
    "docs/reference/cli.md": "reference.cli:page",
    "docs/reference/configuration.md": "reference.configuration:page",
    "docs/reference/ir.md": "reference.configuration:ir_page",
    **{f"docs/reference/targets/{name}.md": f"reference.targets:page:{name}" for name in BUILT_IN},
    **{f"docs/reference/templates-{name}.md": f"reference.templates:page:{name}" for name in BUILT_IN},
    "docs/images/graph.svg": "reference.pictures:graph",
    **{f"docs/images/{name}.svg": f"reference.pictures:terminal:{name}" for name in TERMINALS},
}
"""Path of a file that is generated as a whole, relative to the repository, to its generator."""

PARTS: dict[str, dict[str, str]] = {
    "docs/decisions/index.md": {"list": "reference.decisions:listing"},
    "docs/backends/index.md": {"targets": "reference.targets:listing"},
    "docs/organisation.md": {"policies": "reference.policies:table"},
    "docs/templates.md": {"references": "reference.templates:listing"},
}
"""Path of a page to the generators of its parts, by name: what stands between `<!-- generated: NAME -->` and
`<!-- end -->`."""


def generated() -> Iterator[tuple[str, str]]:
    """Path and text of everything that is generated, as it should be.

    Raises:
        ValueError: when a page lacks the marks of a part.
    """
    for path, generator in FILES.items():
        yield path, _text(generator)
    for path, parts in PARTS.items():
        page = (ROOT / path).read_text(encoding="utf-8")
        for name, generator in parts.items():
            page = with_part(page, path, name, _text(generator))
        yield path, page


def with_part(page: str, path: str, name: str, text: str) -> str:
    """The page with the text between its marks replaced."""
    start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path} needs the lines {start.strip()!r} and {end!r} where its part {name!r} belongs")
    return f"{before}{start}\n{text.strip()}\n\n{end}{after}"


def _text(generator: str) -> str:
    module, function, *arguments = generator.split(":")
    text = getattr(import_module(module), function)(*arguments)
    assert isinstance(text, str)  # noqa: S101 - a generator that gives none is a bug here
    return text
