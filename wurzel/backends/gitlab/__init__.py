"""GitLab CI/CD: jobs of one or several steps, datasets as artifacts; as a root file, a file to include, or a component.

Facts: https://docs.gitlab.com/ci/yaml/ and https://docs.gitlab.com/runner/executors/kubernetes/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from wurzel.backends.base import OutputFile, Support, emulated, native, unsupported
from wurzel.backends.ci import CiBackend
from wurzel.backends.gitlab.options import PATHS, GitlabOptions
from wurzel.backends.ir_file import IrContext

if TYPE_CHECKING:
    from wurzel.backends.gitlab.context import Config
    from wurzel.backends.losses import Loss
    from wurzel.exceptions import Problem
    from wurzel.ir.features import Use
    from wurzel.ir.jobs import Job
    from wurzel.ir.model import Pipeline

FILE_LIMIT = 2 * 1024**2
"""Default limit of an instance for the size of a CI/CD file, in bytes."""

_PODS = "on runners with the Kubernetes executor that allow it"
_INSTEAD = "To keep it, set targets.gitlab.kind: include, and include the file that is rendered then."
_CHILD = ".gitlab/{}.pipeline.yml"


class GitlabBackend(CiBackend):
    """Jobs with `needs`, artifacts that expire, and a script that creates the schedule."""

    name = "gitlab"
    summary = ".gitlab-ci.yml, a file to include or a component, run by GitLab CI/CD"
    options_model = GitlabOptions
    some_steps = "With a store, start the pipeline with the variable WURZEL_ONLY, such as split+."
    support: ClassVar[Mapping[str, Support]] = {
        "description": native("comments above the file and each job"),
        "data_dir": native("datasets cross jobs as artifacts"),
        "store": native("jobs are `wurzel run`, without artifacts; keys are variables, an identity is an `id_tokens`"),
        "settings": native("read from wurzel.yaml; `variables` of the job with `layout: steps`"),
        "parameters": native("variables of a run with a description, or `spec:inputs`"),
        "env": native("`variables`; those of a step as its settings"),
        "secrets": native("masked CI/CD variables NAME_KEY, or `secrets:vault`"),
        "image": native("`image`"),
        "group": native("a job for the group"),
        "step_image": native("`image` of the job"),
        "cpu": native(f"KUBERNETES_CPU_REQUEST, {_PODS}"),
        "memory": native(f"KUBERNETES_MEMORY_REQUEST, {_PODS}"),
        "gpu": unsupported("a job cannot request GPUs; set the tags of runners that have them: option gpu_tags"),
        "ephemeral_storage": native(f"KUBERNETES_EPHEMERAL_STORAGE_REQUEST, {_PODS}"),
        "hugepages": unsupported("a job cannot request huge pages; use the argo, cronjob or airflow target"),
        "limits": native(f"KUBERNETES_CPU_LIMIT and the like, {_PODS}"),
        "retry": native("`retry` up to 2; more, or with a wait, by `wurzel step --retries`"),
        "backoff": emulated("`wurzel step --backoff` within the job"),
        "timeout": emulated("`wurzel step --timeout` for one attempt; `timeout` of the job ends a stuck one"),
        "pipeline_timeout": unsupported("a pipeline has no such limit; set timeouts of steps"),
        "shards": native("`parallel`, one job per slice"),
        "fan_out": emulated(
            "`parallel` with `max` jobs; those beyond the portions that the data has write an empty slice and end"
        ),
        "when": emulated("`wurzel step` asks; a skipped step writes an empty dataset, and its job succeeds"),
        "named_inputs": native("`-i NAME=DIR`; `needs` brings the artifact of each job that it reads from"),
        "named_outputs": native(
            "folders within the artifact of the job; `needs` brings all of them, as GitLab cannot bring a part"
        ),
        "parallelism": unsupported("GitLab starts every job that can run; limit the runner with `concurrent`"),
        "schedule": emulated("rules, and a script that creates the schedule with `glab`"),
        "timezone": emulated("in the script that creates the schedule"),
        "concurrency": emulated(
            "forbid: a `resource_group` for the whole run, held by a job that starts the others as a child pipeline if"
            " they are several (in a component: one per job, so that runs may interleave);"
            " replace: `interruptible`, ended when a newer commit runs"
        ),
        "deadline": unsupported("a GitLab schedule has no deadline"),
        "catch_up": unsupported("GitLab does not make up for a missed run; start it by hand"),
        "push": native("`rules` for pushes to the branches"),
        "after": unsupported("set up a trigger job, or a pipeline subscription, in the other project"),
        "data_arrival": unsupported("GitLab learns nothing of data; let what writes it call the webhook"),
        "webhook": native("a trigger token: POST /projects/:id/trigger/pipeline"),
        "on_failure": native("a job in `.post` runs `wurzel notify`; GitLab does not tell it which job has failed"),
        "polls": native("every run runs every job"),
        "self_consuming": emulated("the last output is kept in the cache, as long as the runners keep it"),
        "node_selector": native(f"KUBERNETES_NODE_SELECTOR_*, {_PODS}"),
        "tolerations": native(f"KUBERNETES_NODE_TOLERATIONS_*, {_PODS}"),
        "service_account": native(f"KUBERNETES_SERVICE_ACCOUNT_OVERWRITE, {_PODS}"),
        "priority": unsupported("the runner's configuration sets it; set the tags of a runner that does"),
        "volumes": unsupported("the runner's configuration sets them; set the tags of a runner that does"),
        "env_from": unsupported("a job has no such thing; name each variable below `secrets` or `env`"),
        "labels": native(f"KUBERNETES_POD_LABELS_*, {_PODS}"),
        "annotations": native(f"KUBERNETES_POD_ANNOTATIONS_*, {_PODS}"),
    }

    def support_for(self, use: Use, options: GitlabOptions) -> Support:
        """GPUs by tags if the option sets any; a limit for the run where one job runs everything."""
        if use.feature == "pipeline_timeout" and options.chosen_layout == "single":
            return emulated("`timeout` of the one job, and `wurzel run` in it")
        if use.feature == "push" and options.rules is not None:
            return unsupported("`rules` of targets.gitlab take its place; add a rule for pushes there")
        if use.feature == "gpu" and options.gpu_tags:
            return emulated("tags of runners that have GPUs; the runner decides how many")
        if use.path.endswith("toleration_seconds"):
            return unsupported("a job cannot say how long it tolerates a taint; leave toleration_seconds out")
        return super().support_for(use, options)

    def files(self, pipeline: Pipeline, options: GitlabOptions) -> Sequence[OutputFile]:
        """The file with the jobs, one that starts it where runs wait, a script for the schedule, the pipeline."""
        from wurzel.backends.ci.layout import ir_files
        from wurzel.backends.gitlab.file import config, schedule, trigger
        from wurzel.backends.gitlab.place import is_locked

        path = options.main_file(pipeline)
        written = {path: config(pipeline, options)}
        if is_locked(pipeline, options):  # the file with the jobs comes first, since a patch is for that
            child = _CHILD.format(options.title(pipeline))
            written = {options.path(child): written[path], path: trigger(pipeline, options, child)}
        common = {"pipeline": pipeline, "options": options}
        files = [
            OutputFile(
                where,
                "gitlab/gitlab-ci.yml.j2",
                {**common, "config": found},
                limit=FILE_LIMIT,
                instead=_INSTEAD if options.kind == "root" else "",
                finish=_finish(found),
            )
            for where, found in written.items()
        ]
        if pipeline.schedule is not None:
            script = options.schedule_script or options.path(f".gitlab/schedule-{options.stem(pipeline)}.sh")
            context = {**common, "schedule": schedule(pipeline, options)}
            file = OutputFile(script, "gitlab/schedule.sh.j2", context, executable=True, option="schedule_script")
            files.append(file)
        return [*files, *ir_files(pipeline, options, self.name)]

    def placed(self, pipeline: Pipeline, options: GitlabOptions, name: str) -> GitlabOptions:
        """The target's name in both file names and in jobs; set a root file's path in the GitLab project's settings."""
        own = f"{options.stem(pipeline)}-{name}"
        path = f"{name}{PATHS['root']}" if options.kind == "root" else PATHS[options.kind].format(own)
        script = options.schedule_script or options.path(f".gitlab/schedule-{own}.sh")
        placed = {"output": options.path(path), "schedule_script": script, "name": options.name or own}
        return options.model_copy(update=placed)

    def jobs(self, pipeline: Pipeline, options: GitlabOptions) -> Sequence[Job]:
        """The jobs, by layout and groups."""
        from wurzel.backends.gitlab.place import groups

        return groups(pipeline, options)

    def contexts(self) -> Mapping[str, type]:
        """The contexts of the file with the jobs, of the script for the schedule, and of the file with the pipeline."""
        from wurzel.backends.gitlab.context import FileContext, ScheduleContext

        others = {"gitlab/schedule.sh.j2": ScheduleContext, "gitlab/ir.json.j2": IrContext}
        return {"gitlab/gitlab-ci.yml.j2": FileContext, **others}

    def preflight(self, pipeline: Pipeline, options: GitlabOptions) -> Sequence[Problem]:
        """GitLab's limits, and everything that GitLab would reject or read differently."""
        from wurzel.backends.gitlab.limits import problems

        return problems(pipeline, options)

    def losses(self, text: str) -> Iterable[Loss]:
        """Inherited values that jobs do not get."""
        from wurzel.backends.ci.losses import gitlab_losses

        return gitlab_losses(text)

    def validate(self, files: Mapping[str, str], options: GitlabOptions) -> Sequence[Problem]:
        """Findings of the official schema and gitlab-ci-local's listing, as far as they are installed."""
        from wurzel.backends.ci.validation import check_gitlab

        return check_gitlab(files, options.kind)


def _finish(config: Config) -> Callable[[str], tuple[str, list[int]]] | None:
    """A file with one job needs no hidden job for what jobs have in common."""
    if config.trigger or len(config.jobs) != 1:
        return None
    from wurzel.backends.gitlab.single import joined

    return partial(joined, base=config.base, job=config.jobs[0].name)
