"""Whether a step runs: what its inputs and its own `when` say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.core.typed_step import decides
from wurzel.datacontract.codec import short
from wurzel.exceptions import ContractFailedException
from wurzel.runtime.user_code import user_code

if TYPE_CHECKING:
    from wurzel.core.typed_step import TypedStep
    from wurzel.runtime.inputs import Inputs


def why_skipped(step: TypedStep[Any, Any, Any], inputs: Inputs) -> str:
    """Why a step is skipped without asking it; '' if it is not."""
    if (lacking := inputs.lacking) is not None and lacking.field.name:
        return f"all steps before its input {lacking.field.name} were skipped"
    if lacking is not None or (inputs.skipped and not decides(type(step))):
        return "all steps before it were skipped"
    return ""


def asked(step: TypedStep[Any, Any, Any], value: Any, step_id: str) -> bool:
    """What `when` says of an input.

    Raises `UserCodeFailed` when it raises an error, `ContractFailedException` when it gives anything but True or False.
    """
    with user_code(step_id, " (in when)"):
        answer: Any = step.when(value)
        if answer is True or answer is False:
            return answer
        kind = type(answer)
        builtin = kind.__module__ == "builtins"
        shown = short(answer) if builtin else f"a {kind.__module__}.{kind.__qualname__}"
        raise ContractFailedException(f"when returned {shown}, not True or False", hint="Write return bool(…).")
