"""Git repositories for engines that run clones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wurzel.engines.process import finished


def git_home(folder: Path) -> dict[str, str]:
    """The variables of a `HOME` in a folder, with settings for git."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gitconfig").write_text(
        "[user]\nname = t\nemail = t@example.org\n[init]\ndefaultBranch = main\n", encoding="utf-8"
    )
    return {"HOME": str(folder), "GIT_CONFIG_GLOBAL": str(folder / "gitconfig")}


def commit(project: Path, environment: Mapping[str, str], branch: str = "main") -> None:
    """Make a folder a repository with one commit of all that is in it."""
    for words in (["init", "-q", f"--initial-branch={branch}"], ["add", "-A"], ["commit", "-qm", "start"]):
        finished(["git", *words], project, environment, check=True)


def clone(project: Path, folder: Path, origin: str, *, branch: str, environment: Mapping[str, str]) -> None:
    """Clone a project into a folder, as if from `origin`; it becomes a repository with one commit if it is none."""
    if not (project / ".git").exists():
        commit(project, environment, branch)
    finished(["git", "clone", "-q", str(project), str(folder)], project, environment, check=True)
    finished(["git", "remote", "set-url", "origin", origin], folder, environment, check=True)
