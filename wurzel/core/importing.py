"""Imports what a user names, with the current folder importable, and says clearly when that fails."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from wurzel.core.source_folders import source_folders
from wurzel.exceptions import PipelineError, WurzelError

_LIBRARY = sys.stdlib_module_names
_OURS = frozenset(
    {"click", "cronsim", "dotenv", "jinja2", "markupsafe", "packaging", "pydantic", "pydantic_core", "rich", "ruamel"}
    | {"typing_extensions", "tzdata", "wurzel"}
)
"""What wurzel imports itself, at any time."""
_FOLDER = str(Path(os.__file__).parent)
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_FORMS = "Write module:attribute, for example mypkg.pipelines:rag."


def import_object(name: str) -> Any:
    """The object that `module:attribute` or `module.attribute` names; either side may be dotted.

    Raises `PipelineError` when there is no such module or attribute, or the module cannot be imported; the message then
    has the traceback, shortened to the user's own lines.
    """
    _make_cwd_importable()
    module_name, colon, path = name.partition(":")
    if colon:
        if not (_NAME.fullmatch(module_name) and _NAME.fullmatch(path)):
            raise PipelineError(f"{name!r} does not name an object", hint=_FORMS)
        module = _module_or_none(module_name)
        if module is None:
            raise _no_module(module_name)
        return _walk(module, path, name)
    if not _NAME.fullmatch(name) or "." not in name:
        raise PipelineError(f"{name!r} does not name an object", hint=_FORMS)
    module_name, _, path = name.rpartition(".")
    while True:
        module = _module_or_none(module_name)
        if module is not None:
            return _walk(module, path, name)
        if "." not in module_name:
            raise _no_module(name.rpartition(".")[0])
        module_name, _, first = module_name.rpartition(".")
        path = f"{first}.{path}"


@contextmanager
def apart() -> Iterator[None]:
    """Keep what code of the user prints meanwhile out of standard output, where documents are written.

    It goes to standard error, also what programs and libraries print that it calls.
    """
    with redirect_stdout(sys.stderr), _descriptor_apart():
        yield


@contextmanager
def _descriptor_apart() -> Iterator[None]:
    try:
        sys.__stdout__.flush()  # type: ignore[union-attr] # None, where it was closed: caught as well
        kept = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError, AttributeError):
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def introspecting() -> Iterator[None]:
    """Run code of the user that says what a pipeline is: apart, in the current folder, and without ending us.

    Raises `PipelineError` when that code calls `sys.exit` or `os._exit`; a run or a check would end early, with 0
    perhaps.
    """
    from wurzel.core.tracebacks import place_of

    try:
        with apart(), staying():
            yield
    except SystemExit as error:
        if type(error) not in {SystemExit, _OsExit}:  # one of ours, by which a signal ends a run
            raise
        hint = "Let it return, or raise an error, instead."
        raise PipelineError(f"this code calls {_call(error)}", where=place_of(error), hint=hint) from error


@contextmanager
def staying() -> Iterator[None]:
    """Come back to the current folder, which paths that we were given are relative to; `os._exit` raises meanwhile."""
    here = Path.cwd()
    owner, end = os.getpid(), os._exit

    def raising(status: int) -> NoReturn:
        if os.getpid() == owner:
            raise _OsExit(status)
        end(status)  # a process that was forked meanwhile

    os._exit = raising
    try:
        yield
    finally:
        os._exit = end
        os.chdir(here)


class _OsExit(SystemExit):
    """In place of `os._exit`, after which nobody could tell that a module was never imported to its end."""


def _call(error: SystemExit) -> str:
    return f"{'os._exit' if isinstance(error, _OsExit) else 'sys.exit'}({error.code!r})"


def _module_or_none(name: str) -> ModuleType | None:
    from wurzel.core.tracebacks import place_of, shortened

    try:
        with staying():
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise _broken(name, shortened(error), _blame(error)) from error
    except WurzelError as error:
        error.where = error.where or place_of(error)
        raise
    except SystemExit as error:
        raise _broken(name, f"it calls {_call(error)} at {place_of(error)}") from error
    except Exception as error:
        raise _broken(name, shortened(error), _blame(error)) from error


def _make_cwd_importable() -> None:
    """Put the project's folders in front of installed packages: a checkout, an editable install and a wheel agree."""
    missing = [str(folder) for folder in source_folders(Path.cwd()) if str(folder) not in sys.path]
    if "" in sys.path:
        missing = [folder for folder in missing if folder != str(Path.cwd())]
    if missing:  # not every time: it lists the folders
        hidden = _hidden()
        for name in sorted(_OURS & hidden.keys()):
            import_module(name)
        place = _after_library() if hidden.keys() - _OURS else 0
        sys.path[place:place] = missing


def _hidden() -> dict[str, str]:
    """Modules of the current folder that are named like one of the standard library or of wurzel, by that name.

    That one is imported instead: wurzel and installed packages import theirs at any time, and there is one of a name in
    a process.
    """
    here = Path.cwd()
    found = {}
    for folder in source_folders(here):
        for file in os.listdir(folder):  # noqa: PTH208 - a path for each file costs a cold start 1 ms
            name = file.removesuffix(".py")
            if (name in _LIBRARY or name in _OURS) and (name != file or (folder / name / "__init__.py").exists()):
                path = folder / file if name != file else folder / name / "__init__.py"
                found[name] = path.relative_to(here).as_posix()
    return found


def _after_library() -> int:
    ends = [number for number, path in enumerate(sys.path) if path == _FOLDER or path.endswith("lib-dynload")]
    return max(ends, default=-1) + 1


def _blame(error: BaseException) -> str:
    """The file that the author of a failing import may have meant."""
    name = error.name if isinstance(error, ImportError) else getattr(getattr(error, "obj", None), "__name__", None)
    return _hidden_as(name or "")


def _hidden_as(name: str) -> str:
    file = _hidden().get(name.partition(".")[0])
    return f"{file} has the name of a module of Python or wurzel, which is imported instead: rename it." if file else ""


def _walk(module: ModuleType, path: str, name: str) -> Any:
    value: Any = module
    for part in path.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise _no_attribute(value, part, name) from None
    return value


def _broken(name: str, reason: str, hint: str = "") -> PipelineError:
    return PipelineError(f"the module cannot be imported:\n{reason}", where=name, hint=hint)


def _no_module(name: str) -> PipelineError:
    from wurzel.suggestion import closest

    if name.endswith(".py") or "/" in name or os.sep in name:
        return PipelineError(f"there is no module {name!r}", hint=_FORMS)
    first, _, rest = name.partition(".")
    here, *others = source_folders(Path.cwd())
    paths = [path for folder in (here, *others) for path in folder.iterdir()]
    names = [path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()]
    close = closest(first, names)
    advice = f"Did you mean {close}{'.' if rest else ''}{rest}? " if close not in {"", first} else ""
    inside = ", ".join(folder.relative_to(here).as_posix() for folder in others) or "src"
    return PipelineError(
        f"there is no module {name!r}",
        hint=f"{advice}Modules in {here}, its folder {inside}, and installed packages can be imported.",
    )


def _no_attribute(value: Any, part: str, name: str) -> PipelineError:
    from wurzel.suggestion import did_you_mean

    names = [item for item in dir(value) if not item.startswith("_")]
    what = (
        f"the module {value.__name__!r}" if isinstance(value, ModuleType) else repr(getattr(value, "__name__", value))
    )
    hidden = _hidden_as(value.__name__) if isinstance(value, ModuleType) else ""
    return PipelineError(f"{what} has no attribute {part!r}", where=name, hint=hidden or did_you_mean(part, names))
