"""Commands of wurzel, in this process or in one of their own."""

import os
import subprocess
import sys

from click.testing import CliRunner

from wurzel.cli import cli
from wurzel.exceptions import WurzelError


def invoke(*words, **options):
    """The result of a command in this process; an error that is not meant for users is raised."""
    result = CliRunner().invoke(cli, [*map(str, words)], **options)
    if result.exception and not isinstance(result.exception, SystemExit | WurzelError):
        raise result.exception
    return result


def program(*words, code=None, env=(), **options):
    """The result of a command in a process of its own, which has further variables; `code` is how it has to exit."""
    options = {"capture_output": True, "text": True} | options
    command = [sys.executable, "-m", "wurzel", *map(str, words)]
    done = subprocess.run(command, check=False, env={**os.environ, **dict(env)}, **options)
    assert code is None or done.returncode == code, done.stderr
    return done
