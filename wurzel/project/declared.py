"""Variables: checks the values that a project sets against what packs declare, with the place of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from wurzel.models import Model
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.project.nodes import Findings, Node, Origin, json_data, near, value_text

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

Type = Literal["text", "number", "boolean", "list", "mapping"]

_NAME = pattern(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_METHODS = frozenset(name for name in dir(dict) if not name.startswith("_"))
"""`variables.items` is a method in every template, so no variable can have such a name."""


class _Kind(NamedTuple):
    """A type of values: what messages call it, its JSON Schema, and its classes."""

    words: str
    schema: str | list[str]
    classes: Any


_KINDS: Mapping[Type, _Kind] = {
    "text": _Kind("text", ["string", "number"], str),
    "boolean": _Kind("true or false", "boolean", bool),
    "number": _Kind("a number", "number", int | float),  # after `bool`, which is an `int`
    "list": _Kind("a list", "array", list),
    "mapping": _Kind("a mapping", "object", dict),
}
_PATTERNS = "Write a regular expression without look-around and back-references: they can take hours."


class Declared(Model):
    """A variable that projects that use the pack may or must set."""

    required: bool = Field(False, description="Every pipeline must have a value for it.")
    default: Any = Field(None, description="Its value if the project sets none.")
    pattern: str | None = Field(None, description="Regular expression that the whole value, a text, must match.")
    type: Type | None = Field(None, description="Type of its values; by default that of `default`, otherwise text.")
    description: str = Field("", description="What it is for; shown where it is missing and by editors.")


class Declaration(NamedTuple):
    """A variable as one pack declares it."""

    name: str
    pack: str
    """Name and version of the pack."""
    kind: Type = "text"
    required: bool = False
    default: Node | None = None
    pattern: str = ""
    description: str = ""

    def value(self, node: Node) -> Any:
        """The value as templates see it: a number or boolean only if it is declared as one."""
        return node.written if self.kind == "text" and not isinstance(node.value, dict | list) else json_data(node)

    def broken(self, node: Node) -> str:
        """Why a value is invalid; empty if it is valid."""
        if not _is(self.kind, node):
            return f"{value_text(node)} is not {_KINDS[self.kind].words}"
        if self.pattern and not _validator(f"^(?:{self.pattern})$").isinstance_python(str(node.written)):
            return f"{value_text(node)} does not match {self.pattern}"
        return ""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of its values; YAML reads a text of digits without quotes as a number."""
        texts = {"description": self.description, "pattern": f"^(?:{self.pattern})$" if self.pattern else ""}
        default = {"default": json_data(self.default)} if self.default is not None else {}
        return {"type": _KINDS[self.kind].schema, **{key: text for key, text in texts.items() if text}, **default}

    @property
    def rule(self) -> str:
        """What a value must be, in a few words."""
        kind = f"{_KINDS[self.kind].words} that matches {self.pattern}" if self.pattern else _KINDS[self.kind].words
        if self.default is not None:
            return f"{kind}, {value_text(self.default)} by default"
        return f"{kind}, required" if self.required else kind

    @property
    def hint(self) -> str:
        """A hint for users who have to set the variable."""
        return f"{self.name}: {self.description} ({self.pack})" if self.description else f"{self.pack} declares it."


def declarations(node: Node | None, pack: str, findings: Findings) -> dict[str, Declaration]:
    """The variables that a pack declares; what is wrong with them is added to `findings`."""
    found = {}
    for name, declared in (node.fields if node is not None else {}).items():
        if not _NAME.fullmatch(name) or name in _METHODS:
            message = f"variables: templates cannot read {name!r} as variables.{name}"
            findings.add(declared.key_origin, message, "Use letters, digits and _, and not the name of a method.")
            continue
        found[name] = _declaration(name, pack, declared, findings)
    return found


def _declaration(name: str, pack: str, declared: Node, findings: Findings) -> Declaration:
    fields = {key: node for key, node in declared.fields.items() if node.value is not None}
    default = fields.get("default")
    about = {key: json_data(node) for key, node in fields.items() if key in {"required", "pattern", "description"}}
    kind = json_data(fields["type"]) if "type" in fields else _type(default) if "pattern" not in fields else "text"
    found = Declaration(
        name,
        pack,
        kind if kind in _KINDS else "text",
        required=about.get("required") is True,
        default=default,
        pattern=str(about.get("pattern", "")),
        description=str(about.get("description", "")),
    )
    if problem := _wrong_pattern(found.pattern):
        findings.add(fields["pattern"].origin, f"variables.{name}.pattern: {problem}", _PATTERNS)
        return found._replace(pattern="")
    if found.pattern and found.kind != "text":
        message = f"variables.{name}: only text can have a pattern, not {_KINDS[found.kind].words}"
        findings.add(fields["pattern"].origin, message)
    elif default is not None and found.required:
        message = f"variables.{name}: has a default, so `required` has no effect"
        findings.add(fields["required"].origin, message, "Remove `required` or `default`.")
    elif default is not None and (problem := found.broken(default)):
        findings.add(default.origin, f"variables.{name}.default: {problem}")
    return found


@lru_cache(maxsize=100)
def _validator(expression: str) -> SchemaValidator:
    """Checks texts by Rust's engine, whose time grows with the text only: `(a+)+b` keeps Python's busy for hours."""
    from pydantic_core import SchemaValidator

    return SchemaValidator({"type": "str", "pattern": expression, "regex_engine": "rust-regex"})


def _wrong_pattern(expression: str) -> str:
    """What is wrong with a regular expression; empty if nothing is."""
    from pydantic_core import SchemaError

    try:
        _validator(expression)
    except SchemaError as error:
        return str(error).splitlines()[-1].strip().removeprefix("error: ").removeprefix("SchemaError: ")
    return ""


def _type(node: Node | None) -> Type:
    value = node.value if node is not None else None
    return next((kind for kind, about in _KINDS.items() if isinstance(value, about.classes)), "text")


def _is(kind: Type, node: Node) -> bool:
    return isinstance(node.written, str) if kind == "text" else _type(node) == kind


class Variables:
    """Checks values of variables against what packs declare, weakest pack first; `None` allows any variable.

    Missing variables are reported at `where`, the place of the pipeline in the file.
    """

    def __init__(self, declared: Iterable[Mapping[str, Declaration]] | None, where: Origin, findings: Findings) -> None:
        self.is_open = declared is None
        """Without declarations, all values are kept."""
        self._declared = list(declared or ())
        self.where = where
        self._findings = findings

    @property
    def names(self) -> Collection[str]:
        """All that is declared, in the order of the packs."""
        return list(dict.fromkeys(name for pack in self._declared for name in pack))

    def values(self, nodes: Mapping[str, Node]) -> dict[str, Any]:
        """The values that are set, as templates see them."""
        values = {}
        for name, node in nodes.items():
            found = self._of(name)
            if not found:
                values[name] = json_data(node)
                if not self.is_open:
                    hint = (
                        near(name, self.names, "Variables") if self.names else "No pack in `templates:` declares any."
                    )
                    self._findings.add(node.key_origin, f"variables: there is no variable {name!r}", hint)
                continue
            values[name] = found[-1].value(node)
            for each in found if node.value is not None else ():
                if problem := each.broken(node):
                    self._findings.add(node.origin, f"variables.{name}: {problem}", each.hint)
        return values

    def with_defaults(self, layer: Node | None) -> dict[str, Node]:
        """Values of a pipeline, with defaults for those that it does not set; null without a default."""
        nodes = dict(layer.fields) if layer is not None else {}
        for name in self.names:
            if name in nodes:
                continue
            found = self._of(name)
            default = next((each.default for each in reversed(found) if each.default is not None), None)
            required = [each for each in found if each.required]
            if default is None and required:
                self._findings.add(self.where, f"variables.{name} is missing", required[-1].hint)
            nodes[name] = default or Node(None, found[-1].pack)
        return nodes

    def _of(self, name: str) -> list[Declaration]:
        return [pack[name] for pack in self._declared if name in pack]
