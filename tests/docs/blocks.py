"""The code blocks of the documentation, and how each kind is run; CONTRIBUTING.md says how pages are written.

A page is run from top to bottom in a scratch copy of `docs/`: pages of `docs/` in its `examples/rag`, README.md above.
A block whose first line is a comment that names a file is written to that file first.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 120
NEVER = {"apt-get", "docker", "gh", "glab", "kubectl", "npm", "pip", "sudo", "uv"}
"""Programs that reach beyond the scratch folder: a page has to mark them, even where they are installed."""

_FILE = re.compile(r"(?:\{# |# )([\w.-]+(?:/[\w.-]+)*\.\w+)(?::[^\n]*)?(?: #\})?\n")
_MARK = re.compile(r"<!-- (not run|run by|exits): (.*?) -->", re.DOTALL)
_PROGRAMS = re.compile(r"(.*) \(([^()]+)\)", re.DOTALL)
_ANYTHING = "…"


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language and text, and the mark in front of it."""

    page: str
    line: int
    language: str
    text: str
    mark: str
    said: str
    """What the mark says: a reason, a test, or an exit code."""

    @property
    def file(self):
        """The file that its first line names, if it does."""
        found = _FILE.match(self.text)
        return found.group(1) if found else None

    @property
    def left_out(self):
        """Programs that are not run; none at all stands for the whole block."""
        found = _PROGRAMS.fullmatch(self.said) if self.mark == "not run" else None
        return [name.strip() for name in found.group(2).split(",")] if found else []


def blocks(path):
    """The blocks of a page, in order."""
    page = path.relative_to(ROOT).as_posix()
    mark = ("", "")
    found = []
    for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
        if token.type == "html_block":
            match = _MARK.search(token.content)
            mark = match.groups() if match else ("", "")
        elif token.type == "fence":
            found.append(Block(page, token.map[0] + 1, token.info.strip(), token.content, *mark))
            mark = ("", "")
        elif token.type != "inline":
            mark = ("", "")
    return found


class Wrong(Exception):
    """A block does not work as it is written."""


def run(block, root, environment):
    """Run one block in the folder `root`.

    Raises:
        Wrong: with what to do about it.
    """
    if block.mark == "run by":
        test = ROOT / block.said
        if not test.is_file() or Path(block.page).name not in test.read_text(encoding="utf-8"):
            raise Wrong(f"{block.said} is no test that names {Path(block.page).name}")
        return
    if block.file:
        path = _here(root, environment) / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    if block.mark == "not run" and not block.left_out:
        return
    kind = KINDS.get(block.language)
    if kind is None:
        known = ", ".join(sorted(KINDS))
        raise Wrong(f"blocks of {block.language or 'no language'!r} cannot be run: use one of {known}, or {MARK_HINT}")
    kind(block, root, environment)


MARK_HINT = "put `<!-- not run: REASON -->` on a line of its own, and an empty line, in front of it"


def _console(block, root, environment):
    """Commands after `$ `, run one after the other in one shell; what follows one is its output, `…` for anything."""
    steps = _commands(block)
    for program in set(block.left_out) - {command.split()[0] for command, _ in steps}:
        raise Wrong(f"the mark leaves out {program!r}, which no command calls")
    expected = int(block.said) if block.mark == "exits" else 0
    for number, (command, output) in enumerate(steps):
        program = command.split()[0]
        if program in block.left_out:
            continue
        if program in NEVER:
            raise Wrong(f"{program} is never run by tests: {MARK_HINT}")
        done = _shell(command, root, environment)
        code = expected if number == len(steps) - 1 else 0
        if done.returncode != code:
            raise Wrong(f"`{command}` exits {done.returncode}, not {code}:\n{done.stdout}{_hint(done.returncode)}")
        if output and not _pattern(output).fullmatch(done.stdout.rstrip()):
            raise Wrong(f"`{command}` prints\n{done.stdout}\nbut the page says\n{output}")


def _commands(block):
    found = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif found and found[-1][0].endswith("\\"):
            found[-1][0] += "\n" + line
        elif found:
            found[-1][1].append(line)
        else:
            raise Wrong(f"a console block starts with a command after `$ `, not with {line!r}")
    return [(command, "\n".join(output).rstrip()) for command, output in found]


def _pattern(output):
    lines = [
        ".*" if line.strip() == _ANYTHING else r"[^\n]*".join(map(re.escape, line.rstrip().split(_ANYTHING)))
        for line in output.splitlines()
    ]
    return re.compile(r"[ ]*\n".join(lines), re.DOTALL)


def _shell(command, root, environment):
    """Run a command in bash; variables it exports and the folder it changes to last for the page."""
    script = f'cd "$HERE" && {command}\ncode=$?\npwd > "$STATE/here"\nexport -p > "$STATE/exports"\nexit $code\n'
    state = Path(environment["STATE"])
    exports = f'source "{state}/exports"\n' if (state / "exports").exists() else ""
    return subprocess.run(
        ["bash", "-c", f"{exports}HERE={shlex.quote(str(_here(root, environment)))}\n{script}"],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def _here(root, environment):
    """The folder that the commands of the page have changed to."""
    file = Path(environment["STATE"]) / "here"
    return Path(file.read_text(encoding="utf-8").removesuffix("\n")) if file.exists() else root


def _hint(code):
    return "a program that is not there: `<!-- not run: REASON (PROGRAM, …) -->` leaves it out\n" if code == 127 else ""


def _python(block, root, environment):
    done = subprocess.run(
        [sys.executable, block.file or "-"],
        cwd=_here(root, environment),
        env={**environment, "PYTHONPATH": str(_here(root, environment))},
        input="" if block.file else block.text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise Wrong(done.stderr)


def _yaml(block, root, environment):
    """Part of a `wurzel.yaml`, read by the loader; YAML for other programs is only read, and marked."""
    from wurzel.backends.registry import BUILT_IN, get
    from wurzel.exceptions import WurzelError
    from wurzel.project.load import load
    from wurzel.project.model import PipelineConfig, ProjectFile

    content = YAML(typ="safe", pure=True).load(block.text)
    if not isinstance(content, dict):
        raise Wrong(f"this is no part of a wurzel.yaml: {MARK_HINT}")
    keys = set(content)
    target = Path(block.page).stem
    text = block.text
    if keys & {"renames", "files", "filters"}:  # a wurzel-pack.yaml with more than defaults
        _read_pack(text, root)
        return
    if keys == {"version", "pipeline"}:  # a wurzel-pack.yaml: an entry of `pipelines:` without its entrypoint
        content = {"version": 1, "pipelines": {"rag": {"entrypoint": "rag_pipeline:rag", **content["pipeline"]}}}
        text = json.dumps(content)
    elif "version" not in keys:
        if target in BUILT_IN and not keys - set(get(target).options_model.model_fields) and keys != {"targets"}:
            text = f"targets:\n  {target}:\n" + _indented(text, 4)
        if keys <= set(PipelineConfig.model_fields) or text is not block.text:
            text = "pipelines:\n  rag:\n    entrypoint: rag_pipeline:rag\n" + _indented(text, 4)
        elif not keys <= set(ProjectFile.model_fields):
            raise Wrong(f"this is no part of a wurzel.yaml: {MARK_HINT}")
        text = "version: 1\n" + text
    path = root / "_block" / "wurzel.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    try:
        load(path)
    except WurzelError as error:
        raise Wrong(str(error)) from None


def _read_pack(text: str, root: Path) -> None:
    from wurzel.project.model import PACK_FILE
    from wurzel.project.nodes import Findings
    from wurzel.project.packs import Pack, _read

    path = root / "_block" / PACK_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    findings = Findings()
    _read(Pack("globex"), path, findings)
    if findings:
        raise Wrong(str(findings))


def _indented(text, width):
    return "".join(" " * width + line for line in text.splitlines(keepends=True))


def _jinja(block, root, environment):
    """A template that extends a built-in one takes its place in a layer, and the example is rendered with it."""
    import jinja2

    from wurzel.exceptions import WurzelError
    from wurzel.render.environment import Environment
    from wurzel.render.layers import Layers

    extended = re.search(r'\{% extends "!([\w.-]+)/([^"]+)" %\}', block.text)
    if extended is None:
        try:
            Environment(Layers((), root=root)).parse(block.text)
        except (WurzelError, jinja2.TemplateError) as error:
            raise Wrong(str(error)) from None
        return
    layer = root / "_layer"
    path = layer / extended.group(1) / extended.group(2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    config = (ROOT / "docs" / "examples" / "rag" / "wurzel.yaml").read_text(encoding="utf-8")
    project = root / "_project"
    project.mkdir(exist_ok=True)
    (project / "wurzel.yaml").write_text(f"templates: [../_layer]\n{config}", encoding="utf-8")
    command = [sys.executable, "-m", "wurzel", "--allow-outside", "render", "rag", "-t", extended.group(1), "--stdout"]
    done = subprocess.run(
        command, cwd=project, env={**environment, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    path.unlink()
    if done.returncode:
        raise Wrong(done.stderr)


def _json(block, root, environment):
    json.loads(block.text)


def _toml(block, root, environment):
    tomllib.loads(block.text)


def _sh(block, root, environment):
    done = subprocess.run(["sh", "-n"], input=block.text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(done.stderr)


def _text(block, root, environment):
    """Output, a picture or a pattern: nothing to run."""


KINDS = {
    "console": _console,
    "python": _python,
    "yaml": _yaml,
    "jinja": _jinja,
    "json": _json,
    "toml": _toml,
    "sh": _sh,
    "text": _text,
}


def surroundings(folder):
    """Environment of a page: the programs of this virtual environment and of the system, nothing of the user's."""
    for name in ("home", "state"):
        (folder / name).mkdir()
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(folder / "home"),
        "STATE": str(folder / "state"),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
