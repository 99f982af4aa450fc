"""What the templates of a GitLab CI/CD file, and of its schedule, see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends.base import PipelineContext
from wurzel.records import dataclass

if TYPE_CHECKING:
    from wurzel.backends.gitlab.options import GitlabOptions
    from wurzel.backends.gitlab.variables import Input, Variables
    from wurzel.ir.model import Step


@dataclass(frozen=True)
class Job:
    """One job, ready for the template."""

    name: str
    """Name of the job: the id of its step, or of its group."""
    stage: str
    """`stage`, where jobs have several; otherwise empty."""
    listed: str
    """Ids of the steps, where they are several and the name does not say so; otherwise empty."""
    description: str
    """What the step is for; empty for a job of several."""
    polls: bool
    """Whether it reads an outside source."""
    needs: Sequence[str]
    """`needs`: the jobs that must be done, and whose datasets it gets."""
    image: str
    """`image`, if it differs from the one all jobs share."""
    bare: bool
    """Whether the image has everything, so that nothing is installed."""
    tags: Sequence[str]
    """`tags` of the runner, if they differ from those all jobs share."""
    environment: str
    """Name of the environment; empty for none."""
    parallel: int
    """How many jobs share the slices; 0 for one job."""
    retry: Any
    """`retry`, if it differs from the one all jobs share; 0 for none."""
    timeout: str
    """`timeout` of the job, in GitLab's notation, if it differs from the one all jobs share."""
    resource_group: str
    """`resource_group`, which one run at a time can use; empty for none."""
    variables: Variables
    """`variables` of the job."""
    secrets: Mapping[str, Any]
    """`secrets` that GitLab takes from Vault."""
    cache: Sequence[Mapping[str, Any]] | None
    """`cache` of the job, if it differs from the one all jobs share."""
    script: Sequence[str]
    """Shell lines that run the step or steps."""
    paths: Sequence[str]
    """Folders that the job keeps as artifacts: what later jobs read, and what the pipeline is for."""
    shared: Config
    """What all jobs share, with what differs for this one: tags, and nothing to install where its image has it."""
    steps: Sequence[Step]
    """Its steps, as the IR has them."""
    step: Step | None
    """Its only step; null for a job of several."""
    on_failure: bool = False
    """Whether it runs after all others, if one of them has failed."""
    rules: Sequence[Mapping[str, Any]] = ()
    """`rules` of the job, if they differ from those that all jobs share."""


@dataclass(frozen=True)
class Trigger:
    """The job that starts the jobs of another file as a pipeline, and waits for it."""

    name: str
    """Name of the job."""
    path: str
    """The file with the jobs."""
    inputs: Mapping[str, str]
    """Values of its `spec:inputs`."""
    resource_group: str
    """`resource_group`: the lock for the whole run."""


@dataclass(frozen=True)
class Config:
    """The whole file, ready for the template."""

    name: str
    """Title of the pipeline: its name, or option `name`."""
    base: str
    """Name of the hidden job that all jobs extend."""
    stage: Any
    """`stage` of all jobs, if they have only one."""
    stages: Sequence[str]
    """The stages of a whole pipeline."""
    whole: bool
    """Whether the file is a whole pipeline of GitLab, with `workflow` and `stages`."""
    inherits: bool
    """Whether jobs inherit `default` and variables: those of a file to include would be of whoever includes it."""
    image: Any
    """`image` of all jobs."""
    tags: Sequence[str]
    """`tags` of the runners of all jobs."""
    rules: Any
    """When the pipeline runs."""
    job_rules: Any
    """`rules` of all jobs; empty where those of the whole pipeline do."""
    trigger: Trigger | None
    """The only job, where the others are in another file for the sake of a lock."""
    inputs: Sequence[Input]
    """`spec:inputs`; none when parameters are variables."""
    variables: Variables
    """Variables that the "Run pipeline" form shows."""
    base_variables: Variables
    """Variables of all jobs."""
    cache: Sequence[Mapping[str, Any]]
    """`cache` of all jobs."""
    cd: str
    """Shell line that changes to the project's folder in the repository; empty at the top."""
    install: str
    """Shell line that installs the project; empty when there is nothing to do."""
    id_tokens: Mapping[str, Any]
    """`id_tokens` of all jobs."""
    interruptible: bool
    """Whether a newer run cancels the one in progress."""
    retry: Any
    """`retry` of most jobs; null for none."""
    timeout: str
    """`timeout` of most jobs."""
    expire_in: str
    """How long datasets are kept."""
    junit: str
    """The JUnit report that `wurzel run` writes; empty for `wurzel step`."""
    jobs: Sequence[Job]
    """The jobs, in an order in which they can run."""


@dataclass(frozen=True)
class ScheduleScript:
    """The schedule, for the script that creates it."""

    description: str
    """Its description, by which the script finds an existing schedule."""
    cron: str
    """Five fields."""
    timezone: str
    """The name of the time zone."""
    ref: str
    """The branch it runs on."""
    group: str
    """The resource group that is for whole runs; empty for none."""


class FileContext(PipelineContext):
    """What the template of the file with the jobs sees."""

    options: GitlabOptions
    """The options below `targets.gitlab`, with defaults."""
    config: Config
    """The file, ready for the template."""


class ScheduleContext(PipelineContext):
    """What the template of the script that creates the schedule sees."""

    options: GitlabOptions
    """The options below `targets.gitlab`, with defaults."""
    schedule: ScheduleScript
    """The schedule, as `glab` takes it."""
