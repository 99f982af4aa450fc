"""Values of `default_args` that a task does not get, since Airflow replaces an argument as a whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wurzel.backends.losses import Loss

_WHY = "An argument of a task replaces that of default_args, also a list or mapping."
_TWICE = "Of two equal keys of default_args, the last one counts."
_SEVERAL = (ast.Dict, ast.List, ast.Tuple, ast.Set)


def losses(text: str) -> Iterator[Loss]:
    """Lists, mappings and callbacks of `default_args` that tasks replace with their own, and keys that it has twice."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    shared: dict[str, ast.expr] = {}
    for key, value in [(key, value) for call in calls for key, value in _default_args(call)]:
        name = str(key.value)
        if isinstance(shared.get(name), (*_SEVERAL, ast.Name)):  # a single value is meant to be replaced
            rows = [key.lineno, *_lines(value)]
            yield Loss("default_args", name, _lines(shared[name]), rows, _TWICE, needed=True)
        shared[name] = value
    for call in calls if shared else ():
        named = {word.arg: word for word in call.keywords if word.arg}
        task = named.get("task_id")
        for name in [] if task is None else shared.keys() & named.keys():
            lost, own = shared[name], named[name]
            if isinstance(lost, _SEVERAL) or name.endswith("_callback"):
                owner = f"the task {ast.unparse(task.value)}" if task is not None else ""
                yield Loss(owner, name, _lines(lost), [own.lineno, *_lines(own.value)], _WHY)


def _default_args(call: ast.Call) -> Iterator[tuple[ast.Constant, ast.expr]]:
    words = [word.value for word in call.keywords if word.arg == "default_args"]
    for given in [word for word in words if isinstance(word, ast.Dict)]:
        for key, value in zip(given.keys, given.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key, value


def _lines(node: ast.expr) -> list[int]:
    return list(range(node.lineno, (node.end_lineno or node.lineno) + 1))
