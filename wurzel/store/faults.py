"""What an object store's errors mean: which a retry may fix, which the user must, and what the server said."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wurzel.exceptions import StoreError, StoreSetupError, shortened
from wurzel.named_tuples import NamedTuple

_SHORTEST = 4  # shorter texts are not masked: they occur in ordinary text
_LONGEST = 300

CERTIFICATE_HINT = "Name the certificate of its authority in SSL_CERT_FILE."
_RIGHTS = (
    "wurzel needs s3:GetObject, s3:PutObject and s3:DeleteObject on what is below the URL, and s3:ListBucket on the "
    "bucket: without it, a server does not say that an object does not exist."
)
_CREDENTIALS = (
    "Give an s3 store `secrets` or an `identity`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for others set"
    " GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_ACCOUNT_KEY."
)
_KEYS = "Check the access key and the secret key."
_REGION = "Set `region` of the store to the region of the bucket."
_HINTS = {
    "AccessDenied": _RIGHTS,
    "AuthorizationHeaderMalformed": _REGION,
    "ContainerNotFound": "Create the container, or correct the URL of the store.",
    "InvalidAccessKeyId": _KEYS,
    "InvalidToken": "Check the access key, the secret key and the session token.",
    "NoSuchBucket": "Create the bucket, or correct the URL of the store.",
    "PermanentRedirect": _REGION,
    "RequestTimeTooSkewed": "Set the clock of this machine, or that of the server.",
    "SignatureDoesNotMatch": _KEYS,
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_PASSING = {"RequestTimeout", "IncompleteBody", "SlowDown", "OperationAborted", "ConditionalRequestConflict"}
_NEVER_SETUP = {408, 409, 412, 416, 429}

_METADATA = re.compile(r"169\.254\.169\.254|metadata\.google\.internal|/latest/(?:api/token|meta-data)")
_CERTIFICATE = re.compile(r"InvalidCertificate\(\s*(?:Other\(\s*OtherError\(\s*)?(\w+)")
_NETWORK = (
    # What obstore prints of the cause, and what to say; the first that is found counts.
    ("dns error", "its host name cannot be resolved"),
    ("ConnectionRefused", "it refuses connections"),
    ("InvalidCertificate", "its certificate is not accepted"),
    ("TimedOut", "it does not answer in time"),
    ("handshake", "it does not speak TLS"),
    ("InvalidMessage", "it does not speak TLS"),
    ("IncompleteBody", "it closed the connection within an object"),
    ("IncompleteMessage", "it closed the connection"),
    ("ConnectionReset", "it closed the connection"),
    ("BrokenPipe", "it closed the connection"),
)


class Unsupported(StoreSetupError):
    """The server cannot do this at all."""


class Fault(NamedTuple):
    """What an error of obstore says."""

    status: int
    """HTTP status, or 0."""
    code: str
    """The server's own name of the error, or `""`."""
    reason: str
    """One line for the user."""
    hint: str = ""
    setup: bool = False
    """Whether the user has to change something; otherwise another try may help."""

    @property
    def unsupported(self) -> bool:
        """Whether the server cannot do this at all."""
        return self.status == 501 or self.code == "NotImplemented"  # noqa: PLR2004 - HTTP: not implemented

    @property
    def everywhere(self) -> bool:
        """Whether it is about the whole bucket, not one object."""
        return self.setup and self.code != "AccessDenied"

    @property
    def again(self) -> bool:
        """Whether the same request may be sent again now."""
        return not (self.setup or self.unsupported or self.code in _EXPIRED)

    def error(self, where: str) -> StoreError:
        """The error to raise."""
        kind = Unsupported if self.unsupported else StoreSetupError if self.setup else StoreError
        return kind(f"the store cannot be used: {self.reason}", where=where, hint=self.hint)


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text without these secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return text


def fault_of(error: BaseException, secrets: Iterable[str] = ()) -> Fault:
    """What an error of obstore says, without these secrets."""
    text = masked(str(error), secrets)
    said, _, cause = text.partition("\n\nDebug source:")
    status = int(found[1]) if (found := re.search(r"status code: (\d{3})", said)) else 0
    code = _tag("Code", said)
    if _METADATA.search(said) and status < 500:  # noqa: PLR2004 - HTTP: server errors
        return Fault(status, code, "no credentials were found", _CREDENTIALS, setup=True)
    if code or status:
        return _answered(status, code, said)
    if "without LOCATION" in said:
        return Fault(301, "PermanentRedirect", "the bucket is in another region", _REGION, setup=True)
    return _not_answered(said, cause)


def _answered(status: int, code: str, said: str) -> Fault:
    message = _tag("Message", said)
    heading = found[1].strip() if (found := re.search(r"status code: (\d{3}[^:<\n]*)", said)) else ""
    reason = f"{message.rstrip('.')} ({code})" if message and code else code or f"the server answered {heading}"
    if code in _EXPIRED:
        return Fault(status, code, reason, "Start the job again, or use an identity that can be refreshed.")
    if code in _PASSING or status in _NEVER_SETUP or not 400 <= status < 500:  # noqa: PLR2004 - HTTP: client errors
        return Fault(status, code, reason, _HINTS.get(code, ""), setup=code in _HINTS)
    hint = _HINTS.get(code, _RIGHTS if status in {401, 403} else "")
    return Fault(status, code, reason, hint, setup=True)


def _not_answered(said: str, cause: str) -> Fault:
    for sign, reason in _NETWORK:
        if sign in cause or sign in said:
            kind = found[1] if (found := _CERTIFICATE.search(cause)) else ""
            hint = CERTIFICATE_HINT if kind else ""
            return Fault(0, "", f"{reason} ({kind})" if kind else reason, hint, setup=bool(kind))
    return Fault(0, "", _short(said.rpartition(" - ")[2]))


def _tag(name: str, text: str) -> str:
    from html import unescape  # a large table, for errors alone

    found = re.search(rf"<{name}>\s*([^<]*)</{name}>", text)
    return _short(unescape(found[1]).partition("\nRequestId:")[0]) if found else ""  # Azure adds it and the time


def _short(text: str) -> str:
    return shortened(" ".join(text.split()), _LONGEST)
