"""GitHub Actions: one workflow per pipeline, one job per step, datasets as artifacts.

Facts: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax and
https://docs.github.com/en/actions/reference/limits.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from wurzel.backends import ci
from wurzel.backends.base import Backend, OutputFile, Support, emulated, native, unsupported
from wurzel.exceptions import Problem
from wurzel.ir.features import Use
from wurzel.ir.model import Pipeline

PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/cache": ("27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
    "astral-sh/setup-uv": ("20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "v10.0.1"),
}
"""Actions a workflow uses: the commit of a release, and its tag."""

FILE_LIMIT = 512_000
"""Bytes of a workflow file; GitHub starts no run of a larger one, and says nothing."""

_SIZE = "the size of a runner is chosen by its label: targets.github.jobs.<step>.runs_on"


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class RunnerGroup(_Options):
    """Runners of a group, by labels."""

    group: str
    """Name of the group."""
    labels: tuple[str, ...] = ()
    """Labels that a runner of it must have."""


class Registry(_Options):
    """How a runner logs in to the registry of images; both may be expressions."""

    username: str
    """Name of the account."""
    password: str
    """Its password, as an expression such as a secret."""


Runner = str | tuple[str, ...] | RunnerGroup


class JobOptions(_Options):
    """What one job has of its own, under `targets.github.jobs.<step>`."""

    runs_on: Runner | None = None
    """Runner of this job."""
    environment: str | dict[str, Any] | None = None
    """Environment of this job."""
    permissions: dict[str, str] = Field(default_factory=dict)
    """Permissions of this job, by scope."""
    oidc: bool | None = None
    """Give this job an OpenID Connect token."""
    container_options: str | None = None
    """Options of the container of this job."""


class GithubOptions(ci.CiOptions):
    """What can be said under `targets.github`; values of these options may hold GitHub's own expressions."""

    runs_on: Runner = Field("ubuntu-24.04", description="Runner label, list of labels, or {group, labels}.")
    node_labels: dict[str, str] = Field(
        default_factory=dict, description="`key=value` of a node selector to the runner label that stands for it."
    )
    triggers: dict[str, Any] = Field(
        default_factory=dict, description="Further events of `on:`, e.g. {push: {branches: [main]}}."
    )
    concurrency_group: str | None = Field(None, description="Runs of one group wait for each other; default: the name.")
    environment: str | dict[str, Any] | None = Field(
        None, description="Deployment environment of every job: its secrets, variables and protection rules."
    )
    permissions: dict[str, str] = Field(
        default_factory=dict, description="What the token of every job may do, besides reading the code."
    )
    oidc: bool = Field(False, description="Let jobs log in to a cloud by OpenID Connect (`id-token: write`).")
    container_options: str | None = Field(None, description="Options of `docker create`, e.g. --gpus all.")
    registry: Registry | None = Field(None, description="Login for a private registry of images.")
    actions: dict[str, str] = Field(
        default_factory=dict,
        description="An action to what is used for it: {actions/checkout: acme/checkout@COMMIT # v7}.",
    )
    legacy: bool = Field(
        False,
        description="For servers and tools that do not know the keys of 2026, `queue` and `timezone`: GitHub"
        " Enterprise Server before that, act.",
    )
    jobs: dict[str, JobOptions] = Field(default_factory=dict, description="Differences of single jobs, by step id.")


class GithubBackend(Backend):
    """A workflow that an expert would merge: pinned, least privilege, timeouts, nothing interpolated into a shell."""

    name = "github"
    summary = ".github/workflows/<pipeline>.yml, run by GitHub Actions"
    options_model = GithubOptions
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("comments above the workflow and each job"),
        "data_dir": native("datasets cross jobs as artifacts"),
        "settings": native("`env` of the step"),
        "parameters": native("typed inputs of `workflow_dispatch`"),
        "env": native("`env` of the workflow and of each step"),
        "secrets": native("`secrets.NAME_KEY`, in the `env` of the one step that needs it"),
        "image": native("`container`"),
        "step_image": native("`container`"),
        "cpu": unsupported(_SIZE),
        "memory": unsupported(_SIZE),
        "gpu": unsupported(_SIZE),
        "limits": unsupported(_SIZE),
        "retry": emulated("`wurzel step --retries` within the job"),
        "backoff": emulated("`wurzel step --backoff` within the job"),
        "timeout": emulated("`wurzel step --timeout` for one try; `timeout-minutes` ends a job that is stuck"),
        "pipeline_timeout": unsupported("a workflow has none; give steps a timeout"),
        "shards": native("a matrix with one job per slice"),
        "parallelism": unsupported("only the jobs of one matrix can be limited, and are: `max-parallel`"),
        "schedule": native("`on.schedule`"),
        "timezone": native("`on.schedule[].timezone`; option `legacy` for servers that do not know it"),
        "concurrency": native("`concurrency` with `queue: max`, so that no waiting run is dropped"),
        "deadline": unsupported("GitHub starts scheduled runs late when it is busy, and says no time"),
        "polls": native("every run runs every job"),
        "self_consuming": emulated("the last output is kept by actions/cache, until no run reads it for 7 days"),
        "node_selector": native("labels of self-hosted runners"),
        "tolerations": unsupported("runners have no taints; choose one by its labels"),
        "service_account": unsupported("a job's identity is its OpenID Connect token: options oidc and environment"),
        "labels": unsupported("runs and jobs of GitHub have no labels"),
        "annotations": unsupported("runs and jobs of GitHub have no annotations"),
    }

    def support_for(self, use: Use, options: GithubOptions) -> Support:
        """A time zone only where the server knows it."""
        if use.feature == "timezone" and options.legacy:
            return unsupported("the server knows no `timezone` (option legacy), so the schedule is read as UTC")
        return self.support_of(use.feature)

    def files(self, pipeline: Pipeline, options: GithubOptions) -> Sequence[OutputFile]:
        """`.github/workflows/<pipeline>.yml`."""
        from wurzel.backends.github.workflow import actions, workflow

        path = options.output or f".github/workflows/{pipeline.name}.yml"
        context = {
            "pipeline": pipeline,
            "options": options,
            "workflow": workflow(pipeline, options),
            "actions": actions(options),
        }
        return [OutputFile(path, "github/workflow.yml.j2", context, limit=FILE_LIMIT)]

    def contexts(self) -> Mapping[str, type]:
        """Of the workflow."""
        from wurzel.backends.github.workflow import FileContext

        return {"github/workflow.yml.j2": FileContext}

    def preflight(self, pipeline: Pipeline, options: GithubOptions) -> Sequence[Problem]:
        """Limits of GitHub, and what would make a workflow that GitHub refuses or reads differently."""
        from wurzel.backends.github.limits import problems

        return problems(pipeline, options)

    def validate(self, files: Mapping[str, str], options: GithubOptions) -> Sequence[Problem]:
        """What the official schema, actionlint (with shellcheck) and zizmor say, as far as they are installed."""
        from wurzel.backends.ci.validation import check_github

        return check_github(files)
