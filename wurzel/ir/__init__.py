"""The neutral intermediate representation of a pipeline; see `wurzel.ir.model`."""
