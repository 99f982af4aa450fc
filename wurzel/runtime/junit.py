"""The JUnit report of a run: a test case for each step, as CI platforms read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from wurzel.invocation.digests import write

if TYPE_CHECKING:
    from wurzel.runtime.rows import Row

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow: https://www.w3.org/TR/xml/#charsets."""


def write_junit(path: Path, pipeline: str, rows: Sequence[Row]) -> None:
    """Write the report; the folder is made if need be. Raises `WriteError` when it cannot be written."""
    suite = Element("testsuite", name=pipeline, tests=str(len(rows)), time=_time(sum(row.seconds for row in rows)))
    suite.set("failures", str(sum(row.result == "failed" for row in rows)))
    suite.set("skipped", str(sum(row.result in {"skipped", "not run"} for row in rows)))
    for row in rows:
        case = SubElement(suite, "testcase", classname=pipeline, name=row.step, time=_time(row.seconds))
        if row.result == "failed":
            SubElement(case, "failure", message=_text(row.why)).text = _text("\n".join(row.log))
        elif row.result in {"skipped", "not run"}:
            SubElement(case, "skipped", message=_text(row.why or "a condition was false"))
        elif row.result == "unchanged":
            SubElement(case, "system-out").text = "unchanged"
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
