"""Placeholders in the words of a command: `{settings.JOBS}`, `{input}`, `{outputs.train}`; other braces are text."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, get_args, get_origin

from wurzel.datacontract.secrets import is_secret
from wurzel.datacontract.shape import unaliased, without_none
from wurzel.exceptions import StaticTypeError
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.records import dataclass

_NAME = r"[^\W\d]\w*(?:\.\w+)*"
_ROOTS = ("settings", "inputs", "outputs")
_LIKE = rf"{_NAME}|(?:settings|inputs?|outputs?)[.\[][^{{}}]*"
"""Names; and `inputs.docs[0]`, which has no meaning here but is too near to a placeholder to pass as text."""
_FOUND = pattern(rf"\{{\{{(?P<text>{_LIKE})\}}\}}|\{{(?P<name>{_LIKE})\}}")
_NEAR = 0.8
"""Similarity above which a word in braces is taken for a mistyped placeholder: `inptu` has 0.8, `print` 0.6."""
_LISTS = (list, tuple, set, frozenset)


class Reference(NamedTuple):
    """A placeholder: `settings.DB.HOST` is `("settings", "DB", "HOST")`."""

    path: tuple[str, ...]

    def __str__(self) -> str:
        return "{" + ".".join(self.path) + "}"


Word = tuple[str | Reference, ...]
"""A word, cut into texts and placeholders."""


@dataclass(frozen=True)
class Vocabulary:
    """The placeholders that a step has."""

    settings: Any = None
    """The settings class; `None` where there is none."""
    inputs: Collection[str] = ()
    """`input`, or `inputs.<field>` for each field."""
    outputs: Collection[str] = ()
    """`output`, or `outputs.<field>` for each field."""
    lists: Collection[str] = field(default=())
    """Those that stand for any number of words, as far as it is known."""

    def parse(self, word: str) -> Word:
        """The word with its placeholders found. Raises `StaticTypeError` for an unknown one, or what looks like one."""
        pieces: list[str | Reference] = []
        start = 0
        for found in _FOUND.finditer(word):
            name = found["name"] or found["text"]
            if not self._means(name, doubled=found["name"] is None):
                continue
            pieces.append(word[start : found.start()])
            pieces.append(Reference(tuple(name.split("."))) if found["name"] else "{" + name + "}")
            start = found.end()
        pieces.append(word[start:])
        return tuple(piece for piece in pieces if piece) or ("",)

    def check(self, word: Word, *, variable: bool = False) -> None:
        """Raise `StaticTypeError` if a word contains a secret, or a list beside text; variables may have secrets."""
        for piece in word:
            if isinstance(piece, str):
                continue
            kind = self._setting(piece.path) if piece.path[0] == "settings" else None
            if not variable and kind is not None and is_secret(kind):
                raise StaticTypeError(
                    f"{piece} is a secret, and everyone on the machine can see the words of a command",
                    hint=f'Give it to the program as a variable: env = {{"{piece.path[-1]}": "{piece}"}}.',
                )
            if not (_is_list(kind) or ".".join(piece.path) in self.lists):
                continue
            if variable:
                raise StaticTypeError(f"{piece} is a list, which no variable can be")
            if len(word) > 1:
                raise StaticTypeError(
                    f"{piece} is a list, so it becomes several words, and there is more in its word",
                    hint="Let it stand alone in its word, or make command a method.",
                )

    def _means(self, name: str, *, doubled: bool) -> bool:
        """Whether braces around a name make a placeholder, or with doubled braces the text of one."""
        if name in self.inputs or name in self.outputs:
            return True
        root, *path = name.split(".")
        if root == "settings" and path and self._setting((root, *path)) is not None:
            return True
        near = self._near(name)
        if "." not in name and "[" not in name and not near and name not in _ROOTS:
            return False
        if not doubled:
            raise StaticTypeError(
                f"{{{name}}} is not a placeholder of this step",
                hint=self._advice(name, near),
            )
        return True

    def _advice(self, name: str, near: str) -> str:
        known = self._known()
        meant = f"Did you mean {{{near}}}? " if near in known else ""
        there = f"It has {', '.join(f'{{{one}}}' for one in known)}. " if known else ""
        return f"{meant}{there}For the text itself, write {{{{{name}}}}}."

    def _setting(self, path: Sequence[str]) -> Any:
        """The annotation of a setting; `None` when there is none."""
        kind: Any = self.settings
        for name in path[1:]:
            field = getattr(without_none(unaliased(kind)), "model_fields", {}).get(name)
            if field is None:
                return None
            kind = field.annotation
        return kind

    def _known(self) -> list[str]:
        names = [f"settings.{name}" for name in getattr(self.settings, "model_fields", {})]
        return [*self.inputs, *self.outputs, *names]

    def _near(self, name: str) -> str:
        from wurzel.suggestion import closest  # only for what is not known

        folded = {known.lower(): known for known in [*_ROOTS, "input", "output", *self._known()]}
        close = closest(name.lower(), folded, cutoff=_NEAR)
        if not close:
            return ""
        known = folded[close]
        plural = {"input": self.inputs, "inputs": self.inputs, "outputs": self.outputs, "output": self.outputs}
        return next(iter(plural[known]), known) if known in plural else known


def filled(word: Word, values: Mapping[str, Any], settings: Any) -> Iterator[str]:
    """The words that a word becomes: several for a list that stands alone, none for an empty one.

    `values` are what placeholders of inputs and outputs stand for: a path, or a list of them. Raises `ValueError` when
    something in it has no value, or is a list beside other text; the message names it.
    """
    pieces: list[str] = []
    for piece in word:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        value = _value(piece, values, settings)
        if isinstance(value, _LISTS) and len(word) == 1:
            items = sorted(map(_text, value)) if isinstance(value, set | frozenset) else map(_text, value)
            yield from items
            return
        if isinstance(value, _LISTS):
            raise ValueError(f"{piece} is a list, so it must stand alone in its word")
        if value is None:
            raise ValueError(f"{piece} is None, which no word stands for; make command a method that leaves it out")
        pieces.append(_text(value))
    yield "".join(pieces)


def references(words: Iterable[Word]) -> set[str]:
    """The names of all placeholders in some words."""
    return {".".join(piece.path) for word in words for piece in word if isinstance(piece, Reference)}


def _value(piece: Reference, values: Mapping[str, Any], settings: Any) -> Any:
    if piece.path[0] != "settings":
        return values[".".join(piece.path)]
    value = settings
    for name in piece.path[1:]:
        value = getattr(value, name, None)
    return value


def _text(value: Any) -> str:
    """A value as an environment variable of a setting would give it: text as it is, anything else as JSON."""
    from pydantic_core import to_jsonable_python

    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    plain = to_jsonable_python(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _is_list(annotation: Any) -> bool:
    plain = unaliased(without_none(annotation))
    return (get_origin(plain) or plain) in _LISTS or any(
        _is_list(argument) for argument in get_args(plain) if get_origin(plain) not in {*_LISTS, dict}
    )
