"""What a backend is: a name, an options model, a support table, its files, and the context its templates see."""

from __future__ import annotations

import posixpath
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict, TypeVar

from wurzel.backends.options import TargetOptions
from wurzel.exceptions import UsageError
from wurzel.named_tuples import NamedTuple
from wurzel.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.backends.losses import Loss
    from wurzel.exceptions import Problem
    from wurzel.ir.features import Use
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline
    from wurzel.render.renames import Rename

Level = Literal["native", "emulated", "unsupported"]

AMOUNTS = ("cpu", "memory", "gpu", "ephemeral_storage", "hugepages", "limits")
"""Features that ask for resources; a target has all of them or none."""
PLACEMENT = ("node_selector", "tolerations", "priority", "volumes", "env_from")
"""Features of a cluster that say where and how a pod runs."""
STARTS = ("push", "after", "data_arrival", "webhook")
"""Features that start a run, other than the clock."""
READ_BY_RUN = (
    *("description", "env", "settings", "retry", "backoff", "timeout", "parallelism", "pipeline_timeout", "when"),
    *("polls", "self_consuming", "shards", "fan_out", "named_inputs", "named_outputs"),
)
"""Features that `wurzel run` takes from wurzel.yaml and the code; a comment may tell of them as well."""


class Support(NamedTuple):
    """How a target supports one feature; `note` says how it is emulated, or why it is not supported and what to use."""

    level: Level
    note: str = ""


def native(note: str = "") -> Support:
    """The platform has it and the rendered file uses it."""
    return Support("native", note)


def emulated(how: str) -> Support:
    """Wurzel does it where the platform cannot."""
    return Support("emulated", how)


def unsupported(why: str) -> Support:
    """The target does not support it; using it is reported."""
    return Support("unsupported", why)


@dataclass(frozen=True)
class OutputFile:
    """One file that a backend writes: `template` rendered with `context`, at `path` below the output folder.

    The template's name without `.j2` decides the language: `.yaml`/`.yml`, `.py`, `.sh`.
    """

    path: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    executable: bool = False
    optional: bool = False
    """Whether it is skipped when its template writes nothing, as for a file that a pack adds."""
    instead: str = ""
    """What to do if the project already has another file at `path`."""
    option: str = "output"
    """The option of the target that changes `path`."""
    origin: str = ""
    """For a file that a pack adds, the place in its wurzel-pack.yaml."""
    limit: int = 0
    """Largest file that the platform reads, in bytes; 0 for no limit. A larger one is an error."""
    smaller: str = "Split the pipeline into smaller ones, or use another target."
    """What to do about a file that is too large."""
    object_limit: int = 0
    """Largest object (between two `---`) that the platform accepts, in bytes; 0 for no limit."""
    finish: Callable[[str], tuple[str, list[int]]] | None = None
    """Changes the form of the text, not what it says, after patches; also gives the old line of each new one.

    Raises `VerifyError` where it cannot: the file keeps its form, and a warning says why.
    """


class PipelineContext(TypedDict):
    """What the templates of all files of a target see."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""


class Adoptable(NamedTuple):
    """A value that was changed in a rendered file and could be set in the configuration."""

    place: tuple[str, ...]
    """Keys below the pipeline in `wurzel.yaml`."""
    old: Any
    new: Any
    setting: bool = False
    """Whether it is a setting of a step, whose name may be written in parts."""


def moved(path: str, target: str, name: str) -> str:
    """Where a named target writes a file: into a folder of that name.

    A file in a hidden folder stays there, since its platform reads it there; the name becomes part of the file's name.
    """
    folder, _, rest = path.partition("/")
    if folder == target:
        return f"{name}/{rest}"
    if path.startswith("."):
        stem, dot, suffix = posixpath.basename(path).partition(".")
        return posixpath.join(posixpath.dirname(path), f"{stem}-{name}{dot}{suffix}")
    return f"{name}/{posixpath.basename(path)}"


class Backend(ABC):
    """Turns a resolved pipeline into the files of one platform."""

    name: ClassVar[str]
    """The one word for this target: `--target`, module, template folder, snapshots and docs."""
    summary: ClassVar[str]
    """One line: what is written and what runs it."""
    options_model: ClassVar[type[TargetOptions]] = TargetOptions
    templates: ClassVar[Path | None] = None
    """Folder of its templates, for a backend that does not come with wurzel; projects and packs may override them."""
    checks_more: ClassVar[bool] = False
    """Whether `validate` also checks YAML files that packs add."""
    renames: ClassVar[Sequence[Rename]] = ()
    """Old names of templates, blocks, context names and fields that others' templates may still use."""
    versions: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Versions of the platform that files are written for, oldest first, each with what it lacks of what wurzel writes;
    empty where files are the same for all."""
    version_options: ClassVar[Mapping[str, str]] = {}
    """`OPTION=VALUE` that writes files for a version, where that is not the option `version` with the name of it."""
    names_sources: ClassVar[bool] = False
    """Whether files name the source files of steps (`step.sources`), which take time to find."""
    support: ClassVar[Mapping[str, Support]]
    """How each feature in `wurzel.ir.features.FEATURES` is supported; one without an entry is unsupported."""

    runs_as_caller: ClassVar[bool] = False
    """Whether what it writes runs as the person who starts it, whose profile a store may use."""
    some_steps: ClassVar[str] = (
        "Run them here: wurzel run --only. With a store, a run of all steps only looks up those that are unchanged."
    )
    """How else to run some of the steps, for a target that does not override `one_off`."""
    settings_in_environment: ClassVar[bool] = True
    """Whether settings reach a step as environment variables, whose size Linux limits."""

    @classmethod
    def option_of_version(cls, version: str) -> tuple[str, str]:
        """The option, and its value as in YAML, that writes files for one of `versions`."""
        option, _, value = cls.version_options.get(version, f"version={version}").partition("=")
        return option, value

    @abstractmethod
    def files(self, pipeline: Pipeline, options: Any) -> Sequence[OutputFile]:
        """The files to write, each with the context of its template. `options` is an `options_model`."""

    def one_off(self, pipeline: Pipeline, options: Any, steps: Sequence[str]) -> tuple[Pipeline, Any]:
        """The pipeline and options with which `files` writes one run of only these steps (ids).

        Raises `UsageError`, with what to do instead, where the platform has nothing for that.
        """
        raise UsageError(f"{self.name} has no file for a run of some steps", hint=self.some_steps)

    def placed(self, pipeline: Pipeline, options: Any, name: str) -> Any:
        """The options of a named target, whose files have their own paths unless the options set `output`."""
        main = self.files(pipeline, options)[0].path
        return options.model_copy(update={"output": moved(main, self.name, name)})

    def adoptable(self, pipeline: Pipeline, options: Any, path: str, text: str) -> Iterable[Adoptable]:
        """Values in the text of an edited file that configuration could have."""
        return ()

    def contexts(self) -> Mapping[str, type]:
        """For each template that is rendered, the class whose fields are the names it sees.

        A typed dict (or dataclass, named tuple, pydantic model) whose fields, and theirs, have types and descriptions:
        `wurzel templates` lists them, and checks what templates of projects read. Empty: any name may be read.
        """
        return {}

    def support_for(self, use: Use, options: Any) -> Support:
        """How one use of a feature is supported, where options decide that; by default what `support` says.

        It is not called for features without an entry in `support`.
        """
        return self.support_of(use.feature)

    def support_of(self, feature: str) -> Support:
        """The entry of `support`, or unsupported: a backend may be older than a feature, and must not drop it."""
        return self.support.get(feature) or unsupported(
            f"the {self.name} backend does not support it; use another target"
        )

    def jobs(self, pipeline: Pipeline, options: Any) -> Sequence[Group]:
        """Which steps share a job, pod or container, for pictures; each is alone unless the target has layouts."""
        from wurzel.ir.jobs import jobs_of

        return jobs_of(pipeline, "steps", lambda _step: {})

    def read_by_jobs(self, pipeline: Pipeline, options: Any) -> Collection[str]:
        """Features that jobs read from wurzel.yaml, or from the pipeline, so that rendered files do not show them."""
        return ()

    def writes(self, pipeline: Pipeline, options: Any) -> Mapping[str, str]:
        """Paths in the project that a run writes and the next one reads, each with the setting that moves it.

        No other pipeline of this target may write them. Empty for a platform that gives each run or pipeline its own
        place.
        """
        return {}

    def loses(self, pipeline: Pipeline, options: Any) -> str:
        """Why nothing keeps the datasets of a run, which `--strict` refuses; '' where something does."""
        return ""

    def preflight(self, pipeline: Pipeline, options: Any) -> Sequence[Problem]:
        """Reasons why this pipeline cannot run on this target; checked before any template is rendered."""
        return ()

    def losses(self, text: str) -> Iterable[Loss]:
        """Shared values of a rendered file that single jobs do not get, because they set the same key themselves."""
        return ()

    def validate(self, files: Mapping[str, str], options: Any) -> Sequence[Problem]:
        """Findings of the platform's linters on the rendered files (path to text); called by `render --validate`."""
        return ()


_Value = TypeVar("_Value")


def most_common(values: Iterable[_Value]) -> _Value:
    """The value that most have; of equally common ones, the first. Values are the same if they look the same."""
    found = list(values)
    ((text, _),) = Counter(map(repr, found)).most_common(1)
    return next(value for value in found if repr(value) == text)
