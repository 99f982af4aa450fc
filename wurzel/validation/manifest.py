"""Kubernetes manifests as Kubernetes reads them; a `Node` looks into them, whatever types their values have."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from wurzel.exceptions import Problem, shortened
from wurzel.records import dataclass

SHOWN = 60


@dataclass(frozen=True)
class Node:
    """A value in a manifest and its path; what is absent is a node without a value."""

    value: Any
    path: str

    def __getitem__(self, key: str) -> Node:
        """The entry of a mapping."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(value, f"{self.path}.{key}" if self.path and not self.path.endswith(": ") else f"{self.path}{key}")

    def __iter__(self) -> Iterator[Node]:
        """The items of a list."""
        if isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield Node(item, f"{self.path}[{index}]")

    def __bool__(self) -> bool:
        """It is there."""
        return self.value is not None

    def entries(self) -> Iterator[tuple[str, Node]]:
        """Keys and values of a mapping."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield str(key), self[key]

    @property
    def text(self) -> str:
        """The value when it is text, otherwise ''."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> int | None:
        """The value when it is a whole number."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def problem(self, message: str, hint: str = "") -> Problem:
        """A finding at this place."""
        return Problem(message, where=self.path, hint=hint)

    def check_known(self, known: Collection[str]) -> Iterator[Problem]:
        """That it is one of these words, if it is there."""
        if self and self.text not in known:
            yield self.problem(f"{self.quoted} is not known", f"Write one of {', '.join(known)}.")

    def check_number(self, least: int, what: str) -> Iterator[Problem]:
        """That it is a whole number of at least `least`, if it is there; `what` says so in the message."""
        if self and (self.number is None or self.number < least):
            yield self.problem(f"{self.quoted} is not {what}")

    @property
    def quoted(self) -> str:
        """The value for a message."""
        text = repr(self.value)
        return shortened(text, SHOWN)


@dataclass(frozen=True)
class Document:
    """One document of a file."""

    file: str
    root: Node
    text: str

    @property
    def kind(self) -> str:
        """`Workflow`, `CronJob` and so on."""
        return self.root["kind"].text

    @property
    def name(self) -> str:
        """The name, or what names start with."""
        metadata = self.root["metadata"]
        return metadata["name"].text or metadata["generateName"].text


def documents(file: str, text: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a file, read as YAML 1.1 as Kubernetes does, and problems of those that cannot be read."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    found, problems = [], []
    for part in _parts(text):
        reader = YAML(typ="safe", pure=False)
        reader.version = (1, 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numbers that 1.1 and 1.2 write differently
                value = reader.load(part)
        except YAMLError as error:
            mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
            reason = error.problem if isinstance(error, MarkedYAMLError) else str(error)
            line = f":{mark.line + 1}" if mark else ""
            problems.append(Problem(f"is not valid YAML: {reason}", where=f"{file}{line}"))
            continue
        if value is None:
            continue
        if not isinstance(value, dict):
            problems.append(Problem(f"contains {type(value).__name__}, not an object", where=file))
            continue
        kind, metadata = value.get("kind"), value.get("metadata")
        name = (metadata.get("name") or metadata.get("generateName")) if isinstance(metadata, dict) else None
        found.append(Document(file, Node(value, f"{file}: {kind}/{name}: "), part))
    return found, problems


def check_distinct(named: Iterable[Node], what: str) -> Iterator[Problem]:
    """That no two entries of a list have the same `name`; `what` describes the other entry in the message."""
    seen: set[str] = set()
    for name in (each["name"] for each in named):
        if name.text in seen:
            yield name.problem(f"{name.quoted} is the name of {what}")
        seen.add(name.text)


_OF_ARGO = {
    *("Sensor", "EventSource", "EventBus", "WorkflowEventBinding"),
    *("Application", "ApplicationSet", "AppProject"),
    *("Rollout", "Experiment", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"),
}
"""Kinds of Argo Events, CD and Rollouts, which have the group of Argo Workflows."""


def is_foreign(root: Node) -> bool:
    """Whether neither Kubernetes nor Argo Workflows define the kind of an object, but another group or project."""
    group = root["apiVersion"].text.rpartition("/")[0]
    if group == "argoproj.io":
        return root["kind"].text in _OF_ARGO
    return "." in group and not group.endswith(".k8s.io")


def _parts(text: str) -> list[str]:
    """Documents, each with the line breaks before it kept, so that line numbers are those of the file."""
    parts: list[str] = []
    lines: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        if line.rstrip() == "---":
            parts.append("\n" * start + "".join(lines))
            start, lines = number + 1, []
        else:
            lines.append(line)
    parts.append("\n" * start + "".join(lines))
    return parts
