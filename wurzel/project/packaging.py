"""How a project declares the packages that it needs: which program installs them, and from which files."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from wurzel.named_tuples import NamedTuple

Manager = Literal["uv", "poetry", "pdm", "requirements", "conda", "pyproject", "setup.py", "none"]

_LOCKS: Mapping[Manager, str] = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock"}
_CONDA = ("environment.yml", "environment.yaml")
_INCLUDES = r"(?m)^[ \t]*(?:-[rc]|--requirement|--constraint)[ \t=]*([^\s#]+)"
_EXTRAS = r"(?:\[[^]]*\])?"
_FILE = rf"(?:[\w.-]+{_EXTRAS}[ \t]*@[ \t]*)?(?:file:)?"
_LOCAL = (
    r"(?m)^[ \t]*(?:(?:-e[ \t=]*|--editable[ \t=]+)(?:file:)?(?P<linked>[^\s#;\[:]+)"
    rf"|{_FILE}(?P<path>\.{{1,2}}(?:/[^\s#;\[]*)?|[\w/][^\s#;\[:@=<>~!]*/[^\s#;\[:]*))"
    rf"{_EXTRAS}[ \t]*(?:#.*|;.*)?$"
)
_NEEDED = (
    rf"(?m)^[ \t]*(?:(?:-f|--find-links)[ \t=]*|{_FILE}(?=\.{{1,2}}/|[^\s#;\[:]+\.(?:whl|zip|tar\.\w+)))"
    r"([^\s#;\[]+)"
)
_WURZEL = {
    "lock": r'(?m)^name = "wurzel"\nversion = "([^"]+)"$',
    "requirements": (
        rf"(?im)^[ \t]*wurzel(?![\w.-]){_EXTRAS}[ \t]*((?:[=<>~!@][^#;\\\n]*?)?)[ \t]*(?=--|[#;\\\n]|\Z)"
        r"|^[^\s#]*/(wurzel[-@.][^\s#]*)|^(wurzel-[^\s#]*\.whl)"
    ),
    "conda": rf"\bwurzel{_EXTRAS}[ \t]*((?:[=<>~!@][^,\]}}#\n\"']*)?)",
    "pyproject": (
        rf"""(?m)["']wurzel{_EXTRAS}[ \t]*((?:[=<>~!@][^"';]*)?)["';]|^wurzel[ \t]*=[ \t]*["'{{]([^"'}}]*)"""
    ),
}
"""Where files name wurzel, and the version that they ask for."""


class Packages(NamedTuple):
    """What a project installs."""

    manager: Manager
    """What installs it: the program with a lock file, pip from `requirements` or `pyproject`, or nothing at all."""
    files: Sequence[str] = ()
    """The files that say it, relative to the project; those of a workspace are above it."""
    siblings: Sequence[str] = ()
    """Folders outside the project that are installed by their path, relative to the project."""
    wurzel: str | None = None
    """Which wurzel these files ask for, as `==0.1.0`, or what a lock file has; `None` if they do not name it."""
    has_hashes: bool = False
    """Whether pip holds every package to a hash: with one in requirements.txt it refuses all that have none."""

    @property
    def main(self) -> str:
        """The file whose change changes what is installed; '' if there is none."""
        return self.files[-1] if self.manager in _LOCKS else next(iter(self.files), "")


def packages_of(project: Path, top: Path | None = None) -> Packages:
    """What a project installs, by its files; a uv workspace may have its lock file at the `top`."""
    top = top or project
    for manager, lock in _LOCKS.items():
        folder = _workspace(project, top) if manager == "uv" else project
        if folder is not None and (folder / lock).is_file() and (project / "pyproject.toml").is_file():
            return _locked(manager, project, folder, top, lock)
    conda = next((name for name in _CONDA if (project / name).is_file()), "")
    if (project / "requirements.txt").is_file() and "requirements.txt" not in text_of(project / conda):
        files = included(project, "requirements.txt")
        text = "\n".join(text_of(project / name) for name in files)
        has_hashes = re.search(r"--(?:hash=|require-hashes\b)", text) is not None
        return Packages("requirements", files, _siblings(project, top), _asked("requirements", text), has_hashes)
    if conda:
        text = text_of(project / conda) + "\n".join(text_of(project / n) for n in included(project, "requirements.txt"))
        return Packages("conda", [conda], _siblings(project, top), _asked("conda", text))
    text = text_of(project / "pyproject.toml")
    if {"project", "build-system"} & _toml(project / "pyproject.toml").keys() or "[tool.poetry]" in text:
        return Packages("pyproject", ["pyproject.toml"], _siblings(project, top), _asked("pyproject", text))
    if (project / "setup.py").is_file():
        return Packages("setup.py", ["setup.py"], (), _asked("pyproject", text_of(project / "setup.py")))
    return Packages("none")


def local_folders(project: Path, text: str) -> dict[str, Path]:
    """Folders that lines of a file for pip install, by the line."""
    found = (match for match in re.finditer(_LOCAL, text) if "\0" not in match.group())
    matches = ((match.group(), (project / (match["linked"] or match["path"])).resolve()) for match in found)
    return {line: path for line, path in matches if path.is_dir()}


def local_archives(project: Path, text: str) -> list[Path]:
    """Wheels and other archives that lines of a file for pip install, and the folders in which it looks for some."""
    found = [match for match in re.finditer(_NEEDED, text) if "\0" not in match.group()]
    paths = [(match.group().lstrip()[:1] == "-", (project / match.group(1)).resolve()) for match in found]
    return [path for is_option, path in paths if path.is_file() or (is_option and path.is_dir())]


def locked_paths(lock: Path) -> list[str]:
    """Files and folders that a lock file installs by their path, as it writes them; without the project itself."""
    packages = [package for package in _list(_toml(lock).get("package")) if isinstance(package, dict)]
    found: list[Any] = [package.get("path") for package in packages]  # pdm
    for source in (_table(package, "source") for package in packages):
        found += [source.get("path"), source.get("directory"), source.get("editable")]  # uv
        found += [source.get("url")] if source.get("type") in {"file", "directory"} else []  # poetry
    return [path for path in found if isinstance(path, str) and "\0" not in path and path.strip("./")]


def workspace_members(project: Path) -> list[str]:
    """Folders of the members of a uv workspace whose root is the project, relative to it."""
    found = _members(project, _table(_toml(project / "pyproject.toml"), "tool", "uv", "workspace"))
    return [path.relative_to(project).as_posix() for path in found if (path / "pyproject.toml").is_file()]


def hides_dependencies(project: Path) -> bool:
    """Whether only the build backend knows what the project needs: `dynamic`, or poetry without `[project]`."""
    data = _toml(project / "pyproject.toml")
    own = _table(data, "project")
    return "dependencies" not in own and (
        "dependencies" in _list(own.get("dynamic")) or bool(_table(data, "tool", "poetry", "dependencies"))
    )


def included(project: Path, name: str) -> list[str]:
    """A file for pip, and those that it includes, each relative to the project, whether it is there or not."""
    seen = [name]
    for file in seen:  # grows while it is read
        for other in re.findall(_INCLUDES, text_of(project / file)):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(file), other))
            if "://" not in other and "\0" not in other and path not in seen:
                seen.append(path)
    return seen


def _locked(manager: Manager, project: Path, folder: Path, top: Path, lock: str) -> Packages:
    up = "" if folder == project else Path(os.path.relpath(folder, project)).as_posix() + "/"
    files = ["pyproject.toml", *([f"{up}pyproject.toml"] if up else []), f"{up}{lock}"]
    locked = _asked("lock", text_of(folder / lock))
    return Packages(manager, files, _siblings(project, top), f"=={locked}" if locked is not None else None)


def _asked(kind: str, text: str) -> str | None:
    found = re.search(_WURZEL[kind], text)
    return "".join(group or "" for group in found.groups()).strip() if found is not None else None


def _workspace(project: Path, top: Path) -> Path | None:
    """The folder with the lock file of uv: the project, or the root of the workspace that it is a member of."""
    if (project / "uv.lock").is_file():
        return project
    for folder in project.parents if project.is_relative_to(top) and project != top else ():
        file = folder / "pyproject.toml"
        # Most files have none, and parsing one takes 4 ms of a cold start.
        workspace = _table(_toml(file), "tool", "uv", "workspace") if "workspace" in text_of(file) else {}
        if workspace:
            return folder if project in _members(folder, workspace) else None
        if folder == top:
            return None
    return None


def _members(root: Path, workspace: Mapping[str, Any]) -> list[Path]:
    members, left_out = (
        [path for pattern in _list(workspace.get(key)) if _is_below(pattern) for path in sorted(root.glob(pattern))]
        for key in ("members", "exclude")
    )
    return [path for path in members if path not in left_out]


def _is_below(pattern: Any) -> bool:
    return (
        isinstance(pattern, str)
        and "\0" not in pattern
        and bool(pattern.strip("./"))
        and not Path(pattern).is_absolute()
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _siblings(project: Path, top: Path) -> list[str]:
    """Folders of the repository that are installed by their path, with those that they install, from the project."""
    seen = [project.resolve()]
    for folder in seen:  # grows while it is read
        seen += [path for path in _local(folder, top) if path not in seen and path.is_relative_to(top.resolve())]
    outside = (path for path in seen if not path.is_relative_to(project.resolve()))
    return sorted(Path(os.path.relpath(path, project.resolve())).as_posix() for path in outside)


def _local(folder: Path, top: Path) -> Iterator[Path]:
    """Folders that the files of a folder install by their path."""
    for name in included(folder, "requirements.txt"):
        yield from local_folders(folder, text_of(folder / name)).values()
    data = _toml(folder / "pyproject.toml")
    sources = _table(data, "tool", "uv", "sources")
    paths = _paths([sources, _table(data, "tool", "poetry"), _table(data, "tool", "pdm")])
    yield from (found for path in paths if "\0" not in path and (found := (folder / path).resolve()).is_dir())
    wanted = {name for name, source in _tables(sources) if source.get("workspace") is True}
    root = _workspace(folder, top) if wanted else None
    if root is not None:
        workspace = _table(_toml(root / "pyproject.toml"), "tool", "uv", "workspace")
        members = ((path, _table(_toml(path / "pyproject.toml"), "project")) for path in _members(root, workspace))
        yield from (path.resolve() for path, about in members if str(about.get("name")) in wanted)


def _table(value: Any, *keys: str) -> dict[str, Any]:
    """The table below these keys; empty if there is none, or something else, which its own program reports."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _tables(value: Any) -> Iterable[tuple[str, dict[str, Any]]]:
    items = value.items() if isinstance(value, dict) else ()
    return [(name, table) for name, table in items if isinstance(table, dict)]


def _paths(value: Any) -> list[str]:
    """Every `path` of a table below a value."""
    if isinstance(value, list):
        return [path for item in value for path in _paths(item)]
    if not isinstance(value, dict):
        return []
    own = [value["path"]] if isinstance(value.get("path"), str) else []
    return own + [path for item in value.values() for path in _paths(item)]


def text_of(path: Path) -> str:
    """The contents of a file; nothing if it is not there or not readable, which its own programs report."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _toml(path: Path) -> dict[str, Any]:
    """The contents of a file; nothing if it is not there or not valid, which its own programs report."""
    text = text_of(path)
    if not text:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
