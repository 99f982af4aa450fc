"""Rules over more than one field of a resolved pipeline, from code or from an IR file.

Limits of a single platform are not here but in its backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from wurzel.invocation.command import configured_env
from wurzel.invocation.variables import variables_of
from wurzel.ir.quantity import amount
from wurzel.project.nodes import near
from wurzel.project.secrets import Broken, broken_secret_rules
from wurzel.store_url import NO_STORE, scheme_of

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Setting, Step, Store

_LEAST_MEMORY = 1024 * 1024


def broken_rules(pipeline: Pipeline) -> Iterator[Broken]:
    """What cannot work on any platform."""
    yield from broken_secret_rules(pipeline)
    yield from _clashes(pipeline, None)
    if pipeline.store is not None:
        yield from _store(pipeline, pipeline.store)
    yield from _no_time(pipeline.timeout, "timeout")
    if pipeline.on_failure is not None and not (pipeline.on_failure.webhook or pipeline.on_failure.command):
        yield Broken("on_failure", "tells nobody", "Set webhook or command.")
    if pipeline.schedule is not None:
        yield from _no_time(pipeline.schedule.deadline, "schedule.deadline")
    for step in pipeline.steps:
        yield from _no_time(step.timeout, f"steps.{step.id}.timeout")
        yield from _amounts(step)
        yield from _tolerations(step)
        yield from _one_of(step)
        yield from _shards(step)
        if step.env or step.secrets or pipeline.env or pipeline.secrets:
            yield from _clashes(pipeline, step)
            yield from _variables(pipeline, step)


def _no_time(seconds: int | None, path: str) -> Iterator[Broken]:
    if seconds == 0:
        yield Broken(path, "0 seconds is too short for any run", "Write null for no limit.")


def _store(pipeline: Pipeline, store: Store) -> Iterator[Broken]:
    """What a store cannot be, or be used for."""
    from wurzel.store.names import UNTRUSTED  # here, since few pipelines have a store

    url = getattr(store, "url", None)
    if url is None:
        return  # reported where it is missing
    if url == NO_STORE:
        yield Broken("store.url", f"{NO_STORE!r} is not a URL", f"Write store: {NO_STORE}, or a path such as ./none.")
    if pipeline.name == UNTRUSTED:
        message = f"a pipeline with a store cannot be called {UNTRUSTED!r}: jobs that are not trusted write there"
        yield Broken("store", message, "Give the pipeline another name.")
    if store.identity is not None and store.secrets is not None:
        yield Broken("store.identity", "identity and secrets are mutually exclusive", "Remove one of the two.")
    if scheme_of(url) in {"", "file"}:
        for name in ("endpoint", "region", "identity", "secrets"):
            if getattr(store, name) is not None:
                yield Broken(f"store.{name}", "has no effect on a store in a folder", "Remove it, or name a bucket.")
    yield from _alike_outputs(pipeline)


def _alike_outputs(pipeline: Pipeline) -> Iterator[Broken]:
    for step in pipeline.steps:
        names = sorted((port.name for port in step.outputs), key=lambda name: (name.lower(), name))
        for one, other in pairwise(names):
            if one.lower() == other.lower():
                message = f"its outputs {one} and {other} differ only by case, so a store may mix them up"
                yield Broken(f"steps.{step.id}", message, "Give one of them another name.")


def _amounts(step: Step) -> Iterator[Broken]:
    for name in ("cpu", "memory", "ephemeral_storage"):
        request, limit = getattr(step.resources, name), getattr(step.limits, name)
        if request is not None and limit is not None and amount(request) > amount(limit):
            path = f"steps.{step.id}.resources.{name}"
            yield Broken(path, f"{request} is more than the limit {limit}", "Raise the limit or lower the request.")
    for field, memory in (("resources", step.resources.memory), ("limits", step.limits.memory)):
        if memory is not None and 0 < amount(memory) < _LEAST_MEMORY:
            path = f"steps.{step.id}.{field}.memory"
            yield Broken(path, f"{memory} is {float(amount(memory)):g} bytes", "Write a unit: 512Mi or 2Gi.")
    for size, memory in step.resources.hugepages.items():
        if amount(memory) % amount(size):
            path = f"steps.{step.id}.resources.hugepages.{size}"
            yield Broken(path, f"{memory} is not a whole number of pages of {size}", f"Write a multiple of {size}.")
    if step.resources.hugepages and not (step.resources.cpu or step.resources.memory):
        path = f"steps.{step.id}.resources.hugepages"
        yield Broken(path, "huge pages need cpu or memory as well", "Set resources.memory.")


def _tolerations(step: Step) -> Iterator[Broken]:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/."""
    for index, toleration in enumerate(step.tolerations):
        path = f"steps.{step.id}.tolerations.{index}"
        if toleration.operator == "Exists" and toleration.value is not None:
            yield Broken(path, "operator Exists takes no value", "Remove the value, or write operator: Equal.")
        if toleration.operator == "Equal" and not toleration.key:
            yield Broken(path, "operator Equal needs a key", "Set a key, or write operator: Exists for any key.")
        if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
            yield Broken(path, "toleration_seconds has no effect without effect: NoExecute")


def _one_of(step: Step) -> Iterator[Broken]:
    """Volumes and sources of variables are one thing each."""
    for index, volume in enumerate(step.volumes):
        if volume.sources != 1:
            found = "does not name a source" if volume.sources == 0 else f"names {volume.sources} sources"
            path = f"steps.{step.id}.volumes.{index}"
            yield Broken(path, f"{volume.name!r} {found}", "Give one of config_map, secret, claim, empty_dir.")
    for index, source in enumerate(step.env_from):
        if (source.config_map is None) == (source.secret is None):
            yield Broken(f"steps.{step.id}.env_from.{index}", "needs either config_map or secret", "Give one of them.")


def _shards(step: Step) -> Iterator[Broken]:
    """Each slice gives a dataset of the same type, and all of them together are the output."""
    many = [port.name for port in step.inputs if port.type.containers]
    path, by = f"steps.{step.id}.shards", f"steps.{step.id}.shard_by"
    if step.shard_by and step.shard_by not in many:
        names = [name for name in many if name]
        message = f"{step.shard_by!r} is not an input of {step.id} that contains many items"
        yield Broken(by, message, near(step.shard_by, names, "Inputs") if names else "Leave it out.")
        return
    if step.shards.max == 1 and step.shards.items is None:
        return
    what = f"{step.shards.max} shards" if step.shards.max > 1 else f"portions of {step.shards.items} items"
    advice = "Write shards: 1 for it."
    if not step.inputs:
        yield Broken(path, f"{what}, but {step.id} is a source, so there is nothing to cut into slices", advice)
    elif not many and step.inputs[0].name:
        yield Broken(path, f"{what}, but no input of {step.id} contains many items", advice)
    elif many and not all(port.type.containers for port in step.outputs):
        reason = "turns its whole input into one item, so the input cannot be split into slices"
        yield Broken(path, f"{what}, but {step.id} {reason}", advice)
    elif len(many) > 1 and not step.shard_by:
        message = f"{what}, but {step.id} has several inputs that can be cut: {', '.join(many)}"
        yield Broken(path, message, f"Say which: steps.{step.id}.shard_by: {many[0]}.")


def _clashes(pipeline: Pipeline, step: Step | None) -> Iterator[Broken]:
    """One variable cannot be both plain and secret."""
    env = pipeline.env if step is None else configured_env(pipeline, step)
    secrets = pipeline.secrets if step is None else {**pipeline.secrets, **step.secrets}
    for name in sorted(env.keys() & secrets.keys()):
        if step is None or name in step.env or name in step.secrets:
            home = f"steps.{step.id}." if step is not None and name in step.env else ""
            yield Broken(f"{home}env.{name}", f"{name} is also among the secrets", "Keep one of the two.")


def _variables(pipeline: Pipeline, step: Step) -> Iterator[Broken]:
    """Variables for settings that are also configured in another way."""
    settings = {variable: setting for setting in step.settings for variable in variables_of(step, setting.name)}
    for home, env in (("", pipeline.env), (f"steps.{step.id}.", step.env)):
        for name in sorted(env.keys() & settings.keys()):
            if settings[name].given and not settings[name].secret:
                yield _twice(f"{home}env.{name}", step, settings[name])
    for home, secrets in (("", pipeline.secrets), (f"steps.{step.id}.", step.secrets)):
        for name in sorted(secrets.keys() & settings.keys()):
            if settings[name].given:
                yield _twice(f"{home}secrets.{name}", step, settings[name])


def _twice(path: str, step: Step, setting: Setting) -> Broken:
    return Broken(path, f"is also set by steps.{step.id}.settings.{setting.name}", "Keep one of the two.")
