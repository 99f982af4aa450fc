"""The pipeline as a file beside the rendered one, for jobs that are `wurzel run` and find no wurzel.yaml."""

import posixpath
from typing import Any

from wurzel.backends.base import OutputFile, PipelineContext
from wurzel.ir.model import Pipeline
from wurzel.ir.serialize import dump_for_jobs


class IrContext(PipelineContext):
    """What the template of the file with the pipeline sees."""

    options: Any
    """The options of the target, with defaults."""
    ir: str
    """JSON of what jobs read of the pipeline. They check its digest or layout, so write it unchanged."""


def ir_path(main: str) -> str:
    """Where that file is, beside the main one."""
    return f"{posixpath.splitext(main)[0]}.ir.json"


def ir_text(pipeline: Pipeline) -> str:
    """Its text without the header; the first brace has a line, so that the header has room below it."""
    return "{\n" + dump_for_jobs(pipeline)[1:]


def ir_file(pipeline: Pipeline, options: Any, main: str, target: str) -> OutputFile:
    """That file, with its template."""
    from wurzel.render.values import Json  # `wurzel run` needs the names of this module, and renders nothing

    context: IrContext = {"pipeline": pipeline, "options": options, "ir": Json(ir_text(pipeline).rstrip("\n"))}
    return OutputFile(ir_path(main), f"{target}/ir.json.j2", {**context})
