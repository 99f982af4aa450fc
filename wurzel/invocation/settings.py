"""The settings a step runs with, as far as its output depends on them: values as JSON, files by their contents.

Of a secret only its presence counts, since a stored digest of it could be tried against; of a URL all but its password.
A default that is computed when the step runs (`default_factory`) does not count, but a file that it names does.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from wurzel.datacontract.names import class_path
from wurzel.datacontract.secrets import hiding, is_secret, is_url, without_passwords
from wurzel.invocation.command import nulls
from wurzel.ir.file_places import file_places, files_in
from wurzel.named_tuples import NamedTuple
from wurzel.secret_names import names_secret_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

    from wurzel.core.typed_step import TypedStep
    from wurzel.ir.model import Step

_PRESENT = {"secret": "present"}
_LONGEST = 4096
"""Characters of a path."""
_PART = 255
"""Characters of a text that may be part of a path."""
_FIXED = (list, dict, set, tuple, frozenset)
"""Default factories that give the same everywhere."""


class Effective(NamedTuple):
    """What a step's settings say."""

    values: str
    """Canonical JSON of all values."""
    files: tuple[str, ...]
    """Setting and digest of each file and folder that a setting names."""
    modules: tuple[str, ...]
    """Where the classes and functions come from that are values of settings."""
    texts: dict[str, list[str]]
    """Texts and paths by the names of their settings, which code may make the paths of files of."""


def effective(
    step: Step,
    step_class: type[TypedStep[Any, Any, Any]],
    environ: Mapping[str, str],
    *,
    root: Path,
    digest: Callable[[Path], str],
) -> Effective:
    """The settings a step gets, read and validated as `wurzel step` does it.

    Relative paths start from `root`; `digest` gives the digest of a file or of all below a folder. Raises `WurzelError`
    when the settings are missing or wrong.
    """
    from wurzel.core.loading import load_settings
    from wurzel.core.typed_step import step_types

    with contextlib.chdir(root):
        settings = load_settings(
            step_types(step_class).settings,
            step_id=step.id,
            class_name=step_class.__name__,
            environ=environ,
            given=dict.fromkeys(nulls(step)),
        )
        secret = {one.name for one in step.settings if one.secret}
        reader = _Reader(secret, frozenset(step_class.input_paths), digest)
        values = reader.model(settings, "") if settings is not None else None
        return Effective(_text(values), tuple(sorted(reader.files)), tuple(sorted(reader.modules)), reader.texts)


def named_by(step: Step, root: Path, without: Iterable[Path]) -> list[Path]:
    """The files that texts of a step's settings name, but for those in the folders `without`.

    They count in `effective` too, which has the settings of a run.
    """
    known = [setting for setting in step.settings if setting.is_known and not setting.secret]
    with contextlib.chdir(root):
        texts = [(text, "Path" in setting.type) for setting in known for text in _texts(setting.chosen, setting.name)]
        found = [_named_file(text) or (Path(text) if is_path else Path()) for text, is_path in texts]
        paths = [path.absolute() for path in found if os.path.isfile(path)]  # noqa: PTH113 - see `_named_file`
    return [path for path in paths if not any(map(path.is_relative_to, map(Path.absolute, without)))]


def texts_of(step: Step) -> dict[str, list[str]]:
    """As the texts of `Effective`, as far as they are known before the step runs; without what it surely reads."""
    found: dict[str, list[str]] = {}
    for setting in step.settings:
        if setting.is_known and not setting.secret and not setting.input_path:
            texts: dict[str, list[str]] = {}
            _note_all(texts, setting.name, setting.chosen)
            named = set(files_in(setting.chosen, setting.input_places))
            for name, all_texts in texts.items():
                found.setdefault(name, []).extend(text for text in all_texts if text not in named)
    return found


def _note_all(texts: dict[str, list[str]], place: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _note_all(texts, f"{place}__{key}", inner)
    else:
        for text in _texts(value, place):
            _note(texts, place, text)


def _texts(value: Any, place: str) -> Iterator[str]:
    """All texts in a value, keys too, but for those that may name a file with a key."""
    if any(map(names_secret_file, place.split("__"))):
        return
    if isinstance(value, str) and value.startswith(("[", "{")):  # `Json[…]`
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, str) and len(value) <= _LONGEST:
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(key, place)
            yield from _texts(inner, f"{place}__{key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)


class _Reader:
    """Turns validated settings into plain JSON values, and collects the files that they name."""

    def __init__(self, secret: AbstractSet[str], inputs: AbstractSet[str], digest: Callable[[Path], str]) -> None:
        self.files: list[str] = []
        self.modules: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self._secret = secret
        self._inputs = inputs
        self._digest = digest

    def model(self, value: BaseModel, place: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in type(value).model_fields.items():
            known = self._field(getattr(value, name), field, f"{place}{name}")
            if name in value.model_fields_set or not _is_computed(field):
                found[name] = known
        for name, inner in (value.model_extra or {}).items():
            found[name] = self._encoded(inner, f"{place}{name}", is_file=False)
        return found

    def _field(self, value: Any, field: FieldInfo, place: str) -> Any:
        if isinstance(value, BaseModel):
            return self.model(value, f"{place}__")
        name = place.rpartition("__")[2]
        is_file = self._is_input(place) or bool(file_places(field.annotation, field.metadata))
        if place in self._secret or is_secret(field.annotation) or (is_file and names_secret_file(name)):
            return None if value is None else _PRESENT
        return self._encoded(value, place, is_file=is_file)

    def _encoded(self, value: Any, place: str, *, is_file: bool) -> Any:
        if isinstance(value, Enum):
            value = value.value
        if is_dataclass(value) and not isinstance(value, type):
            value = vars(value)
        if isinstance(value, BaseModel):
            return self.model(value, f"{place}__")
        if isinstance(value, str) and value and self._is_input(place):
            return self._path(Path(value), place, is_file=True)
        if (path := _named_file(value)) is not None:
            return self._path(path, place, is_file=is_file)
        if isinstance(value, Mapping | AbstractSet | list | tuple | deque):
            return self._collection(value, place, is_file=is_file)
        if isinstance(value, type | FunctionType | BuiltinFunctionType | ModuleType):
            return self._imported(value)
        if isinstance(value, str) and not isinstance(value, hiding()):
            _note(self.texts, place, value)
        return _leaf(value)

    def _imported(self, value: type | FunctionType | BuiltinFunctionType | ModuleType) -> str:
        """A class, function or module counts by its name, and its code with that of the step."""
        module = value.__name__ if isinstance(value, ModuleType) else value.__module__ or ""
        self.modules.add(module)
        return module if isinstance(value, ModuleType) else f"{module}:{value.__qualname__}"

    def _is_input(self, place: str) -> bool:
        """Whether the class says that a setting, or one around it, names files that the step reads."""
        return any(place == name or place.startswith(f"{name}__") for name in self._inputs)

    def _collection(self, value: Any, place: str, *, is_file: bool) -> Any:
        if isinstance(value, Mapping):
            named = [(_text(self._key(key, f"{place}__{at}")), inner) for at, (key, inner) in enumerate(value.items())]
            return {name: self._encoded(inner, f"{place}__{name}", is_file=is_file) for name, inner in named}
        if isinstance(value, AbstractSet):
            return sorted((self._encoded(item, place, is_file=is_file) for item in value), key=_text)
        return [self._encoded(item, f"{place}__{number}", is_file=is_file) for number, item in enumerate(value)]

    def _key(self, key: Any, place: str) -> Any:
        if isinstance(key, str) and _named_file(key) is None:
            return _leaf(key)
        return self._encoded(key, place, is_file=False)

    def _path(self, path: Path, place: str, *, is_file: bool) -> Any:
        """A file counts by its contents; a folder only where a setting says that it is read, since it may be huge.

        A file with a key, which `KEY_FILE` names, counts by its name.
        """
        if is_file or (os.path.isfile(path) and not any(map(names_secret_file, place.split("__")))):  # noqa: PTH113 - see `_named_file`
            self.files.append(f"{place}\0{self._digest(path)}")
            return {"file": place}
        _note(self.texts, place, str(path))
        return path.as_posix()


def _note(texts: dict[str, list[str]], place: str, text: str) -> None:
    """Keep a text that may be part of a path under the name of its setting, and those of keys around it."""
    parts = place.split("__")
    if 0 < len(text) <= _PART and not any(map(names_secret_file, parts)):
        for name in filter(str.isidentifier, parts):
            texts.setdefault(name, []).append(text)


def _named_file(value: Any) -> Path | None:
    """The path that a value is, or the file that a text or the URL of a file names, if there is one."""
    if isinstance(value, PurePath):
        return Path(value)
    text = str(value) if is_url(type(value)) else value
    if not isinstance(text, str) or len(text) > _LONGEST or not {".", "/"} & set(text):
        return None
    path = Path(unquote(urlsplit(text).path) if text.startswith("file:") else text)
    return path if os.path.isfile(path) else None  # noqa: PTH113 - `is_file` raises for names that are too long


def _is_computed(field: FieldInfo) -> bool:
    return field.default_factory is not None and field.default_factory not in _FIXED


def _leaf(value: Any) -> Any:
    """The JSON form of a value; one without any counts by its class, since its text may contain an address."""
    if isinstance(value, hiding()):
        return _PRESENT
    name = class_path(type(value))
    plain = to_jsonable_python(value, fallback=lambda _: name, inf_nan_mode="strings")
    return without_passwords(plain) if isinstance(plain, str) else plain


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=True)
