"""The documentation as a web site: `make docs` builds it into `.site/`, and any warning ends the build."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from reference.registry import ROOT
from wurzel.backends.registry import BUILT_IN

NAVIGATION: dict[str, list[str]] = {
    "Start": [
        "index.md",
        "quickstart.md",
        "laptop-to-cluster.md",
        "steps.md",
        "connecting-steps.md",
        "testing-steps.md",
        "ready-made-steps.md",
        "examples/rag/README.md",
        "examples/*/README.md",
    ],
    "Guides": [
        "configuration.md",
        "projects.md",
        "secrets.md",
        "running-locally.md",
        "proving.md",
        "layouts.md",
        "store.md",
        "image.md",
        "datasets.md",
        "templates.md",
        "organisation.md",
        "ci.md",
        "trust.md",
        "own-backend.md",
    ],
    "Backends": ["backends/index.md", *(f"backends/{name}.md" for name in BUILT_IN)],
    "Reference": ["reference/cli.md", "reference/configuration.md", "reference/ir.md", "reference/*.md"],
    "Reference of targets": ["reference/targets/*.md"],
    "Measured": ["performance.md", "conformance.md", "versions.md"],
    "Project": ["architecture.md", "CONTRIBUTING.md", "CHANGELOG.md", "decisions/index.md", "decisions/*.md"],
}
"""Title of a section to its pages, below `docs/`; `*` stands for all that are not named, by name."""

OUTSIDE = ("CONTRIBUTING.md", "CHANGELOG.md")
"""Pages of the repository's top folder that the site has as well."""

_ROW = re.compile(r"(?m)^\|.*$")
_CODE = re.compile(r"`[^`]+`")

SITE = ROOT / ".site"


def build(folder: Path) -> Path:
    """Build the site below `folder`, from nothing; gives the folder of its HTML.

    Raises:
        ValueError: when a page is in no section.
        subprocess.CalledProcessError: when the build warns of anything.
    """
    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "docs"
    left_out = shutil.ignore_patterns("__pycache__", "*.py", "data", ".wurzel")
    shutil.copytree(ROOT / "docs", docs, ignore=left_out)
    for name in OUTSIDE:
        text = (ROOT / name).read_text(encoding="utf-8")
        (docs / name).write_text(text.replace("](docs/", "]("), encoding="utf-8")
    for page in docs.rglob("*.md"):
        _lead_inside(page, docs)
        page.write_text(_ROW.sub(_without_backslashes, page.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "mkdocs.yml").write_text(json.dumps(_configuration(docs), indent=2), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "site"


def navigation(docs: Path) -> list[dict[str, list[str]]]:
    """The sections, with the pages that are there.

    Raises:
        ValueError: when a page is in no section.
    """
    there = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
    named = {page for pages in NAVIGATION.values() for page in pages}
    sections = []
    for title, patterns in NAVIGATION.items():
        pages = [page for pattern in patterns for page in there if page == pattern or _among(page, pattern, named)]
        sections.append({title: list(dict.fromkeys(pages))})
    missing = set(there) - {page for section in sections for pages in section.values() for page in pages}
    if missing:
        raise ValueError(f"in no section of NAVIGATION in reference/site.py: {', '.join(sorted(missing))}")
    return [section for section in sections if all(section.values())]


def _among(page: str, pattern: str, named: set[str]) -> bool:
    there, asked = page.split("/"), pattern.split("/")
    same = len(there) == len(asked) and all(map(fnmatchcase, there, asked))
    return "*" in pattern and page not in named and same


def _lead_inside(page: Path, docs: Path) -> None:
    """Let links to pages of the top folder lead to their copies."""
    up = "../" * (len(page.relative_to(docs).parts) - 1)
    text = page.read_text(encoding="utf-8")
    for name in OUTSIDE:
        text = text.replace(f"](../{up}{name}", f"]({up}{name}")
    page.write_text(text, encoding="utf-8")


def _without_backslashes(row: re.Match[str]) -> str:
    """A row of a table without the backslashes that GitHub needs before `|` in code, and the site would show."""
    return _CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0])


def _configuration(docs: Path) -> dict[str, object]:
    palette = [
        {"media": f"(prefers-color-scheme: {scheme})", "scheme": name, "toggle": {"icon": icon, "name": other}}
        for scheme, name, icon, other in (
            ("light", "default", "lucide/sun", "Dark"),
            ("dark", "slate", "lucide/moon", "Light"),
        )
    ]
    extensions = ["tables", "toc", "attr_list", "md_in_html", "pymdownx.superfences", "pymdownx.highlight"]
    return {
        "site_name": "wurzel",
        "nav": navigation(docs),
        "theme": {
            "name": "material",
            "font": False,  # nothing is fetched from elsewhere when a page is read
            "palette": palette,
            "features": ["navigation.sections", "content.code.copy", "search.highlight"],
        },
        "markdown_extensions": extensions,
    }


def fetched_from_elsewhere(site: Path) -> list[str]:
    """What a browser would fetch from other hosts to show a page: scripts, styles, fonts and pictures, not links."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix in {".html", ".css"}:
            text = path.read_text(encoding="utf-8")
            found += re.findall(r"<(?:script|img|iframe)[^>]*\ssrc=[\"']?(?:https?:)?//[^\s\"'>]+", text)
            found += re.findall(r"<link[^>]*rel=[\"']?stylesheet[^>]*href=[\"']?(?:https?:)?//[^>]+", text)
            found += re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\"']+", text)
    return found


if __name__ == "__main__":
    print(f"the site is in {build(SITE).relative_to(ROOT)}")
