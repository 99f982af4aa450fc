"""Options below `targets.gitlab`."""

from typing import Any, Literal, Self

from pydantic import Field

from wurzel.backends import ci
from wurzel.backends.ci.home import Home
from wurzel.backends.options import Part, no_options
from wurzel.ir.model import Pipeline, Step

PATHS = {"root": ".gitlab-ci.yml", "include": ".gitlab/{}.gitlab-ci.yml", "component": "templates/{}.yml"}
"""Where the file that GitLab reads first is written, below the top of the repository."""


class JobOptions(Part):
    """Options of a single job, below `targets.gitlab.jobs.<step>`."""

    tags: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Tags of the runner of this job."""
    environment: str | None = None
    """Environment of this job."""


class Vault(Part):
    """Where a HashiCorp Vault keeps secrets; a secret's `name` is its path there, its `key` the field."""

    audience: str = Field(description="`aud` of the token jobs log in with, usually the address of the server.")
    engine: str = Field("kv-v2", description="Kind of the secrets engine.")
    mount: str = Field("secret", description="Path at which the engine is mounted.")


class GitlabOptions(ci.CiOptions):
    """Options below `targets.gitlab`; values may contain GitLab's own `$VARIABLES`."""

    kind: Literal["root", "include", "component"] = Field(
        "root",
        description="What is written: the project's `.gitlab-ci.yml`, a file for its `include:`, or a CI/CD component."
        " The default is include where somebody else wrote that file, and for a project in a folder of its repository.",
    )
    image: str | None = Field(
        None,
        description="Image for steps without their own; the project is installed in it; the default is a slim Python.",
    )
    stage: str | None = Field(None, description="Stage of all jobs; default: the pipeline's name, or `test`.")
    tags: tuple[str, ...] = Field((), description="Tags of the runners that take the jobs.")
    gpu_tags: tuple[str, ...] = Field((), description="Further tags for steps that request GPUs.")
    rules: tuple[dict[str, Any], ...] | None = Field(
        None, description="GitLab `rules` for when the pipeline runs; by default on schedule, by hand and by API."
    )
    pull_request: bool = Field(
        False,
        description="Run in pipelines of merge requests as well. Their jobs get no protected variable and may only read"
        " the store (`cache: read`), unless the branch is protected.",
    )
    parameters: Literal["variables", "inputs"] = Field(
        "variables", description="What parameters become: variables of a run, or typed `spec:inputs` (GitLab 17.11)."
    )
    access: Literal["all", "developer", "maintainer", "none"] = Field(
        "developer", description="Who may download datasets from finished jobs."
    )
    id_tokens: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="OpenID Connect tokens of every job, e.g. {AWS_TOKEN: {aud: https://…}}."
    )
    vault: Vault | None = Field(None, description="Take secrets from Vault instead of CI/CD variables.")
    environment: str | None = Field(None, description="Environment whose variables and protection apply to every job.")
    schedule_ref: str = Field("main", description="Branch that the schedule runs on.")
    schedule_script: str | None = Field(
        None, description="Where the script that creates the schedule is written, relative to the project folder."
    )
    jobs: dict[str, JobOptions] = Field(
        default_factory=dict, description="Options of single jobs, by step id or group; `auto` separates what differs."
    )

    def at_home(self, home: Home) -> Self:
        """The same options, with defaults that suit the project: a root file that is not ours is left alone."""
        placed = super().at_home(home)
        included = home.is_included and "kind" not in self.model_fields_set
        return placed.model_copy(update={"kind": "include"}) if included else placed

    def main_file(self, pipeline: Pipeline) -> str:
        """Where the file that GitLab reads first is written."""
        return self.output or self.path(PATHS[self.kind].format(self.stem(pipeline)))

    def of_step(self, step: Step) -> JobOptions:
        """The options of a step's job: its own, or those of its group."""
        return self.jobs.get(step.id) or self.jobs.get(step.group or "") or no_options(JobOptions)

    @property
    def uses_inputs(self) -> bool:
        """Whether the file has a header with `spec:inputs`."""
        return self.kind == "component" or self.parameters == "inputs"
