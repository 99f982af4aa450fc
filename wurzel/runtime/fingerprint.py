"""Whether a step must run: digests of all it depends on, compared with those it last ran with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wurzel.runtime.code import Code
from wurzel.runtime.digests import FileDigests, combine
from wurzel.runtime.environment import given_value, settings_digest, step_environment

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline, Step
    from wurzel.runtime.pipeline import RunOptions
    from wurzel.runtime.state import State

_KINDS = {
    "definition": "definition",
    "code": "code",
    "settings": "settings",
    "files": "input files",
    "data": "input data",
}


class Fingerprints:
    """Digests of what steps depend on, in one state of project, configuration and environment."""

    def __init__(self, pipeline: Pipeline, options: RunOptions, digests: FileDigests) -> None:
        """Read files below the project folder; folders that runs write into do not count as input."""
        self._pipeline = pipeline
        self._root = options.root
        self._environ = options.environ
        self._digests = digests
        self._code = Code(options.root, digests)
        self._not_input = [options.root / folder for folder in (pipeline.data_dir, options.state_dir)]

    def of(self, step: Step, data: Mapping[str, str]) -> dict[str, str]:
        """Digest by kind of everything the step's output may depend on.

        Args:
            step: a step of the pipeline.
            data: digests of the datasets of its predecessors.
        """
        types = (str(kind and kind.model_dump_json()) for kind in (step.input, step.output))
        return {
            "definition": combine([step.id, step.run, str(step.shards), *types]),
            "code": self._code.digest(step),
            "settings": settings_digest(self._pipeline, step, self._environ),
            "files": self._files(step),
            "data": combine(part for need in step.needs for part in (need, data[need])),
        }

    def _files(self, step: Step) -> str:
        env = step_environment(self._pipeline, step, self._environ)
        parts = []
        for setting in step.settings:
            if setting.input_path:
                value = given_value(step, setting, env)
                for path in value if isinstance(value, list) else [value]:
                    if isinstance(path, str) and path:
                        parts += [setting.name, self._digests.tree(self._root / path, self._not_input)]
        return combine(parts)


def reason(state: State | None, now: Mapping[str, str], output: str | None) -> str:
    """Why a step must run, for people; empty when nothing has changed.

    Args:
        state: what it last ran with.
        now: what it would run with.
        output: digest of the manifest of its complete dataset, `None` when there is none.
    """
    if state is None:
        return "first run here" if output is None else "not run here before"
    changed = [text for kind, text in _KINDS.items() if state.inputs.get(kind) != now[kind]]
    if changed:
        return f"{' and '.join([', '.join(changed[:-1]), changed[-1]] if changed[1:] else changed)} changed"
    if output is None:
        return "output missing or damaged"
    return "" if output == state.output else "output changed by something else"
