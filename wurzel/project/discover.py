"""Finds the pipelines of a project: candidates by their source text, then each by importing it safely."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.core.source_folders import source_folders
from wurzel.exceptions import WurzelError
from wurzel.named_tuples import NamedTuple
from wurzel.project.open import kebab

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting

MAX_FILES = 5000
MAX_BYTES = 1024 * 1024
_NO_CODE = frozenset({"node_modules", "site-packages", "build", "dist", "tests", "test", "docs"})
_NO_NAMES = frozenset({"pipeline", "main", "build", "create", "get", "make", "last", "flow"})


class FoundStep(NamedTuple):
    """A step, with the required settings that the user has to set."""

    id: str
    settings: list[Setting]


class Found(NamedTuple):
    """A pipeline, ready to be written into `wurzel.yaml`."""

    name: str
    entrypoint: str
    steps: list[FoundStep]


class Skipped(NamedTuple):
    """Something that looks like a pipeline but could not be used, and why."""

    entrypoint: str
    reason: str


def find_pipelines(root: Path) -> tuple[list[Found], list[Skipped]]:
    """The pipelines below a folder, which must be the current one, in the order of their modules and lines.

    Modules that look as if they define pipelines are imported.
    """
    found: list[tuple[str, Pipeline]] = []
    skipped: list[Skipped] = []
    for module, attributes in candidates(root):
        inside: list[tuple[str, Pipeline]] = []
        for attribute in attributes:
            entrypoint = f"{module}:{attribute}"
            result = _tried(entrypoint)
            if isinstance(result, str):
                skipped.append(Skipped(entrypoint, result))
            elif result is not None:
                inside.append((entrypoint, result))
        found += _whole(inside)
    names: set[str] = set()
    return [_found(entrypoint, pipeline, names) for entrypoint, pipeline in found], skipped


def candidates(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Modules, each with the names of its functions and variables that chain steps."""
    for path in islice(_sources(root), MAX_FILES):
        try:
            text = path.read_text(encoding="utf-8") if path.stat().st_size <= MAX_BYTES else ""
            tree = ast.parse(text) if "wurzel" in text and ("WZ" in text or ">>" in text) else None
        except (OSError, ValueError, SyntaxError, RecursionError):
            continue
        attributes = list(dict.fromkeys(_attributes(tree))) if tree is not None else []
        if attributes:
            yield _module(path, root), attributes


def _sources(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in _NO_CODE and not (here / name / "pyvenv.cfg").exists()
        )
        yield from (here / name for name in sorted(files) if name.endswith(".py") and name[:-3].isidentifier())


def _module(path: Path, root: Path) -> str:
    home = next(folder for folder in reversed(source_folders(root)) if path.is_relative_to(folder))
    parts = list(path.relative_to(home).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


def _attributes(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            needed = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
            if needed <= 0 and None not in node.args.kw_defaults and _chains(node.body):
                yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _chains([node.value]):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (item.id for item in targets if isinstance(item, ast.Name) and not item.id.startswith("_"))


def _chains(nodes: Iterable[ast.AST]) -> bool:
    """Whether any of the nodes creates or chains steps."""
    inner = (item for node in nodes for item in ast.walk(node))
    return any((isinstance(item, ast.Name) and item.id == "WZ") or isinstance(item, ast.RShift) for item in inner)


def _tried(entrypoint: str) -> Pipeline | str | None:
    """The pipeline, the reason why it cannot be used, or `None` if it is something else."""
    from wurzel.core.importing import import_object, introspecting
    from wurzel.ir.introspect import NotAPipelineError, introspect

    try:
        with introspecting():
            return introspect(import_object(entrypoint), name="x", entrypoint=entrypoint)
    except NotAPipelineError:
        return None
    except WurzelError as error:
        return str(error).splitlines()[0]
    except Exception as error:  # noqa: BLE001 - code of the user, which may do anything
        return f"{type(error).__name__}: {error}".splitlines()[0]


def _whole(inside: list[tuple[str, Pipeline]]) -> list[tuple[str, Pipeline]]:
    """The pipelines of one module that are not just parts of others, each once."""
    ids = [frozenset(step.id for step in pipeline.steps) for _, pipeline in inside]
    return [
        item
        for index, item in enumerate(inside)
        if not any(ids[index] < other for other in ids) and ids[index] not in ids[:index]
    ]


def _found(entrypoint: str, pipeline: Pipeline, names: set[str]) -> Found:
    steps = [
        FoundStep(step.id, [item for item in step.settings if item.required and not item.given])
        for step in pipeline.steps
    ]
    return Found(_name(entrypoint, names), entrypoint, steps)


def _name(entrypoint: str, names: set[str]) -> str:
    """A unique, telling name: the attribute, or the module if the attribute is generic."""
    module, _, attribute = entrypoint.partition(":")
    last = module.rpartition(".")[2]
    wanted = last if attribute in _NO_NAMES and last not in {"pipelines", "pipeline"} else attribute
    try:
        base = kebab(f"x:{wanted}")
    except WurzelError:
        base = "pipeline"
    name = base
    number = 2
    while name in names:
        name = f"{base}-{number}"
        number += 1
    names.add(name)
    return name
