"""Write the reference of templates anew: `make reference`."""

from pathlib import Path

from wurzel.backends.contract import contract, filters
from wurzel.backends.reference import page
from wurzel.backends.registry import BUILT_IN, get
from wurzel.render import Renderer

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def path_of(target):
    """Where the page of a target is."""
    return FOLDER / f"templates-{target}.md"


def text_of(target):
    """What is to stand on it."""
    return page(contract(get(target), Renderer()), filters(Renderer()))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for target in BUILT_IN:
        path_of(target).write_text(text_of(target), encoding="utf-8")
