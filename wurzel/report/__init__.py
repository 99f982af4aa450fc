"""A page about a run: its graph and schedule, and the state, data and log of each step, in one HTML file."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.datacontract.dataset import open_dataset
from wurzel.exceptions import DatasetError, shortened
from wurzel.ir.layout import layered
from wurzel.runtime.outcome import tail
from wurzel.runtime.preview import chosen, is_files, text_of

if TYPE_CHECKING:
    from wurzel.datacontract.opening import Dataset
    from wurzel.runtime.history import PastRun

_ROWS = 10
_COLUMNS = 20
_CELL = 300
_FILES = 50
_LOGS = 8


def content(run: PastRun, other: PastRun | None = None) -> dict[str, Any]:
    """What the page shows of a run, and of another one beside it.

    Data is shown where a dataset is still the one that the run wrote.
    """
    needs: dict[str, Sequence[str]] = dict(run.record.get("graph", {})) or dict.fromkeys(run.steps, ())
    if other is not None:
        needs |= {step: of for step, of in other.record.get("graph", {}).items() if step not in needs}
    layout = layered(needs) if needs else None
    return {
        "steps": list(needs),
        "places": {} if layout is None else dict(zip(needs, layout.places[: len(needs)], strict=True)),
        "lines": [] if layout is None else [(layout.places[one], layout.places[two]) for one, two in layout.lines],
        "runs": [_run(run, details=True), *([] if other is None else [_run(other, details=False)])],
    }


def _run(run: PastRun, *, details: bool) -> dict[str, Any]:
    about = {key: run.record.get(key) for key in ("id", "pipeline", "started", "seconds")}
    steps = {name: {**step, **(_details(run, name, step) if details else {})} for name, step in run.steps.items()}
    return {**about, "ended": run.ended, "counts": run.counts, "steps": steps}


def _details(run: PastRun, name: str, step: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(run.record.get("data_dir", "data"), name)
    previews = [
        found for output, digest in step.get("datasets", {}).items() if (found := _preview(folder, output, digest))
    ]
    logs = [{"name": path.name, "text": "\n".join(tail(path))} for path in islice(run.logs(name), _LOGS)]
    return {"previews": previews, "logs": logs}


def _preview(folder: Path, output: str, digest: str) -> dict[str, Any] | None:
    try:
        dataset = open_dataset(folder / output if output else folder)
        if dataset.digest != digest:
            return None
        return {"title": f"Data {output}".rstrip(), **(_files(dataset) if is_files(dataset) else _items(dataset))}
    except DatasetError as error:
        return {"title": f"Data {output}".rstrip(), "columns": [], "rows": [], "more": str(error)}


def _items(dataset: Dataset) -> dict[str, Any]:
    found = list(chosen(dataset, _ROWS, None))
    names = list(dict.fromkeys(name for _, item in found for name in item))
    rows = [[str(number), *(_cell(item, name) for name in names[:_COLUMNS])] for number, item in found]
    left = dataset.items - len(found)
    more = [f"{left:,} more items"] if left else []
    more += [f"{len(names) - _COLUMNS} more columns"] if len(names) > _COLUMNS else []
    if dataset.skipped:
        more = ["skipped: a condition was false"]
    return {"columns": ["#", *names[:_COLUMNS]], "rows": rows, "more": ", ".join(more)}


def _cell(item: Mapping[str, Any], name: str) -> str:
    return shortened(text_of(item[name]), _CELL) if name in item else ""


def _files(dataset: Dataset) -> dict[str, Any]:
    rows = [[part.name, f"{part.size:,}"] for part in dataset.parts[:_FILES]]
    left = len(dataset.parts) - len(rows)
    return {"columns": ["file", "bytes"], "rows": rows, "more": f"{left:,} more files" if left else ""}


_HERE = Path(__file__).parent


def page(content: dict[str, Any], title: str) -> str:
    """One HTML file with everything in it: a policy in the page forbids all scripts and styles but its own."""
    script, style = ((_HERE / name).read_text(encoding="utf-8") for name in ("report.js", "report.css"))
    # Within a script element only `<` can end it or begin a comment; JSON may write it as an escape anywhere it stands.
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "STYLE": _digest(style),
        "SCRIPT": _digest(script),
        "TITLE": html.escape(title),
        "CSS": style,
        "JS": script,
        "DATA": data,
    }
    pieces = (_HERE / "report.html").read_text(encoding="utf-8").split("@")
    # Names of parts stand at odd places; what is put in is never looked at again.
    return "".join(parts[piece] if number % 2 else piece for number, piece in enumerate(pieces))


def _digest(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()
