"""Options that every backend has, below `targets.<name>` in `wurzel.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, Field, PrivateAttr

from wurzel.invocation.call import RunCall
from wurzel.models import CONFIG, Model, checked, has_check

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

    from wurzel.ir.model import Pipeline

Options = TypeVar("Options", bound=Model | BaseModel)

_FILE_PATCH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "description": "Path or name of a rendered file; the main one if not set."},
        "merge": {"type": "object", "description": "Merge patch for it."},
    },
    "required": ["merge"],
    "additionalProperties": False,
}


@cache
def no_options(cls: type[Options]) -> Options:
    """The options of a job or step that has none: a frozen model, so that all share one."""
    return cls.model_construct()  # type: ignore[return-value]


class Part(Model):
    """Base of parts of options: frozen, and strict about unknown fields."""


class TargetOptions(BaseModel):
    """Base of every backend's options, below `targets.<name>` in `wurzel.yaml`."""

    model_config = CONFIG

    output: str | None = Field(None, description="Where the main file is written, relative to the project folder.")
    patch: Any = Field(
        None,
        description="Merge patch (RFC 7386) for the rendered main file; a mapping over a list picks items by `name`"
        " or `key=value`, `+` adds items. Or a list of {file, merge} for several files or documents.",
        json_schema_extra={"anyOf": [{"type": "object"}, {"type": "array", "items": _FILE_PATCH}]},
    )
    ignore: tuple[str, ...] = Field((), description="Unsupported features that are known and accepted.")

    old_forms: ClassVar[Mapping[str, Mapping[str, tuple[str, str]]]] = {}
    """Options that were renamed: old key and value, to key and value now. Old forms work, with a warning."""

    _call: RunCall | None = PrivateAttr(None)
    _of_run: tuple[str, ...] = PrivateAttr(())

    _check = Model._check  # noqa: SLF001 - for models that pydantic defines, too

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's schema of the options, with `_check` at the end."""
        if not has_check(cls):
            return handler(source)
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(checked, handler(source))

    def called(self, call: RunCall) -> Self:
        """The same options, with what a job calls to run the pipeline as it is rendered."""
        return self._with(_call=call)

    def choosing(self, steps: Sequence[str]) -> Self:
        """The same options, for one run of these steps (ids) alone."""
        return self._with(_of_run=tuple(steps))

    @property
    def of_run(self) -> tuple[str, ...]:
        """Ids of the steps of the one run that is written; empty for a file of all runs."""
        return self._of_run

    def _with(self, **private: Any) -> Self:
        """A copy with other values of private attributes, which are not options of a user."""
        copy = self.model_copy()
        for name, value in private.items():
            setattr(copy, name, value)
        return copy

    @property
    def steps_above(self) -> int:
        """How many folders above the output folder files may be written: for platforms that read a repository's top."""
        return 0

    @property
    def from_ir(self) -> bool:
        """Whether the pipeline comes from an IR file, so that there may be no configuration."""
        return self._call is not None and self._call.from_ir is not None

    def run_call(self, pipeline: Pipeline) -> RunCall:
        """What runs the pipeline in a job."""
        return self._call or RunCall(pipeline.entrypoint or pipeline.name)
