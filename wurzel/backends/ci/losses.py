"""Shared values of a CI file that single jobs do not get, because they set the same key themselves."""

from __future__ import annotations

from collections.abc import Iterator

from wurzel.backends.losses import Lines, Loss, Merge
from wurzel.render.yaml_tree import YamlNode, documents

_PERMISSIONS = Merge("A job's permissions replace those of the workflow.", deep=False, only=frozenset({"permissions"}))
_EXTENDS = Merge("GitLab merges mappings that a job inherits, but replaces lists.", needed=frozenset({"before_script"}))
_DEFAULT = Merge("A key of a job replaces that of `default`.", deep=False)


def github_losses(text: str) -> Iterator[Loss]:
    """Permissions of a workflow that jobs do not have."""
    lines = Lines(text)
    for document in documents(text):
        jobs = document.root.at("jobs")
        for name, job in jobs.entries if jobs is not None else ():
            if name is not None:
                yield from _PERMISSIONS.losses(f"the job {name.text()!r}", document.root, job, lines)


def gitlab_losses(text: str) -> Iterator[Loss]:
    """Values of the jobs that a job of GitLab extends, and of `default`, that it does not get."""
    lines = Lines(text)
    for document in documents(text):
        jobs = {key.text(): job for key, job in document.root.entries if key is not None and job.is_mapping}
        default = jobs.pop("default", None)
        bases = {name: [base for base in _bases(job) if base in jobs] for name, job in jobs.items()}
        inherited = {base for found in bases.values() for base in found}
        for name, job in jobs.items():
            owner = f"the job {name!r}"
            for base in bases[name]:
                yield from _EXTENDS.losses(owner, jobs[base], job, lines)
            if default is not None and (name in inherited or job.at("script") is not None):
                yield from _DEFAULT.losses(owner, default, job, lines)


def _bases(job: YamlNode) -> list[str | None]:
    extends = job.at("extends")
    return [] if extends is None else [extends.text(), *(item.text() for _, item in extends.entries)]
