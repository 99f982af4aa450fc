"""Temporary keys for an identity: a token of the platform is exchanged for them, again before they expire."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from html import unescape
from ssl import SSLCertVerificationError, create_default_context
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.faults import CERTIFICATE_HINT, masked

_TIMEOUT = 20
_LARGEST = 1 << 20
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SESSION = "wurzel"
_TRUST = "Check the trust policy of the role: issuer, audience and subject have to be those of this job."
_RIGHT = "Give the job `permissions: id-token: write`."
_EXPIRED = "GitLab's token lasts as long as the timeout of the job; give it one that is long enough."
_SPARE = timedelta(seconds=30)
_BEFORE = timedelta(minutes=6)
"""obstore asks again when under five minutes are left, and then for every request."""


class Identity:
    """Keys of a role, as obstore asks for them; called from any thread."""

    def __init__(self, role: str, token: Callable[[], str], endpoint: str, certificates: str = "") -> None:
        """The token is asked for each time; the endpoint is that of a security token service.

        The file `certificates` has those of further authorities that the endpoint may have its own from.
        """
        self._certificates = certificates
        self._role, self._token, self._endpoint = role, token, endpoint
        self._lock = threading.Lock()
        self._given: dict[str, Any] = {}
        self._renewal = datetime.min.replace(tzinfo=UTC)
        self.secrets: tuple[str, ...] = ()
        self.failed: StoreError | None = None
        """Why there are no keys: obstore shows only the text of what is raised here."""

    def __call__(self) -> dict[str, Any]:
        """Keys, renewed six minutes before they expire or when half their time has passed. Raises `StoreError`."""
        with self._lock:
            now = datetime.now(UTC)
            if now >= self._renewal:
                self._renewal = self._renewed(now)
            return self._given

    def _renewed(self, now: datetime) -> datetime:
        """Get new keys: when to do so again."""
        try:
            self._given = self._exchanged()
        except StoreError as error:
            if self._given and self._given["expires_at"] > now + _SPARE:
                return now + _SPARE
            self.failed = error
            raise
        self.failed = None
        expires: datetime = self._given["expires_at"]
        return max(expires - _BEFORE, now + (expires - now) / 2)

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
        text = _fetched(self._endpoint, self.secrets, _TRUST, urlencode(fields).encode(), self._certificates)
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
    """A token that GitHub gives a job about itself. Raises `StoreError` when it gives none."""
    sign = "&" if "?" in url else "?"
    text = _fetched(
        f"{url}{sign}audience={quote(audience, safe='')}", (bearer,), _RIGHT, Authorization=f"Bearer {bearer}"
    )
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
    url: str, secrets: Collection[str], hint: str, data: bytes | None = None, certificates: str = "", **headers: str
) -> str:
    """The body of an answer.

    Args:
        url: must be one that a token may be sent to.
        secrets: what no message may show.
        hint: what to do where the server refuses.
        data: what is posted, if anything is.
        certificates: file with those of further authorities.
        headers: of the request.
    """
    request = Request(_checked(url), data, headers)  # noqa: S310 - https, which is checked
    where = url.partition("?")[0]
    try:
        context = create_default_context()
        if certificates:
            context.load_verify_locations(certificates)
        with build_opener(_NoRedirect, HTTPSHandler(context=context)).open(request, timeout=_TIMEOUT) as answer:
            return str(answer.read(_LARGEST).decode("utf-8", "replace"))
    except HTTPError as error:
        text = masked(error.read(_LARGEST).decode("utf-8", "replace"), secrets)
        raise _refused(error.code, text, where, hint) from None
    except (URLError, OSError) as error:
        cause = getattr(error, "reason", error)
        message = f"the identity of the store cannot be used: {masked(str(cause), secrets)}"
        if isinstance(cause, SSLCertVerificationError):
            raise StoreSetupError(message, where=where, hint=CERTIFICATE_HINT) from None
        raise StoreError(message, where=where) from None


def _refused(status: int, text: str, where: str, hint: str) -> StoreError:
    code, message = (
        unescape(found[1]) if (found := re.search(rf"<{name}>\s*([^<]+?)\s*</{name}>", text)) else ""
        for name in ("Code", "Message")
    )
    reason = f"{message or 'it is refused'} ({code})" if code else f"the server answered {status}"
    message = f"the identity of the store cannot be used: {reason}"
    if code.startswith("ExpiredToken"):
        return StoreError(message, where=where, hint=_EXPIRED)
    if status >= 500 or status in {408, 429} or code == "IDPCommunicationError":  # noqa: PLR2004 - HTTP: server errors
        return StoreError(message, where=where)
    return StoreSetupError(message, where=where, hint=hint)
