"""Ejected templates: copies of templates of a lower layer, into which later changes there are merged.

Beside a whole copy is its base, `<name>.j2.base`: the original when it was copied. An update is a three-way merge of
both with the current original.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from wurzel.exceptions import MissingPackage, UsageError, WriteError
from wurzel.named_tuples import NamedTuple
from wurzel.new_file import write_file
from wurzel.render.check.sources import BASE
from wurzel.render.layers import Found, Layer, Layers, TemplateMissing, label, reference
from wurzel.suggestion import LOOSE, did_you_mean

_NEXT = re.compile(r"""(["'])!([\w./-]+\.j2)(?=\1)["']""")
MOST_CONFLICTS = 127
"""`git merge-file` exits with the number of conflicts, at most this, and with a larger number on an error."""

Outcome = Literal["current", "updated", "merged", "conflict", "waiting", "gone", "left over"]


class Update(NamedTuple):
    """The update of one ejected template: its new `text`, and its new `base`."""

    label: str
    path: Path
    outcome: Outcome
    text: str = ""
    base: str = ""
    lines: Sequence[int] = ()
    """Lines at which conflicts start."""


def eject(layers: Layers, layer: Layer, name: str, *, force: bool = False) -> Path:
    """Copy a template from a layer below `layer` into its folder, with its base beside it, and return its path.

    Raises `TemplateMissing` when no layer below has it; `UsageError` when the project already has it, unless `force`;
    `WriteError` when it cannot be written.
    """
    found = _source(layers, layer, name)
    path = layer.folder / found.relative
    if path.exists() and not force:
        raise UsageError(
            "already exists", where=_own(layer, path), hint="Overwrite it with --force; your changes are lost."
        )
    text = _taken(layers, found)
    write_file(path, text)
    write_file(path.with_name(path.name + BASE), text)
    return path


def eject_block(layers: Layers, layer: Layer, name: str, block: str, *, force: bool = False) -> Path:
    """Write a template into the folder of `layer` that extends the one below with one block; returns its path.

    If the project already has one that extends, the block is appended. Raises `TemplateMissing` when no layer below has
    the template; `UsageError` when it has no such block, or the project's own already has it or is a whole copy, unless
    `force`; `WriteError` when it cannot be written.
    """
    found = _source(layers, layer, name)
    blocks = blocks_of(layers, found)
    if block not in blocks:
        raise UsageError(
            f"{label(found)} has no block {block!r}", hint=_elsewhere(layers, layer, found.relative, block, blocks)
        )
    path = layer.folder / found.relative
    head = f'{{% extends "{found.name}" %}}\n'
    if path.exists() and not force:
        own = Found(found.relative, layer, path)
        head = own.read()
        hint = "Edit it there, or overwrite it with --force."
        if not _extends(layers, own):
            raise UsageError("it is a whole copy, which already has the block", where=_own(layer, path), hint=hint)
        if block in blocks_of(layers, own, inherited=False):
            raise UsageError(f"the block {block!r} already exists", where=_own(layer, path), hint=hint)
        head += "" if head.endswith("\n") else "\n"
    path.with_name(path.name + BASE).unlink(missing_ok=True)
    write_file(path, f"{head}{{% block {block} %}}\n{{{{ super() }}}}\n{{% endblock %}}\n")
    return path


def blocks_of(layers: Layers, found: Found, *, inherited: bool = True) -> list[str]:
    """The blocks of a template and of those it extends, in file order."""
    from wurzel.render.check.sources import Sources
    from wurzel.render.environment import Environment

    sources = Sources(layers, Environment(layers))
    chain, _ = sources.chain(sources.read(found))
    return list(dict.fromkeys(block for source in (chain if inherited else chain[:1]) for block in source.blocks))


def updates(layers: Layers) -> Iterator[Update]:
    """The update of every ejected template; nothing is written. Raises `MissingPackage` when git is needed."""
    for layer in layers.layers:
        if layer.kind == "project":
            for base in sorted(layer.folder.rglob(f"*.j2{BASE}")):
                yield _update(layers, layer, base)


def apply(update: Update) -> None:
    """Write the merged template, then its base, so that an update can simply be repeated. Raises `WriteError`."""
    if update.outcome in {"updated", "merged", "conflict"}:
        write_file(update.path, update.text)
        write_file(update.path.with_name(update.path.name + BASE), update.base)


def _update(layers: Layers, layer: Layer, base: Path) -> Update:
    path = base.with_name(base.name.removesuffix(BASE))
    file = _own(layer, path)
    if not path.is_file():
        return Update(file, path, "left over")
    name = path.relative_to(layer.folder).as_posix()
    try:
        below = layers.below(layer, name)
    except TemplateMissing:
        return Update(file, path, "gone")
    old, own = (Found(name, layer, each).read() for each in (base, path))
    new = _taken(layers, below)
    if waiting := _conflicts(own):
        return Update(file, path, "waiting", lines=waiting)
    if old == new:
        return Update(file, path, "current")
    if own in {old, new}:
        return Update(file, path, "updated", new, new)
    text, conflicts = merge(own, old, new, names=(file, "the template it was ejected from", label(below)))
    return Update(file, path, "conflict" if conflicts else "merged", text, new, _conflicts(text) if conflicts else ())


def _conflicts(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("<<<<<<< ")]


def merge(own: str, base: str, other: str, *, names: tuple[str, str, str]) -> tuple[str, int]:
    """A text with both sides' changes to a base, and the number of conflicts, which are marked in it.

    Raises `MissingPackage` when git is not installed, `WriteError` when git fails.
    """
    git = shutil.which("git")
    if git is None:
        raise MissingPackage("merging templates needs git, which is not on the PATH", hint="Install git.")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("own", "base", "other")]
        for file, text in zip(files, (own, base, other), strict=True):
            file.write_text(text, encoding="utf-8", newline="")
        labels = [word for name in names for word in ("-L", name)]
        # A user's git configuration could change the style of the markers.
        environment = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            [git, "merge-file", "-p", "--diff3", *labels, *map(str, files)],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
        )
    if not 0 <= done.returncode <= MOST_CONFLICTS:
        raise WriteError(f"git merge-file failed: {done.stderr.decode(errors='replace').strip()}", where=names[0])
    return done.stdout.decode(), done.returncode


def _source(layers: Layers, layer: Layer, name: str) -> Found:
    """The template to eject: the one that a name with `!` means, otherwise the first below the project's folder."""
    found = layers.find(name, layer) if "!" in name else layers.below(layer, name)
    if found.relative not in layers.names(found.layer):
        raise UsageError(f"{label(found)} is rendered without the project's templates, so a copy would change nothing")
    if "!" not in name and found.layer.kind == "project":
        raise UsageError(f"{label(found)} is already the project's own", hint="Edit it there.")
    return found


def _taken(layers: Layers, found: Found) -> str:
    """The source of a template, with names after a `!` rewritten so that they mean the same from any layer."""

    def spelled(match: re.Match[str]) -> str:
        quote, name = match.groups()
        return f"{quote}{reference(layers.find(f'!{name}', found.layer).layer, name)}{quote}"

    return _NEXT.sub(spelled, found.read()) if found.layer.is_own else found.read()


def _elsewhere(layers: Layers, layer: Layer, name: str, block: str, blocks: Sequence[str]) -> str:
    """A hint: the part of the same target that has the block, or the block that was probably meant."""
    folder = name.partition("/")[0]
    for other in layers.names():
        if other != name and other.partition("/")[0] == folder:
            try:
                below = layers.below(layer, other)
            except TemplateMissing:
                continue
            if block in blocks_of(layers, below):
                return f"{other} has it: wurzel templates eject {other} --block {block}"
    return did_you_mean(block, blocks, cutoff=LOOSE) or (
        f"Blocks: {', '.join(blocks)}." if blocks else "It has no blocks; eject the whole template."
    )


def _extends(layers: Layers, found: Found) -> bool:
    from wurzel.render.check.sources import Source
    from wurzel.render.environment import Environment

    return Source(found, Environment(layers)).extends is not None


def _own(layer: Layer, path: Path) -> str:
    return label(Found("", layer, path))
