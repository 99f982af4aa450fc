"""What makes a class a contract, as far as shapes and parts of datasets need to know it."""

from numbers import Real
from typing import Any

from pydantic import ConfigDict

MetricMap = dict[str, float]

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
