"""What jobs of a workflow keep for later runs, and hand on to other jobs: caches and artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.backends.github.context import Cache, Transfer
from wurzel.invocation.command import dataset

if TYPE_CHECKING:
    from wurzel.backends.ci.layout import Jobs
    from wurzel.backends.github.options import GithubOptions
    from wurzel.ir.jobs import Job as Group
    from wurzel.ir.model import Pipeline, Step

RUN = "${{ github.run_id }}-${{ github.run_attempt }}"
_UNTRUSTED = {
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "fork",
}
"""Events that anybody can start, and that run in the name of the default branch."""
_PACKAGES = {"poetry": "~/.cache/pypoetry", "pdm": "~/.cache/pdm"}
"""Where installers keep what they have downloaded."""
LONGEST_NAME = 100
"""Characters of names of several steps; more are counted."""


def job_id(step_id: str) -> str:
    """The id of a step's job, which must start with a letter or `_`."""
    return f"_{step_id}" if step_id[0].isdigit() else step_id


class Transfers:
    """Caches and artifacts of the jobs of one workflow."""

    def __init__(self, pipeline: Pipeline, options: GithubOptions, jobs: Jobs, *, untrusted: bool) -> None:
        """`untrusted`: anybody may have started the run, so that it leaves nothing to others."""
        self.pipeline = pipeline
        self.options = options
        self.jobs = jobs
        self.untrusted = untrusted

    def packages(self) -> Cache | None:
        """What an installer that setup-python does not know has downloaded."""
        options = self.options
        file = options.cache_key_file()
        if not (options.cache and file and options.setup in _PACKAGES):
            return None
        prefix = f"{options.setup}-{options.python_version}-"
        quoted = file.replace("'", "''")
        return Cache(_PACKAGES[options.setup], prefix, f"{prefix}${{{{ hashFiles('{quoted}') }}}}", saved="")

    def cache(self, group: Group) -> Cache | None:
        """What a job keeps for later runs; runs that anybody can start only read it."""
        folders = [dataset(self.pipeline, step.id) for step in group.steps]
        kept = [self.options.home.below(path) for path in self.jobs.kept(group, folders)]
        prefix = f"wurzel/{self.options.title(self.pipeline)}/" + ("" if self.jobs.whole else f"{group.name}/")
        events = [f"github.event_name != '{event}'" for event in sorted(_UNTRUSTED & set(self.options.triggers))]
        saved = " && ".join(["always()", *events, "steps.run.outputs.executed > 0"])
        return Cache("\n".join(kept), prefix, f"{prefix}{RUN}", "" if self.untrusted else saved) if kept else None

    def below(self, step: Step, output: str = "") -> str:
        """The folder of a dataset in the repository, as actions name it."""
        return self.options.home.below(dataset(self.pipeline, step.id, output))

    def received(self, step: Step, output: str) -> Transfer:
        """One output of an earlier step. Artifacts of slices hold `shard-I-of-N/…`, so they fit into one folder."""
        label, name = self._names(step, output)
        if not self.jobs.is_sliced(step):
            return Transfer(label, self.below(step, output), name=name)
        if self.options.legacy:
            return Transfer(label, self.below(step), name=name)
        pattern = f"{name}.shard-*-of-{step.shards.max}"
        return Transfer(label, self.below(step), pattern=pattern)

    def uploads(self, group: Group) -> list[Transfer]:
        """What other jobs read of a job, and its results."""
        if not self.jobs.run:
            return [self._kept(step, port.name) for step in group.steps for port in step.outputs]
        crossing = [self._kept(step, output) for step, output in self.jobs.leaving(group)]
        results = self.jobs.results(group)
        if any(self.jobs.is_sliced(step) for step in results):
            return crossing + [self._kept(step, port.name) for step in results for port in step.outputs]
        if len(results) <= 1:
            return crossing + [self._kept(step, "") for step in results]
        paths = [self.below(step) for step in results]
        # upload-artifact keeps what follows the folder that all paths have in common: here the data folder.
        name = self.pipeline.name if self.jobs.whole else f"{self.pipeline.name}-results.{group.name}"
        listed = ", ".join(step.id for step in results)
        label = listed if len(listed) <= LONGEST_NAME else f"{len(results)} steps"
        return [*crossing, Transfer(label, "\n".join(paths), name=name)]

    def _kept(self, step: Step, output: str) -> Transfer:
        """One output of a step, or of the slice that its job runs."""
        label, name = self._names(step, output)
        if self.options.anchors and not output and job_id(step.id) == step.id and self._is_alone(step):
            same = "${{ github.job }}"  # so that the step is the same in every job
            path = self.options.home.below(dataset(self.pipeline, same))
            return Transfer("this job", path, name=f"{self.pipeline.name}.{same}")
        if not self.jobs.is_sliced(step):
            return Transfer(label, self.below(step, output), name=name)
        # upload-artifact keeps what follows the first `*` of a path: here the folder of the slice.
        path = self.below(step) + (f"/*/{output}" if output else "")
        # Before v4, what several jobs upload under one name is one artifact, and no pattern finds several.
        own = "" if self.options.legacy else f".shard-${{{{ matrix.shard }}}}-of-{step.shards.max}"
        return Transfer(label, path, name=f"{name}{own}")

    def _names(self, step: Step, output: str) -> tuple[str, str]:
        """What an output is called for users, and as an artifact."""
        label = f"{step.id}{'.' if output else ''}{output}"
        return label, f"{self.pipeline.name}.{label}"

    def _is_alone(self, step: Step) -> bool:
        """Whether a step has a job to itself, which has the step's name."""
        return not self.jobs.is_sliced(step) and self.jobs.home[step.id].ids == (step.id,)
