"""The files of each step of a pipeline, relative to the project: source, and what texts of settings name.

What source files import is kept in the user's cache between renders: parsing them takes 9 ms of a cold `wurzel render
-t dvc` of the example. It depends on the bytes of a file alone, which are read and hashed each time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.git_folder import ignored, repository_of
from wurzel.invocation.code import Code, bases, python_path
from wurzel.invocation.digests import READERS, FileDigests
from wurzel.invocation.modules import SITES
from wurzel.user_cache import entry, read, write

if TYPE_CHECKING:
    from wurzel.ir.model import Pipeline


@contextlib.contextmanager
def kept_imports(root: Path) -> Iterator[FileDigests]:
    """Digests that know what files of this project folder imported when they had the same bytes."""
    digests = FileDigests()
    path = entry(".imports", READERS, [os.fsencode(os.path.realpath(root))])
    known = digests.reads = (read(path) or {}) if path is not None else {}
    before = dict(known)
    yield digests
    if path is not None and known != before:
        write(path, {file: found for file, found in known.items() if found != before.get(file) or Path(file).exists()})


def with_sources(pipeline: Pipeline, root: Path) -> Pipeline:
    """The pipeline with the files of each step, relative to `root`: source, and those that texts of settings name.

    Files that git ignores are in no other checkout, which would give other rendered files; those of DVC are.
    """
    from wurzel.invocation.settings import named_by, texts_of

    not_source, path = [root / pipeline.data_dir], python_path(pipeline)
    with kept_imports(root) as digests:
        code = Code(root, digests, not_source=not_source, packages=False, path=path)
        files = {
            step.id: relative_files(
                [*code.files(step, bases(step), texts_of(step)), *named_by(step, root, not_source)], root
            )
            for step in pipeline.steps
        }
    without = {path for path in ignored(root, chain(*files.values())) if not _is_of_dvc(root / path)}
    steps = [
        step.model_copy(update={"sources": tuple(path for path in files[step.id] if path not in without)})
        for step in pipeline.steps
    ]
    return pipeline.model_copy(update={"steps": tuple(steps)})


def relative_files(files: Iterable[Path], root: Path) -> tuple[str, ...]:
    """Paths of source files relative to the project folder, for those that lie in the project or its repository."""
    root, found = root.absolute(), set()
    for file in files:
        path = os.path.relpath(file, root)
        if path.startswith(".."):
            path, top = os.path.relpath(os.path.realpath(file), os.path.realpath(root)), repository_of(root)
            if top is None or not Path(os.path.realpath(file)).is_relative_to(top):
                continue
        if not SITES & set(Path(path).parts):
            found.add(Path(path).as_posix())
    return tuple(sorted(found))


def _is_of_dvc(path: Path) -> bool:
    """Whether `dvc add` has put a file, or a folder around it, below git's ignored ones."""
    return any(above.with_name(f"{above.name}.dvc").exists() for above in (path, *path.parents) if above.name)
