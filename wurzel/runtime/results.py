"""What `run` gives: stored output by output, counted, and refused where it breaks its contract."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING, Any, get_origin

from wurzel.datacontract.contract import Contract, measures
from wurzel.exceptions import ContractFailedException, UsageError
from wurzel.runtime.logs import logger
from wurzel.runtime.user_code import user_code

if TYPE_CHECKING:
    from wurzel.core.fields import DataField
    from wurzel.datacontract.writer import Writer
    from wurzel.runtime.work import Work

SAMPLE = "WURZEL_SAMPLE"
"""Environment variable with the number of items that steps without inputs store, of each output."""


def sample_of(environ: Mapping[str, str]) -> int | None:
    """How many items a source stores; nothing if all. Raises `UsageError` when it is not a number from 1."""
    text = environ.get(SAMPLE, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise UsageError(f"{text!r} is not a number of items, from 1", where=SAMPLE)
    return int(text)


def beginning(items: Iterator[Any], number: int) -> Generator[Any, None, None]:
    """The first items of a stream, which is closed then."""
    try:
        yield from islice(items, number)
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


class Results:
    """Stores what each call of `run` gives."""

    def __init__(self, work: Work, writers: Mapping[str, Writer]) -> None:
        self.metrics: dict[str, float] = {}
        self._work = work
        self._writers = writers
        self._sample = sample_of(work.environ) if work.source else None
        for field in work.types.outputs:
            writers[field.name].seen = _counter(field, self.metrics)

    def add(self, result: Any) -> None:
        """Store what one call gave; a stream is asked for its items meanwhile.

        Raises `ContractFailedException` when it breaks the contract, `UserCodeFailed` when a stream raises an error,
        `DatasetError` when it cannot be written.
        """
        types = self._work.types
        if types.output_class is None:
            self._store(types.outputs[0], result)
            return
        if type(result) is not types.output_class:
            shown = "None" if result is None else f"a {type(result).__name__}"
            fields = ", ".join(f"{field.name}=…" for field in types.outputs)
            raise ContractFailedException(
                f"run returned {shown}, not {types.output_class.__name__}",
                where=f"step {self._work.step_id!r}",
                hint=f"Write return {types.output_class.__name__}({fields}).",
            )
        self._check_apart(result)
        for field in types.outputs:
            self._store(field, getattr(result, field.name))

    def _check_apart(self, result: Any) -> None:
        """Refuse one iterator for two outputs: the second one would be stored without items."""
        seen: dict[int, str] = {}
        for field in self._work.types.outputs:
            value = getattr(result, field.name)
            if isinstance(value, Iterator) and seen.setdefault(id(value), field.name) != field.name:
                raise ContractFailedException(
                    f"the outputs {seen[id(value)]} and {field.name} are one iterator, which gives its items only once",
                    where=f"step {self._work.step_id!r}",
                    hint="Make a list of it, or an iterator for each output.",
                )

    def _store(self, field: DataField, value: Any) -> None:
        step_id = self._work.step_id
        try:
            if field.form != "value" and not isinstance(value, list | tuple):
                value = _stream(field, value)
            with user_code(step_id):
                if self._sample is not None and field.shape.many:
                    value = self._sampled(field, value, self._sample)
                self._writers[field.name].add(value)
        except ContractFailedException as error:
            self._work.inputs.check()  # a broken item of an input stream is not a fault of the output
            what = f"the output {field.name}" if field.name else "what run returned"
            raise ContractFailedException(
                f"{what} breaks the contract {field.shape.name}: {error.message}",
                where=f"step {step_id!r}",
                hint=error.hint,
            ) from None

    def _sampled(self, field: DataField, value: Any, number: int) -> Any:
        """The first items of what a source gave; what breaks the contract is left to be refused."""
        logger.info("only the first %d items are stored: %s is set", number, SAMPLE)
        if isinstance(value, Iterator):
            return beginning(value, number)
        cuts = field.shape.dataframe or isinstance(value, list | tuple | set | frozenset)
        return self._writers[field.name].cut(value, number) if cuts else value


def _stream(field: DataField, value: Any) -> Iterator[Any]:
    """The items of a stream. Models, mappings and texts are iterable, too, but what they give is not items."""
    if isinstance(value, Iterator):
        return value
    from pydantic import BaseModel

    kinds = (get_origin(kind) or kind for kind in field.shape.contracts)
    # A TypedDict, which isinstance does not take, is a dict.
    whole = (str, bytes, Mapping, AbstractSet, BaseModel, *(kind for kind in kinds if not issubclass(kind, dict)))
    if isinstance(value, Iterable) and not isinstance(value, whole):
        return iter(value)
    from wurzel.datacontract.difference import not_many
    from wurzel.datacontract.shape import type_text

    raise not_many(value, type_text(field.annotation))


def _counter(field: DataField, total: dict[str, float]) -> Callable[[Any], None] | None:
    """What adds the metrics of a value, or of an item of a stream, to the total; nothing where there are none."""
    contracts = field.shape.contracts
    if not measures(contracts):
        return None
    alone = len(contracts) == 1 and issubclass(contracts[0], Contract)
    contract: type[Contract] = contracts[0] if alone else Contract
    prefix = f"{field.name}." if field.name else ""
    failed = False

    def count(value: Any) -> None:
        nonlocal failed
        try:
            found = {} if failed else dict(contract.get_metrics(value))
        except Exception as error:  # noqa: BLE001 - the author's own numbers must not cost the data
            failed = True
            logger.warning("the metrics cannot be computed: %s: %s", type(error).__name__, error)
            return
        for name, number in found.items():
            total[prefix + name] = total.get(prefix + name, 0.0) + number

    return count
