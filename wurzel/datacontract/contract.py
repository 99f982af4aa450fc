"""What makes a class a contract, as far as shapes and parts of datasets need to know it."""

from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, TypeVar

from pydantic import ConfigDict

MetricMap = dict[str, float]
F = TypeVar("F", bound=Callable[..., Any])

JSON_CONFIG = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
"""How values that JSON does not know are stored: as `NaN` and `Infinity`, and as base64."""


class Contract:
    """What every contract is and can tell; authors know it as `DataModel`."""

    @classmethod
    def kt_file_extension(cls) -> str:
        """Suffix of the files that hold data of this contract: `.json` or `.parquet`."""
        raise NotImplementedError

    @classmethod
    def get_metrics(cls, obj: Any) -> MetricMap:
        """Numbers that describe an object, from its own `metrics()`; those of a list or set are summed by name."""
        if isinstance(obj, list | tuple | set):
            total: MetricMap = {}
            for item in obj:
                for name, value in cls.get_metrics(item).items():
                    total[name] = total.get(name, 0.0) + value
            return total
        own = getattr(obj, "metrics", None)
        found = own() if callable(own) else None
        if not isinstance(found, dict):
            return {}
        return {name: float(value) for name, value in found.items() if isinstance(value, Real)}


def measures(contracts: Iterable[Any]) -> bool:
    """Whether items of some contract may have metrics: asking each of a million that has none takes a second."""
    return any(
        (getattr(contract, "metrics", None) is not None and not getattr(contract.metrics, "none", False))
        or "get_metrics" in _own_names(contract)
        for contract in contracts
    )


def _own_names(contract: type) -> set[str]:
    """Names that a class, or one it derives from short of `Contract`, defines."""
    return {name for base in contract.__mro__ if base is not Contract for name in vars(base)}


def no_metrics(method: F) -> F:
    """Mark a `metrics` that gives nothing."""
    method.none = True  # type: ignore[attr-defined]
    return method
