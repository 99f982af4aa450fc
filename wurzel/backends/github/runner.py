"""Where jobs of a workflow run, and what they may do there: permissions of their token, their role for the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wurzel.backends.github.options import RunnerGroup
from wurzel.invocation.variables import identity_of
from wurzel.store_url import AUDIENCE_OF, CACHE, ROLE

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions, JobOptions
    from wurzel.ir.model import Pipeline, Step

HOSTED_MINUTES = 360
"""Longest job on GitHub's own runners, in minutes."""
_HOSTED = ("ubuntu-", "windows-", "macos-")
_LABELS = {
    "kubernetes.io/os=linux": "linux",
    "kubernetes.io/os=windows": "windows",
    "kubernetes.io/arch=amd64": "x64",
    "kubernetes.io/arch=arm64": "ARM64",
}


def escape(text: str) -> str:
    """Text that GitHub leaves unchanged: `${{` starts an expression unless an expression produces it."""
    return text.replace("${{", "${{ '${{' }}")


def store_env(pipeline: Pipeline, *, untrusted: bool = False) -> dict[str, str]:
    """Which role a job has for the store, and whether others trust what it writes.

    Only those who may change a protected branch decide what it runs: https://docs.github.com/actions/reference/contexts.
    """
    store, identity = pipeline.store, identity_of(pipeline)
    if store is None:
        return {}
    if untrusted:
        own = {ROLE: escape(identity.untrusted_role)} if identity is not None and identity.untrusted_role else {}
        audience = {AUDIENCE_OF: escape(identity.audience)} if identity is not None and identity.audience else {}
        return {**own, **audience, CACHE: "read"}
    cache = {CACHE: "${{ github.ref_protected && 'read-write' || 'read' }}"} if store.cache == "read-write" else {}
    if identity is None:
        return cache
    audience = {AUDIENCE_OF: escape(identity.audience)} if identity.audience else {}
    role, other = (text.replace("'", "''") for text in (identity.role, identity.untrusted_role or identity.role))
    chosen = escape(identity.role) if role == other else f"${{{{ github.ref_protected && '{role}' || '{other}' }}}}"
    return {ROLE: chosen, **audience, **cache}


def permissions(pipeline: Pipeline, options: GithubOptions, own: JobOptions) -> list[tuple[str, str, str]]:
    """Scope, level and the reason in the comment after it."""
    granted = {"contents": ("read", "to check out")} if options.checkout else {}
    if options.oidc if own.oidc is None else own.oidc:
        granted["id-token"] = ("write", "to log in by OpenID Connect")
    elif identity_of(pipeline) is not None:
        granted["id-token"] = ("write", "to log in to the store")
    asked = options.permissions | own.permissions
    granted |= {scope: (level, "asked for in wurzel.yaml") for scope, level in asked.items()}
    return [(scope, level, reason) for scope, (level, reason) in granted.items()]


def runner(step: Step, options: GithubOptions) -> Any:
    """`runs-on` of a step: the chosen runner, narrowed by labels for its node selector."""
    chosen = options.of_step(step).runs_on or options.runs_on
    pairs = [f"{key}={value}" for key, value in step.node_selector.items()]
    wanted = [options.node_labels.get(pair, _LABELS.get(pair, pair)) for pair in pairs]
    if isinstance(chosen, RunnerGroup):
        labels = [*chosen.labels, *wanted]
        return {"group": chosen.group, "labels": labels} if labels else {"group": chosen.group}
    if not wanted:
        return chosen if isinstance(chosen, str) else list(chosen)
    given = [] if is_hosted(chosen) else [chosen] if isinstance(chosen, str) else chosen
    return list(dict.fromkeys(["self-hosted", *given, *wanted]))


def container(pipeline: Pipeline, options: GithubOptions, step: Step) -> dict[str, Any]:
    """The container of a step's job; empty where it has no image."""
    image = step.image or pipeline.image
    if not image:
        return {}
    login = options.registry
    extra = options.of_step(step).container_options or options.container_options
    credentials = {"credentials": login.model_dump()} if login else {}
    return {"image": image, **credentials} | ({"options": extra} if extra else {})


def is_hosted(chosen: Any) -> bool:
    """Whether GitHub itself runs such a job."""
    return isinstance(chosen, str) and chosen.startswith(_HOSTED)


def place(pipeline: Pipeline, options: GithubOptions, step: Step) -> dict[str, Any]:
    """What a job has only once, for one of its steps; templates may decide on variables where a job runs."""
    own = options.of_step(step)
    return {
        "image": step.image or pipeline.image,
        "variables": step.variables,
        "runner": runner(step, options),
        "permissions": [(scope, level) for scope, level, _ in permissions(pipeline, options, own)],
        "environment": own.environment or options.environment,
        "container_options": own.container_options or options.container_options,
    }
