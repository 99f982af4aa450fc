"""Drops duplicate items."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import Field

from wurzel.core import Settings, TypedStep
from wurzel.datacontract import MarkdownDataContract
from wurzel.models import After

ALL = "*"


def _known(fields: list[str] | None) -> list[str] | None:
    known = list(MarkdownDataContract.model_fields)
    if fields == []:
        raise ValueError(f'does not name a field (use some of {", ".join(known)}, or null or ["*"] for all)')
    for name in fields if fields and fields != [ALL] else ():
        if name not in known:
            from wurzel.suggestion import closest

            close = closest(name, known)
            advice = f"did you mean {close}?" if close else f"the fields are {', '.join(known)}"
            raise ValueError(f"documents have no field {name!r} ({advice})")
    return fields


class DropSettings(Settings):
    """What makes two documents the same."""

    DROP_BY_FIELDS: Annotated[list[str] | None, After(_known)] = Field(
        ["md"], description='fields that must be equal; null or ["*"] stands for all of them'
    )


class DropDuplicationStep(TypedStep[DropSettings, Iterable[MarkdownDataContract], Iterator[MarkdownDataContract]]):
    """Keep only the first of equal documents."""

    def run(self, inpt: Iterable[MarkdownDataContract]) -> Iterator[MarkdownDataContract]:
        """The documents without those that equal an earlier one in all of DROP_BY_FIELDS, in their order.

        They pass one by one; what stays in memory is 32 bytes for each.
        """
        chosen = self.settings.DROP_BY_FIELDS
        fields = list(MarkdownDataContract.model_fields) if chosen is None or chosen == [ALL] else chosen
        seen: set[bytes] = set()
        count = 0
        for item in inpt:
            count += 1
            digest = fingerprint(getattr(item, field) for field in fields)
            if digest not in seen:
                seen.add(digest)
                yield item
        if dropped := count - len(seen):
            from logging import getLogger

            getLogger(__name__).info(
                "dropped %d of %d documents, the same as others in %s", dropped, count, ", ".join(fields)
            )


def fingerprint(values: Iterable[Any]) -> bytes:
    """Bytes that are equal if and only if the values are equal as JSON, in any order of keys."""
    import json
    from hashlib import sha256

    from pydantic_core import to_jsonable_python

    text = json.dumps(to_jsonable_python(list(values), fallback=repr), sort_keys=True)
    return sha256(text.encode("ascii")).digest()
