"""GitLab CI in gitlab-ci-local: shell executor, from a fresh clone.

gitlab-ci-local 4.75 ignores `retry` and `timeout`, so what it shows of them is what `wurzel step` does. It cannot keep
artifacts whose path holds a quote or a space, so the hostile example has another data folder here.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.engines.drivers import base
from tests.engines.drivers.base import Driver, Outcome, collected, git_home, no_program, said_version

HOME = Path(__file__).parents[3] / ".engines" / "gitlab"
SETS = ("targets.gitlab.install=wurzel --version", "targets.gitlab.layout=steps")
PLAIN_FOLDER = "da-ta/$HOME"
"""Data folder of the hostile example."""


class GitlabCiLocal:
    """Runs a project's pipeline from a fresh clone below `root`."""

    def __init__(self, root):
        self.root = root
        self.environment = {
            **os.environ,
            **git_home(root / "home"),
            "PATH": f"{HOME / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def __call__(self, project, *arguments, source="web", branch="main", clone=None):
        """The finished process, and the clone."""
        if clone is None:
            clone = self.root / f"clone-{len(list(self.root.iterdir()))}"
            origin = "https://gitlab.com/acme/rag.git"
            base.clone(project, clone, origin, branch=branch, environment=self.environment)
        done = subprocess.run(
            [
                *("timeout", "-s", "KILL", "120", "gitlab-ci-local", "--force-shell-executor", "--shell-isolation"),
                *("--no-color", "--variable", f"CI_PIPELINE_SOURCE={source}", *arguments),
            ],
            cwd=clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done, clone


class GitLab(Driver):
    """The rendered `.gitlab-ci.yml` in gitlab-ci-local."""

    target = "gitlab"
    name = "GitLab CI/CD"
    how = "`gitlab-ci-local --force-shell-executor --shell-isolation` in a new clone; it ignores `retry` and `timeout`"

    def missing(self):
        return no_program(HOME / "bin" / "gitlab-ci-local")

    def version(self):
        return "gitlab-ci-local " + said_version(str(HOME / "bin" / "gitlab-ci-local"), "--version")

    def run(self, case, folder):
        project = case.project(folder / "project")
        folder_of_data, sets, note = case.data_dir, list(SETS), ""
        if case.example == "hostile":
            folder_of_data = PLAIN_FOLDER
            sets.append(f"data_dir={PLAIN_FOLDER}")
            note = (
                f"with `data_dir: {PLAIN_FOLDER}`: gitlab-ci-local keeps no artifacts whose path holds a quote or space"
            )
        if case.example == "flaky":
            sets.append("steps.flaky.retry.backoff=1s")
            note = (
                "with `backoff: 1s`, so that `wurzel step` tries again: gitlab-ci-local ignores GitLab's own `retry`,"
                " which is rendered without it"
            )
        case.render(project, "gitlab", *sets)
        done, clone = GitlabCiLocal(folder)(project)
        return Outcome(done.returncode, collected(clone / folder_of_data), done.stdout + done.stderr, note)
