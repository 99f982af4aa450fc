"""Templates as files in a scratch folder, rendered."""

import sys

import pytest

from wurzel.render import Renderer


@pytest.fixture
def render(tmp_path):
    """Render `files` (a source, or names to sources); the first one is the one that is rendered."""

    def run(files, /, **context):
        if isinstance(files, str):
            files = {"x.yaml.j2": files}
        for path, source in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(source)
        return Renderer(["."], root=tmp_path).render(next(iter(files)), context)

    return run


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """The folder of compiled templates, which need not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "cache" / "wurzel" / "templates"
