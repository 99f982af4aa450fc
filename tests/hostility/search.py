"""Render generated templates and read what comes out: `python tests/hostility/search.py FIRST COUNT [SECONDS]`."""

import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.hostility import readers
from tests.hostility.grammar import SHARED, generate
from wurzel.exceptions import QuotingError, TemplateError
from wurzel.render import Renderer

WHERE = re.compile(r"(?:\d+/)?[\w.]+\.j2:[1-9]\d*")
KEPT = 200
"""Templates that one renderer renders before its caches are dropped."""
DRAWS = 8
"""How often each template is rendered, with other values each time."""


class Search:
    """Renders templates of the grammar one after the other and asks every reader what they say."""

    def __init__(self, others=()):
        self._folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self._others = others
        for name, text in SHARED.items():
            (self._folder / name).write_text(text)
        self._renderer = Renderer(["."], root=self._folder)
        self.structures = 0
        self.counts = Counter()

    def close(self):
        """Leave nothing behind."""
        shutil.rmtree(self._folder)

    def problems(self, seed):
        """What is wrong with the template of a seed, with each of several draws of values."""
        template, _ = generate(seed)
        home = self._folder / str(seed)
        home.mkdir()
        for name, text in template.files.items():
            (home / name).write_text(text.replace("@/", f"{seed}/"), encoding="utf-8")
        if self.structures % KEPT == 0:
            self._renderer = Renderer(["."], root=self._folder)
        self.structures += 1
        rendered = {}
        for draw in range(DRAWS):
            template, wanted = generate(seed, draw)
            try:
                text = self._renderer.render(f"{seed}/x.{template.suffix}.j2", template.context).text
            except TemplateError as error:
                self.counts[f"{template.language}, refused"] += 1
                if not WHERE.fullmatch(error.where):
                    yield f"no place: {error.where!r}: {error}"
                if not isinstance(error, QuotingError):
                    break  # the template itself is refused, whatever the values are
                continue
            self.counts[f"{template.language}, read"] += 1
            if wanted is None:
                yield f"draw {draw}: it had to be refused: {text}\nof {template.files}\n"
            else:
                rendered[text] = wanted
        shutil.rmtree(home)
        if rendered:
            yield from self._misread(seed, template, rendered)

    def _misread(self, seed, template, rendered):
        texts, wanted = list(rendered), list(rendered.values())
        if template.language == "YAML":
            problems = readers.yaml_problems(texts, wanted, self._others, slow=seed % 10 == 0)
        elif template.language == "shell":
            problems = readers.shell_problems(texts, wanted)
        else:
            problems = readers.python_problems(texts, wanted)
        for text, value, found in zip(texts, wanted, problems, strict=True):
            for name, what in found:
                yield f"{name} found {what!r}\nwanted {value!r}\nin\n{text}\nof {template.files}\n"


def main(first, count, seconds=float("inf")):
    """Try the templates of `count` seeds; print what is wrong, and how many there were."""
    others = readers.foreign()
    search, start, wrong = Search(others), time.monotonic(), 0

    def tell():
        total = search.counts.total()
        rate = total / (time.monotonic() - start)
        counts = dict(sorted(search.counts.items()))
        renders = f"{search.structures} templates rendered {total} times, {rate:.0f}/s"
        print(f"{renders}, {wrong} wrong, {counts}", flush=True)

    for seed in range(first, first + count):
        if time.monotonic() - start > seconds:
            break
        try:
            problems = list(search.problems(seed))
        except Exception as error:  # noqa: BLE001 - a traceback is what is searched for
            problems = [f"traceback: {error!r}"]
        for problem in problems:
            wrong += 1
            print(f"== seed {seed}: {problem}", flush=True)
        if search.structures % 1000 == 0:
            tell()
    search.close()
    for reader in others:
        reader.close()
    tell()
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))))
