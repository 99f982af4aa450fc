"""Parses finished files: YAML by a C parser, Python by the compiler, shell scripts by the shell itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast


class Unreadable(ValueError):
    """Text that cannot be parsed, and the offset of the error."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def yaml_events(text: str) -> Iterator[Any]:
    """The events of a YAML text of any number of documents (`ruamel.yaml.events`).

    Raises `Unreadable` when it is not valid YAML, a mapping has a duplicate key or one that is not a scalar, an alias
    has no anchor, or it contains a character that is a line end in YAML 1.1 but not in 1.2.
    """
    import re

    from wurzel.yaml_events import CParser, YAMLError

    if not text.isascii() and (found := re.search("[\x85\u2028\u2029\ufeff]", text)):
        raise Unreadable(f"it contains {found.group()!a}, which YAML readers interpret differently", found.start())
    try:
        parser = CParser(text)
        watch = _Watch()
        while (event := parser.get_event()) is not None:
            watch.see(event)
            yield event
    except YAMLError as error:
        raise _unreadable(error) from None
    except UnicodeEncodeError as error:
        raise Unreadable("half of a surrogate pair, which a file cannot contain", error.start) from None


def _unreadable(error: Any) -> Unreadable:
    """The place of a parse error; for an unterminated construct, the place where it starts."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    if "could not find expected ':'" in problem or "end of stream" in problem:
        marks.reverse()
    mark = marks[0] or marks[1]
    return Unreadable(problem, mark.index if mark else getattr(error, "position", 0) or 0)


class _Watch:
    """Tracks keys of open mappings and anchors of the document, which the parser does not check."""

    def __init__(self) -> None:
        from wurzel.yaml_events import events

        self._starts: dict[type, bool] = {events.MappingStartEvent: True, events.SequenceStartEvent: False}
        self._ends = {events.MappingEndEvent, events.SequenceEndEvent}
        self._scalar, self._alias, self._document = events.ScalarEvent, events.AliasEvent, events.DocumentStartEvent
        self._open: list[tuple[set[str] | None, bool]] = []
        self._keys: set[str] | None = None
        """Those of the innermost mapping; none in a list, or outside of all."""
        self._key_next = True
        self._anchors: set[str] = set()

    def see(self, event: Any) -> None:
        kind = type(event)
        if kind is self._scalar:
            if self._keys is not None:
                self._see_item(self._keys, event)
            if event.anchor:
                self._anchors.add(event.anchor)
        elif kind in self._ends:
            self._keys, self._key_next = self._open.pop()
        elif kind in self._starts:
            self._begin(kind, event)
        elif kind is self._alias:
            if event.anchor not in self._anchors:
                raise Unreadable(f"the alias *{event.anchor} has no anchor", event.start_mark.index)
            self._key_next = not self._key_next
        elif kind is self._document:
            self._anchors.clear()

    def _see_item(self, keys: set[str], event: Any) -> None:
        if self._key_next:
            if event.value in keys:
                raise Unreadable(f"the key {event.value!r} occurs twice in one mapping", event.start_mark.index)
            keys.add(event.value)
        self._key_next = not self._key_next

    def _begin(self, kind: type, event: Any) -> None:
        if self._keys is not None and self._key_next:
            problem = "a mapping or list is used as a key; quote a text that starts with a bracket"
            raise Unreadable(problem, event.start_mark.index)
        if event.anchor:
            self._anchors.add(event.anchor)
        self._open.append((self._keys, not self._key_next))
        self._keys, self._key_next = set() if self._starts[kind] else None, True


@contextmanager
def without_collection() -> Iterator[None]:
    """Collect no garbage: pieces, events and trees have no cycles, and looking for some takes a third of the time."""
    import gc

    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def python_tree(text: str, *, compiles: bool = True) -> ast.Module:
    """The syntax tree of a Python text that also compiles, if asked for. Raises `Unreadable` when it does not."""
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
            if compiles:
                compile(tree, "<rendered>", "exec", dont_inherit=True)
        except SyntaxError as error:
            offset = _offset(text, error.lineno or 1, (error.offset or 1) - 1)
            raise Unreadable(error.msg, offset) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(str(error) or type(error).__name__, 0) from None
    return tree


def shell_syntax(text: str) -> None:
    """Let the shell that the first line names, or `sh`, parse the text, if this computer has it. Raises `Unreadable`.

    The user's cache remembers a text that was accepted, so that it is parsed once.
    """
    import re

    first = text.partition("\n")[0]
    name = "bash" if first.startswith("#!") and re.search(r"\bbash\b", first) else "sh"
    paths = [f"{folder}/{name}" for folder in os.get_exec_path()]  # `shutil.which` brings compressors: 2 ms
    shell = next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)  # noqa: PTH113
    if shell is None:
        return
    from wurzel.user_cache import entry, remember, remembers

    mark = entry(".accepted", (), _accepted(shell, text))
    if mark is not None and remembers(mark):
        return
    import subprocess  # slow, and only needed for shell templates

    done = subprocess.run([shell, "-n"], input=text.encode(), capture_output=True, timeout=60, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        match = re.search(r"(?:line )?(\d+): (.*)", reason)
        line, message = (int(match.group(1)), match.group(2)) if match else (1, reason)
        raise Unreadable(message, _offset(text, line, 0))
    if mark is not None:
        remember(mark)


def _accepted(shell: str, text: str) -> Iterator[bytes]:
    """What to remember of a text that a shell accepts: another version of the shell has not accepted it."""
    from wurzel.invocation.digests import status

    path = Path(shell).resolve()
    yield f"{path} {status(path.stat())}\n{text}".encode(errors="surrogatepass")


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        found = text.find("\n", start)
        if found < 0:
            return len(text)
        start = found + 1
    return min(start + column, len(text))
