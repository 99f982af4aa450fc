"""The page of a run as HTML. Data never becomes code: it is JSON in the page, which a script sets as text alone."""

from __future__ import annotations

import base64
import html
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

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
