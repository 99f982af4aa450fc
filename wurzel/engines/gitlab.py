"""GitLab CI in gitlab-ci-local: shell executor, from a fresh clone.

gitlab-ci-local 4.75 ignores `retry` and `timeout`, so what it shows of them is what `wurzel step` does. It cannot keep
artifacts whose path contains a quote or a space.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wurzel.engines.driver import Case, Driver, Outcome, collected
from wurzel.engines.git import clone, git_home
from wurzel.engines.process import Finished, engine_path, finished, not_found, program_of

SETS = ("targets.gitlab.install=wurzel --version", "targets.gitlab.layout=steps")
ENGINE = ("gitlab", "gitlab-ci-local")


class GitlabCiLocal:
    """Runs a project's pipeline from a fresh clone below `root`, for at most `seconds`.

    They have an end, for it hangs on a cycle of `needs`, and ignores TERM.
    """

    def __init__(self, root: Path, seconds: float = 120) -> None:
        self.root = root
        self.seconds = seconds
        home = program_of(*ENGINE).parent
        self.environment = {
            **os.environ,
            **git_home(root / "home"),
            "PATH": f"{home}{os.pathsep}{engine_path()}",
        }

    def __call__(
        self, project: Path, *arguments: str, source: str = "web", branch: str = "main", clone: Path | None = None
    ) -> tuple[Finished, Path]:
        """The finished process, and the clone."""
        folder = clone or self._clone(project, branch)
        words: list[str | Path] = [
            *(program_of(*ENGINE), "--force-shell-executor", "--shell-isolation", "--no-color"),
            *("--variable", f"CI_PIPELINE_SOURCE={source}", *arguments),
        ]
        return finished(words, folder, self.environment, seconds=self.seconds), folder

    def _clone(self, project: Path, branch: str) -> Path:
        folder = self.root / f"clone-{len(list(self.root.iterdir()))}"
        clone(project, folder, "https://gitlab.com/acme/rag.git", branch=branch, environment=self.environment)
        return folder


class GitLab(Driver):
    """The rendered `.gitlab-ci.yml` in gitlab-ci-local."""

    target = "gitlab"
    name = "GitLab CI/CD"
    how = "`gitlab-ci-local --force-shell-executor --shell-isolation` in a new clone; it ignores `retry` and `timeout`"
    program = ENGINE
    install = "npm install --global gitlab-ci-local"

    def __init__(self, seconds: float = 120) -> None:
        self.seconds = seconds

    def missing(self) -> str:
        """Whether gitlab-ci-local is here, and rsync, which it needs."""
        return super().missing() or not_found("gitlab", "rsync", "apt-get install rsync")

    def run(self, case: Case, folder: Path) -> Outcome:
        """Render, clone, run."""
        project = case.project(folder / "project")
        sets, note = case.adapted("gitlab")
        files = self.rendered(case, project, *(SETS[:1] if case.keeps_layout else SETS), *sets)
        main = next((file for file in files if file.name == ".gitlab-ci.yml"), files[0])
        done, where = GitlabCiLocal(folder, self.seconds)(project, f"--file={main.relative_to(project)}")
        data_dir = next((item.partition("=")[2] for item in sets if item.startswith("data_dir=")), case.data_dir)
        for kept in sorted((where / ".gitlab-ci-local" / "cache").glob("*")):
            if (kept / data_dir).is_dir():  # what jobs of several steps keep for the next run; most is no artifact
                shutil.copytree(kept / data_dir, where / data_dir, dirs_exist_ok=True)
        data = collected(where / data_dir)
        return Outcome(done.returncode, data, done.stdout + done.stderr, note, partial=case.keeps_layout)
