"""`requires` in `wurzel.yaml`: the wurzel that a project needs; an index has another program of the same name."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from wurzel.exceptions import Problem, WurzelWarning
from wurzel.named_tuples import NamedTuple
from wurzel.patterns import pattern
from wurzel.version import __version__

if TYPE_CHECKING:
    from wurzel.project.nodes import Findings, Node

KEY = "requires"
HINT = f"Set `{KEY}:` to a version, a URL or a path."
THIS = f"wurzel=={__version__}"
"""What pip installs this version by."""
_FORMS = (
    "Write a version, as in wurzel==0.1.0, a URL, as in wurzel @ https://example.com/wurzel-0.1.0-py3-none-any.whl,"
    " or a path, as in ./wheels/wurzel-0.1.0-py3-none-any.whl."
)
_PATH = pattern(r"\.{0,2}/[^\s]*|[^\s@]+\.(?:whl|tar\.gz)")


class Requires(NamedTuple):
    """Where the wurzel of a project comes from."""

    text: str
    """For pip: `wurzel==0.1.0`, `wurzel @ https://…`, `./wheels/….whl`; '' if the project does not say it."""
    version: str = ""
    """The version that it must be; '' where that is not known."""

    @property
    def is_path(self) -> bool:
        """Whether it is a file or folder, relative to the project unless it starts with a slash."""
        return bool(_PATH.fullmatch(self.text))


def requires_of(root: Node, findings: Findings) -> Requires:
    """What a file says under `requires`. A range is refused: an index may have another program of this name."""
    node = root.fields.get(KEY)
    if node is None or isinstance(node.value, dict | list):
        return Requires("")
    from wurzel.datacontract.secrets import passwords_in

    text = str(node.written).strip()
    if any(passwords_in(text)):
        hint = "Put it into a pip.conf or .netrc; `wurzel image --build --secret id=netrc,src=FILE` hands it over."
        findings.add(node.origin, f"{KEY}: the URL contains a password, which generated files would show", hint)
        return Requires("")
    try:
        found = _parsed(text)
    except ValueError as error:
        findings.add(node.origin, f"{KEY}: {error}", _FORMS)
        return Requires("")
    if found.version and found.version != __version__:
        hint = f"Install {text}, or change this line to the version that is meant."
        findings.add(node.origin, f"{KEY}: {text!r}, but this is wurzel {__version__}", hint)
    return found


def pinned(requires: Requires, file: str) -> Requires:
    """What to install: where the project does not say it, the version that runs, with a warning; never just any."""
    if requires.text:
        return requires
    warnings.warn(WurzelWarning(str(unsaid(file))), stacklevel=2)
    return Requires(THIS, __version__)


def unsaid(file: str) -> Problem:
    """What to say where no file names wurzel."""
    return Problem(
        f"nothing says where wurzel comes from, so {THIS} is installed from the index of pip", where=file, hint=HINT
    )


def _parsed(text: str) -> Requires:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    if _PATH.fullmatch(text):
        return Requires(text)
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise ValueError(f"{text!r} is not a requirement") from None
    if canonicalize_name(requirement.name) != "wurzel":
        raise ValueError(f"{requirement.name!r} is another package; this is about wurzel")
    if requirement.marker is not None:
        raise ValueError("a marker behind `;` is not supported")
    if requirement.url is not None:
        return Requires(text)
    pins = [pin.version for pin in requirement.specifier]
    if len(pins) != 1 or next(iter(requirement.specifier)).operator != "==" or pins[0].endswith("*"):
        raise ValueError(f"{text!r} allows several versions, also of another program of this name")
    return Requires(text.replace(" ", ""), pins[0])
