"""What each command imports: a command that imports what it does not use is slow for nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from wurzel.backends.registry import BUILT_IN
from wurzel.cli.root import COMMANDS

SLOW = {
    *("asyncio", "importlib.metadata", "jinja2", "logging.config", "multiprocessing", "rich", "ruamel.yaml"),
    *("pandas", "pandera", "pyarrow", "pydantic_settings", "tiktoken", "yaml", "xml", "http"),
}
PLUGINS = "importlib.metadata"
"""Where a validator is built, pydantic looks for plugins."""
PIPELINE = {
    f"wurzel.{name}"
    for name in (
        "core",
        "datacontract",
        "invocation",
        "ir",
        "models",
        "project",
        "secret_names",
        "store_url",
        "suggestion",
        "table",
        "user_cache",
        "utils",
        "yaml_events",
    )
}
RENDER = PIPELINE | {"wurzel.backends", "wurzel.render"}
SKIPPED = {
    "wurzel.datacontract.dataset": "reads and writes data",
    "wurzel.runtime.supervise": "runs processes",
    "wurzel.ir.layout": "draws",
    "wurzel.ir.serialize": "writes IR",
    "wurzel.render.check": "lints templates",
    "wurzel.project.schema": "writes the JSON Schema",
}
"""Modules that rendering has no use for, and what they do."""


def imported(*arguments):
    """Names of the modules that a command has imported when it is over."""
    code = (
        f"import atexit, sys\nfrom wurzel.__main__ import main\nsys.argv[1:] = {list(arguments)!r}\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # A step runs in a process under guard: there are two lines, of the step and of its guard.
    return {name for line in done.stderr.splitlines() if line.startswith("sys builtins ") for name in line.split()}


def packages(modules):
    """The packages of wurzel that were imported, without those of commands."""
    low = "exceptions git_folder lean named_tuples patterns records regular_file standard_streams version"
    always = {f"wurzel.{name}" for name in ("__main__", "cli", *low.split())}
    return {".".join(name.split(".")[:2]) for name in modules if name.startswith("wurzel.")} - always


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda command: "".join(command) or "wurzel"
)
def test_help_imports_no_more_than_the_command_line_needs(command):
    modules = imported(*command, "--help")
    assert sorted((SLOW | {"pydantic"}) & modules) == []
    assert packages(modules) == set()


@pytest.mark.parametrize(
    ("command", "wanted", "allowed"),
    [
        ("render scheduled -t {target} --stdout", {"jinja2", "ruamel.yaml"}, RENDER),
        ("render scheduled -t {target} -o out", {"jinja2", "ruamel.yaml"}, RENDER),
        ("inspect scheduled", {"ruamel.yaml", PLUGINS}, PIPELINE | {"wurzel.backends"}),
        ("graph scheduled", {"ruamel.yaml"}, PIPELINE | {"wurzel.backends"}),
        ("graph scheduled --format svg", {"ruamel.yaml"}, PIPELINE | {"wurzel.backends"}),
        ("env scheduled", {"ruamel.yaml"}, PIPELINE | {"wurzel.backends"}),
        ("targets {target}", {"rich"}, PIPELINE | {"wurzel.backends"}),
    ],
)
def test_a_command_imports_what_it_uses(project, command, wanted, allowed):
    project("scheduled")
    modules = imported(*command.format(target="dvc").split())
    assert sorted(SLOW & modules) == sorted(wanted)
    assert packages(modules) <= allowed
    if "jinja2" in wanted:
        assert not SKIPPED.keys() & modules


def test_a_check_of_what_is_up_to_date_builds_no_validator(project):
    project("scheduled")
    words = ["render", "scheduled", *(f"--target={name}" for name in BUILT_IN), "-o", "out"]
    imported(*words)
    builders = {PLUGINS, "pydantic.functional_validators", "pydantic._internal._generate_schema"}
    assert not builders & imported(*words, "--check")


RUNNING = {
    *("shutil", "subprocess", "wurzel.core.command_step", "wurzel.render", "wurzel.store.store"),
    *(f"wurzel.datacontract.{name}" for name in ("gathering", "reader", "writer")),
    *(f"wurzel.runtime.{name}" for name in ("fanout", "live", "plan", "step", "summary")),
}
"""What starts steps, reads and writes their data, and tells of it."""


def test_a_run_with_nothing_to_do_imports_nothing_that_runs_steps(project):
    project("chain")
    Path("one.py").write_text("from steps import Words\nfrom wurzel import WZ\n\nlast = WZ(Words)\n")
    assert imported("run", "one:last") & RUNNING
    assert imported("run", "one:last") & RUNNING == set()


@pytest.mark.parametrize("target", BUILT_IN)
def test_render_imports_the_module_of_its_target_alone(project, target):
    project("scheduled")
    found = imported("render", "scheduled", "-t", target, "--stdout")
    assert {name for name, home in BUILT_IN.items() if home.partition(":")[0] in found} == {target}


def test_a_step_imports_what_it_uses(project):
    project("chain")
    modules = imported("step", "steps:Words", "-o", "data/words")
    assert SLOW & modules == set()
    assert packages(modules) == {
        "wurzel.core",
        "wurzel.datacontract",
        "wurzel.hangup",
        "wurzel.runtime",
        "wurzel.secret_names",
    }


def test_the_guard_of_a_step_imports_next_to_nothing(project):
    project("chain")
    code = (
        "import os, sys\nfrom wurzel.__main__ import main\nexit = os._exit\n"
        "os._exit = lambda code: (print(*sys.modules, flush=True), exit(code))\n"
        "sys.argv[1:] = ['step', 'steps:Words', '-o', 'data/words']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "wurzel.runtime.guard" in modules
    assert {"click", "ctypes", "json", "pydantic", "subprocess"}.isdisjoint(modules)
    assert packages(modules) == {"wurzel.hangup", "wurzel.runtime", "wurzel.secret_names"}
