"""From the PIPELINE argument of a command to the resolved pipeline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wurzel.backends.registry import BUILT_IN
from wurzel.exceptions import PipelineError, Problem, TemplateProblems, UsageError, WurzelError
from wurzel.project.load import FILE, Project, find_project, load, parent_project
from wurzel.project.nodes import near
from wurzel.project.resolve import Resolved, resolve

if TYPE_CHECKING:
    from wurzel.project.packs import Pack
    from wurzel.render import Renderer
    from wurzel.render.layers import Layers


def open_project() -> Project | None:
    """The project in the current folder, if it has a `wurzel.yaml`. Raises `ConfigError` with every error in it."""
    path = find_project()
    return load(path) if path is not None else None


def required_project() -> Project:
    """The project in the current folder. Raises `UsageError` without one, `ConfigError` with all errors in it."""
    project = open_project()
    if project is None:
        raise UsageError(f"there is no {FILE} here", hint="Write one with `wurzel init`, or change to its folder.")
    return project


def renderer_of(project: Project | None) -> Renderer:
    """A renderer with the layers of a project. Raises `TemplateError` if one is neither a folder nor a pack."""
    from wurzel.render import Renderer

    if project is None:
        return Renderer()
    renderer = Renderer(project.templates, root=project.root, places=project.places)
    equip(renderer.layers, project.packs())
    renderer.layers.schemas += tuple(project.schemas)
    return renderer


def equip(layers: Layers, packs: Sequence[Pack]) -> None:
    """Set renames, further files and filters of packs on the layers. Raises `TemplateProblems` for bad filters."""
    problems: list[Problem] = []
    for pack in packs:
        layers.rename(pack.renames)
        layers.more += tuple(pack.files)
        layers.schemas += tuple(pack.schemas)
        if pack.filters is not None and pack.filters.value:
            from wurzel.render.pack_filters import filters_of
            from wurzel.render.packs import installed_module

            label = f"{pack.name} {pack.version}".strip()
            module = str(pack.filters.value)
            found, wrong = filters_of(module, label, layers.filters, installed_module(pack.name, module))
            layers.filters |= found
            problems += wrong
    if problems:
        raise TemplateProblems(problems)


def project_variables(project: Project, environment: str | None) -> dict[str, Any]:
    """Variables of the whole project; null where only pipelines have one. Raises `ConfigError` for bad values."""
    from wurzel.project.declared import Variables
    from wurzel.project.nodes import Findings, Origin, overlay_all

    packs = project.packs()
    layers = [layer for pack in packs for layer in pack.layers(environment)]
    keys = [""] if environment is None else ["", environment]
    nodes = [layer.fields["variables"] for layer in layers if "variables" in layer.fields]
    own = overlay_all([*nodes, *(project.variables[key] for key in keys if key in project.variables)])
    missing, findings = Findings(), Findings()
    declared = [pack.variables for pack in packs]
    values = Variables(declared, Origin(project.file, 0, 0), missing).with_defaults(own)
    found = Variables(declared, Origin(project.file, 0, 0), findings).values(values)
    findings.check()
    return found


def pipeline_names() -> list[str]:
    """Names of the pipelines in `wurzel.yaml`, for shell completion; empty if it cannot be read."""
    try:
        project = open_project()
    except WurzelError:
        return []
    return project.names() if project is not None else []


def open_pipeline(name: str | None, environment: str | None = None, sets: Sequence[str] = ()) -> Resolved:
    """The pipeline of that name, introspected and with its configuration applied.

    Args:
        name: a name in `wurzel.yaml`, or `module:attribute` (also `module.attribute`), which needs no `wurzel.yaml`
            and is named by its attribute in kebab-case; a configured pipeline with that entrypoint is preferred. `None`
            is the only one in `wurzel.yaml`.
        environment: name of an environment in `wurzel.yaml`.
        sets: texts `KEY=VALUE`, weakest first.

    Raises:
        UsageError: when there is no such pipeline or environment.
        ConfigError: when the configuration is wrong or does not fit the pipeline.
        PipelineError: when the code of the pipeline cannot be used.
    """
    return open_in(open_project(), name, environment, sets)


def open_in(project: Project | None, name: str | None, environment: str | None, sets: Sequence[str]) -> Resolved:
    """Like `open_pipeline`, for a project that is already loaded."""
    from wurzel.core.importing import import_object, introspecting
    from wurzel.ir.introspect import introspect
    from wurzel.project.typecheck import check_settings

    name, entrypoint = _chosen(project, name, environment)
    with introspecting():
        try:
            entry = import_object(entrypoint)
        except PipelineError as error:
            error.where = error.where or (project.entrypoint_place(name, environment) if project is not None else "")
            raise
        pipeline = introspect(entry, name=name, entrypoint=entrypoint)
        return resolve(pipeline, project, environment=environment, sets=sets, check=check_settings)


def _chosen(project: Project | None, name: str | None, environment: str | None) -> tuple[str, str]:
    """Name and entrypoint of the chosen pipeline."""
    known = project.names(environment) if project is not None else []
    if name is None:
        name = _only(known)
    if project is not None and name in known:
        return name, with_colon(project.entrypoint(name, environment))
    if ".py" in name or "/" in name:
        raise _file(name, known)
    if ":" not in name and "." not in name:
        if name in BUILT_IN:
            raise UsageError(f"unknown pipeline {name!r}", hint=f"It is a target: wurzel render -t {name}")
        if project is None:
            advice = f"There is no {FILE} here. {no_project()}"
        else:
            advice = near(name, known, "Pipelines")
            advice = advice if advice.startswith("Did") else _of_step(project, name, environment) or advice
        raise UsageError(f"unknown pipeline {name!r}", hint=advice)
    entrypoint = with_colon(name)
    if project is not None:
        same = [other for other in known if with_colon(project.entrypoint(other, environment)) == entrypoint]
        if len(same) == 1:
            return same[0], entrypoint
        if same:
            raise UsageError(f"{name} is the entrypoint of {', '.join(same)}", hint="Use the name of one of them.")
    return kebab(entrypoint), entrypoint


def _of_step(project: Project, name: str, environment: str | None) -> str:
    """What to write where a name is that of a step; '' if it is not, or that cannot be found out."""
    for other in project.names(environment):
        try:
            steps = open_in(project, other, environment, ()).pipeline.steps
        except WurzelError:
            continue
        if any(step.id == name for step in steps):
            return f"It is a step of {other}: wurzel run {other} --only {name}"
    return ""


def _only(known: Sequence[str]) -> str:
    if len(known) == 1:
        return known[0]
    where = f"{FILE} has {', '.join(known)}." if known else f"There is no {FILE} with pipelines here. {no_project()}"
    raise UsageError("no PIPELINE is given", hint=where)


def _file(name: str, known: Sequence[str]) -> UsageError:
    """The error for a file name where a module name is needed."""
    path, _, attribute = name.partition(":")
    module = path.removesuffix(".py").lstrip("./").removeprefix("src/").rstrip("/").replace("/", ".")
    names = f"a name in {FILE} ({', '.join(known)}), or " if known else ""
    return UsageError(
        f"{name!r} is a file, not a pipeline", hint=f"Write {names}module:attribute: {module}:{attribute or 'pipeline'}"
    )


def with_colon(entrypoint: str) -> str:
    """`module:attribute` from either form."""
    module, _, attribute = entrypoint.rpartition(":" if ":" in entrypoint else ".")
    return f"{module}:{attribute}"


def kebab(entrypoint: str) -> str:
    """A pipeline's name from its attribute: `RagDe` and `rag_de` are `rag-de`."""
    attribute = entrypoint.rpartition(":")[2].rpartition(".")[2]
    if not attribute:
        raise UsageError(
            f"{entrypoint!r} does not name a pipeline", hint="Write module:attribute, such as mypkg.pipelines:rag."
        )
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", attribute).replace("_", "-").lower()
    name = re.sub(r"-+", "-", words).strip("-")
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        raise UsageError(
            f"{attribute!r} cannot be turned into a pipeline name",
            where=entrypoint,
            hint=f"Name it in {FILE}: pipelines: {{my-name: {{entrypoint: {entrypoint!r}}}}}.",
        )
    return name


def no_project() -> str:
    """What to do where there is no `wurzel.yaml`."""
    parent = parent_project()
    if parent is not None:
        return f"The nearest one is in {parent}: change to that folder."
    return "Write one with `wurzel init`, or pass module:attribute."
