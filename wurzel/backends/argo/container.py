"""The containers of pods: `wurzel step` for a step, or `wurzel run` for those of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.environment import secrets_of, step_env, text
from wurzel.backends.argo.manifest import Container
from wurzel.invocation import call
from wurzel.invocation.command import step_argv, step_inputs

if TYPE_CHECKING:
    from wurzel.backends.argo.dag import Dag
    from wurzel.invocation.command import Emulated
    from wurzel.ir.jobs import Job

SLICES_FILE = f"{k8s.TMP_PATH}/slices.json"
"""Where a container writes the slices of a step."""
SHARD = "{{inputs.parameters.shard}}"


class Steps:
    """Containers that are `wurzel step`."""

    def __init__(self, dag: Dag, default_env: Mapping[str, str]) -> None:
        self._dag = dag
        self._default_env = default_env

    def of(self, job: Job) -> Container:
        """The container of a job, which has one step."""
        dag, (step,) = self._dag, job.steps
        emulate: list[Emulated] = [] if dag.pods.native(job) else ["retry", "timeout"]
        argv = step_argv(
            dag.pipeline,
            step,
            inputs=step_inputs(step, dag.folder),
            output=dag.folder(step.id),
            emulate=emulate,
        )
        args = [text(word) for word in argv[1:]]
        if step.shards.max > 1:
            args += call.options(shard=f"{SHARD}/{step.shards.max}")
        return Container(
            image=k8s.image_of(dag.pipeline, step),
            command=argv[:1],
            args=args,
            env=k8s.env_list(step_env(dag.pipeline, step, args, self._default_env)),
            resources=k8s.resources(step.resources, step.limits),
            env_from=_env_from(dag, job),
            volume_mounts=k8s.mounts(dag.volumes, [step.id]),
        )


class Runs:
    """Containers that are `wurzel run` on the steps of a job, with the pipeline that the pod has as a file."""

    def __init__(self, dag: Dag, shared_env: k8s.Env, shared_mounts: Sequence[Mapping[str, Any]]) -> None:
        """`shared_env` and `shared_mounts` are for containers of jobs alone, if not all templates have them."""
        self._dag = dag
        self._env = shared_env
        self._mounts = shared_mounts

    def of(self, job: Job) -> Container:
        """The container of a job."""
        dag, pods = self._dag, self._dag.pods
        first, width = job.steps[0], pods.width(job)
        args = call.options(only=not pods.whole and ",".join(job.ids))
        if pods.sliced(job):
            counted = job.name in dag.counters or job.name in dag.feeders
            args += call.options(shard=SHARD if counted else f"{SHARD}/{first.shards.max}")
        for name, feeder in dag.feeders.items():
            args += call.options(slices=feeder == job.name and f"{pods.named(name).ids[0]}={SLICES_FILE}")
        alone = len(job.steps) == 1
        return Container(
            image=k8s.image_of(dag.pipeline, first),
            command=self._command(job),
            args=args if alone else [*call.options(j=width), *args],
            env=k8s.env_list({**self._env, **secrets_of(job.steps)}),
            resources=k8s.resources(first.resources, first.limits) if alone else k8s.job_resources(job.steps, width),
            env_from=_env_from(dag, job),
            volume_mounts=[*self._mounts, *k8s.mounts(dag.volumes, job.ids)],
        )

    def counter(self, job: Job) -> Container:
        """The container that counts the slices of a step."""
        return Container(
            image=k8s.image_of(self._dag.pipeline, job.steps[0]),
            command=self._command(job),
            args=call.options(slices=f"{job.ids[0]}={SLICES_FILE}"),
            env=k8s.env_list(self._env),
            resources=_small(job),
            volume_mounts=self._mounts,
        )

    def _command(self, job: Job) -> list[str]:
        """The start of the command, which most containers share, so that it is written once."""
        dag = self._dag
        data, state = f"{dag.options.mount}/{dag.pipeline.data_dir}", self._state(job)
        argv = call.RunCall(from_ir=f"{k8s.PIPELINE_PATH}/{k8s.PIPELINE_FILE}").words()
        argv += call.options(no_retry=dag.pods.native(job))
        return [*argv, *map(text, call.options(data_dir=data, state_dir=state))]

    def _state(self, job: Job) -> str:
        """Where logs and states are: on a volume that pods share, each job has its own folder.

        Slices leave nothing there that another pod needs.
        """
        dag = self._dag
        home = f"{dag.options.mount}/.wurzel"
        if dag.pods.by_artifact or dag.pods.stored:
            return home
        return f"{k8s.TMP_PATH}/.wurzel" if dag.pods.sliced(job) else f"{home}/{job.name}"


def _small(job: Job) -> dict[str, Any]:
    """Resources of the container that counts slices: those of the step, without devices."""
    step = job.steps[0]
    return k8s.resources(step.resources.without_devices(), step.limits)


def _env_from(dag: Dag, job: Job) -> list[dict[str, Any]]:
    """`envFrom` of a container, with what all have: Argo does not merge these lists. Empty if it has nothing more."""
    own = dict.fromkeys(item for step in job.steps for item in step.env_from)
    return k8s.env_from_list([*dag.options.env_from, *own] if own else [])
