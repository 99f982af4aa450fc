"""What the template of a workflow sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import PipelineContext
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.ci.parameters import Parameter
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.model import Step
    from wurzel.ir.names import PlainText


@dataclass(frozen=True)
class Action:
    """A pinned action and the version in the comment after it."""

    uses: str
    """Action and commit, as `uses` takes them."""
    version: str
    """The version of that commit, for the comment after it."""


@dataclass(frozen=True)
class Transfer:
    """A folder to upload to or download from artifacts: one by `name`, or all shards by `pattern`."""

    step: PlainText
    """Id of the step whose dataset it is; `step.output` for a named output; ids of several steps."""
    path: str
    """Folder of the dataset in the repository; for a slice of a named output, a pattern; several, one on each line."""
    name: str = ""
    """Name of the artifact; empty if there are several."""
    pattern: str = ""
    """Pattern of the names of several artifacts."""


@dataclass(frozen=True)
class Cache:
    """What a job finds again in its next run."""

    path: str
    """Folders, one on each line."""
    prefix: str
    """What the keys of all runs begin with."""
    key: str
    """The key of this run: entries cannot be changed."""
    saved: str
    """The condition of the step that saves it, '' where nothing does; false for events that anybody can start."""


@dataclass(frozen=True)
class Job:
    """One job, ready for the template; texts are escaped so that GitHub reads no expressions in them."""

    id: PlainText
    """Key of the job."""
    name: PlainText
    """What GitHub shows: the id of the step, the ids of several, or the name of the job."""
    condition: str
    """`if`; empty where it always runs."""
    description: str
    """What the step is for; empty for a job of several."""
    polls: bool
    """Whether it reads an outside source."""
    needs: Sequence[PlainText]
    """Ids of the jobs that must be done."""
    runs_on: Any
    """`runs-on`."""
    timeout_minutes: int
    """`timeout-minutes`."""
    permissions: Sequence[tuple[str, str, str]]
    """Scope, level and reason of each permission of the job."""
    environment: Any
    """`environment`, when there is one."""
    container: Mapping[str, Any]
    """`container`; empty when the job runs on the runner itself."""
    shards: Sequence[int]
    """Numbers of the slices, one job each; empty for a single job."""
    max_parallel: int | None
    """`max-parallel`: how many slices may run at the same time."""
    setup: str
    """How Python and the project are installed: pip, uv, poetry, pdm, conda or none."""
    install: str
    """Shell line that installs the project; empty when there is nothing to do."""
    download: Sequence[Transfer]
    """Datasets it reads, each once."""
    memory: str
    """Prefix of the cache keys for the step's last output; empty unless `wurzel step` runs a step that reads it."""
    memory_key: str
    """The cache key of this run."""
    cache: Cache | None
    """What `wurzel run` finds again in the next run; null for `wurzel step`."""
    env: Mapping[str, str]
    """Variables of the step or steps."""
    run: str
    """Shell line that runs the step or steps."""
    path: str
    """The folder that its step writes, in the repository; empty for a job of several."""
    upload: Sequence[Transfer]
    """The datasets that later jobs read, and those that the pipeline is for."""
    steps: Sequence[Step]
    """Its steps, as the IR has them."""
    step: Step | None
    """Its only step; null for a job of several."""


@dataclass(frozen=True)
class Workflow:
    """The workflow, ready for the template."""

    name: PlainText
    """Title of the workflow: the name of the pipeline, or option `name`."""
    manual: bool
    """Whether a person may start it."""
    cron: str
    """Five fields; empty without a schedule."""
    timezone: str
    """IANA name; empty if the schedule is in UTC or the server has no time zones."""
    inputs: Sequence[Parameter]
    """Inputs of a run that a person starts."""
    triggers: Mapping[str, Any]
    """Further events, each with its filters."""
    group: str
    """The concurrency group."""
    cancel: bool
    """Whether a new run cancels the one in progress."""
    queue: bool
    """Whether all runs wait in a queue, so that none is dropped: option `queue`."""
    env: Mapping[str, str]
    """Variables of all jobs."""
    shell: str
    """The shell of all lines; empty where images have everything, and what `wurzel run` needs runs in any shell."""
    folder: str
    """The project's folder in the repository, where all lines run; empty at the top."""
    retention_days: int
    """How long datasets are kept."""
    cache_file: str
    """File in the repository whose change starts a new installer cache; '' without a cache."""
    packages: Cache | None
    """What poetry or pdm has downloaded, if that is kept between runs."""
    jobs: Sequence[Job]
    """The jobs, in an order in which they can run."""


class FileContext(PipelineContext):
    """What the template of the workflow sees."""

    options: GithubOptions
    """The options below `targets.github`, with defaults."""
    workflow: Workflow
    """The workflow, ready for the template."""
    actions: Mapping[str, Action]
    """The last word of each action's name, with `_`, to the action to use."""
