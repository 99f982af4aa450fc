"""Orphaned files: rendered earlier, but their pipeline, target or path is no longer in the configuration.

No record of written files is kept. The first line of a file names the command that writes it, and that is compared
with the current request.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.git_folder import git
from wurzel.project.load import FILE
from wurzel.render.header import MARK, command_of, project_of

if TYPE_CHECKING:
    from wurzel.project.jobs import Request
    from wurzel.project.place import Place

_HEAD = 8192
"""Bytes at the start of a file that are searched for a header."""
_HIDDEN = frozenset({".github", ".gitlab"})
"""Hidden folders that may contain rendered files."""
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


def orphans(place: Place, request: Request, planned: Collection[str]) -> list[str]:
    """Sorted paths, from the output folder, of files that a request covers but no longer writes.

    Files of other requests are not among them: for another pipeline, target, environment, `--set` or output folder, or
    for a pipeline given as `module:attribute`. `planned` are the paths of the files it writes.
    """
    root = place.root
    own = {os.path.realpath(root / path) for path in planned}
    found = [(path, "") for path in _candidates(root)]
    if place.up:
        found += [(f"{place.up}{path}", place.folder) for path in _at_top(place.top)]
    heads = ((path, project, _head(root / path)) for path, project in found)
    return sorted(
        path
        for path, project, head in heads
        if project_of(head) == project
        and _covers(request, command_of(head))
        and os.path.realpath(root / path) not in own
    )


def _at_top(top: Path) -> Iterator[str]:
    """Paths of files that platforms read at the top of a repository."""
    for pattern in (".github/workflows/*", ".gitlab/*", "*.gitlab-ci.yml", "templates/*.yml"):
        yield from (path.relative_to(top).as_posix() for path in top.glob(pattern) if path.is_file())


def _covers(request: Request, command: Sequence[str]) -> bool:
    """Whether the command that wrote a file is part of the request."""
    match command:
        case ["wurzel", "render", pipeline, "-t", target, *options] if request.ir is None:
            pass
        case _:
            return False
    return (
        ":" not in pipeline
        and (not request.pipelines or pipeline in request.pipelines)
        and (not request.targets or target in request.targets)
        and options == request.shared_options
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _candidates(root: Path) -> Iterator[str]:
    """Paths of files that may have our header, except those of nested projects."""
    if not root.is_dir():
        return
    nested: dict[str, bool] = {"": False}
    tracked = _by_git(root)
    for path in _by_walk(root) if tracked is None else tracked:
        if not _is_nested(root, os.path.dirname(path), nested) and not (root / path).is_symlink():  # noqa: PTH120
            yield path


def _is_nested(root: Path, folder: str, known: dict[str, bool]) -> bool:
    if folder not in known:
        above = _is_nested(root, os.path.dirname(folder), known)  # noqa: PTH120
        known[folder] = above or (root / folder / FILE).exists()
    return known[folder]


def _by_git(root: Path) -> list[str] | None:
    """Found by git among tracked and not ignored files; `None` without git or a repository."""
    words = ["-c", "grep.fullName=false", "-c", "submodule.recurse=false", "grep", "-l", "-z", "--no-color"]
    code, found = git(root, [*words, "--untracked", "--fixed-strings", "-e", MARK])
    return [os.fsdecode(name) for name in found.split(b"\0") if name] if code in {0, 1} else None


def _by_walk(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if _may_hold(Path(folder, name)))
        for file in files:
            path = Path(folder, file)
            if path.is_file() and MARK.encode() in _head(path):
                yield path.relative_to(root).as_posix()


def _may_hold(folder: Path) -> bool:
    if folder.name.startswith(".") and folder.name not in _HIDDEN:
        return False
    return folder.name not in _SKIPPED and not (folder / "pyvenv.cfg").exists() and not (folder / FILE).exists()
