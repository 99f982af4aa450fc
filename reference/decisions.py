"""The list of decisions."""

from reference.registry import ROOT


def listing() -> str:
    """A link to every page of `docs/decisions`, by its title."""
    pages = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "index.md")
    titles = [page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in pages]
    return "\n".join(f"- [{title}]({page.name})" for page, title in zip(pages, titles, strict=True))
