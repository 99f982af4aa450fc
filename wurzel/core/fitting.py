"""Which output of one step feeds which input of the next, by name or by type, and why none does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from wurzel.core.fields import DataField
from wurzel.datacontract.shape import type_text
from wurzel.exceptions import StaticTypeError
from wurzel.named_tuples import NamedTuple

Pairs: TypeAlias = Sequence[tuple[DataField, DataField]]

_MOST_PAIRS = 6


class Fields(NamedTuple):
    """What a step takes and gives."""

    inputs: Sequence[DataField]
    outputs: Sequence[DataField]


class End(NamedTuple):
    """One side of a `>>`."""

    step: str
    """As messages call it."""
    fields: Fields
    name: str | None
    """Of the output or input; `None` for the only one that fits."""

    def __str__(self) -> str:
        return self.step if self.name is None else f'{self.step}["{self.name}"]'


def fitting(left: End, right: End) -> tuple[str, str]:
    """Name of the output, and of the input that it feeds.

    An input that takes just what the output gives comes first. Otherwise `list[X]` collects what steps give as `X`, and
    a step that takes one `X` without a name is called for each item of a `list[X]`. Raises `StaticTypeError` when none
    fits, or several do; the message names the fields and their types.
    """
    outputs = [field for field in left.fields.outputs if left.name in (None, field.name)]
    inputs = [field for field in right.fields.inputs if right.name in (None, field.name)]
    if not outputs:
        raise _wrong_side(left, "output", left.fields.outputs)
    if not inputs and right.name is not None:
        raise _wrong_side(right, "input", right.fields.inputs)
    pairs = [(one, other) for one in outputs for other in inputs if one.shape == other.shape]
    if not pairs:
        may_map = not any(field.name for field in right.fields.inputs)
        pairs = [(one, other) for one in outputs for other in inputs if _adapts(one, other, may_map=may_map)]
    if not pairs:
        raise _unfit(left, outputs, right, inputs)
    if len(pairs) > 1:
        raise _ambiguous(left, right, pairs)
    return pairs[0][0].name, pairs[0][1].name


def check_name(step: str, fields: Fields, name: object) -> str:
    """The name of an output or input of a step. Raises `StaticTypeError`, which lists them, for any other."""
    outputs, inputs = ([field.name for field in side if field.name] for side in (fields.outputs, fields.inputs))
    if isinstance(name, str) and name in (*outputs, *inputs):
        return name
    known = [f"Inputs: {', '.join(inputs)}."] if inputs else []
    known += [f"Outputs: {', '.join(outputs)}."] if outputs else []
    from wurzel.suggestion import did_you_mean

    advice = did_you_mean(name, [*outputs, *inputs]) if isinstance(name, str) else ""
    raise StaticTypeError(
        f"{step} does not have an input or output {name!r}",
        hint=" ".join(filter(None, [advice, *known]))
        or f"Neither its input nor its output has a name: write {step} itself.",
    )


def _adapts(output: DataField, field: DataField, *, may_map: bool) -> bool:
    one, other = output.shape, field.shape
    if one.contracts != other.contracts:
        return False
    collects = not one.containers and other.containers == ("list",)
    return collects or (may_map and one.containers == ("list",) and not other.containers)


def _wrong_side(end: End, role: str, fields: Sequence[DataField]) -> StaticTypeError:
    names = ", ".join(field.name for field in fields if field.name)
    one = f"Its only {role} has no name: write {end.step} itself." if fields else f"It does not have any {role}."
    return StaticTypeError(
        f"{end.step} does not have an {role} {end.name!r}: that is an {'input' if role == 'output' else 'output'}",
        hint=f"{role.title()}s: {names}." if names else one,
    )


def _ambiguous(left: End, right: End, pairs: Pairs) -> StaticTypeError:
    outputs, inputs = (list(dict.fromkeys(field.name for field in side)) for side in zip(*pairs, strict=True))
    begin, end = left._replace(name=outputs[0] or left.name), right._replace(name=inputs[0] or right.name)
    kind = type_text(pairs[0][0].annotation)
    if len(outputs) == 1:
        what, hint = f"its inputs {_listed(inputs)} take {kind}", f"Name one: {left} >> {end}."
    elif len(inputs) == 1:
        what, hint = f"its outputs {_listed(outputs)} give {kind}", f"Name one: {begin} >> {right}."
    else:
        fits = [f"{output.name} >> {field.name}" for output, field in pairs]
        more = [f"and {len(fits) - _MOST_PAIRS} more"] if len(fits) > _MOST_PAIRS else []
        what, hint = f"These fit: {', '.join([*fits[:_MOST_PAIRS], *more])}", f"Name both: {begin} >> {end}."
    whose = f"{right}: " if len(outputs) == 1 else f"{left}: " if len(inputs) == 1 else ""
    return StaticTypeError(f"Cannot chain {left} to {right}, which is ambiguous. {whose}{what}", hint=hint)


def _unfit(left: End, outputs: Sequence[DataField], right: End, inputs: Sequence[DataField]) -> StaticTypeError:
    gives, takes = (
        ", ".join(str(field) if end.name is None else type_text(field.annotation) for field in fields) or "None"
        for end, fields in ((left, outputs), (right, inputs))
    )
    hint = "" if inputs else f"{right} is a source: nothing comes before it."
    return StaticTypeError(f"Cannot chain {left} to {right}: {left} gives {gives}, {right} takes {takes}", hint=hint)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
