"""Render generated templates and read what comes out: `python tests/hostility/search.py FIRST COUNT [SECONDS]`."""

import gc
import os
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.hostility import readers
from tests.hostility.budget import MEMORY
from tests.hostility.grammar import SHARED, Template, generate
from wurzel.exceptions import QuotingError, TemplateError
from wurzel.render import Renderer

WHERE = re.compile(r"(?:\d+-)?[\w.]+\.j2:[1-9]\d*")
BATCH = 200
"""Templates that share a renderer and its caches, a folder, and one call of each reader."""
DRAWS = 8
"""How often each template is rendered, with other values each time."""
SLOW = 100
"""Of so many files one is read by a reader that takes longer than all others together."""


class Read(NamedTuple):
    """A file that is rendered, and what a reader must find in it."""

    seed: int
    draw: int
    template: Template
    text: str
    wanted: Any


class Search:
    """Renders templates of the grammar one after the other and asks every reader what they say."""

    def __init__(self, others=()):
        self._others = others
        self.structures = 0
        self.counts = Counter()

    def problems(self, seeds):
        """What is wrong with the templates of the seeds, at most `BATCH`, with each of several draws of values."""
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            for name, text in SHARED.items():
                Path(folder, name).write_text(text)
            renderer, files = Renderer(["."], root=folder), []
            for seed in seeds:
                try:
                    with no_shell():  # those that read the files are enough; see `_misread`
                        yield from self._rendered(renderer, Path(folder), seed, files)
                except Exception as error:  # noqa: BLE001 - a traceback is what is searched for
                    yield f"== seed {seed}: traceback: {error!r}"
            for file, name, found in self._different(files):
                yield from self._misread(renderer, file, name, found)

    def _rendered(self, renderer, folder, seed, files):
        """What is wrong before anything is read; what is to be read goes to `files`."""
        template, _ = generate(seed)
        for name, text in template.files.items():
            (folder / f"{seed}-{name}").write_text(text.replace("@/", f"{seed}-"), encoding="utf-8")
        self.structures += 1
        seen = set()
        for draw in range(DRAWS):
            template, wanted = generate(seed, draw)
            try:
                text = render(renderer, seed, template)
            except TemplateError as error:
                yield from self._refused(seed, template, error)
                if not isinstance(error, QuotingError):
                    break  # the template itself is refused, whatever the values are
                continue
            self.counts[f"{template.language}, read"] += 1
            file = Read(seed, draw, template, text, wanted)
            if wanted is None:
                yield from self._misread(renderer, file, "nobody", "that it had to be refused")
            elif text not in seen:
                seen.add(text)
                files.append(file)

    def _refused(self, seed, template, error):
        self.counts[f"{template.language}, refused"] += 1
        if not WHERE.fullmatch(error.where):
            yield f"== seed {seed}: no place: {error.where!r}: {error}"

    def _different(self, files):
        """Each file in which a reader finds something else than is wanted, with its name and what it found."""
        reading = {"YAML": self._yaml, "shell": readers.shell_problems, "Python": readers.python_problems}
        for language, read in reading.items():
            those = [file for file in files if file.template.language == language]
            problems = read([file.text for file in those], [file.wanted for file in those])
            for file, found in zip(those, problems, strict=True):
                yield from ((file, name, what) for name, what in found)

    def _yaml(self, texts, wanted):
        return readers.yaml_problems(texts, wanted, self._others, slow=SLOW)

    def _misread(self, renderer, file, name, found):
        """What is wrong, unless a shell that parses the script before it is written refuses it."""
        if file.template.language == "shell":
            try:
                render(renderer, file.seed, file.template)
            except TemplateError as error:
                self.counts["shell, read"] -= 1
                yield from self._refused(file.seed, file.template, error)
                return
        yield (
            f"== seed {file.seed}, draw {file.draw}: {name} found {found!r}\nwanted {file.wanted!r}\n"
            f"in\n{file.text}\nof {file.template.files}\n"
        )


def render(renderer, seed, template):
    """The file with the values of a draw."""
    return renderer.render(f"{seed}-x.{template.suffix}.j2", template.context).text


@contextmanager
def no_shell():
    """Render as where no shell is there to parse a script: a process for each is half of the time."""
    before = os.environ["PATH"]
    os.environ["PATH"] = ""
    try:
        yield
    finally:
        os.environ["PATH"] = before


def main(first, count, seconds=float("inf")):
    """Try the templates of `count` seeds; print what is wrong, and how many there were."""
    os.environ["XDG_CACHE_HOME"] = "none"  # not a folder: templates that nobody renders again are not kept
    gc.disable()
    others = readers.foreign()
    search, start, wrong = Search(others), time.monotonic(), 0

    def tell():
        total = search.counts.total()
        rate = search.structures / (time.monotonic() - start)
        counts = dict(sorted(search.counts.items()))
        renders = f"{search.structures} templates rendered {total} times, {rate:.0f} templates/s"
        print(f"{renders}, {wrong} wrong, {counts}", flush=True)

    for begin in range(first, first + count, BATCH):
        if time.monotonic() - start > seconds:
            break
        for problem in search.problems(range(begin, min(begin + BATCH, first + count))):
            wrong += 1
            print(problem, flush=True)
        gc.collect()
        if search.structures % (10 * BATCH) == 0:
            tell()
    for reader in others:
        reader.close()
    tell()
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))))
