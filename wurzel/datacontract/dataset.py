"""Datasets, as the rest of the program uses them: opened, read, written and gathered."""

from wurzel.datacontract.folders import recover
from wurzel.datacontract.gathering import gather, gather_outputs
from wurzel.datacontract.manifest import Part, Slice
from wurzel.datacontract.opening import Dataset, open_dataset, output_names, shard_folder, shard_of
from wurzel.datacontract.reader import Reader, Stream
from wurzel.datacontract.writer import Outputs, Writer, writing, writing_outputs

__all__ = [
    "Dataset",
    "Outputs",
    "Part",
    "Reader",
    "Slice",
    "Stream",
    "Writer",
    "gather",
    "gather_outputs",
    "open_dataset",
    "output_names",
    "recover",
    "shard_folder",
    "shard_of",
    "writing",
    "writing_outputs",
]
