"""Readers of what is rendered: Python's, dash and bash, and after `make engines` those of Go, npm and Ruby."""

import json
import math
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from queue import Queue
from threading import Thread

import yaml
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "engines" / "readers"
ENGINE = ROOT / ".engines" / "readers"
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def tagged(value):
    """A value with its type, as the readers of other languages write it."""
    if isinstance(value, list):
        return ["list", [tagged(item) for item in value]]
    if isinstance(value, dict):
        return ["map", sorted([tagged(key), tagged(item)] for key, item in value.items())]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ["number", number(value)]
    names = {type(None): "null", bool: "bool", str: "text"}
    return [names.get(type(value), type(value).__name__), *([] if value is None else [value])]


def number(value):
    """A number as every reader has it: one of 64 bits. JavaScript's has no type of its own for whole numbers."""
    found = float(value)
    return "nan" if math.isnan(found) else "inf" if found == math.inf else "-inf" if found == -math.inf else found + 0.0


def normal(found):
    """What a reader of another language has written, comparable with `tagged`."""
    kind, *rest = found
    if kind == "number":
        return ["number", number(float(rest[0]))]
    if kind == "list":
        return ["list", [normal(item) for item in rest[0]]]
    if kind == "map":
        return ["map", sorted([normal(key), normal(item)] for key, item in rest[0])]
    return found


class Foreign:
    """A program that reads one YAML text per line and answers with what its readers found."""

    def __init__(self, *argv, cwd=None):
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, cwd=cwd, text=True, encoding="utf-8")
        self._answers = Queue()
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        for line in self._process.stdout:  # at once: it stops reading when nobody takes its answers
            self._answers.put(line)
        self._answers.put("")

    def send(self, texts):
        """Let it begin to read."""
        self._process.stdin.writelines(json.dumps(text) + "\n" for text in texts)
        self._process.stdin.flush()

    def receive(self):
        """Reader to what it found in the next text."""
        return json.loads(self._answers.get())

    def close(self):
        """End it."""
        self._process.stdin.close()
        self._process.wait(10)
        self._listener.join(10)
        self._process.stdout.close()


def foreign():
    """Those that are installed."""
    found = []
    if (ENGINE / "bin" / "readers").exists():
        found.append(Foreign(str(ENGINE / "bin" / "readers")))
    if shutil.which("node") and (ENGINE / "node_modules" / "yaml").exists():
        shutil.copyfile(SOURCES / "read.mjs", ENGINE / "read.mjs")
        found.append(Foreign("node", "read.mjs", cwd=ENGINE))
    if shutil.which("ruby"):
        found.append(Foreign("ruby", str(SOURCES / "read.rb")))
    return found


def yaml_here(text, *, slow):
    """What the readers of this Python find."""
    yield "PyYAML", yaml.load(text, yaml.CSafeLoader)
    if slow:
        yield "ruamel.yaml", YAML(typ="safe", pure=True).load(text)


def yaml_problems(texts, wanted, others=(), *, slow=1):
    """For each of the texts, the readers that find something else than is wanted, each with what it found.

    The slowest is asked about one of `slow` texts.
    """
    for reader in others:
        reader.send(texts)  # all of them read at the same time
    for number, (text, value) in enumerate(zip(texts, wanted, strict=True)):
        found = [pair for reader in others for pair in reader.receive().items()]
        yield list(_differing(text, tagged(value), found, slow=number % slow == 0))


def _differing(text, expected, answers, *, slow):
    try:
        for name, found in yaml_here(text, slow=slow):
            if tagged(found) != expected:
                yield name, found
    except Exception as error:  # noqa: BLE001 - whatever a reader does
        yield "a reader here", repr(error)
    for name, found in answers:
        if found[0] == "error" and name == "sigs.k8s.io/yaml" and _beyond_json(expected):
            continue
        if normal(found) != expected:
            yield name, found


def _beyond_json(found):
    """Infinities, which `sigs.k8s.io/yaml` refuses because it goes through JSON."""
    kind, *rest = found
    if kind == "number":
        return isinstance(rest[0], str)
    parts = rest[0] if kind == "list" else [part for pair in rest[0] for part in pair] if kind == "map" else []
    return any(map(_beyond_json, parts))


def shell_problems(texts, wanted):
    """For each of the scripts, the shells that print other words than are wanted, each with what it printed."""
    printed = {}
    for shell in SHELLS:
        mine = [number for number, text in enumerate(texts) if shell == "bash" or not text.startswith("#!/bin/bash")]
        printed[shell] = dict(zip(mine, _printed(shell, [texts[number] for number in mine]), strict=True))
    for number, words in enumerate(wanted):
        expected = "".join(f"{word}\0" for word in words).encode()
        said = [(shell, outputs[number]) for shell, outputs in printed.items() if number in outputs]
        yield [(shell, output) for shell, output in said if output != expected]


def _printed(shell, texts):
    """What a shell prints for each script, each in a separate process."""
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "HOME": "/nowhere"}
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            Path(folder, str(number)).write_text(text, encoding="utf-8")
        mark = "\1end of a script\1"
        runs = f"for n in {' '.join(map(str, range(len(texts))))}; do ( . ./$n ); printf '{mark}'; done"
        done = subprocess.run(
            [shell, "-c", runs], capture_output=True, check=False, env=environment, cwd=folder, timeout=600
        )
    return done.stdout.split(mark.encode())[:-1]


def python_problems(texts, wanted):
    """For each of the modules, what Python finds where it is something else than is wanted."""
    for text, value in zip(texts, wanted, strict=True):
        names = {}
        with suppress(SyntaxError):
            exec(compile(text, "x.py", "exec"), names)
        found = {name: names.get(name) for name in value}
        yield [("Python", found)] if repr(found) != repr(value) else []
