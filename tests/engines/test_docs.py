"""The pages of targets whose engines are here: what other tests of the pages leave out is run, below a space."""

from dataclasses import replace
from pathlib import Path

import pytest

from reference.example import copy_example
from tests.docs import blocks as pages
from wurzel.engines.git import git_home

pytestmark = pytest.mark.engine
ENGINES = pages.ROOT / ".engines"


def all_of(block, programs):
    """The block, with the commands of these programs."""
    if not set(block.left_out) & set(programs):
        return block
    left = [name for name in block.left_out if name not in programs]
    return replace(block, mark="not run", said=f"x ({', '.join(left)})") if left else replace(block, mark="", said="")


@pytest.mark.parametrize(("page", "programs"), [("dvc", ["dvc", "git"]), ("airflow", ["airflow"])])
def test_page(page, programs, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "TIMEOUT", 600)
    example = copy_example(tmp_path / "a folder")
    environment = pages.surroundings(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / page).symlink_to(ENGINES / page / "bin" / page)
    environment |= git_home(Path(environment["HOME"])) | {
        "PATH": f"{environment['PATH']}:{tmp_path / 'bin'}",
        "DVC_NO_ANALYTICS": "1",
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }
    blocks = [all_of(block, programs) for block in pages.blocks(pages.ROOT / f"docs/backends/{page}.md")]
    assert not any(set(block.left_out) & set(programs) for block in blocks)
    wrong = []
    for block in blocks:
        try:
            pages.run(block, example, environment)
        except pages.Wrong as error:
            wrong.append(f"{block.page}:{block.line}: {error}")
    assert not wrong, "\n\n".join(wrong)
