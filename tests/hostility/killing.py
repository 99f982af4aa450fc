"""Runs wurzel again and again, to be killed each time at another point: `Killed` here, what it starts below.

All that wurzel imports is imported once; each call is a fork of that process. So a call costs no more than its work.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

HOOK = Path(__file__).with_name("kill")


class Calls:
    """Calls of wurzel in a folder."""

    def __init__(self, root, server):
        self.root = root
        self._server = server

    def __call__(self, *arguments, changes=None, size=None, **variables):
        """Exit code of wurzel (negative: the signal that killed it), and what it wrote to stderr.

        Args:
            arguments: those of `wurzel`.
            changes: kill the process that is about to change the file system for the n-th time.
            size: kill the process that writes a file larger than so many bytes.
            variables: of the environment.
        """
        counter = self.root.parent / "changes"
        if changes is not None:
            counter.write_text(f"{changes:20d}")
            variables["KILL_COUNTER"] = str(counter)
        if size is not None:
            variables["KILL_SIZE"] = str(size)
        self._server.stdin.write(json.dumps([arguments, variables]) + "\n")
        self._server.stdin.flush()
        code, errors = json.loads(self._server.stdout.readline())
        return code, errors


@contextmanager
def calls(root):
    """Calls of wurzel in the folder `root`."""
    argv = [sys.executable, __file__, str(root.parent / "stderr")]
    env = os.environ | {"PYTHONPATH": str(HOOK)}
    with subprocess.Popen(argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as server:
        yield Calls(root, server)
        server.stdin.close()


def serve(log):
    from sitecustomize import watch

    for module in ("backends.rendering", "cli.render", "cli.run", "runtime.pipeline", "runtime.slices", "runtime.step"):
        import_module(f"wurzel.{module}")
    from wurzel.cli import main

    for line in sys.stdin:
        arguments, variables = json.loads(line)
        child = os.fork()
        if not child:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.setsid()
            null, errors = os.open(os.devnull, os.O_RDWR), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for descriptor, stream in enumerate((null, null, errors)):
                os.dup2(stream, descriptor)
            os.environ.update(variables)
            watch()
            sys.path[0] = ""
            main(arguments)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(status), Path(log).read_text()]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
