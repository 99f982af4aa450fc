"""What jobs of a workflow may do: the permissions of their token, and their role for the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.invocation.store import identity_of
from wurzel.store_url import AUDIENCE_OF, CACHE, ROLE

if TYPE_CHECKING:
    from wurzel.backends.github.options import GithubOptions, JobOptions
    from wurzel.ir.model import Pipeline


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
