"""What the Argo template sees: a pipeline as the parts of a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from wurzel.backends import kubernetes as k8s
from wurzel.backends.argo.parts import split
from wurzel.backends.argo.storage import RUN, Store, store, tasks_of
from wurzel.backends.command import dataset, encode, step_argv
from wurzel.backends.kubernetes import given
from wurzel.backends.kubernetes.preflight import object_name

if TYPE_CHECKING:
    from wurzel.backends.argo.options import ArgoOptions
    from wurzel.backends.argo.parts import Part
    from wurzel.backends.command import Emulated
    from wurzel.ir.model import Pipeline, Setting, Step

BRACE = "WURZEL_BRACE"
"""Variable that holds `{`: Argo has no way to write `{{` as text, so values are put together by the kubelet."""
OUTPUT = "dataset"
"""Name of the artifact that holds what a step wrote."""
LAST = "last"
"""Name of the artifact that holds what a step wrote in an earlier run."""
STARTING_DEADLINE = 3600
"""Seconds a scheduled run may be late when the schedule does not say: Argo's default of 0 loses missed runs."""

RECORD_BYTES = 200
"""What Argo's record of a pod that has ended takes, compressed (gzip in base64); 120 to 165 were measured."""


@dataclass(frozen=True)
class Task:
    """One task of the DAG."""

    name: str
    """Name of the task."""
    template: str
    """Name of the template it runs."""
    template_ref: Mapping[str, str] = field(default_factory=dict)
    """`templateRef`: a template of another object; empty when it is in this one."""
    depends: str = ""
    """`depends`: the tasks that must have ended well."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """`arguments` of the template: the number of a slice, artifacts of other tasks."""
    with_sequence: Mapping[str, Any] = field(default_factory=dict)
    """`withSequence`: the numbers of the slices; empty for one pod."""


class Piece(NamedTuple):
    """What a step hands on: its dataset, or one slice of it, as an artifact of a task of its own."""

    name: str
    """Of the artifact where it is read; no step id holds a `_`."""
    task: str
    shard: int | None
    path: str
    """Where a reader finds it."""

    @property
    def origin(self) -> str:
        """Argo's expression for it, within the DAG that makes it."""
        return f"{{{{tasks.{self.task}.outputs.artifacts.{OUTPUT}}}}}"


@dataclass(frozen=True)
class Container:
    """A container: what the template's own fields say beyond `templateDefaults`."""

    image: str
    """Image of the step."""
    command: Sequence[str]
    """`command`."""
    args: Sequence[str] = ()
    """`args`: the words that run the step."""
    env: Sequence[Mapping[str, Any]] = ()
    """`env` beyond what all templates have."""
    resources: Mapping[str, Any] = field(default_factory=dict)
    """`resources`: requests and limits."""
    volume_mounts: Sequence[Mapping[str, Any]] = ()
    """`volumeMounts` beyond those that all templates have."""


@dataclass(frozen=True)
class Defaults:
    """What the container of every template has."""

    image_pull_policy: str | None
    """`imagePullPolicy`; null for the default of Kubernetes."""
    env: Sequence[Mapping[str, Any]]
    """`env` of every container."""
    env_from: Sequence[Mapping[str, Any]]
    """`envFrom` of every container."""
    security_context: Mapping[str, Any]
    """`securityContext` of every container."""
    volume_mounts: Sequence[Mapping[str, Any]]
    """`volumeMounts` of every container."""


@dataclass(frozen=True)
class Template:
    """The template of one step; `step` is the step as the IR has it."""

    name: str
    """Name of the template, which is that of its task."""
    step: Step
    """The step, as the IR has it."""
    inputs: Mapping[str, Any]
    """`inputs`: the number of a slice, datasets of other steps."""
    outputs: Mapping[str, Any]
    """`outputs`: the dataset of the step."""
    labels: Mapping[str, str]
    """Labels of the pod."""
    retry_strategy: Mapping[str, Any]
    """`retryStrategy`; empty when `wurzel step` does it, or nobody."""
    active_deadline_seconds: int | None
    """`activeDeadlineSeconds` of one try."""
    service_account: str | None
    """`serviceAccountName`, when it is not that of the workflow."""
    node_selector: Mapping[str, str]
    """Labels that its node must have."""
    tolerations: Sequence[Mapping[str, Any]]
    """`tolerations` of the pod."""
    container: Container
    """Its container."""


@dataclass(frozen=True)
class ExitHandler:
    """The template that runs at the end, and the one that decides whether it does."""

    name: str
    """Name of the template that decides."""
    notify: str
    """Name of the template that is run."""
    when: str
    """`when` it is run; empty for always."""
    container: Container
    """Its container."""


@dataclass(frozen=True)
class Spec:
    """The specification that Workflow, CronWorkflow and WorkflowTemplate have alike."""

    entrypoint: str
    """Name of the template that holds the DAG."""
    parameters: Sequence[Mapping[str, Any]]
    """Parameters of a run, each with its value if it has one."""
    service_account: str | None
    """`serviceAccountName` of all pods."""
    automount_token: bool | None
    """`automountServiceAccountToken`, when it is said."""
    executor: Mapping[str, Any]
    """`executor`: the account that reports to Argo, when it is another."""
    security_context: Mapping[str, Any]
    """`securityContext` of all pods."""
    pod_labels: Mapping[str, str]
    """Labels of all pods."""
    pod_annotations: Mapping[str, str]
    """Annotations of all pods."""
    image_pull_secrets: Sequence[Mapping[str, str]]
    """`imagePullSecrets` of all pods."""
    priority_class: str | None
    """`podPriorityClassName`."""
    node_selector: Mapping[str, str]
    """Labels that the nodes of pods without a choice of their own must have."""
    affinity: Mapping[str, Any]
    """`affinity` of all pods."""
    active_deadline_seconds: int | None
    """Seconds a whole run may take."""
    parallelism: int | None
    """Pods that may run at one time."""
    ttl_strategy: Mapping[str, Any]
    """`ttlStrategy`: how long workflows that have ended are kept."""
    pod_gc: Mapping[str, Any]
    """`podGC`: when pods that have ended are removed."""
    artifact_gc: Mapping[str, Any]
    """`artifactGC`: when datasets are removed."""
    archive_logs: bool | None
    """`archiveLogs`, when it is said."""
    artifact_repository_ref: Mapping[str, Any]
    """`artifactRepositoryRef`: where datasets are kept, when a ConfigMap says it."""
    synchronization: Mapping[str, Any]
    """`synchronization`: locks that runs take."""
    pod_spec_patch: str
    """`podSpecPatch`, as text."""
    volumes: Sequence[Mapping[str, Any]]
    """`volumes` of all pods."""
    volume_claim_templates: Sequence[Mapping[str, Any]]
    """`volumeClaimTemplates`: the claim of a run, when it has one."""
    defaults: Defaults
    """What the container of every template has."""
    inputs: Mapping[str, Any]
    """`inputs` of the template that holds the DAG; empty unless it is a part."""
    outputs: Mapping[str, Any]
    """`outputs` of the template that holds the DAG; empty unless it is a part."""
    tasks: Sequence[Task]
    """One task for each step, in an order in which they can run."""
    templates: Sequence[Template]
    """The template of each step."""
    on_exit: ExitHandler | None
    """What runs at the end, if anything does."""


@dataclass(frozen=True)
class Cron:
    """What a CronWorkflow says of its schedule."""

    schedules: Sequence[str]
    """Cron expressions."""
    timezone: str
    """IANA name."""
    concurrency_policy: str
    """`Allow`, `Forbid` or `Replace`."""
    starting_deadline_seconds: int
    """Seconds a run may be late."""
    successful_history: int
    """Runs that ended well and are kept."""
    failed_history: int
    """Runs that failed and are kept."""
    suspend: bool
    """No run starts by the clock."""


@dataclass(frozen=True)
class Document:
    """The manifest: `kind` is that of the object with the specification, which stands `indent` columns in.

    `refers`: a CronWorkflow that refers to that object stands behind it. `part`: it is a WorkflowTemplate that only
    another object's tasks refer to, and holds some of a large pipeline's steps.
    """

    kind: str
    """Workflow, CronWorkflow or WorkflowTemplate."""
    name: str
    """Name of the object."""
    metadata: Mapping[str, str]
    """What the object is called: `name` or `generateName`, and `namespace`."""
    labels: Mapping[str, str]
    """Labels of the object."""
    annotations: Mapping[str, str]
    """Annotations of the object."""
    cron: Cron | None
    """The schedule; null without one."""
    indent: int
    """Columns that the specification stands in."""
    refers: bool
    """A CronWorkflow that refers to the object stands behind it."""
    part: bool = False
    """It holds templates that another object refers to."""


class ManifestContext(TypedDict):
    """What the templates of this target see."""

    pipeline: Pipeline
    """The pipeline, as the IR has it."""
    workflow: Document
    """The object as a whole: kind, name, labels, schedule."""
    spec: Spec
    """The specification of the workflow."""


def document(pipeline: Pipeline, options: ArgoOptions) -> dict[str, Any]:
    """The names a template of this target sees, besides `pipeline`: `workflow` and `spec`."""
    kind = "WorkflowTemplate" if options.workflow_template else "CronWorkflow" if pipeline.schedule else "Workflow"
    name = object_name(pipeline, options)
    description = {"workflows.argoproj.io/description": pipeline.description} if pipeline.description else {}
    metadata = given(
        name=name if kind != "Workflow" else None,
        generateName=f"{name}-" if kind == "Workflow" else None,
        namespace=options.namespace,
    )
    workflow = Document(
        kind=kind,
        name=name,
        metadata=metadata,
        labels=k8s.labels(pipeline),
        annotations={**description, **pipeline.annotations},
        cron=_cron(pipeline, options),
        indent=4 if kind == "CronWorkflow" else 2,
        refers=kind == "WorkflowTemplate" and pipeline.schedule is not None,
    )
    return {"workflow": workflow, "spec": _Builder(pipeline, options).spec()}


def part_documents(pipeline: Pipeline, options: ArgoOptions) -> dict[str, dict[str, Any]]:
    """For each part of a pipeline too large for one object: its name to what its template sees."""
    builder = _Builder(pipeline, options)
    return {
        part.name: {
            "workflow": Document(
                kind="WorkflowTemplate",
                name=part.name,
                metadata=given(name=part.name, namespace=options.namespace),
                labels=k8s.labels(pipeline),
                annotations={},
                cron=None,
                indent=2,
                refers=False,
                part=True,
            ),
            "spec": builder.part_spec(part),
        }
        for part in builder.parts
    }


def status_bytes(pipeline: Pipeline, options: ArgoOptions) -> int:
    """About how large a workflow of several parts grows while it runs.

    Argo copies every template that a `templateRef` leads to into the status of the workflow, merged with
    `templateDefaults`, and adds a record for each pod, which it compresses when the whole is too large.
    """
    builder = _Builder(pipeline, options)
    main = builder.spec()
    merged = _json_bytes(main.defaults)
    total = _json_bytes([main.parameters, main.volumes, main.tasks])
    for part in builder.parts:
        tasks = [task for step_id in part.steps for task in builder.tasks(builder.steps[step_id], part)]
        templates = [builder.template(builder.steps[step_id]) for step_id in part.steps]
        total += _json_bytes(tasks) + _json_bytes(templates) + merged * len(templates)
    return total + RECORD_BYTES * sum(max(1, step.shards) for step in pipeline.steps)


def _json_bytes(value: object) -> int:
    """Bytes of the JSON of plain data and of the parts of a manifest; steps are not in there."""
    import json

    def plain(part: object) -> object:
        return {key: item for key, item in vars(part).items() if item and key != "step"}

    return len(json.dumps(value, default=plain, ensure_ascii=False, separators=(",", ":")).encode())


def text(value: str) -> str:
    """Text that neither Argo nor the kubelet expands, in an environment variable or an argument."""
    return k8s.escape(value).replace("{{", f"{{$({BRACE})")


def duration(seconds: int) -> str:
    """A duration as Go writes it; it knows no days."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if count]
    return "".join(parts) or "0s"


def names(step_ids: Sequence[str]) -> dict[str, str]:
    """Step id to the name of its task and template, which Argo does not let start with a digit."""
    found: dict[str, str] = {}
    taken = set(step_ids)
    for step_id in step_ids:
        name = step_id
        while name[0].isdigit() or (name != step_id and name in taken):
            name = f"step-{name}"
        taken.add(name)
        found[step_id] = name
    return found


def unused(name: str, taken: set[str]) -> str:
    """`name`, or something near it that is not taken."""
    while name in taken:
        name = f"{name}-dag"
    return name


def _cron(pipeline: Pipeline, options: ArgoOptions) -> Cron | None:
    schedule = pipeline.schedule
    if schedule is None:
        return None
    return Cron(
        schedules=[schedule.cron],
        timezone=schedule.timezone,
        concurrency_policy=schedule.concurrency.capitalize(),
        starting_deadline_seconds=STARTING_DEADLINE if schedule.deadline is None else schedule.deadline,
        successful_history=options.history.successful,
        failed_history=options.history.failed,
        suspend=options.suspend,
    )


class _Builder:
    """Puts the specification together."""

    def __init__(self, pipeline: Pipeline, options: ArgoOptions) -> None:
        self.pipeline = pipeline
        self.options = options
        self.store: Store = store(options.artifacts)
        self.names = names([step.id for step in pipeline.steps])
        self.steps = {step.id: step for step in pipeline.steps}
        self.entrypoint = unused(object_name(pipeline, options), set(self.names.values()))
        needed = {need for step in pipeline.steps for need in step.needs}
        own = {name for step in pipeline.steps for name, value in k8s.step_env(step).items() if not _plain(value)}
        self.default_env = {
            name: value for name, value in pipeline.env.items() if name not in own | set(pipeline.secrets)
        }
        self.last = set(self.steps) - needed
        self.slices = self._slices()
        self.parts = split(pipeline, options)

    def spec(self) -> Spec:
        pipeline, options = self.pipeline, self.options
        executor = options.executor_service_account
        parameters = [
            self._parameter(setting) for step in pipeline.steps for setting in step.settings if setting.parameter
        ]
        return Spec(
            entrypoint=self.entrypoint,
            parameters=parameters,
            service_account=options.service_account or pipeline.service_account,
            automount_token=False if executor else None,
            executor=given(serviceAccountName=executor),
            security_context=k8s.pod_security(options.security),
            pod_labels=k8s.labels(pipeline),
            pod_annotations=pipeline.annotations,
            image_pull_secrets=[{"name": name} for name in options.image_pull_secrets],
            priority_class=options.priority_class,
            node_selector=options.node_selector,
            affinity=options.affinity,
            active_deadline_seconds=pipeline.timeout,
            parallelism=pipeline.parallelism,
            ttl_strategy=given(
                secondsAfterSuccess=options.ttl.success,
                secondsAfterFailure=options.ttl.failure,
            ),
            pod_gc=given(strategy=options.pod_gc),
            artifact_gc=self._artifact_gc(),
            archive_logs=options.archive_logs,
            artifact_repository_ref=self._repository(),
            synchronization=self._synchronization(),
            pod_spec_patch=self._patch(),
            volumes=self._volumes(),
            volume_claim_templates=self._claims(),
            defaults=self._defaults(),
            inputs={},
            outputs={},
            tasks=[self._call(part) for part in self.parts]
            or [task for step in pipeline.steps for task in self.tasks(step)],
            templates=[] if self.parts else [self.template(step) for step in pipeline.steps],
            on_exit=self._on_exit(),
        )

    def part_spec(self, part: Part) -> Spec:
        """What a part says: its steps, and what a check of the file alone needs; a run's own limits stand elsewhere."""
        inputs = [{"name": piece.name} for need in part.needs for piece in self._handed(need)]
        outputs = [
            {"name": piece.name, "from": piece.origin} for step_id in part.gives for piece in self._handed(step_id)
        ]
        return replace(
            self.spec(),
            entrypoint=self._dag(part),
            active_deadline_seconds=None,
            parallelism=None,
            ttl_strategy={},
            pod_gc={},
            artifact_gc={},
            archive_logs=None,
            artifact_repository_ref={},
            synchronization={},
            pod_spec_patch="",
            inputs=given(artifacts=inputs),
            outputs=given(artifacts=outputs),
            tasks=[task for step_id in part.steps for task in self.tasks(self.steps[step_id], part)],
            templates=[self.template(self.steps[step_id]) for step_id in part.steps],
            on_exit=None,
        )

    def _dag(self, part: Part) -> str:
        return unused(part.task, set(self.names.values()))

    def _call(self, part: Part) -> Task:
        """The task that runs a part, when those that it reads from are through."""
        artifacts = [
            {"name": piece.name, "from": f"{{{{tasks.{task}.outputs.artifacts.{piece.name}}}}}"}
            for need, task in part.needs.items()
            for piece in self._handed(need)
        ]
        return Task(
            name=part.task,
            template="",
            template_ref={"name": part.name, "template": self._dag(part)},
            depends=" && ".join(dict.fromkeys(part.needs.values())),
            arguments=given(artifacts=artifacts),
        )

    def _handed(self, need: str) -> list[Piece]:
        """What travels from task to task of a step's dataset: nothing where it is read at a known place."""
        step, name, folder = self.steps[need], self.names[need], self._folder(need)
        if self.options.artifacts.volume is not None or (step.shards > 1 and self.store.fills):
            return []
        if step.shards == 1:
            return [Piece(need, name, None, folder)]
        return [
            Piece(f"{need}_{number}", self.slices[need, number], number, f"{folder}/shard-{number}-of-{step.shards}")
            for number in range(1, step.shards + 1)
        ]

    def _slices(self) -> dict[tuple[str, int], str]:
        """Step id and number of a slice to its task, where each slice has one."""
        taken, found = {*self.names.values(), self.entrypoint}, {}
        for step in self.pipeline.steps:
            count = tasks_of(step, self.options.artifacts)
            for number in range(1, count + 1) if count > 1 else ():
                found[step.id, number] = unused(f"{self.names[step.id]}-{number}", taken)
                taken.add(found[step.id, number])
        return found

    def _parameter(self, setting: Setting) -> dict[str, Any]:
        known = setting.given or not setting.required
        value = setting if setting.given else setting.model_copy(update={"value": setting.default})
        return given(name=setting.variable, description=_description(setting)) | (
            {"value": text(encode(value))} if known else {}
        )

    def _repository(self) -> dict[str, Any]:
        ref = self.options.artifacts.repository
        return given(configMap=ref.config_map, key=ref.key) if ref else {}

    def _artifact_gc(self) -> dict[str, Any]:
        gc = self.options.artifact_gc
        return given(strategy=gc.strategy, serviceAccountName=gc.service_account) if gc else {}

    def _synchronization(self) -> dict[str, Any]:
        locks = self.options.synchronization
        if locks is None:
            return {}
        return given(
            mutexes=[given(name=lock.name, namespace=lock.namespace) for lock in locks.mutexes],
            semaphores=[
                given(configMapKeyRef={"name": lock.config_map, "key": lock.key}, namespace=lock.namespace)
                for lock in locks.semaphores
            ],
        )

    def _patch(self) -> str:
        import json

        patch = self.options.pod_spec_patch
        if isinstance(patch, dict):
            return json.dumps(patch, ensure_ascii=False, indent=2)
        return patch or ""

    def _volumes(self) -> list[dict[str, Any]]:
        shared = self.options.artifacts.volume
        data: list[dict[str, Any]] = []
        if shared is None:
            data = [{"name": k8s.DATA, "emptyDir": {}}]
        elif shared.name:
            data = [{"name": k8s.DATA, "persistentVolumeClaim": {"claimName": shared.name}}]
        return [*data, k8s.tmp_volume(self.options), *(k8s.volume(extra) for extra in self.options.volumes)]

    def _claims(self) -> list[dict[str, Any]]:
        shared = self.options.artifacts.volume
        if shared is None or shared.name:
            return []
        spec = given(
            accessModes=[shared.access_mode],
            storageClassName=shared.storage_class,
            resources={"requests": {"storage": shared.size}},
        )
        return [{"metadata": {"name": k8s.DATA}, "spec": spec}]

    def _defaults(self) -> Defaults:
        """What every container has, said once; Argo merges it into each template by name and mount path."""
        options = self.options
        env = _braced({**self._run_id(), **{name: text(value) for name, value in self.default_env.items()}})
        return Defaults(
            image_pull_policy=options.image_pull_policy,
            env=k8s.env_list(env),
            env_from=k8s.env_from_list(options.env_from),
            security_context=k8s.container_security(options.security),
            volume_mounts=[self._data_mount(), {"name": k8s.TMP, "mountPath": k8s.TMP_PATH}, *k8s.mounts(options)],
        )

    def _run_id(self) -> dict[str, str]:
        return {} if k8s.RUN_ID in self.pipeline.env else {k8s.RUN_ID: RUN}

    def _data_mount(self) -> dict[str, Any]:
        shared = self.options.artifacts.volume
        folder = None
        if shared is not None and shared.name:
            folder = RUN if shared.per_run else object_name(self.pipeline, self.options)
        return given(name=k8s.DATA, mountPath=self.options.mount, subPath=folder)

    def _folder(self, step_id: str) -> str:
        return f"{self.options.mount}/{dataset(self.pipeline, step_id)}"

    def tasks(self, step: Step, part: Part | None = None) -> list[Task]:
        """The task of a step, or one for each slice where each hands on an artifact of its own."""
        outside = part.needs if part else {}
        artifacts = [
            {"name": piece.name, "from": f"{{{{inputs.artifacts.{piece.name}}}}}" if need in outside else piece.origin}
            for need in step.needs
            for piece in self._handed(need)
        ]
        inside = [need for need in step.needs if need not in outside]
        needed = [name for need in inside for name in self._tasks_of(need)]
        task = Task(
            name=self.names[step.id],
            template=self.names[step.id],
            depends=" && ".join(needed),
            arguments=given(artifacts=artifacts),
        )
        if step.shards == 1:
            return [task]
        if (step.id, 1) in self.slices:
            return [
                replace(task, name=name, arguments=_with_shard(str(number), artifacts))
                for number, name in enumerate(self._tasks_of(step.id), 1)
            ]
        sequence = {"start": "1", "count": str(step.shards)}
        return [replace(task, arguments=_with_shard("{{item}}", artifacts), with_sequence=sequence)]

    def _tasks_of(self, need: str) -> list[str]:
        numbers = range(1, self.steps[need].shards + 1)
        return [self.slices[need, number] for number in numbers] if (need, 1) in self.slices else [self.names[need]]

    def template(self, step: Step) -> Template:
        native = _retries_natively(step, self.options.version)
        emulate: list[Emulated] = [] if native else ["retry", "timeout"]
        return Template(
            name=self.names[step.id],
            step=step,
            inputs=given(parameters=[{"name": "shard"}] if step.shards > 1 else [], artifacts=self._inputs(step)),
            outputs=given(artifacts=self._outputs(step)),
            labels=k8s.labels(self.pipeline, step),
            retry_strategy=_retry(step) if native else {},
            active_deadline_seconds=step.timeout if native else None,
            service_account=None if self.options.service_account else step.service_account,
            node_selector=step.node_selector,
            tolerations=[k8s.toleration(toleration) for toleration in step.tolerations],
            container=self._container(step, emulate),
        )

    def _inputs(self, step: Step) -> list[dict[str, Any]]:
        if self.options.artifacts.volume:
            return []
        found: list[dict[str, Any]] = []
        for need in step.needs:
            pieces = self._handed(need)
            found += [{"name": piece.name, "path": piece.path} for piece in pieces]
            if not pieces:
                place = {"archive": {"none": {}}, **self.store.dataset(need)}
                found.append({"name": need, "path": self._folder(need), **place})
        if step.self_consuming and self.store.addressed:
            kept = self.store.kept(object_name(self.pipeline, self.options), step.id)
            found.append({"name": LAST, "path": self._folder(step.id), "optional": True, **kept})
        return found

    def _outputs(self, step: Step) -> list[dict[str, Any]]:
        if self.options.artifacts.volume:
            return []
        folder, place = self._folder(step.id), self.store.dataset(step.id)
        if step.shards > 1:
            shard = f"shard-{{{{inputs.parameters.shard}}}}-of-{step.shards}"
            folder, place = f"{folder}/{shard}", self.store.dataset(step.id, shard)
        gc = self.options.artifact_gc
        keep = {"artifactGC": {"strategy": "Never"}} if gc and gc.keep_results and step.id in self.last else {}
        found = [{"name": OUTPUT, "path": folder, "archive": {self.options.artifacts.archive: {}}, **keep, **place}]
        if step.self_consuming and self.store.addressed:
            kept = self.store.kept(object_name(self.pipeline, self.options), step.id)
            never = {"artifactGC": {"strategy": "Never"}} if gc else {}
            found.append({"name": LAST, "path": folder, **never, **kept})
        return found

    def _container(self, step: Step, emulate: Sequence[Emulated]) -> Container:
        argv = step_argv(
            self.pipeline,
            step,
            inputs=[self._folder(need) for need in step.needs],
            output=self._folder(step.id),
            emulate=emulate,
        )
        args = [text(word) for word in argv[1:]]
        if step.shards > 1:
            args += ["--shard", f"{{{{inputs.parameters.shard}}}}/{step.shards}"]
        return Container(
            image=k8s.image_of(self.pipeline, step),
            command=argv[:1],
            args=args,
            env=k8s.env_list(self._env(step, args)),
            resources=k8s.resources(step),
            volume_mounts=k8s.mounts(self.options, [step.id]),
        )

    def _env(self, step: Step, args: Sequence[str]) -> k8s.Env:
        """Variables of a step beyond the defaults, those that a run gives anew as references to its parameters."""
        pipeline_env = {
            name: value for name, value in k8s.pipeline_env(self.pipeline).items() if name not in self.default_env
        }
        env = {
            name: text(value) if _plain(value) else value
            for name, value in {**pipeline_env, **k8s.step_env(step)}.items()
        }
        for setting in step.settings:
            if setting.parameter:
                env[setting.variable] = f"{{{{workflow.parameters.{setting.variable}}}}}"
        return _braced(env, [*args, *(str(value) for value in self._parameter_values(step))])

    def _parameter_values(self, step: Step) -> list[str]:
        return [self._parameter(setting).get("value", "") for setting in step.settings if setting.parameter]

    def _on_exit(self) -> ExitHandler | None:
        handler = self.options.on_exit
        if handler is None:
            return None
        taken = {*self.names.values(), self.entrypoint}
        name = unused("on-exit", taken)
        env: k8s.Env = {
            "WORKFLOW_NAME": "{{workflow.name}}",
            "WORKFLOW_NAMESPACE": "{{workflow.namespace}}",
            "WORKFLOW_STATUS": "{{workflow.status}}",
            "WORKFLOW_FAILURES": "{{workflow.failures}}",
            **{key: text(value) for key, value in handler.env.items()},
            **{key: {"secretKeyRef": {"name": ref.name, "key": ref.key}} for key, ref in handler.secrets.items()},
        }
        words = [text(word) for word in handler.command]
        when = {"failure": "{{workflow.status}} != Succeeded", "success": "{{workflow.status}} == Succeeded"}
        return ExitHandler(
            name=name,
            notify=unused("notify", {*taken, name}),
            when=when.get(handler.when, ""),
            container=Container(
                image=handler.image or self.pipeline.image or "",
                command=words,
                env=k8s.env_list(_braced(env, words)),
            ),
        )


def _with_shard(number: str, artifacts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return given(parameters=[{"name": "shard", "value": number}], artifacts=artifacts)


def _plain(value: object) -> bool:
    return isinstance(value, str)


def _braced(env: k8s.Env, others: Sequence[str] = ()) -> k8s.Env:
    """The variables, with the one that holds a brace in front when something refers to it."""
    texts = [*others, *(value for value in env.values() if _plain(value))]
    return {BRACE: "{", **env} if any(f"$({BRACE})" in value for value in texts) else env


def _description(setting: Setting) -> str:
    """What a parameter is for; Argo would take `{{` for an expression of its own."""
    return "" if "{{" in setting.description else setting.description


def _retries_natively(step: Step, version: str) -> bool:
    """Argo takes whole factors, and a longest wait (`cap`) since 3.7: `maxDuration` is the time for all tries."""
    retry = step.retry
    return not retry.limit or (retry.factor == int(retry.factor) and (retry.max is None or version != "3.6"))


def _retry(step: Step) -> dict[str, Any]:
    retry = step.retry
    if not retry.limit:
        return {}
    backoff: dict[str, Any] = {}
    if retry.backoff:
        backoff = given(
            duration=duration(retry.backoff),
            factor=str(int(retry.factor)) if retry.factor != 1 else None,
            cap=duration(retry.max) if retry.max is not None else None,
        )
    return given(limit=str(retry.limit), retryPolicy="Always", expression='lastRetry.exitCode != "2"', backoff=backoff)
