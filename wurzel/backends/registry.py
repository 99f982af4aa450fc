"""Which backends exist: built-in ones by a table, others through the entry point group `wurzel.backends`."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from wurzel.backends.base import Backend
from wurzel.exceptions import BackendError, UsageError
from wurzel.suggestion import meant_or_all

BUILT_IN = {
    "dvc": "wurzel.backends.dvc:DvcBackend",
    "argo": "wurzel.backends.argo:ArgoBackend",
    "gitlab": "wurzel.backends.gitlab:GitlabBackend",
    "github": "wurzel.backends.github:GithubBackend",
    "airflow": "wurzel.backends.airflow:AirflowBackend",
    "local": "wurzel.backends.local:LocalBackend",
    "cronjob": "wurzel.backends.cronjob:CronJobBackend",
}
"""Target name to `module:class`, in the order in which targets are listed and rendered."""

GROUP = "wurzel.backends"


def names() -> list[str]:
    """All target names: built-in ones first, then installed ones by name."""
    return [*BUILT_IN, *sorted(set(_installed()) - set(BUILT_IN))]


@cache
def get(name: str) -> Backend:
    """The backend of a target.

    Raises `UsageError` if no target has this name, `BackendError` when an installed backend cannot be loaded or breaks
    the interface.
    """
    home = BUILT_IN.get(name) or _installed().get(name)
    if home is None:
        known = names()
        advice = meant_or_all(name, known, "Targets")
        raise UsageError(f"unknown target {name!r}", hint=advice)
    module, _, attribute = home.partition(":")
    try:
        cls = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise BackendError(f"the backend {name!r} at {home} cannot be loaded: {error}") from error
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise BackendError(f"the backend {name!r} at {home} is not a subclass of wurzel.backends.base.Backend")
    return cls()


@cache
def _installed() -> dict[str, str]:
    from importlib.metadata import entry_points  # slow: only for names that are not built in, and for listings

    return {point.name: point.value for point in entry_points(group=GROUP)}
