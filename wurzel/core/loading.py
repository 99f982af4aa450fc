"""Loads the settings of one step, and says of every one that is missing, unknown or invalid what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from wurzel.core.environment import (
    DELIMITER,
    Variables,
    completed,
    fields_of,
    is_text,
    model_of,
    prefixes,
    refined,
)
from wurzel.core.settings import sealed
from wurzel.datacontract.secrets import is_secret, is_url, public, texts_in
from wurzel.datacontract.shape import type_text
from wurzel.exceptions import EnvSettingsError, mismatch, shortened
from wurzel.patterns import pattern

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from wurzel.core.settings import SettingsBase

_LONGEST = 80
_MAY_HIDE = pattern(r"@|:(?!//|\d{1,5}(?:[/?#]|$))")
"""A user, or a colon that begins neither an authority nor a port."""
_HARMLESS = {"missing", "string_type", "string_too_short", "string_too_long", "bytes_type", "json_type", "enum"} | {
    *("url_parsing", "url_scheme", "url_too_long", "url_type"),
}


def load_settings(
    settings_class: type[Any] | None,
    *,
    step_id: str,
    class_name: str,
    environ: Mapping[str, str],
    given: Mapping[str, Any] | None = None,
) -> Any:
    """The settings of one step, or `None` when it has none.

    Args:
        settings_class: a subclass of `Settings`, or `NoneType`.
        step_id: variables `<STEP_ID>__<FIELD>` are read first; upper case, `-` as `_`.
        class_name: variables `<CLASS_NAME>__<FIELD>` are read next; upper case.
        environ: the variables; those without one of the two prefixes are left alone.
        given: values that win over the environment, by field; `A__B` or nested mappings reach nested settings.

    Raises:
        EnvSettingsError: naming every missing, unknown and invalid setting at once, and no secret value.
    """
    loader = Loader(step_id, class_name, environ, given or {})
    if settings_class is None or settings_class is NoneType:
        loader.refuse_all()
        return None
    return loader.load(settings_class)


class Loader:
    """Loads settings from the variables of one step and from values given on top."""

    def __init__(self, step_id: str, class_name: str, environ: Mapping[str, str], given: Mapping[str, Any]) -> None:
        self.step_id = step_id
        self.prefixes = prefixes(step_id, class_name)
        self.variables = {
            prefix: {name[len(prefix) :]: value for name, value in environ.items() if name.startswith(prefix)}
            for prefix in self.prefixes
        }
        self.given = given

    def refuse_all(self) -> None:
        """Refuse whatever is set, since the step has no settings."""
        unknown = [f"{prefix}{name}" for prefix in self.prefixes for name in self.variables[prefix]]
        unknown += [str(name) for name in self.given]
        if unknown:
            raise self._error([f"{name}: the step has no settings" for name in unknown])

    def load(self, cls: type[SettingsBase]) -> SettingsBase:
        """The settings."""
        data: dict[str, Any] = {}
        problems: list[str] = []
        for prefix in reversed(self.prefixes):
            variables = Variables()
            data = refined(cls, data, variables.read(cls, self.variables[prefix]))
            problems += [self._unknown(cls, prefix, name.split(DELIMITER)) for name in variables.unknown]
        given = {str(name): value for name, value in self.given.items()}
        data = refined(cls, data, Variables(encoded=False).read(cls, given))
        with sealed():
            try:
                settings = cls(**completed(cls, data))
            except ValidationError as error:
                problems += [self._problem(cls, data, item) for item in error.errors(include_url=False)]
        if problems:
            raise self._error(list(dict.fromkeys(problems)))
        return settings

    def _error(self, problems: list[str]) -> EnvSettingsError:
        if len(problems) == 1:
            return EnvSettingsError(problems[0], where=f"settings of step {self.step_id!r}")
        lines = "\n  ".join(problems)
        return EnvSettingsError(f"{len(problems)} problems\n  {lines}", where=f"settings of step {self.step_id!r}")

    def _problem(self, cls: type[BaseModel], data: Mapping[str, Any], item: ErrorDetails) -> str:
        names, rest, field = _followed(cls, item["loc"])
        if item["type"] == "extra_forbidden":
            return self._unknown(cls, self._prefix([*names, *rest]), [*names, *rest])
        place = self._place(names) + "".join(f"[{part}]" for part in rest)
        if item["type"] == "missing" and not rest:
            kind = type_text(field.annotation) if field is not None else "value"
            return f"{place} is not set; it takes {kind}" + self._instead(names)
        if not names:
            return _without_secrets(cls, data, item["msg"].removeprefix("Value error, "))
        if field is not None and (is_secret(field.annotation) or _may_hide_password(field, item["input"])):
            reason = item["msg"] if item["type"] in _HARMLESS else "the value is not valid"
            place = self._place(names) + "".join(f"[{part}]" for part in rest if part.isdigit())  # a key may be secret
            return f"{place}: {reason} (the value is secret and not shown)"
        value = shortened(repr(public(item["input"])), _LONGEST)
        is_json = field is not None and not is_text(field.annotation, field.metadata)
        hint = _as_json(item) if is_json and isinstance(item["input"], str) else ""
        return f"{place}: {mismatch(item['type'], item['msg'], value)}{hint}"

    def _unknown(self, cls: type[BaseModel], prefix: str, names: list[str]) -> str:
        from wurzel.suggestion import closest

        owner: type[BaseModel] | None = cls
        for name in names[:-1]:
            found = None if owner is None else fields_of(owner).get(name)
            owner = None if found is None else model_of(found[1].annotation)
        close = closest(names[-1], fields_of(owner)) if owner is not None else ""
        path = DELIMITER.join(names)
        advice = ""
        if close:
            advice = f"; did you mean {prefix}{DELIMITER.join([*names[:-1], close])}?"
        elif owner is not None:
            advice = f"; the settings are {', '.join(owner.model_fields) or 'none'}"
        return f"{prefix}{path}: there is no such setting{advice}"

    def _prefix(self, names: Iterable[str]) -> str:
        path = DELIMITER.join(names)
        for prefix in self.prefixes:
            if any(name == path or name.startswith(f"{path}{DELIMITER}") for name in self.variables[prefix]):
                return prefix
        head = path.partition(DELIMITER)[0]
        return next((prefix for prefix in self.prefixes if head in self.variables[prefix]), self.prefixes[0])

    def _place(self, names: list[str]) -> str:
        return f"{self._prefix(names)}{DELIMITER.join(names)}"

    def _instead(self, names: list[str]) -> str:
        others = [prefix for prefix in self.prefixes if prefix != self._prefix(names)]
        return "".join(f" (or set {prefix}{DELIMITER.join(names)})" for prefix in others)


def _followed(cls: type[BaseModel], place: tuple[int | str, ...]) -> tuple[list[str], list[str], FieldInfo | None]:
    """A place in an error, as names of nested fields, what lies within the last one, and that field."""
    names: list[str] = []
    field: FieldInfo | None = None
    owner: type[BaseModel] | None = cls
    for index, part in enumerate(place):
        found = None if owner is None else fields_of(owner).get(str(part))
        if owner is None or found is None:
            return names, [str(item) for item in place[index:]], field
        field = found[1]
        names.append(next(name for name, value in owner.model_fields.items() if value is field))
        owner = model_of(field.annotation)
    return names, [], field


def _may_hide_password(field: FieldInfo, value: Any) -> bool:
    """Whether a text that should be a URL may contain a password which a URL's syntax does not tell from the rest."""
    return is_url(field.annotation) and _MAY_HIDE.search(str(value)) is not None


def _as_json(item: ErrorDetails) -> str:
    example = {"list_type": '["a", "b"]', "dict_type": '{"a": 1}', "model_type": '{"A": 1}'}.get(item["type"])
    return f"; write JSON, such as {example}" if example else ""


def _without_secrets(cls: type[BaseModel], data: Mapping[str, Any], message: str) -> str:
    """A message written by the author of the settings, with every secret value blotted out."""
    for key, field in fields_of(cls).values():
        if is_secret(field.annotation):
            for secret in sorted(filter(None, texts_in(data.get(key))), key=len, reverse=True):
                message = message.replace(secret, "***")
    return message
