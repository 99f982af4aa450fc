"""What a program takes and gives: paths of files and folders."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, ForwardRef, TypeVar, get_args, get_origin

from wurzel.core.fields import Inputs, Outputs, ports_class
from wurzel.core.parameters import bindings
from wurzel.core.typed_step import INCONTRACT, OUTCONTRACT, TypedStep, step_types
from wurzel.datacontract.shape import type_text, unaliased, without_none
from wurzel.exceptions import StaticTypeError, StepFailed
from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.datacontract.files import File, Folder

_LISTS = (list, Iterator, Iterable)


class Ports(NamedTuple):
    """The inputs and outputs of a step class by placeholder, `input` or `inputs.docs`, with their annotations."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]
    output_class: Any
    """The `Outputs` class; `None` without one."""

    @property
    def lists(self) -> list[str]:
        """Those inputs that are any number of files."""
        return [name for name, annotation in self.inputs.items() if _item(annotation) is not None]

    @property
    def prints(self) -> bool:
        """Whether the output can be what a program prints: it is one file, without a name."""
        kind = self.outputs.get("output")
        return _is_file(kind) or isinstance(kind, str | ForwardRef)  # a text is checked once it can be resolved

    def check(self, where: str) -> None:
        """Make sure that all of them are files and folders. Raises `StaticTypeError` when one is not."""
        for name, annotation in (*self.inputs.items(), *self.outputs.items()):
            item = _item(annotation)
            kind = unaliased(without_none(annotation) if item is None else item)
            if not _is_file(kind) and not _is_folder(kind):
                raise StaticTypeError(
                    f"the {name} of a program is {type_text(annotation)}, not a File or Folder",
                    where=where,
                    hint="A program takes and gives files: derive a class from wurzel.File, or write a TypedStep.",
                )

    def paths_in(self, value: Any) -> dict[str, Any]:
        """What the placeholders of inputs stand for: a path, a list of them, `None` for an input that is absent."""
        return {
            name: _path(value if "." not in name else getattr(value, name.partition(".")[2])) for name in self.inputs
        }

    def paths_out(self, folder: Path, *, create: bool) -> dict[str, str]:
        """Where the program is to write; folders are there already if `create` says so."""
        paths = {}
        for name, annotation in self.outputs.items():
            stem = name.rpartition(".")[2]
            single = _is_file(annotation)
            path = folder / (f"{stem}{annotation.suffix or ''}" if single else stem)
            if create and not single:
                path.mkdir()
            paths[name] = str(path)
        return paths

    def result(self, paths: dict[str, Any], program: str) -> Any:
        """What `run` gives, once the program has written it. Raises `StepFailed` when it has not."""
        values = {
            name.rpartition(".")[2]: _written(Path(paths[name]), annotation, program)
            for name, annotation in self.outputs.items()
        }
        return values["output"] if self.output_class is None else self.output_class(**values)


@cache
def ports_of(step_class: type[TypedStep[Any, Any, Any]]) -> Ports:
    """The ports of a step class whose fields may still name what comes later in its module: their types are texts."""
    given = bindings(step_class, TypedStep)
    inputs, outputs = given[INCONTRACT], given[OUTCONTRACT]
    return Ports(_ports("input", inputs, Inputs), _ports("output", outputs, Outputs), ports_class(outputs, Outputs))


@cache
def checked_ports_of(step_class: type[TypedStep[Any, Any, Any]]) -> Ports:
    """The ports of a step class, with the types of all fields. Raises `StaticTypeError` when a type cannot be read."""
    types = step_types(step_class)
    inputs = {f"inputs.{one.name}" if one.name else "input": unaliased(one.annotation) for one in types.inputs}
    outputs = {f"outputs.{one.name}" if one.name else "output": unaliased(one.annotation) for one in types.outputs}
    return Ports(inputs, outputs, types.output_class)


def is_open(step_class: type[TypedStep[Any, Any, Any]]) -> bool:
    """Whether type parameters of a generic class are not given yet."""
    return any(isinstance(given, TypeVar) for given in bindings(step_class, TypedStep).values())


def _ports(name: str, annotation: Any, kind: Any) -> dict[str, Any]:
    plain = unaliased(annotation)
    if plain is None or plain is NoneType:
        return {}
    found = ports_class(annotation, kind)
    if found is None:
        return {name: plain}
    return {f"{name}s.{field.name}": field.type for field in dataclasses.fields(found)}


def _item(annotation: Any) -> Any:
    """The class of the items of a list; `None` for what is not a list."""
    plain = unaliased(without_none(annotation))
    return get_args(plain)[0] if get_origin(plain) in _LISTS and get_args(plain) else None


def _path(value: Any) -> Any:
    if value is None or hasattr(value, "path"):
        return value and str(value.path)
    return [str(item.path) for item in value]


def _written(path: Path, annotation: Any, program: str) -> File | Folder | list[File]:
    item = _item(annotation)
    if not path.exists():
        raise StepFailed(f"{program} exited 0, but did not write {path}")
    if item is None:
        return annotation(path)  # type: ignore[no-any-return]
    return [item(found) for found in sorted(path.iterdir(), key=os.fsencode)]


def _is_file(kind: Any) -> bool:
    from wurzel.datacontract.files import File

    return isinstance(kind, type) and issubclass(kind, File)


def _is_folder(kind: Any) -> bool:
    from wurzel.datacontract.files import Folder

    return isinstance(kind, type) and issubclass(kind, Folder)
