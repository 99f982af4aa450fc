"""Lists of `params.yaml` as DVC writes them, so that an experiment changes only the lines of its values."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"(^|[:-] )[|>][-+0-9]*$")


def with_flush_lists(text: str) -> tuple[str, list[int]]:
    """The text with the items of each list at the column of its key, and for each line its old number (from 0).

    `dvc exp run -S` writes the whole file again in that style. The text stays as it is if its meaning would change.
    """
    lines: list[str] = []
    lists: list[int] = []
    """Columns of the lists around the line, which are two further left in the result."""
    key = -1
    """Column of the key on the line before, if its value starts below it."""
    block: int | None = None
    """Column of the line that text in a block started on."""
    for line in text.split("\n"):
        content = line.lstrip(" ")
        column = len(line) - len(content)
        if not content or (block is not None and column > block):
            lines.append(line[2 * len(lists) :] if content else line)
            continue
        block = column if _BLOCK.search(content) else None
        while lists and (column < lists[-1] or (column == lists[-1] and not _is_item(content))):
            lists.pop()
        if _is_item(content) and column == key + 2:
            lists.append(column)
        lines.append(line[2 * len(lists) :])
        inner = column
        while _is_item(content):
            inner, content = inner + 2, content[2:]
        key = inner if content.endswith(":") else -1
    found = "\n".join(lines)
    if found == text:
        return text, list(range(text.count("\n")))
    from wurzel.render.documents import parsed

    return (found if parsed(found) == parsed(text) else text), list(range(text.count("\n")))


def _is_item(content: str) -> bool:
    return content.startswith("- ")
