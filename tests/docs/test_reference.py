"""What is generated in `docs/` is up to date."""

import pytest

from reference.registry import ROOT, generated, with_part


def test_what_is_generated_is_up_to_date():
    stale = [path for path, text in generated() if (ROOT / path).read_text(encoding="utf-8") != text]
    assert not stale, f"run `make reference`, and read what it changes: {stale}"


def test_every_file_below_reference_is_generated():
    known = {path for path, _ in generated()}
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "reference").rglob("*.md")}
    assert there <= known, "docs/reference holds generated pages only; name its generator in reference/registry.py"


def test_a_part_is_replaced_between_its_marks():
    page = "# Page\n\n<!-- generated: table -->\nold\n<!-- end -->\nafter\n<!-- end -->\n"
    assert with_part(page, "p.md", "table", "new\n") == (
        "# Page\n\n<!-- generated: table -->\n\nnew\n\n<!-- end -->\nafter\n<!-- end -->\n"
    )


@pytest.mark.parametrize("page", ["", "<!-- generated: table -->\n", "<!-- end -->\n"])
def test_a_page_without_marks_says_what_it_needs(page):
    with pytest.raises(ValueError, match=r"p\.md needs the lines '<!-- generated: table -->' and '<!-- end -->'"):
        with_part(page, "p.md", "table", "new")
