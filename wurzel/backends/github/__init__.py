"""GitHub Actions: one workflow per pipeline, a job for each step or for several, datasets as artifacts.

Facts: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax and
https://docs.github.com/en/actions/reference/limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from wurzel.backends.base import AMOUNTS, Adoptable, OutputFile, Support, emulated, native, unsupported
from wurzel.backends.ci import CiBackend
from wurzel.backends.github.options import GithubOptions
from wurzel.backends.ir_file import IrContext
from wurzel.ir.jobs import Job, jobs_of

if TYPE_CHECKING:
    from wurzel.backends.losses import Loss
    from wurzel.exceptions import Problem
    from wurzel.ir.features import Use
    from wurzel.ir.model import Pipeline

_SMALLER = "Let steps share jobs (layout: auto), write what jobs repeat once (anchors: true), or split the pipeline."
FILE_LIMIT = 512_000
"""Largest workflow file in bytes; GitHub does not run a larger one, and reports no error."""

_SIZE = "the size of a runner is chosen by its label: targets.github.jobs.<step>.runs_on"


class GithubBackend(CiBackend):
    """A workflow that an expert would merge: pinned, least privilege, timeouts, nothing interpolated into a shell."""

    name = "github"
    summary = ".github/workflows/<pipeline>.yml, run by GitHub Actions"
    options_model = GithubOptions
    versions: ClassVar[Mapping[str, Sequence[str]]] = {
        "Enterprise Server": (
            "artifact actions from version 4 on: version 3 is used",
            "time zones of schedules: they are in UTC, and another zone is reported",
        ),
        "github.com": (),
    }
    version_options: ClassVar[Mapping[str, str]] = {"Enterprise Server": "legacy=true", "github.com": "legacy=false"}
    some_steps = "With a store the workflow has the input `only`: gh workflow run FILE -f only=split+"
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("comments above the workflow and each job"),
        "data_dir": native("datasets cross jobs as artifacts"),
        "store": native("jobs are `wurzel run`, without artifacts; keys are secrets, an identity is GitHub's token"),
        "settings": native("read from wurzel.yaml; `env` of the step with `layout: steps`"),
        "parameters": native("typed inputs of `workflow_dispatch`, and of `workflow_call` where it is a trigger"),
        "env": native("`env` of the workflow; that of a step as its settings"),
        "secrets": native("`secrets.NAME_KEY`, in the `env` of the one step that needs it"),
        "image": native("`container`"),
        "group": native("a job for the group"),
        "step_image": native("`container`"),
        **dict.fromkeys(AMOUNTS, unsupported(_SIZE)),
        "retry": emulated("`wurzel step --retries` within the job"),
        "backoff": emulated("`wurzel step --backoff` within the job"),
        "timeout": emulated("`wurzel step --timeout` for one attempt; `timeout-minutes` ends a stuck job"),
        "pipeline_timeout": unsupported("a workflow has no such limit; set timeouts of steps"),
        "shards": native("a matrix with one job per slice"),
        "fan_out": emulated(
            "a matrix with `max` jobs; those beyond the portions that the data has write an empty slice and end"
        ),
        "when": emulated("`wurzel step` asks; a skipped step writes an empty dataset, and its job succeeds"),
        "named_inputs": native("a download for each dataset that is read; `-i NAME=DIR`"),
        "named_outputs": native("an artifact for each output, and a job downloads those that it reads"),
        "parallelism": unsupported("only jobs of one matrix can be limited, with `max-parallel`, and they are"),
        "schedule": native("`on.schedule`"),
        "timezone": native("`on.schedule[].timezone`; option `legacy` for servers without it"),
        "concurrency": native("`concurrency`; a new run replaces one that waits, unless `queue: true`"),
        "deadline": unsupported("GitHub starts scheduled runs late when it is busy, and has no deadline"),
        "catch_up": unsupported("GitHub does not make up for a missed run; start it by hand"),
        "push": native("`on.push`"),
        "after": native("`on.workflow_run`, on the default branch, if the other run was on it and has succeeded"),
        "data_arrival": unsupported("GitHub learns nothing of data; let what writes it call the webhook"),
        "webhook": native("`on.repository_dispatch` of the pipeline's name: POST /repos/OWNER/REPO/dispatches"),
        "on_failure": native("a job that needs all others and runs `wurzel notify` if one has failed"),
        "polls": native("every run runs every job"),
        "self_consuming": emulated("the last output is kept by actions/cache, until no run reads it for 7 days"),
        "node_selector": native("labels of self-hosted runners"),
        "tolerations": unsupported("runners have no taints; choose one by its labels"),
        "service_account": unsupported("a job's identity is its OpenID Connect token: options oidc and environment"),
        "priority": unsupported("GitHub queues jobs in order; choose runners by their label"),
        "volumes": unsupported("jobs have no volumes; mount folders with container_options: -v"),
        "env_from": unsupported("a job has no such thing; name each variable below `secrets` or `env`"),
        "labels": unsupported("runs and jobs of GitHub have no labels"),
        "annotations": unsupported("runs and jobs of GitHub have no annotations"),
    }

    def support_for(self, use: Use, options: GithubOptions) -> Support:
        """A time zone only where the server supports it; a limit for the run where one job runs everything."""
        if use.feature == "pipeline_timeout" and options.chosen_layout == "single":
            return emulated("`wurzel run` ends the job")
        if use.feature == "timezone" and options.legacy:
            return unsupported("the server does not support `timezone` (option legacy), so the schedule is in UTC")
        return super().support_for(use, options)

    def files(self, pipeline: Pipeline, options: GithubOptions) -> Sequence[OutputFile]:
        """`.github/workflows/<pipeline>.yml`, one for pull requests by option, the pipeline where jobs read it."""
        from wurzel.backends.anchors import GITHUB, anchored
        from wurzel.backends.ci.layout import ir_files
        from wurzel.backends.github.pins import actions
        from wurzel.backends.github.pull_request import path_beside
        from wurzel.backends.github.triggers import with_triggers
        from wurzel.backends.github.workflow import workflow

        options = with_triggers(pipeline, options)
        path = options.main_file(pipeline)
        finish = partial(anchored, start="jobs:", patterns=GITHUB) if options.anchors else None
        wanted = {path: False, **({path_beside(path): True} if options.pull_request else {})}
        common = {"pipeline": pipeline, "options": options, "actions": actions(options)}
        files = [
            OutputFile(
                place,
                "github/workflow.yml.j2",
                {**common, "workflow": workflow(pipeline, options, pull_request=untrusted)},
                limit=FILE_LIMIT,
                smaller=_SMALLER,
                finish=finish,
            )
            for place, untrusted in wanted.items()
        ]
        return [*files, *ir_files(pipeline, options, self.name)]

    def placed(self, pipeline: Pipeline, options: GithubOptions, name: str) -> GithubOptions:
        """The target's name in the file name and in the title, so that workflows of several targets differ."""
        placed: GithubOptions = super().placed(pipeline, options, name)
        return placed.model_copy(update={"name": options.name or f"{options.stem(pipeline)}-{name}"})

    def adoptable(self, pipeline: Pipeline, options: GithubOptions, path: str, text: str) -> Iterator[Adoptable]:
        """Pinned actions, as bots update them."""
        from wurzel.backends.github.pins import changed

        for name, old, new in changed(text, options):
            yield Adoptable(("targets", self.name, "actions", name), old, new)

    def jobs(self, pipeline: Pipeline, options: GithubOptions) -> Sequence[Job]:
        """The jobs, by layout and groups."""
        from wurzel.backends.github.runner import place

        return jobs_of(pipeline, options.chosen_layout, lambda step: place(pipeline, options, step))

    def contexts(self) -> Mapping[str, type]:
        """The contexts of the workflow and of the file with the pipeline."""
        from wurzel.backends.github.context import FileContext

        return {"github/workflow.yml.j2": FileContext, "github/ir.json.j2": IrContext}

    def preflight(self, pipeline: Pipeline, options: GithubOptions) -> Sequence[Problem]:
        """GitHub's limits, and everything that GitHub would reject or read differently."""
        from wurzel.backends.github.limits import problems

        return problems(pipeline, options)

    def losses(self, text: str) -> Iterable[Loss]:
        """Inherited values that jobs do not get."""
        from wurzel.backends.ci.losses import github_losses

        return github_losses(text)

    def validate(self, files: Mapping[str, str], options: GithubOptions) -> Sequence[Problem]:
        """Findings of the official schema, actionlint (with shellcheck) and zizmor, as far as they are installed."""
        from wurzel.backends.ci.validation import check_github

        return check_github(files)
