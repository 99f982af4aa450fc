"""A hand-made pipeline, and projects from text, for tests of configuration alone."""

import pytest

from tests.plain import plain_step
from wurzel.ir.model import DataType, Pipeline, Retry, Setting
from wurzel.ir.pods import Resources
from wurzel.project.load import load
from wurzel.project.resolve import resolve

DOCS = DataType(contract="mypkg.data:Doc", containers=("list",))


def setting(step_id, name, **facts):
    return Setting(name=name, variable=f"{step_id.upper().replace('-', '_')}__{name}", **facts)


@pytest.fixture
def pipeline():
    """A source with plain settings and a step with everything else: nested, secret, optional, from its class."""
    source = plain_step(
        id="load-docs",
        run="mypkg.steps:LoadDocsStep",
        output=DOCS,
        settings=(
            setting("load-docs", "FOLDER", type="Path", required=True),
            setting("load-docs", "GLOB", default="*.md"),
        ),
    )
    embed = plain_step(
        id="embed",
        run="mypkg.steps:Embed",
        needs=("load-docs",),
        input=DOCS,
        output=DOCS,
        resources=Resources(cpu="1", memory="2Gi"),
        retry=Retry(limit=1, backoff=5),
        timeout=60,
        settings=(
            setting("embed", "BATCH_SIZE", type="int", text=False, default=32),
            setting("embed", "API_KEY", type="SecretStr", secret=True, required=True),
            setting("embed", "LIMIT", type="int | None", text=False, default=512),
            setting("embed", "DB__HOST", default="localhost"),
            setting("embed", "DB__PORT", type="int", text=False, default=5432),
            setting("embed", "DB__PASSWORD", type="SecretStr", secret=True),
            setting("embed", "TAGS", type="dict[str, Any]", text=False, default={}),
        ),
    )
    return Pipeline(name="rag", entrypoint="mypkg.pipelines:rag", steps=(source, embed))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose wurzel.yaml is the given text, in the current folder."""
    monkeypatch.chdir(tmp_path)

    def make(text):
        path = tmp_path / "wurzel.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(path)

    return make


@pytest.fixture
def resolved(project, pipeline):
    """The hand-made pipeline with the body of its entry in wurzel.yaml, given as flow or block text."""

    def make(entry="", *sets, environment=None, rest="", check=None):
        body = "".join(f"    {line}\n" for line in entry.splitlines())
        text = f"version: 1\npipelines:\n  rag:\n    entrypoint: mypkg.pipelines:rag\n{body}{rest}"
        return resolve(pipeline, project(text), environment=environment, sets=sets, check=check)

    return make
