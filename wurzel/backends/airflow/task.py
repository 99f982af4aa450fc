"""Jobs as Airflow tasks: operator, command, environment, retries, and what a pod or a container needs."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wurzel.backends import kubernetes
from wurzel.backends.airflow import commands, environment
from wurzel.backends.airflow.environment import DATA, IR, RUN, Text, literal
from wurzel.backends.airflow.layout import Jobs, policy_of
from wurzel.backends.airflow.names import CLEANER, COUNTER, POD, task_id
from wurzel.backends.airflow.options import StepOptions
from wurzel.backends.airflow.parts import Container, DagTask, Pod, Policy, Words
from wurzel.backends.options import no_options
from wurzel.invocation import call
from wurzel.invocation.command import Emulated, step_argv, step_inputs
from wurzel.ir.jobs import Job
from wurzel.ir.model import SecretRef, Step
from wurzel.ir.pods import GPU
from wurzel.ir.requests import devices, limited, requested

_WORK = "/tmp/wurzel"  # noqa: S108 - a path in a container
_OWN_FOLDER = """work=$(mktemp -d) && trap : TERM && trap 'rm -rf "$work"' EXIT && """
"""A folder that tasks share with no others; bash waits for the command when it is told to end, then removes it."""


def differences(policy: Policy, usual: Policy) -> Sequence[str]:
    """Fields of a policy that differ from the usual one and have an effect."""
    names = ["retries", "delay", "factor", "longest"] if policy.retries else ["retries"]
    return [name for name in [*names, "timeout"] if getattr(policy, name) != getattr(usual, name)]


class Tasks:
    """Makes the tasks of one pipeline."""

    def __init__(self, jobs: Jobs, runs: Mapping[str, str]) -> None:
        """Make tasks of jobs.

        `runs` names the constant with the start of the command, for each kind of tasks that are `wurzel run`.
        """
        self._jobs = jobs
        self._pipeline = jobs.pipeline
        self._options = jobs.options
        self._runs = runs
        self._folders = {step.id: folder(step) for step in jobs.pipeline.steps}

    def task(
        self,
        job: Job,
        variable: str,
        assets: tuple[Sequence[str], Sequence[str]],
        counter: str = "",
        reader: Job | None = None,
    ) -> DagTask:
        """A job as a task.

        `assets` are those that it reads, and those that it updates. `counter` is the variable of the task that counts
        its slices, `reader` the job whose slices it counts in the end.
        """
        kind, sliced = self._jobs.kind(job), self._jobs.sliced(job)
        shards = job.steps[0].shards.max if sliced and not counter else 0
        argv, blanks = self._command(job)
        argv += call.options(slices=reader and commands.slices_of(reader.steps[0], kind))
        argv += call.options(shard=bool(counter or shards))  # its value follows in the script
        end = ' "$0"' if shards and kind == "docker" else " " if counter else ""
        inlets, outlets = assets
        return self._task(
            job,
            variable,
            doc=_doc_of(job.steps, kind),
            script=self._script(argv, blanks, kind) + end,
            shards=shards,
            counts=reader is not None,
            counter=counter,
            env=self._env(job, kind),
            one_at_a_time=any(step.self_consuming for step in job.steps),
            inlets=inlets,
            outlets=outlets,
            complete=f"{variable}__complete" if outlets and sliced else "",
            pod=self._pod(job, self._words(argv, blanks), counts=reader is not None) if kind == "kubernetes" else None,
            container=self._container(job) if kind == "docker" else None,
            step=job.steps[0] if len(job.steps) == 1 else None,
        )

    def _env(self, job: Job, kind: str) -> dict[str, Text]:
        """Variables of a task beyond those all tasks of its kind get."""
        options, by_connection = self._options, kind != "kubernetes" and self._options.secrets != "environment"
        env = {} if self._jobs.run else environment.own(job.steps[0], kind)
        for step in job.steps:
            env |= environment.dates(step, options.dates, options.version)
            env |= environment.secret_variables(step.secrets) if by_connection else {}
        return env

    def counter(self, job: Job, variable: str) -> DagTask:
        """The task that counts the slices of a step: it reads what is cut, and needs no settings and secrets."""
        (step,), kind = job.steps, self._jobs.kind(job)
        shards, argv = step.shards, call.options(slices=commands.slices_of(step, kind))
        return self._task(
            job,
            variable,
            id=task_id(f"{step.id}{COUNTER}"),
            doc=f"Counts the slices of {step.id}: {shards.items} items each, at most {shards.max} slices.\n",
            script=self._script(argv, (), kind),
            counts=True,
            pod=self._counting_pod(job, self._words(argv, ())) if kind == "kubernetes" else None,
        )

    def _task(self, job: Job, variable: str, **fields: Any) -> DagTask:
        """A task with what all tasks of a job have, and these fields."""
        first, kind = job.steps[0], self._jobs.kind(job)
        common = {
            "id": task_id(job.name),
            "step_id": first.id,
            "variable": variable,
            "kind": kind,
            "run": self._runs.get(kind, ""),
            "policy": self._jobs.policy(job),
            "options": self._options.steps.get(first.id) or no_options(StepOptions),
            "steps": job.steps,
        }
        return DagTask(**{**common, **fields})

    def _counting_pod(self, job: Job, words: Words) -> Pod:
        (step,) = job.steps
        plain = step.model_copy(update={"resources": step.resources.without_devices()})
        return replace(self._pod(job._replace(steps=(plain,)), words, counts=True), secrets={})

    def cleaner(self, variable: str) -> DagTask:
        """The task that removes the data of old runs."""
        pipeline, kind, days = self._pipeline, self._options.operator, self._options.keep_days
        minutes = 24 * 60 * (days or 0)  # `-mtime` rounds down to days, and so keeps one more
        find = f'find "${DATA}" -mindepth 1 -maxdepth 1 -type d -name "run_*" -mmin +{minutes} -exec rm -rf {{}} +'
        script = f'mkdir -p "${DATA}" && {find}'
        image = pipeline.image or next((step.image for step in pipeline.steps if step.image), None)
        step = Step.model_construct(id="remove-old-runs", run="", outputs=pipeline.steps[0].outputs, image=image)
        job = Job(step.id, (step,))
        return DagTask(
            id=CLEANER,
            step_id="",
            variable=variable,
            kind=kind,
            doc=f"Remove the data of runs that ended more than {days} day{'' if days == 1 else 's'} ago.\n",
            script=script,
            pod=self._pod(job, Words(["sh", "-c"], [script])) if kind == "kubernetes" else None,
            container=self._container(job) if kind == "docker" else None,
        )

    def start(self, kind: str) -> str | list[str]:
        """The start of the command of tasks that are `wurzel run`: a shell line, or words of a pod."""
        jobs = self._jobs
        own, source = ("$work", f"${IR}") if kind == "bash" else (_WORK, f"env:{IR}")
        data, state = (f"{own}/data", f"{own}/state") if jobs.stored else (f"${RUN}", own)
        asked = call.options(from_ir=source, data_dir=data, state_dir=state, no_retry=jobs.all_native)
        words = ["run", *asked]
        if kind == "kubernetes":
            return [commands.expanded(word) for word in words]
        blanks = environment.all_blanks(self._pipeline)
        before = _OWN_FOLDER if kind == "bash" else "exec "
        return commands.unset(blanks) + before + " ".join(map(commands.quoted, [*self._options.command, *words]))

    def _command(self, job: Job) -> tuple[list[str], list[str]]:
        """The words of a job's command, and the variables that must be absent where a parameter is null.

        For `wurzel run`, only the words after `start`, which unsets all variables.
        """
        if not self._jobs.run:
            (step,) = job.steps
            inputs = step_inputs(step, self._folders.__getitem__)
            emulate: Sequence[Emulated] = policy_of(step, self._options)[1]
            argv = step_argv(self._pipeline, step, inputs=inputs, output=self._folders[step.id], emulate=emulate)
            return [*self._options.command, *argv[1:]], environment.blanks(step)
        wide = self._jobs.width(job)
        return call.options(
            no_retry=self._jobs.native(job) and not self._jobs.all_native,
            j=(len(job.steps) > 1 or wide > 1) and wide,
            only=not self._jobs.whole and ",".join(job.ids),
        ), []

    def _script(self, argv: Sequence[str], blanks: Sequence[str], kind: str) -> str:
        if self._jobs.run:
            return "".join(f" {shlex.quote(word)}" for word in argv)
        return commands.script(argv, blanks, kind)

    def _words(self, argv: Sequence[str], blanks: Sequence[str]) -> Words:
        """The command of a pod; a shell only where a variable may have to be unset."""
        if self._jobs.run:
            command = list(self._options.command)
            unset = commands.unset(environment.all_blanks(self._pipeline))
            cmds = ["sh", "-c", f'{unset}exec "$0" "$@"', *command] if unset else command
            return Words(cmds, argv)
        if blanks:
            script = commands.script(argv, blanks, "pod")
            return Words(["sh", "-c"], [f'{script} "$0"' if argv[-1] == "--shard" else script])
        words = [commands.expanded(word) for word in argv]
        split = len(self._options.command)
        return Words(words[:split], words[split:])

    def _pod(self, job: Job, words: Words, *, counts: bool = False) -> Pod:
        pipeline, options = self._pipeline, self._options.kubernetes
        first = job.steps[0]
        resources = self._resources(job)
        labels, annotations = kubernetes.labels(pipeline, first), dict(pipeline.annotations)
        secrets: dict[str, SecretRef] = {}
        for step in job.steps:
            labels |= step.labels
            annotations |= step.annotations
            secrets |= step.secrets
        component = {} if len(job.steps) == 1 else {"app.kubernetes.io/component": job.name}
        listed = {step_id for volume in options.volumes for step_id in volume.steps}
        own = any(step.id in listed or kubernetes.has_own_pod(step) for step in job.steps)
        return Pod(
            image=kubernetes.image_of(pipeline, first),
            words=words,
            requests=resources.get("requests", {}),
            limits=resources.get("limits", {}),
            labels=labels | component,
            annotations={name: literal(value) for name, value in annotations.items()},
            node_selector=first.node_selector,
            tolerations=[wanted.model_dump(exclude_none=True) for wanted in first.tolerations],
            service_account=options.service_account or first.service_account or pipeline.service_account,
            secrets=secrets,
            sidecar=kubernetes.container_security(options.security) if counts else {},
            template=f"{POD}_{first.id.upper().replace('-', '_')}" if own else POD,
        )

    def _resources(self, job: Job) -> dict[str, Any]:
        if len(job.steps) == 1 and self._width(job) == 1:
            return kubernetes.resources(job.steps[0].resources, job.steps[0].limits)
        return kubernetes.job_resources(job.steps, self._width(job))

    def _width(self, job: Job) -> int:
        return self._jobs.width(job) if job.steps[0].id in self._jobs.home else 1

    def _container(self, job: Job) -> Container:
        from wurzel.ir.quantity import amount

        steps, width = job.steps, self._width(job)
        cpu, memory = requested(steps, "cpu", width), limited(steps, "memory", width)
        labels = dict(self._pipeline.labels)
        for step in steps:
            labels |= step.labels
        return Container(
            image=kubernetes.image_of(self._pipeline, steps[0]),
            cpus=float(amount(cpu)) if cpu else None,
            memory=int(amount(memory)) if memory else None,
            gpus=devices(steps, width).get(GPU),
            labels=labels,
        )


def folder(step: Step) -> str:
    """Folder of a step's dataset; outside the run's folder for a step that reads its own last output."""
    return f"${DATA}/state/{step.id}" if step.self_consuming else f"${RUN}/{step.id}"


def _doc_of(steps: Sequence[Step], kind: str) -> str:
    """The text of a task: of its step, or of each under its id."""
    if len(steps) == 1:
        return _doc(steps[0], kind)
    return "\n".join(f"**{step.id}**\n\n{_doc(step, kind)}" for step in steps)


def _doc(step: Step, kind: str) -> str:
    """Markdown with everything that no argument of the operator takes."""
    extra = {} if kind == "kubernetes" else step.annotations
    extra = step.labels | extra if kind == "bash" else extra
    lines = [step.description] if step.description else []
    lines += ["Reads an outside source in every run."] if step.polls else []
    lines += ["Decides at run time whether it runs; if not, it writes an empty dataset."] if step.when else []
    lines += [f"{name}: {value}" for name, value in extra.items()]
    return "\n\n".join(lines) + "\n" if lines else ""
