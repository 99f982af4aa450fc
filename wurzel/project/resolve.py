"""Applies configuration to a pipeline as its code describes it.

Precedence, weakest first: built-in default, installed packs, step class, `defaults`, step entry, environment (its
`defaults`, then its step entry), `--set`. Mappings merge by key, lists and scalars replace, `null` removes what weaker
layers set.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from wurzel.exceptions import Problem, UsageError, WurzelWarning
from wurzel.ir.model import Pipeline, Step, Store
from wurzel.named_tuples import NamedTuple
from wurzel.project.declared import Variables
from wurzel.project.kinds import BAD, Context, Reader
from wurzel.project.model import PIPELINE_FACTS, STEP_FACTS, PipelineConfig
from wurzel.project.nodes import (
    Findings,
    Node,
    Origin,
    json_data,
    near,
    node_of,
    overlay_all,
    overlay_targets,
    with_value,
    without_keys,
)
from wurzel.project.read import model_reader, reader
from wurzel.project.rules import broken_rules
from wurzel.project.secrets import doubtful
from wurzel.project.sets import parse_sets
from wurzel.project.settings import Check, canonical_secrets, settings_of, with_values
from wurzel.project.targets import Named, check_bound, with_names
from wurzel.store_url import NO_STORE

if TYPE_CHECKING:
    from wurzel.project.load import Project

_OWN_FORM = frozenset({"entrypoint", "defaults", "steps", "targets", "ignore"})
_FOR_ALL = ("env", "secrets", "labels", "annotations")
"""Fields of a pipeline that its steps have as well, and that are merged for each step."""
_SETTINGS_FORM = frozenset({"settings", "parameters"})
_SHORT_FORMS = {"shards": "max", "retry": "limit"}
"""Fields of a step for which a number is short, and what of them it sets."""
_ATTRIBUTES = {"limits": "resources"}
"""Class attributes that set a field of another name."""


def _readers(cls: type[BaseModel], facts: Collection[str]) -> dict[str, Reader]:
    return {
        name: reader(field.annotation, field.metadata) for name, field in cls.model_fields.items() if name not in facts
    }


_STEP_FIELDS = _readers(Step, STEP_FACTS)
_PIPELINE_FIELDS = _readers(Pipeline, PIPELINE_FACTS)


class Resolved(NamedTuple):
    """A pipeline as it will be rendered, and where each value comes from."""

    pipeline: Pipeline
    options: Mapping[str, Mapping[str, Any]]
    """Raw options by target, for each target that configuration names; see `wurzel.project.options`."""
    tree: Node
    """The merged layers, in the shape of a pipeline in `wurzel.yaml`."""
    named: Mapping[str, Named] = {}
    """Named targets."""

    def origin(self, path: str) -> Origin | None:
        """Where the value at a dotted path (`steps.embed.resources.gpu`) comes from; `None` for a built-in default."""
        node = find(self.tree, path)
        if node is None and path.startswith("steps."):
            node = self._of_step(path.removeprefix("steps."))
        return node.origin if node is not None else None

    def locate(self, path: str) -> str:
        """The place that set the value at a path, for messages; '' for a built-in default."""
        origin = self.origin(path)
        return str(origin) if origin else ""

    def _of_step(self, path: str) -> Node | None:
        step_id, _, inner = path.partition(".")
        entry = self.tree.fields["steps"].fields.get(step_id)
        if inner.startswith("variables."):
            return find(self.tree, inner)
        if entry is None:
            step = next((step for step in self.pipeline.steps if step.id == step_id), None)
            return find(code_layer(step, STEP_FACTS, step.run), inner) if step is not None else None
        return entry.fields.get("parameters") if inner.startswith("settings.") else None


def resolve(
    pipeline: Pipeline,
    project: Project | None = None,
    *,
    environment: str | None = None,
    sets: Sequence[str] = (),
    check: Check | None = None,
) -> Resolved:
    """The pipeline with its configuration applied.

    Args:
        pipeline: from introspection or from an IR file; its name decides which configuration applies.
        project: the loaded `wurzel.yaml`, if there is one.
        environment: name of an environment in it.
        sets: texts `KEY=VALUE`, weakest first.
        check: checks the types of configured settings, if the code of the steps is available.

    Raises:
        ConfigError: with every value that does not fit the pipeline.
        UsageError: when there is no such environment.
    """
    if environment is not None and project is None:
        raise UsageError(f"unknown environment {environment!r}: there is no wurzel.yaml here")
    findings = Findings()
    layers = project.layers(pipeline.name, environment) if project is not None else []
    given = parse_sets(sets, findings)
    findings.check()
    if given is not None:
        model_reader(PipelineConfig)(given, f"pipelines.{pipeline.name}", Context(findings, complete=False))
        findings.check()
        layers = [*layers, given]
    packs = project.packs() if project is not None else ()
    declared = [pack.variables for pack in packs] if project is not None else None
    defaults = [layer for pack in packs for layer in pack.layers(environment)]
    entry = project.pipelines.get(pipeline.name) if project is not None else None
    where = entry.key_origin if entry is not None else Origin(pipeline.name)
    resolved = _Resolver(pipeline, defaults, layers, findings).resolve(check, Variables(declared, where, findings))
    findings.check()
    return resolved


def store_of(project: Project, name: str, environment: str | None = None) -> Store | None:
    """The store that configuration gives a pipeline, for which its code is not imported. Raises `WurzelError`."""
    findings = Findings()
    layers = [layer for pack in project.packs() for layer in pack.layers(environment)]
    layers += project.layers(name, environment)
    found = overlay_all(_each([_of_pipeline(layer) for layer in layers], "store"))
    store = (
        None if found is None or found.value is None else _PIPELINE_FIELDS["store"](found, "store", Context(findings))
    )
    findings.check()
    return store


class _Resolver:
    """Resolves one pipeline and collects findings."""

    def __init__(self, pipeline: Pipeline, packs: Sequence[Node], layers: Sequence[Node], findings: Findings) -> None:
        self.pipeline = pipeline
        self.packs = packs
        self.layers = layers
        self.findings = findings
        self.context = Context(findings)
        self.steps: dict[str, Node] = {}
        self.for_all: Mapping[str, Collection[str]] = {}
        self.alike: dict[tuple[int, ...], tuple[dict[str, Any], dict[str, Node]]] = {}

    def resolve(self, check: Check | None, variables: Variables) -> Resolved:
        code = code_layer(self.pipeline, PIPELINE_FACTS, self.pipeline.entrypoint or self.pipeline.name)
        packs, layers = ([_of_pipeline(layer) for layer in group] for group in (self.packs, self.layers))
        fields, tree = self.read([*packs, code, *layers], _PIPELINE_FIELDS, "")
        named = overlay_targets(layer.fields.get("targets") for layer in self.layers) or Node({}, "")
        of_packs, own = ([layer.fields.get("targets") for layer in group] for group in (self.packs, self.layers))
        check_bound(of_packs, own, self.findings)
        targets, aliases = with_names([*of_packs, *own])
        pipeline = self.pipeline
        if self.packs or self.layers:
            self.for_all = {name: frozenset(tree[name].fields) for name in _FOR_ALL if name in tree}
            self.check_ids()
            steps = tuple(self.step(step, check) for step in pipeline.steps)
            pipeline = pipeline.model_copy(update={**_reset(code, tree, Pipeline), **fields, "steps": steps})
        pipeline = self.with_variables(pipeline, tree, variables)
        resolved = Resolved(
            pipeline,
            {name: options for name, options in json_data(targets).items() if name in named.fields},
            Node({**tree, **self.ignored(), "steps": Node(self.steps, ""), "targets": targets}, *variables.where),
            aliases,
        )
        for path, message, hint in broken_rules(pipeline):
            self.findings.add(resolved.origin(path) or Origin(pipeline.name), f"{path}: {message}", hint)
        for path, message, hint in () if self.findings else doubtful(pipeline):
            problem = Problem(f"{path}: {message}", str(resolved.origin(path) or pipeline.name), hint)
            warnings.warn(WurzelWarning(str(problem)), stacklevel=2)
        return resolved

    def ignored(self) -> dict[str, Node]:
        """Features that are accepted for all targets, if any layer says so."""
        node = overlay_all(_each([*self.packs, *self.layers], "ignore"))
        return {} if node is None else {"ignore": node}

    def with_variables(self, pipeline: Pipeline, tree: dict[str, Node], variables: Variables) -> Pipeline:
        """The pipeline with the value of every declared variable; values of a step override the pipeline's."""
        nodes = variables.with_defaults(tree.get("variables"))
        before = self.pipeline.variables.items()  # steps of an IR repeat the pipeline's variables
        for_all = {**(dict(before) if variables.is_open else {}), **variables.values(nodes)}
        tree["variables"] = Node(nodes, "")
        steps = []
        for step in pipeline.steps:
            entry = self.steps.get(step.id)
            own = entry.fields.get("variables") if entry is not None else node_of(step.variables, step.run)
            given = {
                name: node
                for name, node in (own.fields if own else {}).items()
                if (name, json_data(node)) not in before
            }
            values = for_all | variables.values(given) if given else for_all
            steps.append(step.model_copy(update={"variables": values}) if values else step)
        return pipeline.model_copy(update={"variables": for_all, "steps": tuple(steps)}) if for_all else pipeline

    def check_ids(self) -> None:
        known = [step.id for step in self.pipeline.steps]
        there = set(known)
        for layer in self.layers:
            for key, node in layer.below("steps").items():
                if key not in there:
                    self.findings.add(node.key_origin, f"steps: there is no step {key!r}", near(key, known, "Steps"))

    def step(self, step: Step, check: Check | None) -> Step:
        layers = self.step_layers(step.id)
        packs = _each(self.packs, "defaults")
        if not layers and not packs:
            return step
        self.check_removals(step.id, layers)
        update, tree = self.fields_of(step, packs, layers)
        given = settings_of(step, _each(layers, "settings"), f"steps.{step.id}.settings", self.findings)
        parameters = overlay_all(_each(layers, "parameters"))
        settings = with_values(step, given, parameters, self.findings)
        self.steps[step.id] = Node({**tree, "settings": Node(given, "")}, "")
        if parameters is not None:
            self.steps[step.id].fields["parameters"] = parameters
        resolved = step.model_copy(update={**update, "settings": settings})
        if check is not None and given:
            self.check_settings(resolved, given, check)
        return resolved

    def step_layers(self, step_id: str) -> list[Node]:
        """The layers of a step, weakest first; a null `defaults` or entry removes earlier ones of its kind."""
        found: list[tuple[str, Node]] = []
        for layer in self.layers:
            entry = layer.fields.get("steps")
            if entry is not None and entry.value is not None:
                entry = entry.fields.get(step_id)
            for kind, node in (("defaults", layer.fields.get("defaults")), ("steps", entry)):
                if node is not None and node.value is None:
                    found = [item for item in found if item[0] != kind]
                elif node is not None:
                    found.append((kind, node))
        return [node for _, node in found]

    def check_removals(self, step_id: str, layers: Sequence[Node]) -> None:
        """Refuse to remove from one step what the pipeline sets for all steps."""
        for layer, name in product(layers, _FOR_ALL):
            for key, node in layer.below(name).items():
                if node.value is None and key in self.for_all.get(name, ()):
                    message = f"steps.{step_id}.{name}.{key}: the pipeline sets it for all steps"
                    self.findings.add(node.key_origin, message, f"Set it in defaults: {{{name}: …}} instead.")

    def fields_of(
        self, step: Step, packs: Sequence[Node], layers: Sequence[Node]
    ) -> tuple[dict[str, Any], dict[str, Node]]:
        """Values and nodes of the fields that are not settings; steps with the same layers share them."""
        same = tuple(id(getattr(step, name)) for name in _STEP_FIELDS if name in step.model_fields_set)
        key = (*map(id, layers), *same)
        if key not in self.alike or any("secrets" in layer.fields for layer in (*packs, *layers)):
            code = code_layer(step, STEP_FACTS, step.run)
            own = [_secrets_by_variable(step, _long_form(without_keys(layer, _SETTINGS_FORM))) for layer in layers]
            weak = [_secrets_by_variable(step, _long_form(layer)) for layer in packs]
            values, tree = self.read([*weak, code, *own], _STEP_FIELDS, f"steps.{step.id}.")
            self.alike[key] = ({**_reset(code, tree, Step), **values}, tree)
        return self.alike[key]

    def read(
        self, layers: Sequence[Node], fields: Mapping[str, Reader], path: str
    ) -> tuple[dict[str, Any], dict[str, Node]]:
        """Values and nodes by field, for the fields that a layer sets and none removes."""
        merged = (overlay_all(layers) or Node({}, "")).fields
        values = {name: fields[name](node, f"{path}{name}", self.context) for name, node in merged.items()}
        return {name: value for name, value in values.items() if value is not BAD}, merged

    def check_settings(self, step: Step, given: Mapping[str, Node], check: Check) -> None:
        values = {setting.name: setting.value for setting in step.settings if setting.name in given}
        for name, reason in check(step, values):
            self.findings.add(given[name].origin, f"steps.{step.id}.settings.{name}: {reason}")


def code_layer(item: BaseModel, facts: Collection[str], source: str) -> Node:
    """What code sets, as the weakest layer: each field comes from an attribute of `source`."""
    names = [name for name in type(item).model_fields if name in item.model_fields_set and name not in facts]
    return Node(
        {name: node_of(_set_values(getattr(item, name)), f"{source}.{_ATTRIBUTES.get(name, name)}") for name in names},
        source,
    )


def find(node: Node, path: str) -> Node | None:
    """The node at a dotted path; keys may themselves contain dots."""
    if not path:
        return node
    if isinstance(node.value, list):
        item, _, rest = path.partition(".")
        named = (each for each in node.value if "name" in each.fields and each.fields["name"].value == item)
        number = int(item) if item.isdigit() else len(node.value)
        found = node.value[number] if number < len(node.value) else next(named, None)
        return find(found, rest) if found is not None else None
    end = len(path)
    while end > 0:
        child = node.fields.get(path[:end])
        if child is not None:
            return find(child, path[end + 1 :])
        end = path.rfind(".", 0, end)
    return None


def _set_values(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {
            name: _set_values(getattr(value, name))
            for name in type(value).model_fields
            if name in value.model_fields_set
        }
    if isinstance(value, dict):
        return {key: _set_values(item) for key, item in value.items()}
    return [_set_values(item) for item in value] if isinstance(value, tuple) else value


def _reset(code: Node, merged: Mapping[str, Node], cls: type[BaseModel]) -> dict[str, Any]:
    """Built-in defaults of the fields that code set and configuration removed."""
    fields = cls.model_fields
    return {name: fields[name].get_default(call_default_factory=True) for name in code.fields if name not in merged}


def _of_pipeline(layer: Node) -> Node:
    """What a layer says of the pipeline itself, with a `store` in its long form, so that layers merge."""
    fields = {key: node for key, node in layer.fields.items() if key not in _OWN_FORM}
    store = fields.get("store")
    if store is not None and isinstance(store.value, str):
        none = Node(None, store.source, store.line, store.column)
        others = dict.fromkeys(Store.model_fields, none)  # keys are for one bucket, so a URL alone replaces all
        fields["store"] = none if store.value == NO_STORE else with_value(store, {**others, "url": store})
    return with_value(layer, fields)


def _long_form(layer: Node) -> Node:
    """A layer of a step in one form, so that layers merge whichever form each of them has.

    `shards: N` is `shards: {max: N}`, `retry: N` is `retry: {limit: N}`, and `resources: {limits: …}` is `limits: …`.
    """
    fields = dict(layer.fields)
    for name, key in _SHORT_FORMS.items():
        node = fields.get(name)
        if node is not None and node.value is not None and not isinstance(node.value, dict):
            fields[name] = with_value(node, {key: node})
    if (limits := layer.below("resources").get("limits")) is not None:
        fields["resources"] = without_keys(fields["resources"], ("limits",))
        fields["limits"] = overlay_all([limits, *_each([layer], "limits")]) or limits
    return with_value(layer, fields)


def _secrets_by_variable(step: Step, layer: Node) -> Node:
    secrets = canonical_secrets(step, layer.fields.get("secrets"))
    return with_value(layer, {**layer.fields, "secrets": secrets}) if secrets is not None else layer


def _each(layers: Sequence[Node], key: str) -> list[Node]:
    return [layer.fields[key] for layer in layers if key in layer.fields]
