"""Rules for DAG and steps templates: dependencies, and which outputs a task may use."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from wurzel.validation.manifest import check_distinct
from wurzel.validation.variables import check_variables, tags

if TYPE_CHECKING:
    from wurzel.exceptions import Problem
    from wurzel.validation.manifest import Node

MOST_TASKS = 200
_LONGEST = 128
_TASK = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_WORD = re.compile(r"(?P<word>[a-zA-Z0-9][-a-zA-Z0-9]*)(?:\.(?P<status>[A-Za-z]+))?")
_LOGIC = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.Name, ast.And, ast.Or, ast.Not, ast.Load)
"""What a condition is made of: it is one of Python's, but for how its operators are spelled."""
_STATUSES = {
    "Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed",
}  # fmt: skip
_LOOPS = ("withItems", "withParam", "withSequence")
_OUTPUT = re.compile(r"tasks\.(?P<task>[-a-zA-Z0-9]+)\.(?P<what>outputs\.(?:artifacts|parameters)\.(?P<name>[-\w]+))")


def check_dag(template: Node, templates: Mapping[str, Node], scope: Collection[str]) -> Iterator[Problem]:
    """A dag template; `scope` are the expressions that exist in it."""
    tasks = list(template["dag"]["tasks"])
    if not tasks:
        yield template["dag"].problem("has no tasks")
    if len(tasks) > MOST_TASKS:
        yield template["dag"]["tasks"].problem(
            f"has {len(tasks)} entries; Argo allows at most {MOST_TASKS} in one template"
        )
    yield from _check_names(tasks)
    by_name = {task["name"].text: task for task in tasks}
    if any(task["depends"] for task in tasks):
        for task in tasks:
            if task["dependencies"]:
                yield task["dependencies"].problem("depends and dependencies are mutually exclusive within one DAG")
    needs: dict[str, list[str]] = {}
    for task in tasks:
        found, problems = _needs(task, by_name)
        needs[task["name"].text] = found
        yield from problems
    above = _ancestors(needs)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]  # graphlib lists each task before the one that needs it
        yield by_name[circle[0]].problem(f"the tasks form a cycle: {' -> '.join(circle)}")
    for task in tasks:
        yield from _check_call(task, templates)
        yield from _check_task_variables(task, by_name, templates, above[task["name"].text], scope)
    offered = set(scope).union(*(_offered("tasks", task, templates) for task in tasks))
    yield from check_variables(template["outputs"], offered)


def check_steps(template: Node, templates: Mapping[str, Node], scope: Collection[str]) -> Iterator[Problem]:
    """A steps template."""
    known = set(scope)
    for group in template["steps"]:
        for step in group:
            yield from _check_call(step, templates)
            yield from check_variables(step, {*known, "item"} if _loops(step) else known)
        for step in group:
            known |= _offered("steps", step, templates)
    yield from check_variables(template["outputs"], known)


def _check_names(tasks: list[Node]) -> Iterator[Problem]:
    yield from check_distinct(tasks, "another task")
    for name in (task["name"] for task in tasks):
        if not _TASK.fullmatch(name.text) or len(name.text) > _LONGEST:
            yield name.problem(
                f"{name.quoted} is not the name of a task", "Use letters, digits and -, and start with a letter."
            )


def _needs(task: Node, by_name: Mapping[str, Node]) -> tuple[list[str], list[Problem]]:
    """The tasks that a task waits for, and the problems in its condition."""
    found = [item.text for item in task["dependencies"]]
    place = task["dependencies"]
    problems: list[Problem] = []
    if task["depends"]:
        place = task["depends"]
        words, sound = _words(place.text)
        if not sound:
            problems.append(
                place.problem(f"{place.quoted} is not a valid condition", "Write for example a && (b || c.Failed).")
            )
        found = [word for word, _ in words]
        for word, status in words:
            if status and status not in _STATUSES:
                problems.append(place.problem(f"{status!r} is not a task status", f"Known: {', '.join(_STATUSES)}."))
            if status in {"AnySucceeded", "AllFailed"} and word in by_name and not _loops(by_name[word]):
                problems.append(place.problem(f"{word}.{status} is for tasks with items"))
    problems += [place.problem(f"no task is named {name!r}") for name in found if name not in by_name]
    return [name for name in found if name in by_name], problems


def _words(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Tasks in a condition with the requested status, and whether the condition is well-formed."""
    words = [(match["word"], match["status"] or "") for match in _WORD.finditer(text)]
    signs = _WORD.sub("x", text)
    if re.sub(r"&&|\|\||[\s()!x]", "", signs):
        return words, False
    try:
        tree = ast.parse(signs.strip().replace("&&", " and ").replace("||", " or ").replace("!", " not "), mode="eval")
    except SyntaxError:
        return words, False
    return words, all(isinstance(node, _LOGIC) for node in ast.walk(tree))


def _ancestors(needs: Mapping[str, list[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in needs:
        above: set[str] = set()
        todo = list(needs[name])
        while todo:
            other = todo.pop()
            if other not in above:
                above.add(other)
                todo += needs.get(other, [])
        found[name] = above
    return found


def _check_call(task: Node, templates: Mapping[str, Node]) -> Iterator[Problem]:
    if sum(bool(task[loop]) for loop in _LOOPS) > 1:
        yield task.problem(f"only one of {', '.join(_LOOPS)} can be given")
    sequence = task["withSequence"]
    if sequence["count"] and sequence["end"]:
        yield sequence.problem("has both count and end")
    reference = task["templateRef"]
    if task["inline"] or reference["clusterScope"].value:
        return
    called = _called(task, templates)
    if called is not None:
        yield from _check_arguments(task, called)
    elif not reference:
        yield task["template"].problem(f"no template is named {task['template'].quoted}")
    elif not _is_elsewhere(task, templates):
        yield reference.problem(
            f"the WorkflowTemplate {reference['name'].quoted} has no template {reference['template'].quoted}"
        )


def _check_arguments(task: Node, called: Node) -> Iterator[Problem]:
    for kind in ("parameters", "artifacts"):
        given = {item["name"].text for item in task["arguments"][kind]}
        for item in called["inputs"][kind]:
            if item["name"].text not in given and not _provided(item, kind):
                yield task["arguments"].problem(
                    f"the template {called['name'].text!r} needs the {kind[:-1]} {item['name'].text!r}"
                )
    for parameter in task["arguments"]["parameters"]:
        if parameter["value"] and not isinstance(parameter["value"].value, str):
            yield parameter["value"].problem(f"{parameter['value'].quoted} is not text", "Put it in quotes.")


def _is_elsewhere(task: Node, templates: Mapping[str, Node]) -> bool:
    """Whether a task calls a template of an object that is not among those that are checked."""
    reference = task["templateRef"]
    own = referred(reference["name"].text, "") if reference else ""
    return bool(reference) and not any(name.startswith(own) for name in templates)


def referred(name: str, template: str) -> str:
    """The key of another object's template in the mapping of templates."""
    return f"{name}/{template}"


def _called(task: Node, templates: Mapping[str, Node]) -> Node | None:
    reference = task["templateRef"]
    if reference:
        return templates.get(referred(reference["name"].text, reference["template"].text))
    return templates.get(task["template"].text)


def _provided(item: Node, kind: str) -> bool:
    if kind == "parameters":
        return bool(item["value"] or item["default"] or item["valueFrom"])
    places = {key for key, _ in item.entries()} - {"name", "path", "archive", "mode", "recurseMode", "artifactGC"}
    return bool(places)


def _check_task_variables(
    task: Node, by_name: Mapping[str, Node], templates: Mapping[str, Node], above: set[str], scope: Collection[str]
) -> Iterator[Problem]:
    known = {*scope, *({"item"} if _loops(task) else ())}
    for name in above:
        known |= _offered("tasks", by_name[name], templates)
    own = [tag for tag in dict.fromkeys(tags(task)) if tag not in known]
    for tag in own:
        match = _OUTPUT.match(tag)
        if match and match["task"] in by_name and match["task"] not in above:
            yield task.problem(f"{{{{{tag}}}}} is from {match['task']!r}, which it does not depend on")
            known.add(tag)
        elif match and match["task"] in by_name and _is_elsewhere(by_name[match["task"]], templates):
            known.add(tag)  # what it gives is not known here
        elif match and match["task"] in by_name:
            yield task.problem(f"{{{{{tag}}}}}: the template of {match['task']!r} has no such output")
            known.add(tag)
    yield from check_variables(task, known)


def _offered(kind: str, task: Node, templates: Mapping[str, Node]) -> set[str]:
    """The expressions that a finished task offers to others; the artifacts of a loop cannot be referenced."""
    prefix = f"{kind}.{task['name'].text}"
    found = {f"{prefix}.{what}" for what in ("id", "status", "startedAt", "finishedAt", "exitCode", "outputs.result")}
    called = _called(task, templates)
    if called is None:
        return found
    found |= {f"{prefix}.outputs.parameters.{item['name'].text}" for item in called["outputs"]["parameters"]}
    if _loops(task):
        return found | {f"{prefix}.outputs.parameters"}
    return found | {f"{prefix}.outputs.artifacts.{item['name'].text}" for item in called["outputs"]["artifacts"]}


def _loops(task: Node) -> bool:
    return any(task[loop] for loop in _LOOPS)
