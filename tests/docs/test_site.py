"""The site builds without a warning, and the links of all pages lead somewhere."""

import re
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from reference.registry import ROOT
from reference.site import build, fetched_from_elsewhere, navigation

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def tokens(path):
    for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def anchors(path):
    """Names of headings, as GitHub and the site make them."""
    lines = list(tokens(path))
    titles = [after.content for before, after in pairwise(lines) if before.type == "heading_open"]
    plain = [re.sub(r"[*`]|\[|\]\([^)]*\)", "", title).lower() for title in titles]
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title).strip()) for title in plain}


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in PAGES])
def test_links(page):
    path = ROOT / page
    targets = [token.attrs.get("href") or token.attrs.get("src") for token in tokens(path)]
    for target in filter(None, targets):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), f"{page} links to {target}, which is not there"
        assert not anchor or anchor in anchors(file), f"{page} links to {target}: no such heading"


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("zensical", reason="the extra `docs` is not installed")
    site = build(tmp_path / "site")
    assert (site / "index.html").exists()
    assert not fetched_from_elsewhere(site)
    backslashes = [page for page in site.rglob("*.html") if re.search(r"<code>[^<]*\\\|", page.read_text("utf-8"))]
    assert not backslashes, "Markdown's escape of | in a table is shown as text"


def test_what_is_fetched_from_elsewhere_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<script src="https://x.example/a.js"></script><a href="https://y.example">y</a>')
    (tmp_path / "a.css").write_text("@import url(//z.example/a.css)")
    assert len(fetched_from_elsewhere(tmp_path)) == 2


def test_a_page_in_no_section_is_named(tmp_path):
    (tmp_path / "new.md").write_text("# New\n")
    with pytest.raises(ValueError, match=r"NAVIGATION in reference/site\.py: new\.md"):
        navigation(tmp_path)


def test_every_page_is_in_a_section(tmp_path):
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        (tmp_path / name).write_text("")
    for path in (ROOT / "docs").rglob("*.md"):
        copy = tmp_path / path.relative_to(ROOT / "docs")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("")
    navigation(tmp_path)
