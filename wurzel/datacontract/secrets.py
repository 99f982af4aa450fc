"""What is a secret: types that hide their value, texts in the format of a well-known key, passwords within URLs.

Everything that renders, shows, stores or hashes a value asks here first. `docs/configuration.md` lists the formats.
"""

from __future__ import annotations

import re
import sys
import typing
from collections import deque
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from wurzel.named_tuples import NamedTuple

HIDDEN = "***"
"""Stands for what is not shown."""


def hiding() -> tuple[type[Any], ...]:
    """The types whose values pydantic writes as asterisks; none where nobody has imported them."""
    return _hiding() if "pydantic.types" in sys.modules else ()


@cache
def _hiding() -> tuple[type[Any], ...]:
    from pydantic import Secret, SecretBytes, SecretStr

    return Secret, SecretStr, SecretBytes


def is_secret(annotation: Any) -> bool:
    """Whether a value of this type may contain a secret anywhere inside.

    Secrets are `SecretStr`, `SecretBytes` and `Secret[T]`, in containers, unions, aliases, models, dataclasses, named
    tuples and typed dictionaries as well.
    """
    return any(issubclass(kind, hiding()) for kind in _types(annotation))


def secret_texts(value: Any) -> typing.Iterator[str]:
    """The texts of all secrets anywhere inside a validated value."""
    if isinstance(value, hiding()):
        yield from texts_in(value.get_secret_value())
    elif (inner := _values_within(value)) is not None:
        for item in inner:
            yield from secret_texts(item)
    elif (text := _text_of_url(value)) is not None:
        yield from passwords_in(text)


def _values_within(value: Any) -> typing.Iterable[Any] | None:
    """The values that a collection, a model or a dataclass is made of; `None` for any other value."""
    if isinstance(value, BaseModel):
        return [*value.__dict__.values(), *(value.model_extra or {}).values()]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in fields(value)]
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list | tuple | set | frozenset | deque) else None


def texts_in(value: Any) -> typing.Iterator[str]:
    """A secret's value as texts: each part of a collection, or of an object with fields, counts by itself."""
    if isinstance(value, hiding()):
        value = value.get_secret_value()
    if (inner := _values_within(value)) is not None:
        for item in inner:
            yield from texts_in(item)
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "surrogateescape")
    elif value is not None:
        yield str(value)


def _text_of_url(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if is_url(type(value)) else None


_URL_MODULES = frozenset({"pydantic.networks", "pydantic_core._pydantic_core"})


def is_url(annotation: Any) -> bool:
    """Whether the type is one of pydantic's URLs or DSNs, or contains one."""
    return any(
        base.__module__ in _URL_MODULES and "Url" in base.__name__
        for kind in _types(annotation)
        for base in kind.__mro__
    )


def _types(annotation: Any) -> typing.Iterator[type]:
    """All classes that a type is made of, itself included."""
    todo, seen = [annotation], set()
    while todo:
        one = todo.pop()
        if id(one) not in seen:
            seen.add(id(one))
            todo += _inner(one)
            if isinstance(one, type) and typing.get_origin(one) is None:
                yield one


def _inner(annotation: Any) -> typing.Iterator[Any]:
    """The types that a type is made of."""
    yield from typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is not None:
        yield origin
    elif (alias := getattr(annotation, "__value__", None)) is not None and not isinstance(annotation, type):
        yield alias  # `type X = …`
    elif (base := getattr(annotation, "__supertype__", None)) is not None:
        yield base  # NewType
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            yield field.annotation
            yield from field.metadata
    elif isinstance(annotation, type) and (is_dataclass(annotation) or issubclass(annotation, dict | tuple)):
        yield from _hints(annotation).values()


def _hints(kind: type) -> dict[str, Any]:
    """The annotations of a dataclass, named tuple or typed dictionary; none where they cannot be evaluated."""
    if not getattr(kind, "__annotations__", None):
        return {}
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError):
        return {}


class Format(NamedTuple):
    """A kind of key: pieces of text of which every such key contains one, and the regular expression that finds it.

    The group `secret`, where the expression has one, is the part that is secret.
    """

    marks: tuple[str, ...]
    pattern: str


_GITLAB = ("glpat", "gloas", "gldt", "glrt", "glcbt", "glptt", "glft", "glimt", "glagent", "glsoat", "glffct")
_REFERENCE = r"(?:\$\{[^}]*\}|\$\([^)]*\)|\$\w+|<[^<>]*>|\{[^{}]*\}|\{\{[^{}]*\}\}|%\w+%|%\(\w+\)s|\*+)"
"""What stands for a password in a text that contains none."""
_PARAMETER = (
    r"(?:[-\w]*(?:password|passwd|passphrase|secret|signature)|pwd|pass|sig|(?:api|access)[-_]?key"
    r"|(?:(?:access|api|auth|bearer|job|private|refresh|x-amz-security)[-_]?)?token)"
)

FORMATS = {
    "AWS access key": Format(("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "GitHub token": Format(
        ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        r"\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})",
    ),
    "GitLab token": Format(_GITLAB, rf"\b(?:{'|'.join(_GITLAB)})-[-A-Za-z0-9_]{{20}}"),
    "OpenAI or Anthropic key": Format(
        ("sk-",), r"\bsk-(?:[A-Za-z0-9]{32}|(?:proj|svcacct|admin|ant-[a-z]+\d\d|or-v1)-[-\w]{20})"
    ),
    "Slack token": Format(
        ("xox", "xapp-"), r"\bxox[abeoprs]-(?=[-A-Za-z]*[0-9])[-A-Za-z0-9]{10}|\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-"
    ),
    "Slack webhook": Format(
        ("hooks.slack.com",), r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16}"
    ),
    "Google API key": Format(("AIza",), r"\bAIza[-A-Za-z0-9_]{35}"),
    "Stripe key": Format(("k_live_", "k_test_"), r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}"),
    "Hugging Face token": Format(("hf_",), r"\bhf_[A-Za-z0-9]{34}"),
    "npm token": Format(("npm_",), r"\bnpm_[A-Za-z0-9]{36}"),
    "PyPI token": Format(("pypi-AgE",), r"\bpypi-AgE[-A-Za-z0-9_]{40}"),
    "SendGrid key": Format(("SG.",), r"\bSG\.[-A-Za-z0-9_]{22}\.[-A-Za-z0-9_]{43}"),
    "Azure key": Format(("AccountKey=", "SharedAccessKey="), r"\b(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40}"),
    "Vault token": Format(("hvs.", "hvb."), r"\bhv[bs]\.[-A-Za-z0-9_]{24}"),
    "Databricks token": Format(("dapi",), r"\bdapi[0-9a-f]{32}"),
    "DigitalOcean token": Format(("_v1_",), r"\bdo[opr]_v1_[0-9a-f]{64}"),
    "age key": Format(("AGE-SECRET-KEY-",), r"\bAGE-SECRET-KEY-1[0-9A-Z]{50}"),
    "private key": Format(("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "JSON Web Token": Format(("eyJ",), r"\beyJ[-A-Za-z0-9_]{10,}\.eyJ[-A-Za-z0-9_]{10,}\.[-A-Za-z0-9_]{10}"),
    "password in a URL": Format(
        ("://",),
        rf"://[^\s/:@'\"\[]*:(?!\d*/)(?!{_REFERENCE}@)(?P<secret>[^\s@'\"]+(?:@[^\s/@'\"]+)*)@[^\s/@]",
    ),
    "token in a URL": Format(("://",), r"https?://(?P<secret>(?=[^\s/:@'\"]*\d)[-\w.~%+=]{20,}):?@[^\s/@]"),
    "password in a query": Format(
        ("://",), rf"[?&;](?i:{_PARAMETER})=(?!{_REFERENCE}(?:[&;#\s'\"]|$))(?P<secret>[^&;#\s'\"]+)"
    ),
    "password in a connection string": Format(
        ("assword", "ASSWORD", "pwd", "Pwd", "PWD"),
        r"(?is)\A(?=.*\b(?:host|hostaddr|server|data source|dbname)\s*=)(?:.*[\s;])?(?:password|pwd)\s*=\s*"
        rf"(?!{_REFERENCE}(?:[\s;'\"]|$))(?P<secret>'[^']+'|\"[^\"]+\"|[^\s;'\"]+)",
    ),
}
"""The formats by what they are called."""

_SHORTEST = 10
_MARKS = tuple(mark for form in FORMATS.values() for mark in form.marks)
_WITHIN = ("password in a URL", "token in a URL", "password in a query", "password in a connection string")


def looks_like_key(text: str) -> str:
    """The name of the token format that the text contains, or ''."""
    if len(text) < _SHORTEST or not any(map(text.__contains__, _MARKS)):
        return ""
    for name, form in FORMATS.items():
        if any(map(text.__contains__, form.marks)) and _pattern(name).search(text):
            return name
    return ""


def without_passwords(text: str) -> str:
    """A text with `***` for every password of a URL, DSN or connection string in it."""
    if "://" not in text and "=" not in text:
        return text
    for name in _WITHIN:
        if any(map(text.__contains__, FORMATS[name].marks)):
            while found := _pattern(name).search(text):
                start, end = found.span("secret")
                text = f"{text[:start]}{HIDDEN}{text[end:]}"
    return text


def passwords_in(text: str) -> typing.Iterator[str]:
    """The passwords of the URLs, DSNs and connection strings in a text, as written and with `%40` and the like read."""
    from urllib.parse import unquote

    for name in _WITHIN:
        if any(map(text.__contains__, FORMATS[name].marks)):
            for found in _pattern(name).finditer(text):
                written = found["secret"].strip("'\"")
                yield from dict.fromkeys((written, unquote(written)))


def public(value: Any) -> Any:
    """A JSON value with `***` for every password within its texts: what may be shown, stored and hashed of it."""
    if isinstance(value, str):
        return without_passwords(value)
    if isinstance(value, dict):
        return {public(key): public(item) for key, item in value.items()}
    return [public(item) for item in value] if isinstance(value, list | tuple) else value


def key_in(value: Any, place: str = "the value") -> str:
    """The place of the first text in a JSON value that looks like a key, such as `steps.0.env.A`; '' for none."""
    if isinstance(value, str):
        return place if looks_like_key(value) else ""
    if isinstance(value, dict):
        if any(looks_like_key(key) for key in value):
            return place
        items: typing.Iterable[tuple[Any, Any]] = value.items()
    else:
        items = enumerate(value) if isinstance(value, list | tuple) else ()
    within = "" if place == "the value" else f"{place}."
    return next((found for key, item in items if (found := key_in(item, f"{within}{key}"))), "")


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(FORMATS[name].pattern, re.ASCII)
