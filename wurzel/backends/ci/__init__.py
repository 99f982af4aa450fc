"""What the CI platforms share: one job per step, the dataset of a step as the artifact of its job.

The only user text in a shell line is quoted names and paths: settings, secrets and parameters travel in environment
variables.
"""

import math
import re
from collections.abc import Collection
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr

from wurzel.backends.base import READ_BY_RUN, Backend, Support, unsupported
from wurzel.backends.ci.home import PIP, Home
from wurzel.backends.ir_file import ir_path
from wurzel.backends.options import TargetOptions
from wurzel.invocation.call import RunCall
from wurzel.invocation.failure import notice_references
from wurzel.invocation.variables import key_references
from wurzel.ir.features import Use
from wurzel.ir.jobs import Layout, are_runs
from wurzel.ir.model import Pipeline, SecretRef, Step, Store
from wurzel.ir.names import EnvName
from wurzel.ir.requests import attempts
from wurzel.ir.types import Duration
from wurzel.store_url import BUCKETS, scheme_of

SETUP = 600
"""Seconds a job may spend on checkout, installation and moving data, on top of its step's own time."""

_LOST_STORE = (
    "the store is a folder: jobs share it, and later runs find it, only on a disk that all runners, and containers,"
    " have at this path; use a bucket"
)

_MONTH = 30 * 86400
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_INSTALL = {"pip": f"{PIP} .", "uv": "uv sync --locked --no-dev", "none": ""}
_CACHE_FILES = {"pip": "pyproject.toml", "uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock"}


class CiOptions(TargetOptions):
    """Options that both CI platforms know."""

    name: str | None = Field(
        None,
        pattern=r"^[a-z0-9]([-a-z0-9]{0,126}[a-z0-9])?$",
        description="What the platform calls the pipeline in titles, groups, caches and names of included jobs;"
        " default: its name, and for a target of another name that name behind it.",
    )
    layout: Layout | None = Field(
        None,
        description="What becomes a job: steps, each step; single, all steps together; auto, steps that can share one."
        " The default is auto, but steps without a checkout, as jobs of several read wurzel.yaml.",
    )
    incremental: bool = Field(
        True,
        description="Keep datasets and earlier results in the platform's cache, for jobs that are not of a single step"
        " by `layout: steps`, so that a run does only what has changed.",
    )
    setup: Literal["pip", "uv", "poetry", "pdm", "conda", "none"] = Field(
        "pip",
        description="How a job without its own image gets Python and `wurzel`: pip, a program with the project's lock"
        " file or environment.yml, or none if the runner has everything. By default what the project's files are for.",
    )
    python_version: str = Field(
        "3.12",
        pattern=r"^3\.\d+(\.\d+)?$",
        description="Python of jobs without an image; by default what .python-version pins, or the lowest that"
        " requires-python allows if it does not allow 3.12.",
    )
    install: str | None = Field(
        None,
        description="Shell line that installs the project in jobs without their own image; by default from its lock"
        " file, requirements.txt, environment.yml or pyproject.toml, with what `requires` names.",
    )
    install_env: dict[EnvName, str] = Field(
        default_factory=dict, description="Variables of the install line, in the platform's own syntax."
    )
    cache: bool = Field(True, description="Keep downloads of the installer between runs.")
    cache_file: str | None = Field(
        None, description="File whose change starts a new cache; by default the one that says what is installed."
    )
    checkout: bool = Field(True, description="Check out the repository in every job.")
    project: str = Field(
        "/app",
        min_length=1,
        description="The project's folder in the image, with its wurzel.yaml, for jobs of several steps without a"
        " checkout; the default is where `wurzel image` puts it.",
    )
    retention: Duration = Field(7 * 86400, ge=86400, description="How long datasets are kept as artifacts.")
    timeout: Duration = Field(6 * 3600, ge=60, description="Longest time of a job whose step has no timeout.")
    secret_names: dict[str, str] = Field(
        default_factory=dict,
        description="`name/key` of a secret to its name on the platform; the default for openai/api-key is"
        " OPENAI_API_KEY.",
    )

    read_in: ClassVar[str] = ""
    """The only folder of a repository in which the platform reads files."""

    _home: Home = PrivateAttr(Home())

    def at_home(self, home: Home) -> Self:
        """The same options, with defaults that suit the project."""
        given = self.model_fields_set
        update = {} if "setup" in given or "install" in given else {"setup": home.setup}
        update |= {} if "python_version" in given else {"python_version": home.python}
        copy = self.model_copy(update=update)
        copy._home = home  # noqa: SLF001 - of the same class, and no option of a user
        return copy

    @property
    def home(self) -> Home:
        """Where the project is; with `checkout: false`, jobs start in a folder without it."""
        return self._home if self.checkout else self._home._replace(folder="")

    @property
    def steps_above(self) -> int:
        """As far as the top of the repository."""
        return self._home.up.count("/")

    def path(self, path: str) -> str:
        """Where a file is written that the platform reads at the top of the repository."""
        return f"{self._home.up}{path}"

    def stem(self, pipeline: Pipeline) -> str:
        """The name of a pipeline among all projects of the repository."""
        return f"{self._home.slug}{pipeline.name}"

    def title(self, pipeline: Pipeline) -> str:
        """What the platform calls the pipeline, so that two files for one project do not get in each other's way."""
        return self.name or self.stem(pipeline)

    @property
    def chosen_layout(self) -> Layout:
        """The layout, or the default: `auto`, but `steps` without a checkout."""
        return self.layout or ("auto" if self.checkout else "steps")

    def main_file(self, pipeline: Pipeline) -> str:
        """Where the main file is written, below the project's folder."""
        raise NotImplementedError

    def run_call(self, pipeline: Pipeline) -> RunCall:
        """What runs the pipeline in a job, in the project's folder of the checkout or of the image."""
        if self.from_ir:
            return RunCall(from_ir=ir_path(self.main_file(pipeline)))
        call = super().run_call(pipeline)
        return call if self.checkout else call._replace(project=self.project)

    def install_line(self) -> str:
        """The shell line that installs the project, or '' when there is nothing to do."""
        if self.install is not None:
            return self.install
        return self._home.install if self.setup == self._home.setup else _INSTALL.get(self.setup, "")

    def cache_key_file(self) -> str:
        """The file whose change starts a new cache, below the top of the repository; '' if there is none."""
        own = self._home.cache_file if self.setup == self._home.setup else _CACHE_FILES.get(self.setup, "")
        return self.home.below(self.cache_file or own)


def uses_run(pipeline: Pipeline, options: CiOptions) -> bool:
    """Whether jobs are `wurzel run` rather than `wurzel step`: with a store, or if one may be of several steps."""
    return are_runs(pipeline, options.chosen_layout)


class CiBackend(Backend):
    """Base of the backends of CI platforms."""

    def support_for(self, use: Use, options: Any) -> Support:
        """As in the table, except that a store must be one that all runners reach."""
        if isinstance(use.value, Store) and scheme_of(use.value.url) not in BUCKETS:
            return unsupported(_LOST_STORE)
        return self.support_of(use.feature)

    def read_by_jobs(self, pipeline: Pipeline, options: Any) -> Collection[str]:
        """What `wurzel run` reads, if jobs are `wurzel run`."""
        return READ_BY_RUN if uses_run(pipeline, options) else ()


def secret_name(ref: SecretRef, options: CiOptions) -> str:
    """The flat name of a secret on a CI platform: `OPENAI_API_KEY` for the key `api-key` of `openai`."""
    flat = re.sub(r"[^A-Z0-9]+", "_", f"{ref.name}_{ref.key}".upper()).strip("_")
    return options.secret_names.get(f"{ref.name}/{ref.key}", flat)


def secrets(pipeline: Pipeline, step: Step, options: CiOptions) -> dict[str, str]:
    """Environment variables of a step that hold secrets, to the names of the secrets on the platform."""
    refs = pipeline.secrets | key_references(pipeline) | step.secrets
    return {variable: secret_name(ref, options) for variable, ref in refs.items()}


def notice_secrets(pipeline: Pipeline, options: CiOptions) -> dict[str, str]:
    """Variables of the job that reports a failed run, to the names of their secrets on the platform."""
    return {variable: secret_name(ref, options) for variable, ref in notice_references(pipeline).items()}


def plain_cron(cron: str) -> str | None:
    """The five fields that every CI platform reads; `None` for an interval, which no CI platform supports."""
    return None if cron.startswith("@every") else _MACROS.get(cron, cron).replace("?", "*")


def shortest_gap(cron: str) -> float:
    """Shortest time between two starts of a five-field cron expression, in minutes."""
    from datetime import UTC, datetime
    from itertools import islice, pairwise

    from cronsim import CronSim

    starts = list(islice(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)), 200))
    return min(((after - before).total_seconds() / 60 for before, after in pairwise(starts)), default=math.inf)


def budget(step: Step, options: CiOptions, *, tries: int) -> int:
    """Seconds after which a job must be stuck: all its attempts with their waits, and its set-up."""
    if step.timeout is None:
        return options.timeout
    return int(min(attempts(step, tries=tries) + SETUP, _MONTH))
