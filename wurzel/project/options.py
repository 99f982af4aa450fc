"""Reads options of a target, `targets.<name>`, by the model of its backend, with the place of every error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from wurzel.backends.options import TargetOptions
from wurzel.exceptions import Problem, mismatch
from wurzel.models import Model
from wurzel.project.kinds import Context, NotUnderstoodError
from wurzel.project.model import PACK_FILE
from wurzel.project.nodes import Findings, Node, Origin, json_data, near, value_text, with_value, without_keys
from wurzel.project.read import model_reader, of_pipeline
from wurzel.project.targets import OF_NAMED

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.project.resolve import Resolved

Options = TypeVar("Options", bound=BaseModel)


def validate_options(resolved: Resolved, target: str, model: type[Options]) -> Options:
    """The options for a target, as an object of its model. Raises `ConfigError` with every value that does not fit."""
    path = f"targets.{target}"
    node = resolved.tree.fields["targets"].fields.get(target)
    findings = Findings()
    node, _ = _current(node or Node({}, f"{resolved.pipeline.name}: {path}"), model, path)
    options = read_options(node, model, path, findings)
    findings.check()
    accepted = resolved.tree.fields.get("ignore")
    if accepted is not None and isinstance(options, TargetOptions):
        options = options.model_copy(update={"ignore": (*options.ignore, *json_data(accepted))})
    return options


def check_environments(project: Project, name: str, target: str, model: type[TargetOptions]) -> None:
    """Raise `ConfigError` with each value that an environment gives a target of a pipeline, and that is never right.

    A mistake shows at once, not only with `-e`, which also checks whether all that the file says fits together.
    """
    findings = Findings()
    for environment, overrides in project.environments.items():
        node = overrides[name].below("targets").get(target) if name in overrides else None
        if node is None or not isinstance(node.value, dict):
            continue
        path = f"environments.{environment}.pipelines.{name}.targets.{target}"
        tried = Findings()
        try:
            own = without_keys(node, OF_NAMED)
            model_reader(model)(_current(own, model, path)[0], path, Context(tried, complete=False, build=False))
        except NotUnderstoodError:
            continue  # only pydantic can read it, and only as a whole
        findings.absorb(tried)
    findings.check()


def old_forms(resolved: Resolved, target: str, model: type[TargetOptions]) -> list[Problem]:
    """A warning for each option of a target that is written as it was before it was renamed."""
    node = resolved.tree.fields["targets"].fields.get(target)
    return _current(node, model, f"targets.{target}")[1] if node is not None else []


def _current(node: Node, model: type[BaseModel], path: str) -> tuple[Node, list[Problem]]:
    """The options in their current form, and a warning for each that was in an old one."""
    known = model.old_forms if issubclass(model, TargetOptions) else {}
    old = {key: child for key, child in node.fields.items() if isinstance(child.value, str)}
    old = {key: child for key, child in old.items() if child.value in known.get(key, ())}
    fields = {key: child for key, child in node.fields.items() if key not in old}
    warnings = []
    for key, child in old.items():
        name, value = known[key][str(child.value)]
        if name in fields:
            fields[key] = child  # both forms at once: nothing knows the old key any more
            continue
        fields[name] = Node(value, child.source, child.line, child.column, value)
        fields[name].key_line, fields[name].key_column = child.key_line, child.key_column
        message = f"{path}.{key}: {child.value} is now {name}: {value}"
        warnings.append(Problem(message, str(child.key_origin), f"Write {name}: {value}; the old form still works."))
    return (with_value(node, fields), warnings) if old else (node, [])


def read_options(node: Node, model: type[Options], path: str, findings: Findings) -> Options:
    """An instance of the model, valid only if nothing was added to `findings`."""
    tried = Findings()
    try:
        options: Options = model_reader(model)(node, path, Context(tried))
    except NotUnderstoodError:
        return _by_pydantic(node, model, path, findings)
    findings.absorb(tried)
    return options


def _by_pydantic(node: Node, model: type[Options], path: str, findings: Findings) -> Options:
    """The same through pydantic, for models with their own validators or types."""
    try:
        return model.model_validate(_prepared(node, model))
    except ValidationError as error:
        for item in error.errors(include_url=False):
            findings.add(*_finding(node, model, path, item["loc"], item["type"], item["msg"]))
    return model.model_construct()


def _finding(
    node: Node, model: type[BaseModel], path: str, location: Sequence[int | str], kind: str, message: str
) -> tuple[Origin, str, str]:
    found, names = _followed(node, location)
    place = ".".join([path, *names])
    if kind == "extra_forbidden":
        known = sorted({name for owner in _models_at(model, names[:-1]) for name in owner.model_fields})
        message = f"unknown key {value_text(Node(names[-1], ''))} in {place.rpartition('.')[0]}"
        hint = of_pipeline(names[-1]) if len(names) == 1 else ""
        return found.key_origin, message, hint or near(names[-1], known, "Keys")
    if kind == "missing":
        return found.origin, f"{place}.{location[-1]} is missing", ""
    return found.origin, f"{place}: {mismatch(kind, message, value_text(found))}", _of_packs(found)


def _of_packs(node: Node) -> str:
    """Which keys of a mapping packs gave, beside those of the project that exclude them, and how to take them away."""
    present = {name: child for name, child in node.fields.items() if child.value is not None}
    packs = {name: child for name, child in present.items() if child.source.endswith(PACK_FILE)}
    if not packs or len(packs) == len(present):
        return ""
    whose = ", ".join(f"`{name}` is from {child.origin}" for name, child in packs.items())
    return f"{whose}. To have your own instead, write as well: {', '.join(f'{name}: null' for name in packs)}."


def _followed(node: Node, location: Sequence[int | str]) -> tuple[Node, list[str]]:
    """The node at a pydantic location, and its keys, without parts that only name a member of a union."""
    names: list[str] = []
    for part in location:
        child = node.fields.get(str(part))
        if child is None and isinstance(node.value, list) and isinstance(part, int):
            child = node.value[part]
        if child is not None:
            node = child
            names.append(str(part))
    return node, names


def _models_at(annotation: Any, names: Sequence[str]) -> Iterator[type[BaseModel]]:
    """The models that an annotation may contain below these keys."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Model):
        if not names:
            yield annotation
        elif names[0] in annotation.model_fields:
            yield from _models_at(annotation.model_fields[names[0]].annotation, names[1:])
        return
    for argument in get_args(annotation):
        yield from _models_at(argument, names)
        if names:
            yield from _models_at(argument, names[1:])


def _prepared(node: Node, annotation: Any) -> Any:
    """Plain data, with an unquoted number as text where the model requires text."""
    members = list(_members(annotation))
    if Any in members:
        return json_data(node)
    if isinstance(node.value, dict):
        models = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel | Model)]
        mappings = [get_args(member)[1] for member in members if get_origin(member) is dict]
        fields = models[0].model_fields if len(models) == 1 else {}
        other = mappings[0] if len(mappings) == 1 else None
        return {
            key: _prepared(child, fields[key].annotation if key in fields else other)
            for key, child in node.value.items()
            if child.value is not None
        }
    if isinstance(node.value, list):
        items = [get_args(member)[0] for member in members if get_origin(member) in {list, tuple, set}]
        return [_prepared(item, items[0] if len(items) == 1 else None) for item in node.value]
    return node.written if all(map(_is_text, members)) else node.value


def _members(annotation: Any) -> Iterator[Any]:
    """The types an annotation allows, without `Annotated` and `None`."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _members(member)
    elif annotation is not NoneType:
        yield annotation


def _is_text(member: Any) -> bool:
    return member is str or (get_origin(member) is Literal and all(isinstance(item, str) for item in get_args(member)))
