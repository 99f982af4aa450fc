"""Whether a step must run: digests of all it depends on, compared with those it last ran with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wurzel.invocation.code import Code
from wurzel.invocation.digests import FileDigests, combine
from wurzel.invocation.variables import given_value, settings_digest, step_environment

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.ir.model import Pipeline, Step

_KINDS = {
    "definition": "definition",
    "code": "code",
    "settings": "settings",
    "files": "input files",
    "data": "input data",
}


class Fingerprints:
    """Digests of what steps depend on, in one state of project, configuration and environment."""

    def __init__(
        self,
        pipeline: Pipeline,
        digests: FileDigests,
        *,
        root: Path,
        environ: Mapping[str, str],
        not_input: Sequence[Path] = (),
    ) -> None:
        """Read files below the project folder `root`; folders that runs write into are `not_input`."""
        self._pipeline = pipeline
        self._root = root
        self._environ = environ
        self._digests = digests
        self._code = Code(root, digests)
        self._not_input = not_input

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


def reason(last: tuple[Mapping[str, str], str] | None, now: Mapping[str, str], output: str | None) -> str:
    """Why a step must run, for people; empty when nothing has changed.

    Args:
        last: what it last ran with, and the digest of the manifest it wrote.
        now: what it would run with.
        output: digest of the manifest of its complete dataset, `None` when there is none.
    """
    if last is None:
        return "first run here" if output is None else "not run here before"
    inputs, before = last
    changed = [text for kind, text in _KINDS.items() if inputs.get(kind) != now[kind]]
    if changed:
        return f"{' and '.join([', '.join(changed[:-1]), changed[-1]] if changed[1:] else changed)} changed"
    if output is None:
        return "output missing or damaged"
    return "" if output == before else "output changed by something else"
