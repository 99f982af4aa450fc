"""Log lines on stderr: plain for people, JSON for machines, with pipeline, step and run."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any, TextIO

from wurzel.exceptions import WurzelWarning
from wurzel.runtime.masking import CURRENT

logger = logging.getLogger("wurzel")

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FORMAT = warnings.formatwarning


def set_up(log_format: str, level: str, **context: str | None) -> None:
    """Send everything that is logged, and warnings, to stderr.

    Every line has the `context`, such as `step`, and the run and pipeline of `WURZEL_RUN_ID` and `WURZEL_PIPELINE`.
    """
    known = {"pipeline": os.environ.get("WURZEL_PIPELINE"), "run": os.environ.get("WURZEL_RUN_ID"), **context}
    fields = {name: value for name, value in known.items() if value}
    handler = _Masked(sys.stderr)
    handler.setFormatter(JsonFormatter(fields) if log_format == "json" else TextFormatter(fields))
    root = logging.getLogger()
    for old in [item for item in root.handlers if isinstance(item.formatter, JsonFormatter | TextFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    warnings.formatwarning = _warning  # type: ignore[assignment] # which names each argument


def _warning(message: Warning | str, category: type[Warning], *place: Any) -> str:
    """The text of a warning; wurzel's own name their place, so the line that gave them says nothing more."""
    return str(message) if issubclass(category, WurzelWarning) else _FORMAT(message, category, *place)


class _Masked(logging.StreamHandler[TextIO]):
    """Writes lines without the secrets of this process: where steps run in it, nothing else masks them."""

    def format(self, record: logging.LogRecord) -> str:
        return CURRENT.text(super().format(record))


class TextFormatter(logging.Formatter):
    """`12:30:01 INFO split: done`."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        step = f" {fields['step']}:".replace("%", "%%") if "step" in fields else ""
        super().__init__(f"%(asctime)s %(levelname)s{step} %(message)s", "%H:%M:%S")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, context, and whatever `extra` gave."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self._fields = fields

    def format(self, record: logging.LogRecord) -> str:
        """The object of one record."""
        import json
        from datetime import UTC, datetime

        data: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._fields,
        }
        data |= {name: value for name, value in vars(record).items() if name not in _OWN and name not in data}
        if record.exc_info:
            data["exception"] = self.formatException(record.exc_info)
        return json.dumps(data, ensure_ascii=False, default=str)
