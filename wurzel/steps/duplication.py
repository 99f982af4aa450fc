"""Drops duplicate items."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field, field_validator

from wurzel.core import Settings, TypedStep
from wurzel.datacontract import MarkdownDataContract

ALL = "*"


class DropSettings(Settings):
    """What makes two documents the same."""

    DROP_BY_FIELDS: list[str] | None = Field(
        ["md"], description='fields that must be equal; null or ["*"] stands for all of them'
    )

    @field_validator("DROP_BY_FIELDS")
    @classmethod
    def _known(cls, fields: list[str] | None) -> list[str] | None:
        known = list(MarkdownDataContract.model_fields)
        if fields == []:
            raise ValueError(f'names no field (use some of {", ".join(known)}, or null or ["*"] for all)')
        for name in fields if fields and fields != [ALL] else ():
            if name not in known:
                from difflib import get_close_matches

                close = get_close_matches(name, known, 1)
                advice = f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"
                raise ValueError(f"documents have no field {name!r} ({advice})")
        return fields


class DropDuplicationStep(TypedStep[DropSettings, list[MarkdownDataContract], list[MarkdownDataContract]]):
    """Keep only the first of equal documents."""

    def run(self, inpt: list[MarkdownDataContract]) -> list[MarkdownDataContract]:
        """The documents without those that equal an earlier one in all of DROP_BY_FIELDS, in their order."""
        chosen = self.settings.DROP_BY_FIELDS
        fields = list(MarkdownDataContract.model_fields) if chosen is None or chosen == [ALL] else chosen
        first: dict[bytes, MarkdownDataContract] = {}
        for item in inpt:
            first.setdefault(fingerprint(getattr(item, field) for field in fields), item)
        if dropped := len(inpt) - len(first):
            from logging import getLogger

            getLogger(__name__).info(
                "dropped %d of %d documents, the same as others in %s", dropped, len(inpt), ", ".join(fields)
            )
        return list(first.values())


def fingerprint(values: Iterable[Any]) -> bytes:
    """Bytes that are equal if and only if the values are equal as JSON, in any order of keys."""
    import json
    from hashlib import sha256

    from pydantic_core import to_jsonable_python

    text = json.dumps(to_jsonable_python(list(values), fallback=repr), sort_keys=True)
    return sha256(text.encode("ascii")).digest()
