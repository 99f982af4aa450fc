"""The contract of a table, stored as Parquet; needs `pip install "wurzel[dataframe]"`. Import it from the package."""

from typing import Any

from wurzel.datacontract.contract import MetricMap
from wurzel.datacontract.model import DataModel
from wurzel.exceptions import MissingPackage

MISSING = 'pip install "wurzel[dataframe]"'

try:
    from pandas import DataFrame
    from pandera.pandas import DataFrameModel
except ModuleNotFoundError as _error:
    raise MissingPackage(
        f"PanderaDataFrameModel needs the package {_error.name}, which is not installed", hint=f"Run: {MISSING}"
    ) from _error


class PanderaDataFrameModel(DataFrameModel, DataModel):
    """The columns of a table; flows between steps as `DataFrame[Model]`."""

    @classmethod
    def kt_file_extension(cls) -> str:
        """`.parquet`."""
        return ".parquet"

    @classmethod
    def get_metrics(cls, obj: Any) -> MetricMap:
        """Rows and columns."""
        metrics = super().get_metrics(obj)
        if isinstance(obj, DataFrame):
            metrics |= {"rows": float(obj.shape[0]), "columns": float(obj.shape[1])}
        return metrics
