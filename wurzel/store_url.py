"""The URL of a store and of its server, which contain no secret, and the variables that a job gets its keys by."""

from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from wurzel.models import Before
from wurzel.patterns import pattern

PREFIX = "WURZEL_STORE_"
KEYS = (f"{PREFIX}ACCESS_KEY_ID", f"{PREFIX}SECRET_ACCESS_KEY")
ROLE = f"{PREFIX}ROLE_ARN"
TOKEN_FILE, ID_TOKEN = f"{PREFIX}TOKEN_FILE", f"{PREFIX}ID_TOKEN"
CACHE = f"{PREFIX}CACHE"
"""The cache mode of one job."""
AUDIENCE_OF = f"{PREFIX}AUDIENCE"
"""What a token of GitHub is issued for."""
AUDIENCE = "sts.amazonaws.com"
"""What tokens are issued for unless the store says otherwise."""

BUCKETS = ("s3", "gs", "az")
"""Schemes of buckets."""

UNTRUSTED = "untrusted"
"""The folder of a store for what jobs that are not trusted write, beside those of the pipelines."""

NO_STORE = "none"
"""Stands for no store, where a weaker layer has one."""

_SCHEME = pattern(r"([A-Za-z][A-Za-z0-9+.-]*):/|(s3|gs|az|file):")
_BUCKET = pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?")
_SEGMENT = pattern(r"[\w!'()+,.:;=@&$ -]+")
_ENDPOINT = pattern(r"https?://(\[[0-9A-Fa-f:]+\]|[^\s/:\[\]]+)(:[0-9]{1,5})?(/[!-~]*)?")
_EXAMPLE = "write s3://bucket/prefix, file:///folder or a folder"
_KEYS = "give keys by reference: secrets: {access_key_id: {name: …, key: …}, …}"


def scheme_of(url: str) -> str:
    """The scheme of a URL; '' for a path."""
    match = _SCHEME.match(url)
    return match[1] or match[2] if match else ""


def parse_store_url(value: Any) -> str:
    """The URL of a store: a bucket with a prefix, or a folder.

    Raises `ValueError` when it is not one, or contains what may be a secret, which is not shown.
    """
    if not isinstance(value, str) or not value or not value.isprintable() or value != value.strip():
        raise ValueError(f"{value!r} is not the URL of a store; {_EXAMPLE}")
    scheme = scheme_of(value)
    if unquote(value).rstrip("/").rpartition("/")[2] == UNTRUSTED:
        above = "where the store above it keeps what jobs that are not trusted wrote"
        raise ValueError(f"{value!r} ends in {UNTRUSTED!r}, {above}; write another folder or prefix")
    if value[0] in "~$":
        raise ValueError(f"{value!r} begins with {value[0]}, which only a shell expands; write the whole path")
    if not scheme:
        return value
    if "@" in value[len(scheme) + 1 :].lstrip("/").partition("/")[0]:
        raise ValueError(f"the URL of a store contains a user or password (not shown); {_KEYS}")
    if "?" in value or "#" in value:
        raise ValueError("the URL of a store contains ? or # (not shown); write only bucket and prefix")
    if scheme not in {*BUCKETS, "file"} or not value.startswith(f"{scheme}:/"):
        raise ValueError(f"{value!r} is not the URL of a store; {_EXAMPLE}")
    place = urlsplit(value).netloc
    if scheme == "file" and place not in {"", "localhost"}:
        raise ValueError(f"{value!r} names a host; write file:///path")
    if scheme != "file" and not _BUCKET.fullmatch(place):
        raise ValueError(f"{value!r} does not name a bucket; write {scheme}://bucket/prefix")
    _check_path(value, scheme)
    return value


def _check_path(url: str, scheme: str) -> None:
    text = urlsplit(url).path
    path = (unquote(text) if scheme == "file" else text)[1:].removesuffix("/")
    if path and not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"the path of {url!r} contains //, /./ or /../; leave that out")
    if scheme == "file" and (not text or not path.isprintable()):
        raise ValueError(f"{url!r} does not name a folder; write file:///path")
    if scheme != "file" and (wrong := [part for part in path.split("/") if part and not _SEGMENT.fullmatch(part)]):
        raise ValueError(f"the path of {url!r} contains {wrong[0]!r}; use letters, digits, -, _ and .")


def parse_endpoint(value: Any) -> str:
    """The URL of a server: http or https, host and port. Raises `ValueError`, which never shows a secret."""
    if isinstance(value, str) and not {"@", "?", "#"}.isdisjoint(value):
        raise ValueError(f"the endpoint contains a user, password or query (not shown); {_KEYS}")
    if not isinstance(value, str) or not _ENDPOINT.fullmatch(value):
        raise ValueError(f"{value!r} is not the URL of a server; write for example https://minio.example:9000")
    return value


StoreUrl = Annotated[str, Before(parse_store_url, {"type": "string", "minLength": 1})]
"""A bucket with a prefix, or a folder."""

Endpoint = Annotated[str, Before(parse_endpoint, {"type": "string", "pattern": "^https?://"})]
"""The URL of a server that is not the provider's own."""
