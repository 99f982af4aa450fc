"""Texts with a grammar of their own: names, labels, images, environment variables, folders.

Each type checks a value wherever it enters (configuration, IR) and carries its pattern into the JSON Schemas.
"""

import posixpath
import re
from typing import Annotated, Any

from wurzel.git_folder import is_git
from wurzel.models import Before, is_before

_LABEL = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*"
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_TAG = r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
_INSIDE = r"^(?!/|~|\.\.(/|$)).+$"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"


def _without_login(value: Any) -> Any:
    """A value that may be shown: a text without the password of a `user:password@host`, which needs no scheme."""
    return re.sub(r":[^\s/:@]+@(?!sha\d)", ":***@", value) if isinstance(value, str) else value


class Text:
    """A validator that accepts text which matches `pattern` in full.

    `what` completes "… is not …" and ends with an example of what is.
    """

    def __init__(self, pattern: str, what: str, limit: int = 0) -> None:
        self.pattern = pattern
        self.what = what
        self.limit = limit

    def __call__(self, value: Any) -> str:
        """The value. Raises `ValueError` unless it is such a text, no longer than `limit` (0: no limit)."""
        if not isinstance(value, str) or re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"{_without_login(value)!r} is not {self.what}")
        if self.limit and len(value) > self.limit:
            raise ValueError(f"{value!r} has {len(value)} characters; at most {self.limit} are allowed")
        return value

    def schema(self, *types: str) -> dict[str, Any]:
        """The same rule for JSON Schema; `types` are further JSON types whose text is taken as it is written."""
        kinds = ["string", *types]
        limit = {"maxLength": self.limit} if self.limit else {}
        return {"type": kinds if types else "string", "pattern": f"^(?:{self.pattern})$", **limit}


_env_name = Text(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable; write letters, digits and _")
_label_name = Text(_LABEL, "a label key; write for example team or acme.example/team")
_label_prefix = Text(_SUBDOMAIN, "the prefix of a label key; write a domain such as acme.example", 253)
_label_value = Text(f"(?:{_LABEL})?", "a label value; write at most 63 letters, digits, -, _ and .")
_image = Text(
    rf"(?:(?=[^/]*[.:]|localhost/){_HOST}/)?{_PATH_PART}(?:/{_PATH_PART})*(?::{_TAG})?(?:@{_DIGEST})?",
    "an image; write for example ghcr.io/acme/rag:1.4 or ghcr.io/acme/rag@sha256:…",
)
_name = Text(_DNS_LABEL, "a name; write at most 63 lower-case letters, digits and -, such as rag or rag-de")
_port = Text(
    r"(?:[A-Za-z][A-Za-z0-9_]*)?", "the name of an input or output; write letters, digits and _, a letter first", 63
)
_object = Text(_SUBDOMAIN, "a Kubernetes name; write lower-case letters, digits, - and .", 253)
_secret_name = Text(r"[-._/a-zA-Z0-9]+", "the name of a secret; write letters, digits, -, _, . and /", 253)
_secret_key = Text(r"[-._a-zA-Z0-9]+", "the key of a secret; write letters, digits, -, _ and .", 253)
_entrypoint = Text(
    r"[A-Za-z_][\w.]*[:.][A-Za-z_]\w*", "an entrypoint; write module:attribute, e.g. mypkg.pipelines:rag"
)
_class = Text(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*", "a class; write module:Class")
_variable = Text(r"\w+", "the name of a setting; write letters, digits and _")
_device = Text(
    rf"(?!requests\.)(?!(?:[^/]*\.)?kubernetes\.io/){_SUBDOMAIN}/{_LABEL}",  # names that Kubernetes keeps for itself
    "a device of Kubernetes; write for example amd.com/gpu or nvidia.com/mig-1g.5gb",
)
_webhook = Text(
    r"https?://[^\s/@?#]+(?:[/?][^\s]*)?", "the URL of a webhook; write https://…, or a reference: {name: …, key: …}"
)
_branch = Text(r"[A-Za-z0-9_][-A-Za-z0-9_./]*", "the name of a branch; write for example main or release/1.4", 244)
_other = Text(
    rf"{_DNS_LABEL}(?:/{_DNS_LABEL})?", "a pipeline or a step of one; write for example ingest or ingest/load"
)
_page = Text(r"[1-9][0-9]*(?:Ki|Mi|Gi)", "a size of pages; write for example 2Mi or 1Gi")
_any = Text(r"[^\0]*", "text without NUL characters; put it in quotes")


def _label_key(value: Any) -> str:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set."""
    prefix, slash, name = value.rpartition("/") if isinstance(value, str) else ("", "", value)
    if slash:
        _label_prefix(prefix)
    _label_name(name)
    return str(value)


def _folder(value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(f"{value!r} is not a folder; write a relative path such as data")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", value):
        raise ValueError(
            f"{value!r} is a URL, and datasets are written to a folder; write a path such as data; what is kept"
            " elsewhere is named by `store`"
        )
    path = posixpath.normpath(value)
    if any(map(is_git, path.split("/"))):
        raise ValueError(f"{value!r} is in the folder of git itself; write a path such as data")
    if path == ".." or path.startswith(("/", "~", "../")):
        raise ValueError(f"{value!r} leads out of the project; write a path relative to wurzel.yaml, such as data")
    if path == ".":
        raise ValueError(f"{value!r} is the project folder itself; write the path of a folder in it, such as data")
    return path


class Plain:
    """Marks a text that was made of letters, digits, `-`, `_`, `.`, `:` and `/` alone, and is not checked again."""


PlainText = Annotated[str, Plain()]
"""Such a text: it may stand within any other."""


def is_restricted(metadata: tuple[Any, ...]) -> bool:
    """Whether the annotations of a text hold it to a grammar without white space, quotes and the like."""
    if any(isinstance(mark, Plain) for mark in metadata):
        return True
    rules = [mark.func for mark in metadata if is_before(mark)]
    return bool(rules) and not any(rule in {_any, _folder, _source, _mount_path, _sub_path, _webhook} for rule in rules)


def _source(value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(f"{value!r} is not a file; write a path relative to the project folder")
    if posixpath.normpath(value).startswith(("/", "../", "~")) or posixpath.normpath(value) in {".", ".."}:
        raise ValueError(f"{value!r} leads out of the project; write a path relative to its folder")
    return value


_SPECIAL = {"", ".", ".."}


def _mount_path(value: Any) -> str:
    if not isinstance(value, str) or ":" in value or not value.startswith("/") or _SPECIAL & set(value[1:].split("/")):
        raise ValueError(f"{value!r} is not a mount path; write an absolute path without ':', such as /etc/acme")
    return value


def _sub_path(value: Any) -> str:
    if not isinstance(value, str) or _SPECIAL & set(value.split("/")):
        raise ValueError(f"{value!r} is not a path within a volume; write a relative one without '..', such as de/docs")
    return value


Entrypoint = Annotated[str, Before(_entrypoint, _entrypoint.schema())]
"""`module:attribute` or `module.attribute`."""

ClassPath = Annotated[str, Before(_class, _class.schema())]
"""`module:Class`, both in the form that Python imports."""

VariableName = Annotated[str, Before(_variable, _variable.schema())]
"""A setting and the variable that sets it: unlike `EnvName` it may start as a step's id does, with a digit."""

SourceFile = Annotated[str, Before(_source, {"type": "string", "pattern": _INSIDE})]
"""A file below the project folder."""

EnvName = Annotated[str, Before(_env_name, _env_name.schema())]
"""A name every shell can export (POSIX, https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html)."""

FreeText = Annotated[str, Before(_any, _any.schema("number", "boolean"))]
"""Any text that an environment variable or an annotation can hold; in `wurzel.yaml` also a number, as it is written."""

LabelKey = Annotated[str, Before(_label_key)]
"""A key of a Kubernetes label, annotation or node selector."""

Webhook = Annotated[str, Before(_webhook, _webhook.schema())]
"""The address that a request is sent to."""

Branch = Annotated[str, Before(_branch, _branch.schema())]
"""A branch of git, without patterns, which platforms read differently."""

OtherPipeline = Annotated[str, Before(_other, _other.schema())]
"""Another pipeline, or one of its steps."""

Device = Annotated[str, Before(_device, _device.schema())]
"""A resource of a device plugin (https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/)."""

PageSize = Annotated[str, Before(_page, _page.schema())]
"""A size of huge pages (https://kubernetes.io/docs/tasks/manage-hugepages/scheduling-hugepages/)."""

LabelValue = Annotated[str, Before(_label_value, _label_value.schema("number", "boolean"))]
"""A value of a Kubernetes label or node selector."""

Image = Annotated[str, Before(_image, _image.schema())]
"""A container image (https://github.com/distribution/reference): registry, name in lower case, tag, digest."""

Name = Annotated[str, Before(_name, _name.schema())]
"""A DNS label: names of pipelines and ids of steps."""

PortName = Annotated[str, Before(_port, _port.schema())]
"""A field of a step's `Inputs` or `Outputs`, which also names a folder; empty for the only one of a step."""

ObjectName = Annotated[str, Before(_object, _object.schema())]
"""A DNS subdomain: names of Kubernetes objects such as service accounts."""

SecretName = Annotated[str, Before(_secret_name, _secret_name.schema())]
"""A secret object, a group of variables or a path in a vault."""

SecretKey = Annotated[str, Before(_secret_key, _secret_key.schema())]
"""An entry of a secret."""

Folder = Annotated[str, Before(_folder, {"type": "string", "pattern": _INSIDE})]
"""A relative folder that is not the project itself."""

MountPath = Annotated[str, Before(_mount_path)]
"""An absolute path in a container (Kubernetes: without a colon)."""

SubPath = Annotated[str, Before(_sub_path)]
"""A path inside a volume."""
