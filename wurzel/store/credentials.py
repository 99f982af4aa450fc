"""Where a store's credentials come from, and how they leave the environment before a pipeline's code runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from wurzel.exceptions import StoreSetupError
from wurzel.named_tuples import NamedTuple
from wurzel.store_url import AUDIENCE, AUDIENCE_OF, ID_TOKEN, KEYS, ROLE, TOKEN_FILE

if TYPE_CHECKING:
    from wurzel.store.identity import Identity

REQUEST = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")

_DUMPABLE = 4  # PR_SET_DUMPABLE, see prctl(2)
_EXPORT = 'Run `eval "$(aws configure export-credentials --format env)"`, which sets keys that wurzel reads.'
_CONTAINER = "AWS_CONTAINER_"
_DEFAULT_REGION = "us-east-1"
_OTHER_SOURCES = ("sso_session", "sso_start_url", "role_arn", "credential_process", "login_session")


class Access(NamedTuple):
    """How requests are signed."""

    region: str
    keys: Mapping[str, str] | None = None
    """Arguments of obstore, where the keys are known."""
    identity: Identity | None = None
    """Gets temporary keys, where there is an identity."""
    kept: tuple[str, ...] = ()
    """Variables that obstore reads, where it finds the credentials itself."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        held = () if self.identity is None else self.identity.secrets
        return (*(self.keys or {}).values(), *held)


def withdraw(environ: MutableMapping[str, str] = os.environ) -> dict[str, str]:
    """The variables with the store's credentials, which are then no longer in the environment.

    They are overwritten where the operating system shows them (`/proc/PID/environ`), and on Linux other processes of
    this user can no longer look into this one. Call it before code of a pipeline is imported, in a process whose steps
    run in others, and pass what it gives to `open_store` on top of the environment.
    """
    names = [*KEYS, ROLE, TOKEN_FILE, ID_TOKEN]
    if ROLE in environ:
        names += REQUEST  # without a role, a step may have its own use for them
    found = {name: environ[name] for name in names if name in environ}
    if found and environ is os.environ:
        _shield(found)
    for name in found:
        del environ[name]
    return found


def access(environ: Mapping[str, str], endpoint: str, region: str) -> Access:
    """How requests to S3 are signed: `secrets` or `identity` of the store, or else what this process has.

    Endpoint and region are those of the store, or `""`; `environ` has what `withdraw` gave. Raises `StoreSetupError`
    when something is missing or contradicts itself.
    """
    given = [name for name in KEYS if environ.get(name)]
    if given and environ.get(ROLE):
        raise StoreSetupError(f"{given[0]} and {ROLE} are both set", hint="Set the keys or the role.")
    if given:
        return _keys(environ, KEYS, region=region or _region(environ))
    region = region or _region(environ)
    if environ.get(ROLE):
        return _identity(environ[ROLE], _token(environ), endpoint, region, environ)
    if environ.get("AWS_ACCESS_KEY_ID") or environ.get("AWS_SECRET_ACCESS_KEY"):
        return _keys(environ, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "AWS_SESSION_TOKEN", region=region)
    role, file = environ.get("AWS_ROLE_ARN"), environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if role and file:
        return _identity(role, lambda: token_in(Path(file)), endpoint, region, environ)
    return _of_profile(environ, region)


def certificates(environ: Mapping[str, str]) -> str:
    """The file with certificates of further authorities, if there is one."""
    return environ.get("SSL_CERT_FILE") or environ.get("AWS_CA_BUNDLE") or ""


def token_in(path: Path) -> str:
    """The token in a file, which the platform writes again while the job runs. Raises `StoreSetupError`."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a token"
        raise StoreSetupError(f"the identity's token cannot be read: {reason}", where=str(path)) from None


def _region(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""


def _identity(role: str, token: Callable[[], str], endpoint: str, region: str, environ: Mapping[str, str]) -> Access:
    from wurzel.store.identity import Identity, sts_endpoint

    region = region or _DEFAULT_REGION
    service = sts_endpoint(endpoint, region, environ.get("AWS_ENDPOINT_URL_STS", ""))
    return Access(region, identity=Identity(role, token, service, certificates(environ)))


def _token(environ: Mapping[str, str]) -> Callable[[], str]:
    if environ.get(TOKEN_FILE):
        return lambda: token_in(Path(environ[TOKEN_FILE]))
    if environ.get(ID_TOKEN):
        return lambda: environ[ID_TOKEN]
    if all(environ.get(name) for name in REQUEST):
        from wurzel.store.identity import github_token

        url, token = (environ[name] for name in REQUEST)
        return lambda: github_token(url, token, environ.get(AUDIENCE_OF) or AUDIENCE)
    hint = f"Set {TOKEN_FILE} or {ID_TOKEN}; on GitHub give the job `permissions: id-token: write`."
    raise StoreSetupError(f"{ROLE} is set, but no token for it", hint=hint)


def _of_profile(environ: Mapping[str, str], region: str) -> Access:
    """What the files of Amazon's tools give, or else what obstore finds: the role of a container or of a machine."""
    found = profile(environ)
    region = region or found.get("region", "")
    if found.get("aws_access_key_id"):
        return _keys(found, ("aws_access_key_id", "aws_secret_access_key"), "aws_session_token", region=region)
    kept = ("AWS_METADATA_ENDPOINT", "AWS_IMDSV1_FALLBACK")
    return Access(region or _DEFAULT_REGION, kept=(*filter(lambda name: name.startswith(_CONTAINER), environ), *kept))


def _keys(source: Mapping[str, str], names: tuple[str, str], token: str = "", *, region: str) -> Access:
    missing = [name for name in names if not source.get(name)]
    if missing:
        raise StoreSetupError(f"{missing[0]} is not set", hint=f"Set both {' and '.join(names)}.")
    keys = dict(zip(("access_key_id", "secret_access_key"), (source[name] for name in names), strict=True))
    if token and source.get(token):
        keys["session_token"] = source[token]
    return Access(region or _DEFAULT_REGION, keys=keys)


def profile(environ: Mapping[str, str]) -> dict[str, str]:
    """What the files of Amazon's tools say of the profile in AWS_PROFILE, or the default one; only keys and region.

    Raises `StoreSetupError` when a profile that is named does not exist, or gets its keys in another way.
    """
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    home = Path(environ.get("HOME") or "~").expanduser() / ".aws"
    shared = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials").expanduser()
    config = Path(environ.get("AWS_CONFIG_FILE") or home / "config").expanduser()
    section = name if name == "default" else f"profile {name}"
    found = _section(config, section) | _section(shared, name)
    if not found and name != "default":
        raise StoreSetupError(f"the profile {name!r} is in neither {shared} nor {config}", hint="Correct AWS_PROFILE.")
    other = next((key for key in _OTHER_SOURCES if key in found), None)
    if other and "aws_access_key_id" not in found:
        raise StoreSetupError(f"the profile {name!r} gets its keys by {other}, which wurzel does not do", hint=_EXPORT)
    return found


def _section(path: Path, name: str) -> dict[str, str]:
    if not path.is_file():
        return {}
    from configparser import ConfigParser
    from configparser import Error as ConfigParserError

    parser = ConfigParser(interpolation=None, default_section="")
    try:
        parser.read(path, encoding="utf-8")
    except (ConfigParserError, OSError, UnicodeDecodeError):  # its text may have keys in it
        raise StoreSetupError("cannot be read as a file of profiles", where=str(path)) from None
    return dict(parser[name]) if parser.has_section(name) else {}


def _shield(found: Mapping[str, str]) -> None:
    import ctypes

    library = ctypes.CDLL(None)
    library.getenv.restype = ctypes.c_void_p
    for name in found:
        value = library.getenv(os.fsencode(name))
        if value:  # the first environment of a process is part of its memory, which /proc shows
            ctypes.memset(value, 0, len(ctypes.string_at(value)))
    if prctl := getattr(library, "prctl", None):
        prctl(_DUMPABLE, 0, 0, 0, 0)
