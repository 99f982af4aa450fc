"""The patch of the target for a Workflow of one run: what it says of the runs of a schedule, and of templates."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_KINDS = (None, "CronWorkflow", "Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate")
_OF_RUNS = ("workflowSpec", "workflowMetadata")
"""What a CronWorkflow says of its runs; the rest of its `spec` is the schedule."""
_NAMED = ("templates", "tasks")
"""Lists whose items are named after steps."""


class RunPatch:
    """Turns a patch for the usual file into one for the file of one run, and collects what does not apply to it."""

    def __init__(self, path: str, *, has_schedule: bool, left_out: Collection[str]) -> None:
        """`path` is that of the usual file; `left_out` has the templates and tasks that the run is without."""
        stem, suffix = posixpath.splitext(posixpath.basename(path))
        self._file = re.compile(rf"{re.escape(stem)}(-part-\d+)?{re.escape(suffix)}")
        self._has_schedule = has_schedule
        self._left_out = left_out
        self.lost: list[str] = []
        """Dotted paths in the patch that only the schedule has."""

    def of(self, patch: Any) -> Any:
        """The patch, without what it says of other files and objects; what is not one is left for the usual checks."""
        if isinstance(patch, list):
            return [kept for item in patch if (kept := self._of_file(item)) is not None]
        return self._merge(patch) if isinstance(patch, Mapping) else patch

    def _of_file(self, item: Any) -> Any:
        if not isinstance(item, Mapping) or not isinstance(item.get("merge"), Mapping):
            return item
        file = item.get("file")
        if file is not None and not self._file.fullmatch(posixpath.basename(str(file))):
            return None  # a file of a pack, which is not written again
        merge = self._merge(item["merge"])
        return None if merge is None else {**{key: item[key] for key in item if key != "file"}, "merge": merge}

    def _merge(self, merge: Mapping[str, Any]) -> Mapping[str, Any] | None:
        kind, spec = merge.get("kind"), merge.get("spec")
        if kind not in _KINDS:
            return None  # an object that a template adds, which is not written again
        metadata = _mapping(merge.get("metadata"))
        metadata.pop("name", None)  # says which document it is; each run has a new name
        if self._has_schedule and kind in {None, "CronWorkflow"} and isinstance(spec, Mapping):
            self.lost += [f"spec.{key}" for key in spec if key not in _OF_RUNS]
            for key, value in _mapping(spec.get("workflowMetadata")).items():
                metadata[key] = {**_mapping(metadata.get(key)), **value} if isinstance(value, Mapping) else value
            spec = _mapping(spec.get("workflowSpec"))
            spec.pop("workflowTemplateRef", None)
        wanted = {**merge, "kind": "Workflow", "metadata": metadata, "spec": self._pruned(spec)}
        return {key: value for key, value in wanted.items() if value not in ({}, None)}

    def _pruned(self, node: Any) -> Any:
        """A patch without what it says of templates and tasks that the run is without."""
        return dict(self._kept(node)) if isinstance(node, Mapping) else node

    def _kept(self, node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in node.items():
            if key in _NAMED and isinstance(value, Mapping):
                items = {name: self._pruned(item) for name, item in value.items() if name not in self._left_out}
                if items:
                    yield key, items
            else:
                yield key, self._pruned(value)


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
