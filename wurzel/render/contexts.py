"""Names that templates see besides those of a target: all of them, and those of `wurzel ci` and `wurzel image`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class Common(TypedDict):
    """Names that every template sees."""

    variables: Mapping[str, Any]
    """Every variable that a pack declares, with its value for the pipeline."""
    environment: str | None
    """The environment of `wurzel.yaml`, as passed to `-e`; null for none."""


class _OfPlatform(TypedDict):
    """Names in every CI file."""

    folder: str
    """Folder of the project below the top of its repository; '' at the top."""
    suffix: str
    """What tells the file and its jobs from those of other projects of the repository."""
    cd: str
    """Shell line that enters the folder; '' at the top."""
    python: str
    """Version of Python."""
    watched: Sequence[str]
    """Patterns of the files whose change starts the jobs; empty for all files."""
    actions: Mapping[str, Mapping[str, str]]
    """Pinned actions of GitHub, by name: `uses` and `version`."""
    expressions: Mapping[str, str]
    """Expressions of GitHub, by name."""
    setup: str
    """What installs packages: `pip`, `uv`, `poetry`, `conda`, …."""
    install: str
    """Shell line that installs wurzel and what the pipelines import."""
    secrets: Mapping[str, str]
    """Secrets that the installation reads, as expressions of GitHub, by variable."""
    image: str
    """Image of the job, on GitLab."""
    check: str
    """Shell line that checks the files."""


class CiFile(_OfPlatform):
    """Names in the file that checks rendered files."""

    push: bool
    """Whether updated files are pushed."""
    merge_requests: bool
    """Whether merge requests of GitLab are checked as well."""
    render: str
    """Shell line that renders again."""
    accept: str
    """Program that decides what may be pushed; '' without `push`."""
    paths: str
    """New files that may be pushed, one a line."""
    message: str
    """Message of the commit."""
    token: str
    """Name of the secret or variable with the token to push with."""
    report: str
    """Path of GitLab's report."""


class ImageCiFile(_OfPlatform):
    """Names in the file that builds and pushes the image."""

    build_secrets: Mapping[str, Mapping[str, str]]
    """Secrets of the build by name: `id` and `value`."""
    push: str
    """Shell line that builds and pushes."""
    registry: str
    """The registry, as `docker login` names it."""
    login: str
    """How the job proves who it is: `aws`, `github` or `password`."""
    region: str
    """Region of a registry of AWS."""
    role: str
    """Role of AWS that may push."""


class ImageFile(TypedDict):
    """Names in the Dockerfile and `.dockerignore`."""

    base: str
    """The base image."""
    base_name: str
    """Its name without the digest."""
    labels: Mapping[str, Sequence[str]]
    """The words of each label, beside that with the base's name."""
    packages: Sequence[str]
    """Packages of the system to install."""
    manager: Any
    """What installs Python packages."""
    files: Any
    """Files that the installation reads."""
    requirements: Any
    """Those of them that pip reads as lists of packages."""
    folders: Any
    """Folders that the installation reads."""
    extras: Any
    """Extras of the project to install."""
    requires: Any
    """Where wurzel comes from."""
    python_path: Any
    """Folders that modules are imported from."""
    versions: Any
    """Versions of the tools that install."""
    data: Sequence[Sequence[str]]
    """Parts of the paths of datasets, which are left out."""


CONTEXTS: Mapping[str, type] = {
    "ci/github.yml.j2": CiFile,
    "ci/gitlab.yml.j2": CiFile,
    "ci/github-image.yml.j2": ImageCiFile,
    "ci/gitlab-image.yml.j2": ImageCiFile,
    "image/Dockerfile.j2": ImageFile,
    "image/dockerignore.j2": ImageFile,
}
"""Contexts of the templates of commands, by the names of the templates."""
