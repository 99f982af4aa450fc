"""What is generated in `docs/` is up to date."""

import re
import sys
from pathlib import Path
from subprocess import run

import pytest

from reference import example
from reference.pictures import steady
from reference.registry import FILES, PARTS, ROOT, generated, with_part


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith(".svg")])
def test_a_picture_is_small_and_fetches_nothing(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert len(text) < 30_000
    assert set(re.findall(r"\w+://[^\s\"']*", text)) == {"http://www.w3.org/2000/svg"}
    assert "  " not in text, "browsers collapse spaces and stretch what is left over `textLength`"
    assert not re.search(r"<(script|image|use|foreignObject)|@import|url\((?!#)", text)
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert any(Path(path).name in page.read_text(encoding="utf-8") for page in pages), "no page shows it"


def test_a_slow_machine_changes_no_picture():
    quick, slow = (
        ["a: done in 0.8s", "rag: 1 ran in 1.0s"],
        ["a: done in 31.5s", "slowest: a 31s", "rag: 1 ran in 33.0s"],
    )
    assert steady(quick) == steady(slow)


def test_what_is_generated_is_up_to_date():
    stale = [path for path, text in generated() if (ROOT / path).read_text(encoding="utf-8") != text]
    assert not stale, f"run `make reference`, and read what it changes: {stale}"


def test_every_file_below_reference_and_images_is_generated():
    there = [*(ROOT / "docs" / "reference").rglob("*.md"), *(ROOT / "docs" / "images").iterdir()]
    unknown = {path.relative_to(ROOT).as_posix() for path in there} - {*FILES, *PARTS}
    assert not unknown, "only what is generated belongs there; name its generator in reference/registry.py"


def test_what_was_rendered_in_the_example_is_in_no_copy_of_it(tmp_path, monkeypatch):
    """Who tries the documented commands there must not change what pictures show."""
    original = example.copy_example(tmp_path / "original")
    done = run([sys.executable, "-m", "wurzel", "render"], cwd=original, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rendered = {"dvc.yaml", "params.yaml", "run-rag.sh", ".gitlab-ci.yml"}
    assert rendered <= {path.name for path in original.iterdir()}
    monkeypatch.setattr(example, "ROOT", tmp_path / "original")
    there = {path.name for path in example.copy_example(tmp_path / "copy").rglob("*") if path.is_file()}
    assert "wurzel.yaml" in there
    assert not there & {*rendered, "rag.yaml"}


def test_a_part_is_replaced_between_its_marks():
    page = "# Page\n\n<!-- generated: table -->\nold\n<!-- end -->\nafter\n<!-- end -->\n"
    assert with_part(page, "p.md", "table", "new\n") == (
        "# Page\n\n<!-- generated: table -->\n\nnew\n\n<!-- end -->\nafter\n<!-- end -->\n"
    )


@pytest.mark.parametrize("page", ["", "<!-- generated: table -->\n", "<!-- end -->\n"])
def test_a_page_without_marks_says_what_it_needs(page):
    with pytest.raises(ValueError, match=r"p\.md needs the lines '<!-- generated: table -->' and '<!-- end -->'"):
        with_part(page, "p.md", "table", "new")
