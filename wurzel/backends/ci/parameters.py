"""Settings that may be given for one run, as typed inputs of a CI platform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from wurzel.invocation.command import encode
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.ir.model import Setting, Step

_EXACT = 2**53


@dataclass(frozen=True)
class Parameter:
    """A setting that can be overridden for one run, as a typed input of the platform."""

    variable: str
    """Its environment variable."""
    type: Literal["boolean", "number", "choice", "string"]
    """What the form for a new run asks for."""
    description: str = ""
    """What it is for."""
    default: Any = None
    """A value of `type`; `None` if every run must set it."""
    options: Sequence[str] = ()
    """The values it may have; empty for any."""
    blank: bool = False
    """Whether an empty text means "not set", since only the step knows the default."""

    @property
    def required(self) -> bool:
        """Whether a run must set it."""
        return self.default is None

    @property
    def text(self) -> str:
        """The default as the text of an environment variable."""
        if isinstance(self.default, bool):
            return "true" if self.default else "false"
        return "" if self.default is None else str(self.default)


def parameters(*steps: Step) -> list[Parameter]:
    """Every parameter of steps, in their order."""
    return [_parameter(setting) for step in steps for setting in step.settings if setting.parameter]


def _parameter(setting: Setting) -> Parameter:
    value, known = setting.chosen, setting.is_known
    description = setting.description or setting.name
    options = setting.choices if all(isinstance(each, str) for each in setting.choices) else ()
    if not known and setting.required:
        return Parameter(setting.variable, "string", description)
    if not known or (setting.text and value is None):
        return Parameter(setting.variable, "string", description, "", blank=True)
    if setting.type == "bool" and isinstance(value, bool):
        return Parameter(setting.variable, "boolean", description, value)
    if setting.type in {"int", "float"} and _is_exact(value):
        return Parameter(setting.variable, "number", description, value)
    text = encode(setting.model_copy(update={"value": value}))
    if text in options:
        return Parameter(setting.variable, "choice", description, text, options)
    return Parameter(setting.variable, "string", description if setting.text else f"{description} (JSON)", text)


def _is_exact(value: Any) -> bool:
    """Whether it survives a platform that stores numbers as doubles."""
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < _EXACT


def unset_lines(step: Step) -> list[str]:
    """Shell lines that unset empty parameters, so that the step's own default applies."""
    blank = [parameter.variable for parameter in parameters(step) if parameter.blank]
    return [unset_line(name) for name in blank]


def unset_line(variable: str) -> str:
    """The shell line that unsets a variable if it is empty."""
    return f'[ -n "${{{variable}}}" ] || unset {variable}'
