"""Records about datasets: entries of a cache, in a store or on one machine, and hand-overs of runs.

Each contains the name it is stored by, so that one that is found under another name is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.manifest_file import manifest_of, slice_of
from wurzel.named_tuples import NamedTuple
from wurzel.store.names import ALL

if TYPE_CHECKING:
    from wurzel.datacontract.manifest import Manifest, Part

_SEAL = "sha256"


def seal(fields: Mapping[str, Any]) -> bytes:
    """A document of these fields, and a digest of them."""
    from pydantic_core import to_json

    return to_json({_SEAL: sha256(to_json(fields)).hexdigest(), **fields}) + b"\n"


def unseal(data: bytes) -> dict[str, Any]:
    """The fields of a document. Raises `ValueError` when it is torn, or not what was written."""
    from pydantic_core import from_json, to_json

    fields = from_json(data, allow_inf_nan=False)
    if not isinstance(fields, dict) or fields.pop(_SEAL, None) != sha256(to_json(fields)).hexdigest():
        raise ValueError("its digest is not that of its fields")
    return fields


_NONE: Mapping[str, Any] = MappingProxyType({})


class Data(NamedTuple):
    """A dataset in the store."""

    manifest: Manifest
    trusted: bool = True
    """Whether its files are among those that trusted jobs wrote."""
    fingerprint: str = ""
    """The entry that led to it, which is removed where a file turns out to be damaged."""

    @property
    def digest(self) -> str:
        """Name of the dataset in the store; equal for equal data."""
        return self.manifest.digest


class Entry(NamedTuple):
    """What a step, or a slice of it, gave with one fingerprint."""

    fingerprint: str
    step: str
    """Id of the step, with ` I/N` for a slice."""
    datasets: Mapping[str, Data]
    """By the name of the output; `""` where it has none."""
    report: Mapping[str, Any] = _NONE
    inputs: Mapping[str, str] = _NONE
    """What the fingerprint is made of: digests by kind."""

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the datasets by the name of the output."""
        return {name: data.digest for name, data in self.datasets.items()}

    @property
    def parts(self) -> Iterator[Part]:
        """The files of all datasets."""
        return (part for data in self.datasets.values() for part in data.manifest.parts)

    @property
    def skipped(self) -> bool:
        """Whether the step was not run, because a condition was false."""
        return all(data.manifest.skipped for data in self.datasets.values())

    def text(self) -> bytes:
        """The entry as it is stored."""
        datasets = {name: _written(data) for name, data in self.datasets.items()}
        about = {"datasets": datasets, "report": dict(self.report), "inputs": dict(self.inputs)}
        return seal(self._asdict() | about)


class HandOver(NamedTuple):
    """What a step, or a slice of it, gave in one run."""

    run: str
    step: str
    output: str
    """Name of the output; `""` where it has none."""
    data: Data
    definition: str
    """Digest of the pipeline and its parameters."""
    part: str = ALL
    """`all`, or `2-of-3` for a slice."""
    inputs: Mapping[str, str] = _NONE
    """Digest of each dataset of this run that was read, by `step/output`, or `step/_` without a name."""
    superseded: bool = False
    """Whether another run stored its result first, which was handed over in its place."""
    fingerprint: str = ""
    """Of the step, also in the hand-over of a slice: only slices of one fingerprint become one dataset."""
    report: Mapping[str, Any] = _NONE
    """What the step, or the slice, took and gave."""

    def text(self) -> bytes:
        """The hand-over as it is stored."""
        about = {"data": _written(self.data), "inputs": dict(self.inputs), "report": dict(self.report)}
        return seal(self._asdict() | about)


def entry_of(text: bytes, fingerprint: str, *, trusted: bool) -> Entry | None:
    """The entry of a fingerprint; `None` when the text is damaged, or names another.

    What was read among what trusted jobs wrote leads nowhere else.
    """
    try:
        fields = unseal(text)
        datasets = {name: _read(data) for name, data in fields["datasets"].items()}
        report, inputs = dict(fields["report"]), dict(fields["inputs"])
        entry = Entry(fields["fingerprint"], fields["step"], datasets, report, inputs)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not all(isinstance(text, str) for text in (entry.step, *entry.inputs.values())):
        return None
    named = {data.fingerprint for data in entry.datasets.values()}
    if entry.fingerprint != fingerprint or (trusted and not all(data.trusted for data in entry.datasets.values())):
        return None
    return entry if named <= {"", fingerprint} else None


def hand_over_of(text: bytes) -> HandOver:
    """A hand-over. Raises `ValueError` when the text is damaged."""
    try:
        fields = unseal(text)
        given = HandOver(**fields | {"data": _read(fields["data"])})
        texts = [given.run, given.step, given.output, given.definition, given.part, given.fingerprint]
        texts += given.inputs.values()
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"is not a hand-over: {error}") from None
    if not all(isinstance(text, str) for text in texts) or not isinstance(given.report, dict):
        raise ValueError("is not a hand-over: it has something else where text belongs")
    return given


def _written(data: Data) -> dict[str, Any]:
    cut = data.manifest.slice
    about = {"trusted": data.trusted, "fingerprint": data.fingerprint, "manifest": data.manifest.canonical}
    return about if cut is None else about | {"slice": cut._asdict()}


def _read(fields: dict[str, Any]) -> Data:
    manifest = manifest_of(fields["manifest"], Path())
    if "slice" in fields:
        manifest = manifest._replace(slice=slice_of(fields["slice"]))
    if not isinstance(fields["fingerprint"], str):
        raise TypeError("its fingerprint is not text")
    return Data(manifest, fields["trusted"] is True, fields["fingerprint"])
