"""Options below `targets.github`, and the actions that workflows use."""

from typing import Any, ClassVar

from pydantic import Field

from wurzel.backends import ci
from wurzel.backends.options import Part, no_options
from wurzel.ir.model import Pipeline, Step
from wurzel.ir.names import EnvName

PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/cache": ("27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
    "astral-sh/setup-uv": ("20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "v10.0.1"),
}
"""Actions a workflow uses: the commit of a release, and its tag."""

ENTERPRISE_PINS = {
    "actions/upload-artifact": ("c6a3b2bd78b3985e4b2f15397fec357f0fd808de", "v3.2.2-node20"),
    "actions/download-artifact": ("ad191675b41f6a5b46da9a048cb6893812da158b", "v3.1.0-node20"),
}
"""The same for GitHub Enterprise Server, which has no storage for the artifacts of later versions."""


class RunnerGroup(Part):
    """Runners of a group, by labels."""

    group: str
    """Name of the group."""
    labels: tuple[str, ...] = ()
    """Labels that a runner of it must have."""


class Registry(Part):
    """How a runner logs in to the image registry; both fields may be expressions."""

    username: str
    """Name of the account."""
    password: str
    """Its password, as an expression such as a secret."""


Runner = str | tuple[str, ...] | RunnerGroup


class JobOptions(Part):
    """Options of a single job, below `targets.github.jobs.<step>`."""

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
    """Options below `targets.github`; values may contain GitHub's own expressions."""

    read_in: ClassVar[str] = ".github/workflows/"

    runs_on: Runner = Field("ubuntu-24.04", description="Runner label, list of labels, or {group, labels}.")
    node_labels: dict[str, str] = Field(
        default_factory=dict, description="`key=value` of a node selector to the runner label to use."
    )
    triggers: dict[str, Any] = Field(
        default_factory=dict, description="Further events of `on:`, e.g. {push: {branches: [main]}}."
    )
    concurrency_group: str | None = Field(
        None, description="Runs of one group wait for each other; default: the pipeline's name."
    )
    environment: str | dict[str, Any] | None = Field(
        None,
        description="Deployment environment of the jobs that need its secrets or log in, or of all jobs if none does:"
        " its secrets, variables and protection rules. Each such job asks for approval.",
    )
    permissions: dict[str, str] = Field(
        default_factory=dict, description="What the token of every job may do, besides reading the code."
    )
    oidc: bool = Field(False, description="Let jobs log in to a cloud by OpenID Connect (`id-token: write`).")
    container_options: str | None = Field(None, description="Options of `docker create`, e.g. --gpus all.")
    registry: Registry | None = Field(None, description="Login for a private registry of images.")
    actions: dict[str, str] = Field(
        default_factory=dict,
        description="Replacements for actions: {actions/checkout: 'acme/checkout@COMMIT # v7'}.",
    )
    legacy: bool = Field(
        False,
        description="For GitHub Enterprise Server: artifact actions v3, as it cannot store those of later ones, and no"
        " `timezone`, which was added in 2026.",
    )
    queue: bool = Field(
        False,
        description="Let all runs wait (`queue: max`); otherwise a new run replaces one that waits. Enterprise Server,"
        " and tools such as actionlint, refuse it; `--validate` accepts it.",
    )
    pull_request: bool | dict[str, Any] = Field(
        False,
        description="A second workflow that runs on pull requests, without steps that need secrets: true, or filters"
        " of the event: {paths: [pipelines/**]}. Its jobs may only read, and trusted jobs never read what these"
        " write (`cache: read`).",
    )
    anchors: bool = Field(
        False,
        description="Write what jobs repeat only once, with YAML anchors. GitHub refuses workflows of more than 512,000"
        " bytes, some 300 jobs without anchors; Enterprise Server does not document them.",
    )
    vars: dict[EnvName, EnvName] = Field(
        default_factory=dict,
        description="Configuration variables of GitHub as values of settings, by the setting's variable:"
        " {EMBED__MODEL: EMBED_MODEL} is `vars.EMBED_MODEL`; without a value there, the setting has its default.",
    )
    jobs: dict[str, JobOptions] = Field(
        default_factory=dict, description="Options of single jobs, by step id or group; `auto` separates what differs."
    )

    def main_file(self, pipeline: Pipeline) -> str:
        """Where the workflow is written."""
        return self.output or self.path(self.workflow_file(pipeline))

    def workflow_file(self, pipeline: Pipeline) -> str:
        """The workflow, below the top of the repository."""
        return self.home.below(self.output) if self.output else f"{self.read_in}{self.stem(pipeline)}.yml"

    def of_step(self, step: Step) -> JobOptions:
        """The options of a step's job: its own, or those of its group."""
        return self.jobs.get(step.id) or self.jobs.get(step.group or "") or no_options(JobOptions)
