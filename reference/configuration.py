"""The keys of `wurzel.yaml` and the fields of the IR, read off their models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from reference.tables import Schema, model, models_below, title

_FILE = "ProjectFile"

_CONFIGURATION = """\
# Keys of wurzel.yaml

Read off the models that `wurzel.yaml` is held to; `wurzel schema` prints the same for editors. How layers combine, and
what values look like, is in [Configuration](../configuration.md). `null` removes what weaker layers say. A *duration*
is `90s`, `1h30m` or a number of seconds; a *quantity* is Kubernetes's, `500m` or `8Gi`.
"""

_IR = """\
# The neutral pipeline (IR)

What `wurzel inspect PIPELINE --json` prints and `wurzel render --from-ir FILE` reads: a pipeline that is resolved and
knows no platform. `wurzel schema --ir` prints its JSON Schema. Durations are seconds, and defaults are left out.
"""


def page() -> str:
    """Every key of `wurzel.yaml`; options of targets are on pages of their own."""
    from wurzel.backends.registry import BUILT_IN

    definitions = {name: schema for name, schema in file_schema().items() if "." not in name}
    definitions["PipelineConfig"] = _without_targets(definitions["PipelineConfig"])
    links = ", ".join(f"[{name}](targets/{name}.md)" for name in BUILT_IN)
    lines = [_CONFIGURATION, "## The file\n", *model(_FILE, definitions)]
    for name in models_below(_FILE, definitions):
        lines += [f"## {title(name)}\n", *model(name, definitions)]
        if name == "PipelineConfig":
            lines.append(f"`targets` are {links}.\n")
    return "\n".join(lines).rstrip() + "\n"


def ir_page() -> str:
    """Every field of the IR."""
    from wurzel.ir.model import Pipeline

    schema = Pipeline.model_json_schema()
    definitions = {**schema.pop("$defs"), "Pipeline": schema}
    lines = [_IR]
    for name in ["Pipeline", *models_below("Pipeline", definitions)]:
        lines += [f"## {title(name)}\n", *model(name, definitions)]
    return "\n".join(lines).rstrip() + "\n"


@cache
def file_schema() -> Mapping[str, Schema]:
    """All definitions of the schema of `wurzel.yaml` by name, the file itself among them."""
    from wurzel.project.schema import json_schema

    schema = json_schema()
    return {**schema.pop("definitions"), _FILE: schema}


def _without_targets(schema: Schema) -> dict[str, Any]:
    targets = {"type": "object", "description": schema["properties"]["targets"]["description"]}
    return {**schema, "properties": {**schema["properties"], "targets": targets}}
