"""What most templates have in common, so that it stands in the file once, in `templateDefaults`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.named_tuples import NamedTuple

if TYPE_CHECKING:
    from wurzel.backends.argo.manifest import ExitHandler, Template


class Common(NamedTuple):
    """The values that most templates have; empty where Argo's merge would give them to templates without."""

    image: str
    command: Sequence[str]
    resources: Mapping[str, Any]
    deadline: int | None


def common(templates: Sequence[Template], handler: ExitHandler | None) -> Common:
    """What these templates have in common. The exit handler counts since it inherits `templateDefaults` as well."""
    containers = [template.container for template in templates]
    if len(containers) < 2:  # noqa: PLR2004 - nothing is common to one
        return Common("", [], {}, None)
    asked = [container.resources for container in containers]
    everyone = [*asked, handler.container.resources] if handler else asked
    resources = _most(asked)
    deadlines = [template.active_deadline_seconds for template in templates]
    return Common(
        image=_most(container.image for container in containers),
        command=_most(list(container.command) for container in containers),
        resources=resources if all(_covers(own, resources) for own in everyone) else {},
        deadline=None if None in deadlines or _unbounded(handler) else _most(deadlines),
    )


def _unbounded(handler: ExitHandler | None) -> bool:
    return handler is not None and handler.active_deadline_seconds is None


def _covers(own: Mapping[str, Any], shared: Mapping[str, Any]) -> bool:
    """Whether a merge of both is `own`: each amount that is shared has one in its place."""
    return all(set(amounts) <= set(own.get(kind, ())) for kind, amounts in shared.items())


def _most(values: Iterable[Any]) -> Any:
    """The value that most have; of equally common ones, the first."""
    found = list(values)
    ((text, _), *_) = Counter(map(repr, found)).most_common(1)
    return next(value for value in found if repr(value) == text)
