"""Lines of a loop are read once: what comes out is what reading all of them gives."""

import pytest

from wurzel.exceptions import QuotingError, VerifyError
from wurzel.render.quoting.draft import Draft
from wurzel.render.quoting.repeats import repeats, shortened
from wurzel.render.quoting.yaml import write
from wurzel.render.quoting.yaml_layout import Layout
from wurzel.render.text import Held

ITEMS = 12


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Files with few values count as large ones."""
    monkeypatch.setattr("wurzel.render.quoting.repeats.LARGE", ITEMS)


ALIKE = {
    "list": "- name: ◌\n  command: [run, ◌, '--to=◌']\n  ◌: x\n",
    "mapping": "◌:\n  image: ◌\n  args:\n  - ◌\n",
    "block": "- script: |\n    echo ◌\n\n    exit\n  name: ◌\n",
    "comments": "# ◌\n- ◌ # ◌\n\n",
    "documents": "---\nname: ◌\n",
    "anchors": "- &a ◌\n- *a\n",
    "folded": "- text: >-\n    a ◌\n    b\n",
}
UNLIKE = {
    "within a block": ("text: |\n", "  a ◌\n", ""),
    "within quotes": ('text: "\n', "  a ◌\n", '  "\n'),
    "within brackets": ("xs: [\n", "  ◌,\n", "]\n"),
    "deeper and deeper": ("", "- - ◌\n", ""),
    "a mapping in which the first ends": ("a:\n", "  ◌: 1\n", "b: 2\n"),
}


def draft_of(head, lines, tail):
    pieces = [(head, 1, "t")]
    for number in range(ITEMS):
        first, *others = lines.split("◌")
        pieces.append((first, 2, "t"))
        for index, text in enumerate(others):
            pieces += [Held(f"v{number}-{index}", 2, "t", ""), (text, 2, "t")]
    return Draft([*pieces, (tail, 3, "t")])


def seen(layout):
    """All that a layout found, with slots as mappings."""
    return [
        {name: getattr(item, name) for name in item.__slots__} if hasattr(item, "pieces") else item
        for item in layout.program
    ]


@pytest.mark.parametrize("head", ["", "top:\n"])
@pytest.mark.parametrize("tail", ["", "end: 1\n", "# end\n"])
@pytest.mark.parametrize("lines", ALIKE.values(), ids=ALIKE)
def test_repeated_lines_are_like_those_that_were_read(head, lines, tail):
    if lines.startswith(("- ", "#")) and tail == "end: 1\n" and not head:
        tail = "- end\n"
    draft = draft_of(head, lines, tail)
    layout = Layout(draft)
    assert len(shortened(draft.reference, [repeat.starts for repeat in repeats(draft)])) < len(draft.reference) / 2
    found = seen(layout)
    slots = [slot.start for slot in layout.slots]
    layout._read([])
    assert found == seen(layout)
    assert slots == [slot.start for slot in layout.slots]
    write(draft.pieces)


@pytest.mark.parametrize(("head", "lines", "tail"), UNLIKE.values(), ids=UNLIKE)
def test_lines_that_may_be_read_otherwise_are_all_read(head, lines, tail):
    draft = draft_of(head, lines, tail)
    found = seen(layout := Layout(draft))
    layout._read([])
    assert found == seen(layout)


def test_the_value_that_fails_is_named():
    pieces = []
    for number in range(ITEMS):
        pieces += [("- text: x", 1, "t"), Held(number if number != 9 else "a: b", number + 1, "t", ""), ("\n", 1, "t")]
    with pytest.raises(QuotingError, match="t:10"):
        write(pieces)


def test_a_template_that_is_not_yaml_is_named_by_its_line():
    pieces = [("a: 1\n", 1, "t")]
    for number in range(ITEMS):
        pieces += [("- ", number + 2, "t"), Held(number, number + 2, "t", ""), ("\n", number + 2, "t")]
    with pytest.raises(VerifyError, match="t:2"):
        write(pieces)
