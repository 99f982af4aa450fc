"""Typed steps, and `WZ` that puts them into a pipeline without running any of their code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from wurzel.core.attributes import ATTRIBUTES, check_attributes
from wurzel.core.edges import ConnectedStep
from wurzel.core.fields import DataField, Inputs, Outputs, input_fields, output_fields, ports_class
from wurzel.core.fitting import Fields
from wurzel.core.parameters import as_given, bindings, check_count, resolved
from wurzel.core.settings import SettingsBase, provided_settings
from wurzel.core.signature import check_methods, check_run, check_when
from wurzel.core.step_ids import check_id, derive_id
from wurzel.datacontract.names import class_path
from wurzel.datacontract.shape import Shape, shape_of, type_text, unaliased
from wurzel.exceptions import StaticTypeError

if TYPE_CHECKING:
    from pathlib import Path

SETTS = TypeVar("SETTS", bound=SettingsBase | None)
INCONTRACT = TypeVar("INCONTRACT")
OUTCONTRACT = TypeVar("OUTCONTRACT")
StepT = TypeVar("StepT", bound="TypedStep[Any, Any, Any]")


class TypedStep(ConnectedStep, Generic[SETTS, INCONTRACT, OUTCONTRACT]):
    """One step of a pipeline: `TypedStep[SETTINGS, INPUT, OUTPUT]` with a method `run`.

    SETTINGS is a subclass of `Settings`, or `NoSettings`. INPUT and OUTPUT are a contract, a `list`, `Iterator` or
    `set` of one, a DataFrame, or a subclass of `Inputs` or `Outputs` for several; INPUT is `None` for a source.

        class Shorten(TypedStep[ShortenSettings, list[Doc], list[Doc]]):
            def run(self, inpt: list[Doc]) -> list[Doc]:
                return [Doc(text=doc.text[: self.settings.LENGTH]) for doc in inpt]

    Raises:
        StaticTypeError: when a step is made whose type parameters or annotations are wrong.
    """

    resources: ClassVar[Any] = None
    """What it needs of the machine: `{"cpu": "500m", "memory": "1Gi", "gpu": 1, "limits": {…}}`; also
    `{"gpu": {"amd.com/gpu": 1}}`, `ephemeral_storage` and `hugepages`."""
    retry: ClassVar[Any] = None
    """Tries after the first: a number, or `{"limit": 2, "backoff": "30s", "factor": 2, "max": "10m"}`."""
    timeout: ClassVar[Any] = None
    """Longest time for one try: seconds, or a text such as `"1h30m"`."""
    shards: ClassVar[Any] = None
    """Slices of an input of many items that run side by side: a number, or `{"items": 500, "max": 64}` for as many as
    the data has portions of 500 items. Each portion is then one call of `run`."""
    shard_by: ClassVar[str] = ""
    """Which of several inputs is cut into slices; the others go to each slice as a whole."""
    polls: ClassVar[bool] = False
    """Whether a source must run every time, because what it reads outside may have changed."""
    cache: ClassVar[bool] = True
    """Whether its output may be kept when nothing has changed. False where `run` or `finalize` writes elsewhere."""
    cache_key: ClassVar[str] = ""
    """What else its output depends on, such as the version of a model that a service runs."""
    input_paths: ClassVar[tuple[str, ...]] = ()
    """Settings that name a file or folder the step reads; `FilePath` and `DirectoryPath` count by themselves."""

    settings: SETTS
    settings_class: type[Any]
    input_model_type: Any
    output_model_type: Any
    input_model_class: type[Any]
    output_model_class: type[Any]
    name: str | None = None
    """The name given by `WZ(cls, name=…)`."""
    _attributes = ATTRIBUTES
    _given_name: str | None = None
    _workdir: Path | Callable[[], Path] | None = None

    def __class_getitem__(cls, parameters: Any) -> Any:
        """The class with type parameters, in which `A | B` stays apart from `B | A`."""
        check_count(cls, parameters)
        return as_given(super().__class_getitem__(parameters), parameters)  # type: ignore[misc]

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """A checked step whose settings are not loaded."""
        types = step_types(cls)
        step = super().__new__(cls)
        step.settings_class = types.settings
        step.input_model_type, step.output_model_type = types.input, types.output
        step.input_model_class = types.input_class or types.input_shape.contract
        step.output_model_class = types.output_class or types.output_shape.contract
        return step

    def __init__(self) -> None:
        self.settings = provided_settings(type(self), self.settings_class)

    @property
    def step_id(self) -> str:
        """Names data folder, job, task and stage: the given name, or the class's name in kebab-case.

        Raises:
            StaticTypeError: when the class's name cannot become an id.
        """
        return self._given_name or derive_id(type(self).__name__)

    @property
    def workdir(self) -> Path:
        """A folder for files that `run` writes, empty before each try, on the file system of the output.

        Raises:
            StaticTypeError: where no step runs: when a pipeline is defined.
        """
        if callable(self._workdir):
            self._workdir = self._workdir()
        if self._workdir is None:
            raise StaticTypeError(
                f"{self!r} has no workdir, since it does not run",
                hint="Use self.workdir in run; in a test, set it: step.workdir = tmp_path.",
            )
        return self._workdir

    @workdir.setter
    def workdir(self, folder: Path | Callable[[], Path]) -> None:
        """Give a folder, or what makes it when it is first asked for."""
        self._workdir = folder

    def __repr__(self) -> str:
        return type(self).__name__ if self._given_name is None else f"{type(self).__name__}({self._given_name!r})"

    @property
    def step_fields(self) -> Fields:
        """What it takes and gives."""
        types = step_types(type(self))
        return Fields(types.inputs, types.outputs)

    def traverse(self) -> set[TypedStep[Any, Any, Any]]:
        """This step and all that must run before it."""
        found: set[TypedStep[Any, Any, Any]] = {self}
        todo: list[TypedStep[Any, Any, Any]] = [self]
        while todo:
            new = [step for step in todo.pop().required_steps if step not in found]
            found.update(new)
            todo.extend(new)
        return found

    @abstractmethod
    def run(self, inpt: INCONTRACT) -> OUTCONTRACT | Awaitable[OUTCONTRACT]:
        """Do the work of the step; it may be `async`.

        Args:
            inpt: for a container, the items of all predecessors in the order of the `>>`s, in one call; for a single
                item, one call for each; `None` for a source.
        """

    def when(self, inpt: INCONTRACT) -> bool:
        """Whether to run on this input; if not, the output is complete, empty and marked as skipped.

        It may depend on the input and settings only, since each slice asks it. A step that takes single items is
        asked for each of them.
        """
        return True

    def finalize(self) -> None:
        """Called once after the output is stored, to clean up outside."""


def WZ(cls: type[StepT], name: str | None = None) -> StepT:  # noqa: N802 - the name authors know
    """A step for a pipeline: its `__init__` does not run, so neither settings nor environment are needed.

    Args:
        cls: the step class.
        name: id of this step; needed when a class occurs more than once.

    Raises:
        StaticTypeError: when the class's type parameters or annotations are wrong, or the name is not a step id.
    """
    if not isinstance(cls, type) or not issubclass(cls, TypedStep):
        raise StaticTypeError(f"WZ takes a step class, not {cls!r}", hint="Write WZ(MyStep).")
    step = cls.__new__(cls)
    if name is not None:
        step._given_name = check_id(name)  # noqa: SLF001 - set here only
        with suppress(AttributeError):  # a step may have a `name` of its own
            step.name = name
    else:
        derive_id(cls.__name__)
    return step


class StepTypes:
    """The checked type parameters of a step class."""

    __slots__ = ("input", "input_class", "inputs", "output", "output_class", "outputs", "settings")

    def __init__(self, cls: type[TypedStep[Any, Any, Any]]) -> None:
        given = bindings(cls, TypedStep)
        settings: Any = unaliased(given[SETTS])
        self.settings: Any = NoneType if settings is None else settings
        _check_settings(cls, self.settings)
        self.input: Any = _resolved(cls, "input", given[INCONTRACT])
        self.output: Any = _resolved(cls, "output", given[OUTCONTRACT])
        self.input_class: type[Inputs] | None = _read(cls, "input", partial(ports_class, kind=Inputs), self.input)
        self.output_class: type[Outputs] | None = _read(cls, "output", partial(ports_class, kind=Outputs), self.output)
        self.inputs: tuple[DataField, ...] = _read(cls, "input", input_fields, self.input)
        self.outputs: tuple[DataField, ...] = _read(cls, "output", output_fields, self.output)
        if self.output_class is None and self.output_shape.empty:
            raise StaticTypeError(f"the output of {cls.__name__} cannot be None", where=class_path(cls))

    @property
    def input_shape(self) -> Shape:
        """Of the input of a class without `Inputs`; empty for a source."""
        return self.inputs[0].shape if self.inputs else shape_of(None)

    @property
    def output_shape(self) -> Shape:
        """Of the output of a class without `Outputs`."""
        return self.outputs[0].shape


_TYPES: dict[type, StepTypes] = {}


def step_types(cls: type[TypedStep[Any, Any, Any]]) -> StepTypes:
    """The type parameters of a step class, checked when first asked for.

    Raises:
        StaticTypeError: when they, or the annotations of `run`, are wrong.
    """
    types = _TYPES.get(cls)
    if types is None:
        if missing := sorted(getattr(cls, "__abstractmethods__", ())):
            raise StaticTypeError(f"{cls.__name__} does not define {', '.join(missing)}", where=class_path(cls))
        types = StepTypes(cls)
        check_attributes(cls, cls._attributes, class_path(cls))
        check_methods(cls, class_path(cls))
        check_run(cls, types.input, types.output, class_path(cls))
        if decides(cls):
            check_when(cls, types.input, class_path(cls))
        _TYPES[cls] = types
    return types


def _check_settings(cls: type, settings: Any) -> None:
    if isinstance(settings, TypeVar):
        raise StaticTypeError(
            f"{cls.__name__} has no type parameters",
            where=class_path(cls),
            hint=f"Write class {cls.__name__}(TypedStep[MySettings, list[Input], list[Output]]).",
        )
    if settings is not NoneType and not (isinstance(settings, type) and issubclass(settings, SettingsBase)):
        raise StaticTypeError(
            f"the settings of {cls.__name__} are {type_text(settings)}, which is not a subclass of Settings",
            where=class_path(cls),
            hint="Derive from wurzel.core.Settings, or write NoSettings.",
        )


def decides(cls: type[TypedStep[Any, Any, Any]]) -> bool:
    """Whether a step class has its own `when`."""
    return cls.when is not TypedStep.when


def _resolved(cls: type, role: str, annotation: Any) -> Any:
    try:
        return resolved(annotation, cls)
    except NameError as error:
        raise StaticTypeError(
            f"the {role} of {cls.__name__}: {error.name!r} is not a contract: the name does not exist when the program"
            " runs",
            where=class_path(cls),
            hint="Import it outside of `if TYPE_CHECKING:`.",
        ) from None


def _read(cls: type, role: str, read: Callable[[Any], Any], annotation: Any) -> Any:
    try:
        return read(annotation)
    except StaticTypeError as error:
        raise StaticTypeError(
            f"the {role} of {cls.__name__}: {error.message}", where=class_path(cls), hint=error.hint
        ) from None
