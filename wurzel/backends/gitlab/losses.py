"""What a job of a GitLab CI/CD file does not get of the job that it extends, and of `default`."""

from __future__ import annotations

from collections.abc import Iterator

from wurzel.backends.losses import Lines, Loss, Merge
from wurzel.render.yaml_tree import YamlNode, documents

_EXTENDS = Merge("GitLab merges mappings that a job inherits, but replaces lists.", needed=frozenset({"before_script"}))
_DEFAULT = Merge("A key of a job replaces that of `default`.", deep=False)


def losses(text: str) -> Iterator[Loss]:
    """What jobs lose of what they inherit."""
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
