"""Reasons why a pipeline cannot run in pods, found before a template is rendered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.backends.kubernetes import DATA, TMP, TMP_PATH, volume, volumes_of
from wurzel.backends.kubernetes.store import folder_outside, shared_mounts
from wurzel.backends.preflight import without_value
from wurzel.exceptions import Problem
from wurzel.invocation.variables import unfed
from wurzel.patterns import pattern
from wurzel.suggestion import meant_or_all

if TYPE_CHECKING:
    from wurzel.backends.kubernetes.options import KubernetesOptions, PodFields, StepVolume
    from wurzel.ir.model import Pipeline, SecretRef, Step

SOONEST = 10
"""Seconds between two checks of its schedules by a controller."""
_SUBDOMAIN = pattern(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


_MOST = 5
"""Names of steps that a message lists."""


def preflight(
    pipeline: Pipeline,
    options: KubernetesOptions,
    target: str,
    *,
    longest_name: int,
    parameters: Collection[str] = (),
    volumes: Mapping[str, str] | None = None,
) -> Iterator[Problem]:
    """Problems that apply to every Kubernetes target.

    `parameters` are variables that a run can override, `volumes` additional volumes of the target, with mount paths.
    """
    yield from _name(pipeline, options, target, longest_name)
    yield from _schedule(pipeline)
    yield from _secret_names("pipeline", pipeline.secrets)
    yield from missing_images(pipeline, pipeline.steps)
    for step in pipeline.steps:
        yield from _step(pipeline, step, parameters, is_open=bool(options.env_from or step.env_from))
    own = {DATA: options.mount, TMP: TMP_PATH, **(volumes or {})}
    yield from volume_problems(pipeline, options, f"targets.{target}", own)


def store_folder(
    pipeline: Pipeline, options: KubernetesOptions, target: str, mounts: Sequence[str] = ()
) -> Iterator[Problem]:
    """A store that is a folder must be on a claim that all pods share: one of the options, or at one of `mounts`."""
    if path := folder_outside(pipeline, [*shared_mounts(options), *mounts]):
        yield Problem(
            f"the store {path} is a folder, and no claim is mounted there that all pods share and can write to",
            hint=f"Use a bucket, such as store: s3://bucket/prefix; or mount a claim: targets.{target}.volumes:"
            f" [{{name: store, mount_path: {path if path.startswith('/') else '/store'}, claim: {{name: …}},"
            " read_only: false}]",
        )


def object_name(pipeline: Pipeline, options: KubernetesOptions) -> str:
    """The name of the objects: the option's, or the pipeline's."""
    return options.name or pipeline.name


def _name(pipeline: Pipeline, options: KubernetesOptions, target: str, longest: int) -> Iterator[Problem]:
    name = object_name(pipeline, options)
    hint = f"Set a shorter one: targets.{target}.name: {name[: min(longest, 40)].rstrip('-.')}"
    if len(name) > longest:
        yield Problem(f"the name {name!r} has {len(name)} characters; at most {longest} are allowed", hint=hint)
    elif not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name):
        fixed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"
        yield Problem(
            f"the name {name!r} is not a Kubernetes name: lower-case letters, digits and - only",
            hint=f"Set one: targets.{target}.name: {fixed[:longest]}",
        )


def _schedule(pipeline: Pipeline) -> Iterator[Problem]:
    deadline = pipeline.schedule.deadline if pipeline.schedule else None
    if deadline is not None and deadline < SOONEST:
        yield Problem(
            f"schedule.deadline is {deadline} s, but controllers check only every {SOONEST} s, so runs may never start",
            hint="Write for example schedule: {deadline: 10m}.",
        )


def missing_images(pipeline: Pipeline, steps: Sequence[Step]) -> Iterator[Problem]:
    """One problem for all steps that have no image to run in."""
    names = [repr(step.id) for step in steps if not (step.image or pipeline.image)]
    if names:
        shown = ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
        what = f"step {shown} has" if len(names) == 1 else f"steps {shown} have"
        hint = f"Set one for the pipeline: image: ghcr.io/acme/{pipeline.name}:1.0"
        yield Problem(f"{what} no image to run in", hint=hint)


def _step(pipeline: Pipeline, step: Step, parameters: Collection[str], *, is_open: bool) -> Iterator[Problem]:
    """What is wrong with a step; `is_open`: whether variables of unknown names reach it."""
    yield from without_value(step, () if is_open else unfed(pipeline, step, parameters), " in a pod")
    yield from _secret_names(f"step {step.id!r}", step.secrets)


def _secret_names(where: str, secrets: Mapping[str, SecretRef]) -> Iterator[Problem]:
    for variable, ref in secrets.items():
        if not _SUBDOMAIN.fullmatch(ref.name):
            yield Problem(
                f"{where}: the secret {ref.name!r} behind {variable} is not the name of a Kubernetes Secret",
                hint="Write the Secret's name: lower-case letters, digits, - and .",
            )


def volume_problems(
    pipeline: Pipeline, options: PodFields, listed_at: str, own: Mapping[str, str], *, apart: bool = False
) -> Iterator[Problem]:
    """Volumes with one name or mount path, or with one of the target's `own` (name to mount path).

    `listed_at` is where `options` are in the configuration. `apart` says that no pod has the volumes of several steps.
    """
    ids = [step.id for step in pipeline.steps]
    names = {name: {DATA: "the datasets", TMP: TMP_PATH}.get(name, f"the {name}") for name in own}
    paths = {path: names[name] for name, path in own.items()}
    seen: list[StepVolume] = []
    for extra in volumes_of(pipeline, options):
        listed = extra in options.volumes
        place = listed_at if listed else f"steps.{extra.steps[0]}"
        where = f"{place}.volumes: {extra.name!r}"
        others = [each for each in seen if not (each.steps and extra.steps) or set(each.steps) & set(extra.steps)]
        alike = [each for each in (others if apart else seen) if each.name == extra.name]
        if taken := names.get(extra.name):
            yield Problem(f"{where} is the name of the volume for {taken}", hint="Give it another name.")
        elif any(volume(each) != volume(extra) or listed for each in alike):
            what = f"{where} is the name of the volume for another entry, {extra.name!r}"
            yield Problem(what, hint="Give it another name.")
        taken = paths.get(extra.mount_path)
        taken = taken or next((f"another entry, {o.name!r}" for o in others if o.mount_path == extra.mount_path), None)
        if taken:
            yield Problem(f"{where} is mounted at {extra.mount_path}, where {taken} is", hint="Mount it elsewhere.")
        if DATA in own and f"{extra.mount_path}/".startswith(f"{options.mount}/{pipeline.data_dir}/"):
            yield Problem(
                f"{where} is mounted at {extra.mount_path}, inside the folder of the datasets",
                hint="Mount it elsewhere.",
            )
        seen.append(extra)
        for step_id in [step_id for step_id in extra.steps if step_id not in ids]:
            hint = meant_or_all(step_id, ids, "Steps")
            yield Problem(f"{where} is for the step {step_id!r}, which does not exist", hint=hint)
