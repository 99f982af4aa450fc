"""The fingerprint of a step: digests of all that its output depends on, the same on every machine.

Paths, times, hosts, run ids, the number of shards, retry, timeout, resources, images and variables of a platform do not
count.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.secrets import without_passwords
from wurzel.exceptions import WurzelError
from wurzel.invocation.code import Code, bases, python_path
from wurzel.invocation.command import prefixes_of
from wurzel.invocation.digests import combine
from wurzel.invocation.settings import Effective, effective
from wurzel.invocation.variables import is_ignored, step_environment
from wurzel.ir.json_form import json_form

if TYPE_CHECKING:
    from pathlib import Path

    from wurzel.core.typed_step import TypedStep
    from wurzel.invocation.digests import FileDigests
    from wurzel.ir.model import InputPort, OutputPort, Pipeline, Step

SCHEME = "2"
"""Version of what counts and how."""

UNKNOWN = "unknown"
"""Stands for the digest of what cannot be read; it equals no digest, not even itself."""

_PRESENT = "present"
_KINDS = {
    "definition": "definition",
    "code": "code",
    "folders": "files in a folder of a setting",
    "packages": "packages",
    "program": "program",
    "settings": "settings",
    "files": "input files",
    "data": "input data",
}


class Fingerprints:
    """Fingerprints of steps, in one state of project, configuration and environment."""

    def __init__(
        self,
        pipeline: Pipeline,
        digests: FileDigests,
        *,
        root: Path,
        environ: Mapping[str, str],
        not_input: Sequence[Path] = (),
        elsewhere: Collection[str] = (),
    ) -> None:
        """Read files below the project folder `root`; folders that runs write into are `not_input`.

        Secrets of the steps `elsewhere` count as present: no job of this run has them.
        """
        self._pipeline = pipeline
        self._elsewhere = elsewhere
        self._root = root
        self._environ = environ
        self._digests = digests
        self._code = Code(root, digests, not_source=not_input, path=python_path(pipeline))
        self._not_input = not_input
        self._class = cache(_class)
        self._programs: dict[tuple[str, ...], str] = {}

    def of(self, step: Step, data: Mapping[tuple[str, str], str]) -> dict[str, str]:
        """Digest by kind of all the output may depend on; `data` has those of what is read, by step and output."""
        env = step_environment(self._pipeline, step, self._environ)
        if step.id in self._elsewhere:
            env = {**dict.fromkeys({*self._pipeline.secrets, *step.secrets}, _PRESENT), **env}
        kind = self._class(step.run)
        settings = self._settings(step, kind, env)
        known = settings or Effective("", (), (), {})
        types = [_text(port) for port in step.inputs] + [_text(port) for port in step.outputs]
        portions = [str(step.shards.items), step.shard_by]  # which items one call of `run` gets, in however many slices
        return {
            "definition": combine([SCHEME, _python(), step.run, _cache_key(step, kind), *types, *portions]),
            **self._code.digests(step, (*bases(step), *known.modules), known.texts),
            "settings": UNKNOWN if settings is None else combine([settings.values, *self._environment(step, env)]),
            "files": UNKNOWN if settings is None else combine(settings.files),
            **self._program(kind, env),
            "data": combine(_read(step, data)),
        }

    def not_seen(self, step: Step) -> str:
        """Which imports of a step's code are not seen, for people; nothing where its author gives a `cache_key`."""
        if _cache_key(step, self._class(step.run)):
            return ""
        found = self._code.of(step, bases(step)).computed
        places = dict.fromkeys(f"{os.path.relpath(one.path, self._root)}:{one.line}" for one in found)
        return f"changes of what {_listed([*places])} imports by a computed name are not seen" if places else ""

    def _program(self, kind: type[TypedStep[Any, Any, Any]] | None, env: Mapping[str, str]) -> dict[str, str]:
        """The version of the program that a `CommandStep` runs; nothing for other steps, and without a `version`."""
        words = version_words(kind)
        if not words:
            return {}
        key = (*words, env.get("PATH", ""))
        if key not in self._programs:
            self._programs[key] = program_digest(words, env, self._root) or UNKNOWN
        return {"program": self._programs[key]}

    def _settings(
        self, step: Step, kind: type[TypedStep[Any, Any, Any]] | None, env: Mapping[str, str]
    ) -> Effective | None:
        """The settings; nothing when they cannot be read, which the step will say better."""
        if kind is None:
            return None
        try:
            return effective(step, kind, env, root=self._root, digest=self._contents)
        except (WurzelError, OSError):
            return None
        except Exception:  # noqa: BLE001 - validators are code of the author, and may raise anything
            return None

    def _contents(self, path: Path) -> str:
        return self._digests.tree(path.absolute(), self._not_input)

    def _environment(self, step: Step, env: Mapping[str, str]) -> list[str]:
        """Configured variables that feed no setting, by name and value; of secrets their presence."""
        pipeline, prefixes = self._pipeline, prefixes_of(step)
        secrets = {*pipeline.secrets, *step.secrets}
        named = {*pipeline.env, *step.env, *(name for name in secrets if name in env)}
        counted = sorted(name for name in named if not name.startswith(prefixes) and not is_ignored(pipeline, name))
        return [
            part for name in counted for part in (name, _PRESENT if name in secrets else without_passwords(env[name]))
        ]


def fingerprint(kinds: Mapping[str, str]) -> str:
    """One digest of all kinds."""
    return combine(part for kind in sorted(kinds) for part in (kind, kinds[kind]))


def reason(last: tuple[Mapping[str, str], str] | None, now: Mapping[str, str], output: str | None) -> str:
    """Why a step must run, for people; empty when nothing has changed.

    `last` is what it last ran with, and the digest of the manifest it wrote; `output` that of its complete dataset, if
    any.
    """
    if last is None:
        return "first run here" if output is None else "not run here before"
    inputs, before = last
    unknown = [text for kind, text in _KINDS.items() if now.get(kind) == UNKNOWN]
    changed = [text for kind, text in _KINDS.items() if inputs.get(kind) != now.get(kind) and text not in unknown]
    if why := [f"{_listed(texts)} {how}" for texts, how in ((changed, "changed"), (unknown, "unknown")) if texts]:
        return ", ".join(why)
    if output is None:
        return "output missing or damaged"
    return "" if output == before else "output changed by something else"


def named(kinds: Iterable[str]) -> str:
    """Kinds of what a step depends on, for people."""
    return _listed([_KINDS[kind] for kind in kinds])


def always_runs(step: Step) -> str:
    """Why a step runs even if nothing has changed; empty for most."""
    if step.polls:
        return "reads an outside source"
    if step.self_consuming:
        return "reads its own last output"
    return "" if step.cache else "is never cached"


def _listed(texts: Sequence[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def _read(step: Step, data: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """For each input its name and the digests of what it reads, in the order of the `>>`s."""
    for name in dict.fromkeys([*(port.name for port in step.inputs), *(edge.input for edge in step.needs)]):
        yield combine([name, *(data[edge.step, edge.output] for edge in step.needs if edge.input == name)])


def _python() -> str:
    return "{}.{}".format(*sys.version_info[:2])


def _class(run: str) -> type[TypedStep[Any, Any, Any]] | None:
    from wurzel.core.importing import import_object
    from wurzel.core.typed_step import TypedStep

    try:
        found = import_object(run)
    except WurzelError:
        return None
    return found if isinstance(found, type) and issubclass(found, TypedStep) else None


def _text(port: InputPort | OutputPort) -> str:
    """A port as compact JSON; fingerprints of earlier runs have it in the very same form."""
    return json.dumps(json_form(port, defaults=True), ensure_ascii=False, separators=(",", ":"))


def _cache_key(step: Step, kind: type[TypedStep[Any, Any, Any]] | None) -> str:
    return step.cache_key if kind is None else kind.cache_key


_PATIENCE = 60.0


def version_words(step_class: type[TypedStep[Any, Any, Any]] | None) -> Sequence[str]:
    """The command that prints the version of a step's program; empty for a step that is not a program."""
    if "wurzel.core.command_step" not in sys.modules:
        return ()  # a class that has not been imported has no subclasses
    from wurzel.core.command_step import CommandStep

    return step_class.version if step_class is not None and issubclass(step_class, CommandStep) else ()


def program_digest(words: Sequence[str], environ: Mapping[str, str], root: Path) -> str | None:
    """The digest of what a program prints on both streams; `None` if it cannot start, hangs or prints nothing."""
    import subprocess  # only pipelines with programs need it

    try:
        done = subprocess.run(
            list(words),
            env=dict(environ),
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if not done.stdout and not done.stderr:
        return None
    return sha256(b"%d\0%b\0%b" % (len(done.stdout), done.stdout, done.stderr)).hexdigest()
