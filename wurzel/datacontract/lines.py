"""The JSON of items, made sure of: each item reads back as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import from_json
from pydantic_core import to_json as as_json

from wurzel.datacontract.codec import place, short
from wurzel.datacontract.contract import JSON_CONFIG
from wurzel.datacontract.ordering import dumped_in_order
from wurzel.datacontract.schema import Schema
from wurzel.exceptions import ContractFailedException, StaticTypeError, mismatch

if TYPE_CHECKING:
    from wurzel.datacontract.difference import Difference
    from wurzel.datacontract.lossless import Lossless
    from wurzel.datacontract.roundtrip import Comparison
    from wurzel.datacontract.shape import Shape

_SHOWN = 5
_LONGEST = 300

Encode = Callable[[Any, int], bytes]
"""Gives the JSON of an item; its index is for messages."""


class BrokenItems(ContractFailedException):
    """Items that break their contract; the message shows the first few of the problems."""

    def __init__(self, problems: Sequence[str], hint: str = "") -> None:
        self.problems = problems
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        super().__init__("\n  ".join([*problems[:_SHOWN], *more]), hint=hint)


class ItemLines:
    """Writes and reads the JSON of items of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        item: Any = shape.item
        self._adapter: TypeAdapter[list[Any]] = _adapter(shape)
        self._contract = Schema(self._adapter.core_schema)
        # Fields are stored under their aliases, unless validation would not find all of them there again.
        by_alias = self._contract.by_alias
        self._write: dict[str, Any] = {"by_alias": by_alias, "round_trip": True, "warnings": False}
        self._read: dict[str, Any] = {} if by_alias else {"by_alias": False, "by_name": True}
        self._quick = self._contract.one_infinity and not (self._contract.sets or self._contract.free)
        """Whether the JSON needs no second look: sets, also those in values of any type, have no fixed order in it."""
        self._classes = frozenset(shape.contracts if item is shape.contract else ())

    def encoder(self) -> Encode:
        """What gives the JSON of one item after the other; `check` is to be called for what it gave."""
        quick, line = self._lossless, self.line
        if quick is None:
            return line
        write = self._writing
        fits, beyond = quick.flat or (lambda _: False, ())
        check, readable, longest = quick.check, quick.readable, quick.longest

        def encode(item: Any, index: int) -> bytes:
            try:
                if (
                    fits(item) and (not beyond or all(inner((item.__dict__[name],)) for name, inner in beyond))
                ) or check((item,)):
                    text = write(item)
                    if len(text) <= longest or readable(item, text):
                        return text
            except Exception:  # noqa: BLE001, S110 - `line` raises it again, and says for which item
                pass
            return line(item, index)

        return encode

    @cached_property
    def _writing(self) -> Callable[[Any], bytes]:
        """What writes an item of a contract whose items read back exactly."""
        contract, quick = self.shape.contract, self._lossless
        assert quick is not None  # noqa: S101 - see above
        contract.model_rebuild()  # nothing, unless it was left for later
        to_json: Callable[..., bytes] = contract.__pydantic_serializer__.to_json
        by_alias = self._write["by_alias"]
        if not quick.sets:
            return lambda item: to_json(item, by_alias=by_alias, round_trip=True)
        sets, stand_in = quick.sets, contract.__new__(contract)
        for name in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
            object.__setattr__(stand_in, name, None)
        put, as_it_is = stand_in.__dict__, partial(to_json, by_alias=by_alias, round_trip=True, warnings=False)

        def write(item: Any) -> bytes:
            """Write an object with the same values, but lists in place of sets."""
            put.clear()
            put.update(item.__dict__)
            for name in sets:
                put[name] = sorted(put[name], key=as_json)
            return as_it_is(stand_in)

        return write

    @property
    def _unsure(self) -> bool:
        """Whether only reading the JSON of items tells that it is not refused."""
        return self._lossless is not None and self._lossless.constrained

    def check(self, texts: Sequence[bytes], first: int) -> None:
        """Raise `ContractFailedException` if something that `encoder` gave, from number `first` on, cannot be read."""
        if self._unsure:
            self._validated(b"[" + b",".join(texts) + b"]", first)

    def read(self, data: bytes, first: int = 0, *, single: bool = False) -> list[Any]:
        """The items in the JSON of a list, the first of which has the number `first`.

        Raises `ContractFailedException` when they break the contract; the message names item and field.
        """
        try:
            return self._adapter.validator.validate_json(data, **self._read)  # type: ignore[no-any-return]
        except ValidationError as error:
            raise self._broken(error, first, single=single) from None
        except Exception as error:
            for index, line in enumerate(data.strip()[1:-1].strip(b"\n").split(b",\n"), first):
                self._validated(b"[" + line + b"]", index)
            raise self._raised(error, first, "reading it") from error

    def written(self, item: Any) -> bytes:
        """The JSON of an item that was read."""
        return self._written(item, 0)[1:-1]

    def at_once(self, items: list[Any]) -> list[bytes] | None:
        """The lines of items if all of them certainly read back; otherwise `line` finds the one that does not."""
        if not self._classes.issuperset(map(type, items)):
            return None
        quick = self._lossless
        try:
            if quick is not None:
                same, texts = quick.check(items), list(map(self._writing, items))
                if self._unsure or not all(map(quick.readable, items, texts)):
                    self._validated(b"[" + b",".join(texts) + b"]")
            else:
                texts, data = self._texts(items)
                read = self._adapter.validator.validate_json(data, **self._read)
                same = self._all_same(items, read)
                same = same and (self._contract.exact or self._texts(read)[1] == data)
        except Exception:  # noqa: BLE001 - `line` raises it again, and says for which item
            return None
        return texts if same else None

    def _texts(self, items: list[Any]) -> tuple[list[bytes], bytes]:
        """The JSON of each item, and of the list of them."""
        write, options = self._adapter.serializer.to_json, self._write
        if not self._quick:
            texts = dumped_in_order(self._adapter.serializer, items, options)
        elif len(items) == 1:  # large items come one by one: no copy more than is needed
            data = write(items, **options)
            return [data[1:-1]], data
        else:
            texts = [write([item], **options)[1:-1] for item in items]
        return texts, b"[" + b",".join(texts) + b"]"

    def _all_same(self, items: list[Any], read: list[Any]) -> bool:
        compare = self._compare
        return all(compare(*pair) is None and not compare.promoted for pair in zip(items, read, strict=True))

    def line(self, item: Any, index: int = 0) -> bytes:
        """The JSON of one item, after making sure that it reads back to the same item.

        Raises `ContractFailedException` when it does not; the message names the item by its index, and the field.
        """
        value = item if type(item) in self._classes else self._taken(item, index)
        origin = item if type(item) is type(value) else value
        text, difference = self._stored(value, origin, index)
        if difference is not None:
            raise BrokenItems([difference.message(self._item(index))], difference.remedy)
        return text[1:-1]

    def _stored(self, value: Any, origin: Any, index: int) -> tuple[bytes, Difference | None]:
        """The JSON of a list of one item, and how the item differs from what reads back."""
        text, compare = self._written(value, index), self._compare
        try:
            (read,) = self._validated(text, index)
        except BrokenItems:
            self._read_apart(value, index)
            raise
        try:
            difference = compare(origin, read)
        except Exception as error:
            raise self._raised(error, index, "comparing it with what was stored") from error
        if difference is None and compare.promoted:
            text = self._written(read, index)
        elif difference is None and not self._contract.exact:
            again = self._written(read, index)
            from wurzel.datacontract.roundtrip import different_json

            difference = None if again == text else different_json(from_json(text)[0], from_json(again)[0])
        return text, difference

    def _written(self, item: Any, index: int) -> bytes:
        try:
            if self._quick:
                return self._adapter.serializer.to_json([item], **self._write)
            (line,) = dumped_in_order(self._adapter.serializer, [item], self._write)
            return b"[" + line + b"]"
        except Exception as error:  # noqa: BLE001 - the author's own serializers may do anything
            reason = " ".join(str(error).removeprefix("Error serializing to JSON: ").split())
            reason = reason if isinstance(error, ValueError) else f"{type(error).__name__}: {reason}"
            culprit = [name for name, text in self._texts_of_fields(item) if text is None]
            where = place(self._item(index), culprit[:1])
            raise BrokenItems([f"{where}: it cannot be stored as JSON: {reason}"]) from None

    def _read_apart(self, item: Any, index: int) -> None:
        """Raise for the first field whose text is not valid JSON, such as a number with too many digits."""
        for name, text in self._texts_of_fields(item):
            try:
                from_json(text or b"[]")
            except ValueError as error:
                where = place(self._item(index), [name])
                raise BrokenItems([f"{where}: what would be stored cannot be read back: {error}"]) from None

    def _texts_of_fields(self, item: Any) -> Iterator[tuple[str, bytes | None]]:
        """Each field and its JSON; `None` where it cannot be written."""
        for name in type(item).model_fields if isinstance(item, BaseModel) else ():
            try:
                yield name, self._adapter.serializer.to_json([item], include={"__all__": {name}}, **self._write)
            except Exception:  # noqa: BLE001 - see `_written`
                yield name, None

    @cached_property
    def _lossless(self) -> Lossless | None:
        from wurzel.datacontract.lossless import lossless

        return lossless(self._contract, self._contract.root["items_schema"])

    @cached_property
    def _compare(self) -> Comparison:
        from wurzel.datacontract.roundtrip import Comparison

        return Comparison(self._contract, self._contract.root["items_schema"])

    def _taken(self, item: Any, index: int) -> Any:
        """The item of the contract that an item of another class stands for, such as a mapping."""
        try:
            (value,) = self._adapter.validator.validate_python([item])
        except ValidationError as error:
            raise self._broken(error, index) from None
        except Exception as error:
            raise self._raised(error, index, "validating it") from error
        if type(item) is not type(value):
            from wurzel.datacontract.difference import Difference, unread

            difference = unread(item, value) if isinstance(item, Mapping) else Difference(item, value)
            if difference is not None:
                raise BrokenItems([difference.message(self._item(index))], difference.remedy)
        return value

    def _validated(self, data: bytes, start: int = 0) -> list[Any]:
        """The items in the JSON of a list that is about to be written; `start` is the number of the first."""
        try:
            return self._adapter.validator.validate_json(data, **self._read)  # type: ignore[no-any-return]
        except ValidationError as error:
            raise self._broken(error, start) from None
        except Exception as error:
            raise self._raised(error, start, "reading back what would be stored") from error

    def _item(self, index: int) -> str:
        return f"item {index}" if self.shape.many else ""

    def _raised(self, error: Exception, index: int, doing: str) -> BrokenItems:
        reason = " ".join(str(error).split())
        return BrokenItems([f"{self._item(index)}: {doing} raised {type(error).__name__}: {reason[:_LONGEST]}"])

    def _broken(self, error: ValidationError, start: int, *, single: bool = False) -> BrokenItems:
        problems = error.errors(include_url=False, include_context=False)
        numbered = self.shape.many and not single
        found = []
        for one in problems:
            where = self._place(one["loc"], start, numbered=numbered)
            text = mismatch(one["type"], one["msg"], short(one["input"]))
            found.append(f"{where}: {text}" if where else text)
        return BrokenItems(found)

    @staticmethod
    def _place(loc: tuple[int | str, ...], start: int, *, numbered: bool) -> str:
        index, *rest = loc or (0,)
        return place(f"item {index + start}" if numbered and isinstance(index, int) else "", rest)


def _adapter(shape: Shape) -> TypeAdapter[list[Any]]:
    item: Any = shape.item
    try:
        return TypeAdapter(list[item], config=JSON_CONFIG)
    except PydanticUserError as error:
        reason = str(error).partition("\n")[0].partition(". Set `")[0]
        raise StaticTypeError(f"{shape.name} cannot be stored: {reason}") from None
