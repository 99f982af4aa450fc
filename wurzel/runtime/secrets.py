"""Which secrets a step's process was given: by variables, by values on top, by files that its settings name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel

from wurzel.core.environment import decode, fields_of, model_of, prefixes, split_name
from wurzel.datacontract.secrets import is_secret, passwords_in, secret_texts
from wurzel.runtime.masking import forms
from wurzel.secret_names import may_be_secret, names_secret_file

_LARGEST_FILE = 65536


class Secrets:
    """The forms of all secrets, by what is known of the step so far."""

    def __init__(self, step_id: str, class_name: str, environ: Mapping[str, str], named: Iterable[str]) -> None:
        """Take variables in `named`, and those whose name says that they are secret, as secrets."""
        self._prefixes = prefixes(step_id, class_name)
        self._environ = environ
        named = {*named, *filter(may_be_secret, environ)}
        self._sure = [environ[name] for name in sorted(named) if name in environ]
        self._sure += [text for value in environ.values() for text in passwords_in(value)]

    def before_import(self) -> set[bytes]:
        """Every variable of the step, since any may be secret until its settings class is known."""
        values = [value for name, value in self._environ.items() if name.startswith(self._prefixes)]
        return _forms([*self._sure, *(text for value in values for text in _leaves(value))])

    def of_class(self, cls: type[BaseModel] | None, given: Mapping[str, Any]) -> set[bytes]:
        """The variables of secret settings, and values given for them."""
        found = list(self._sure)
        if isinstance(cls, type) and issubclass(cls, BaseModel):
            for prefix in self._prefixes:
                own = [name for name in self._environ if name.startswith(prefix)]
                found += _of_variables(cls, {name.removeprefix(prefix): self._environ[name] for name in own})
            found += _of_variables(cls, given)
        return _forms(found)

    def of_settings(self, settings: Any, known: set[bytes]) -> set[bytes]:
        """What is known already, what the loaded settings hide, and what is in the files they name."""
        return known | _forms([*secret_texts(settings), *_files(settings)])


def _of_variables(cls: type[BaseModel], variables: Mapping[str, Any]) -> Iterator[str]:
    fields = fields_of(cls)
    for name, value in variables.items():
        head, rest = split_name(str(name), fields)
        if head is None or not is_secret(fields[head][1].annotation):
            continue
        model = model_of(fields[head][1].annotation)
        inner = {rest: value} if rest is not None else _parsed(value)
        if model is not None and isinstance(inner, Mapping):
            yield from _of_variables(model, inner)
        else:
            yield from _leaves(value)


def _parsed(value: Any) -> Any:
    """The JSON in a text; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in {"{", "[", '"'}:
        return value
    return decode(value, text=False)


def _leaves(value: Any) -> Iterator[str]:
    """The texts of a value, and those of the JSON in a text."""
    if isinstance(value, Mapping):
        yield from (text for item in value.values() for text in _leaves(item))
    elif isinstance(value, list | tuple):
        yield from (text for item in value for text in _leaves(item))
    elif isinstance(value, str):
        yield value
        if (inner := _parsed(value)) is not value:
            yield from _leaves(inner)
    elif value is not None:
        yield str(value)


def _files(settings: Any) -> Iterator[str]:
    """The contents of small files that settings name as ones with a key or password."""
    if not isinstance(settings, BaseModel):
        return
    for name in type(settings).model_fields:
        value = getattr(settings, name, None)
        if isinstance(value, BaseModel):
            yield from _files(value)
        elif isinstance(value, PurePath) and names_secret_file(name):
            yield from _content(Path(value))


def _content(path: Path) -> Iterator[str]:
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST_FILE:
            yield path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return  # the step will say so


def _forms(secrets: Iterable[str]) -> set[bytes]:
    return {form for secret in set(secrets) for form in forms(secret)}
