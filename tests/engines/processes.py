"""Containers of a pod as plain processes."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wurzel.engines.pod import Done, words_of

CONFIG = "/etc/wurzel"
"""Where a container finds the pipeline that it runs as a whole."""


@dataclass
class Processes:
    """Runs containers as processes in a project folder.

    `mount` is a mount at its real path; in arguments, the paths of other mounts give way to the folders behind them.
    """

    project: Path
    mount: Path

    def run(self, container, env, mounts, _security):
        source = mounts[str(self.mount)]
        if self.mount.is_symlink() or self.mount.exists():
            self.mount.unlink()
        self.mount.symlink_to(source)
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        words = words_of(container, env)
        for path, folder in mounts.items():
            words = [word.replace(f"{path}/", f"{folder}/") if path == CONFIG else word for word in words]
        words = [re.sub(r"(^|=)/tmp/([^/]+)$", rf"\1{mounts['/tmp']}/\2", word) for word in words]
        done = subprocess.run(
            words,
            cwd=self.project,
            env={"PATH": programs, "LANG": "C.UTF-8", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout)
