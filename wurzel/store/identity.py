"""Temporary keys for an identity: a token of the platform is exchanged for them, again before they expire."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.faults import masked

_TIMEOUT = 20
_LARGEST = 1 << 20
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SESSION = "wurzel"
_BEFORE = timedelta(minutes=6)
"""obstore asks again when under five minutes are left, and then for every request."""


class Identity:
    """Keys of a role, as obstore asks for them; called from any thread."""

    def __init__(self, role: str, token: Callable[[], str], endpoint: str) -> None:
        """The token is asked for each time; the endpoint is that of a security token service."""
        self._role, self._token, self._endpoint = role, token, endpoint
        self._lock = threading.Lock()
        self._given: dict[str, Any] = {}
        self._renewal = datetime.min.replace(tzinfo=UTC)
        self.secrets: tuple[str, ...] = ()
        self.failed: StoreError | None = None
        """Why there are no keys: obstore shows only the text of what is raised here."""

    def __call__(self) -> dict[str, Any]:
        """Keys: new ones when these expire in six minutes, or when half of their time has passed.

        Raises:
            StoreError: when there are none.
        """
        with self._lock:
            now = datetime.now(UTC)
            if now >= self._renewal:
                try:
                    self._given = self._exchanged()
                    self.failed = None
                except StoreError as error:
                    self.failed = error
                    raise
                expires = self._given["expires_at"]
                self._renewal = max(expires - _BEFORE, now + (expires - now) / 2)
            return self._given

    def _exchanged(self) -> dict[str, Any]:
        token = self._token()
        fields = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": self._role,
            "RoleSessionName": _SESSION,
            "WebIdentityToken": token,
        }
        self.secrets = (*self.secrets[-4:], token)
        text = _fetched(self._endpoint, self.secrets, urlencode(fields).encode())
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        found = {name: re.search(rf"<{name}>\s*([^<]+?)\s*</{name}>", text) for name in names}
        missing = [name for name, one in found.items() if one is None]
        if missing:
            raise StoreError(f"the answer to AssumeRoleWithWebIdentity lacks {missing[0]}", where=self._endpoint)
        key, secret, session, expires = (unescape(one[1]) for one in found.values() if one is not None)
        self.secrets = (*self.secrets, secret, session)
        at = datetime.fromisoformat(expires)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return {"access_key_id": key, "secret_access_key": secret, "token": session, "expires_at": at}


def sts_endpoint(endpoint: str, region: str, given: str = "") -> str:
    """Where tokens are exchanged: what is given, or the store's server, or Amazon's service in the region."""
    host = urlsplit(endpoint).hostname or ""
    if given or (host and not re.search(r"\.amazonaws\.com(\.cn)?$", host)):
        return f"{(given or endpoint).rstrip('/')}/"
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"https://sts.{region}.amazonaws.com{suffix}/"


def github_token(url: str, bearer: str, audience: str) -> str:
    """A token that GitHub gives a job about itself.

    Raises:
        StoreError: when it gives none.
    """
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
    sign = "&" if "?" in url else "?"
    text = _fetched(f"{url}{sign}audience={quote(audience, safe='')}", (bearer,), headers=headers)
    try:
        return str(json.loads(text)["value"])
    except (ValueError, KeyError, TypeError):
        raise StoreError("GitHub's answer has no token", where=url.partition("?")[0]) from None


def _checked(url: str) -> str:
    """A URL that a token may be sent to."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    where = f"{parts.scheme}://{parts.hostname}"
    raise StoreSetupError("a token is only sent over https", where=where, hint="Use a URL that starts with https://.")


class _NoRedirect(HTTPRedirectHandler):
    """Follows nothing: the token would go along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """No request, which makes the redirect an error."""


def _fetched(
    url: str, secrets: Collection[str], data: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The body of an answer."""
    request = Request(_checked(url), data, dict(headers))  # noqa: S310 - https, which is checked
    where = url.partition("?")[0]
    try:
        with build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            return str(answer.read(_LARGEST).decode("utf-8", "replace"))
    except HTTPError as error:
        text = masked(error.read(_LARGEST).decode("utf-8", "replace"), secrets)
        raise _refused(error.code, text, where) from None
    except (URLError, OSError) as error:
        reason = masked(str(getattr(error, "reason", error)), secrets)
        raise StoreError(f"the identity's token cannot be exchanged: {reason}", where=where) from None


def _refused(status: int, text: str, where: str) -> StoreError:
    found = [re.search(rf"<{name}>\s*([^<]+?)\s*</{name}>", text) for name in ("Message", "Code")]
    said = [unescape(one[1]) for one in found if one is not None]
    reason = f"{said[0]} ({said[1]})" if len(said) == len(found) else f"the server answered {status}"
    message = f"the identity's token is refused: {reason}"
    if 400 <= status < 500 and status not in {408, 429}:  # noqa: PLR2004 - HTTP: client errors
        hint = "Check the role's trust policy: issuer, audience and subject have to be those of this job."
        return StoreSetupError(message, where=where, hint=hint)
    return StoreError(message, where=where)
