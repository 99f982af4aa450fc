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

from wurzel.exceptions import Problem, UsageError, WurzelWarning
from wurzel.ir.model import Pipeline, Step, Store
from wurzel.named_tuples import NamedTuple
from wurzel.project.declared import Variables
from wurzel.project.forms import code_layer, each_of, find, long_form, of_pipeline, reset, secrets_by_variable
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
    without_keys,
)
from wurzel.project.read import model_reader, reader
from wurzel.project.rules import broken_rules
from wurzel.project.secrets import doubtful
from wurzel.project.sets import parse_sets
from wurzel.project.settings import Check, settings_of, with_values
from wurzel.project.targets import Named, check_bound, with_names

if TYPE_CHECKING:
    from wurzel.models import Model
    from wurzel.project.load import Project

_FOR_ALL = ("env", "secrets", "labels", "annotations")
"""Fields of a pipeline that its steps have as well, and that are merged for each step."""
_SETTINGS_FORM = frozenset({"settings", "parameters"})


def _readers(cls: type[Model], facts: Collection[str]) -> dict[str, Reader]:
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
    of_sets = parse_sets(sets, findings)
    findings.check()
    if of_sets is not None:
        model_reader(PipelineConfig)(of_sets, f"pipelines.{pipeline.name}", Context(findings, complete=False))
        findings.check()
        layers = [*layers, of_sets]
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
    found = overlay_all(each_of([of_pipeline(layer) for layer in layers], "store"))
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
        packs, layers = ([of_pipeline(layer) for layer in group] for group in (self.packs, self.layers))
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
            pipeline = pipeline.model_copy(update={**reset(code, tree, Pipeline), **fields, "steps": steps})
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
        node = overlay_all(each_of([*self.packs, *self.layers], "ignore"))
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
            own_nodes = {
                name: node
                for name, node in (own.fields if own else {}).items()
                if (name, json_data(node)) not in before
            }
            values = for_all | variables.values(own_nodes) if own_nodes else for_all
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
        packs = each_of(self.packs, "defaults")
        if not layers and not packs:
            return step
        self.check_removals(step.id, layers)
        update, tree = self.fields_of(step, packs, layers)
        configured = settings_of(step, each_of(layers, "settings"), f"steps.{step.id}.settings", self.findings)
        parameters = overlay_all(each_of(layers, "parameters"))
        settings = with_values(step, configured, parameters, self.findings)
        self.steps[step.id] = Node({**tree, "settings": Node(configured, "")}, "")
        if parameters is not None:
            self.steps[step.id].fields["parameters"] = parameters
        resolved = step.model_copy(update={**update, "settings": settings})
        if check is not None and configured:
            self.check_settings(resolved, configured, check)
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
            own = [secrets_by_variable(step, long_form(without_keys(layer, _SETTINGS_FORM))) for layer in layers]
            weak = [secrets_by_variable(step, long_form(layer)) for layer in packs]
            values, tree = self.read([*weak, code, *own], _STEP_FIELDS, f"steps.{step.id}.")
            self.alike[key] = ({**reset(code, tree, Step), **values}, tree)
        return self.alike[key]

    def read(
        self, layers: Sequence[Node], fields: Mapping[str, Reader], path: str
    ) -> tuple[dict[str, Any], dict[str, Node]]:
        """Values and nodes by field, for the fields that a layer sets and none removes."""
        merged = (overlay_all(layers) or Node({}, "")).fields
        values = {name: fields[name](node, f"{path}{name}", self.context) for name, node in merged.items()}
        return {name: value for name, value in values.items() if value is not BAD}, merged

    def check_settings(self, step: Step, configured: Mapping[str, Node], check: Check) -> None:
        values = {setting.name: setting.value for setting in step.settings if setting.name in configured}
        for name, reason in check(step, values):
            self.findings.add(configured[name].origin, f"steps.{step.id}.settings.{name}: {reason}")
