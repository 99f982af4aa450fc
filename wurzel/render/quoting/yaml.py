"""Values in YAML files: whole values, keys, entries, text inside longer scalars, and comments.

A real parser reads the file twice: once with a harmless word in place of each value, to find each value's position, and
once finished. The second pass must find the same as the first, with each word replaced by its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wurzel.patterns import pattern
from wurzel.render.characters import presentable
from wurzel.render.quoting.draft import Draft, comment, fragment, refuse, refuse_words
from wurzel.render.quoting.yaml_layout import Layout
from wurzel.render.quoting.yaml_scalar import (
    LONGEST_KEY,
    double_quoted,
    key,
    reads_as_text,
    scalar,
    unquoted_problem,
)
from wurzel.render.quoting.yaml_slot import STRING, Slot, is_part, signature
from wurzel.render.quoting.yaml_value import after_dash, after_key, entries, entry_parts, inline, leaf, parts
from wurzel.render.values import Indented, Joined, Json, NotAValue, show
from wurzel.render.verify import Unreadable, yaml_events

if TYPE_CHECKING:
    from wurzel.render.text import Held, Piece

_COMMENT = pattern(r"(^|[ \t])#")
_NEXT_LINE = pattern(r"\n((?:[ \t]*\n)*)([ \t]*)(\S?)")
_HEADER = pattern(r"[|>]([-+0-9]*)[ \t]*(?:#[^\n]*)?\n(?:[ \t]*\n)*( *)")
_WORD = pattern(r"[\w./@+-]*", re.ASCII)
_ITEMS = pattern(r"\n *- ")
_NO_SPACE = pattern(r"\s*(-|\?|[\w.-]+:)")
_QUOTE_IT = 'Quote the whole in the template, `"…"`, or write it as one value with `~`.'


def write(pieces: Sequence[Piece], *, prove: bool = True) -> Draft:
    """The file with every value quoted for its position.

    Raises `QuotingError` when a value is at a place where no quoting makes it read back unchanged, `VerifyError` when
    the file cannot be read.
    """
    draft = Draft(pieces)
    refuse_words(draft)
    layout = Layout(draft)
    seen: set[int] = set()
    for slot in layout.slots:
        seen.update(slot.pieces)
        _fill(draft, slot)
    for index in draft.holes:
        if index not in seen:
            _fill_comment(draft, index)
    for index, margin in layout.margins.items():
        draft.outputs[index] = margin + draft.outputs[index]
    if prove:
        _prove(draft, layout)
    return draft


def _fill(draft: Draft, slot: Slot) -> None:
    if slot.style in {"|", ">"}:
        _unindent(draft, slot)
    held = draft.held(slot.pieces[0])
    try:
        if slot.kind == "within":
            _fill_within(draft, slot)
        elif slot.kind == "entries":
            _fill_entries(draft, slot, held)
        else:
            _refuse_tag(slot, held)
            _refuse_built(slot, held)
            draft.outputs[slot.pieces[0]] = _key(slot, held) if slot.is_key else _value(draft, slot, held)
    except NotAValue as error:
        raise refuse(held, str(error), error.hint) from None


def _unindent(draft: Draft, slot: Slot) -> None:
    """Use the text before `indent` was applied: a block indents its lines itself."""
    for index in slot.pieces:
        value = draft.held(index).value
        if isinstance(value, Indented):
            draft.replace(index, value.origin)
        elif isinstance(value, Joined) and value.separator[:1] == "\n" and value.separator != "\n":
            hint = 'Write `join("\\n")`: the block indents further lines itself.'
            raise refuse(draft.held(index), f"`join` puts {value.separator!r} between its items", hint)


def _refuse_built(slot: Slot, held: Held) -> None:
    """Refuse text that was assembled to look like a list or mapping, since it would become a single string."""
    value = held.value
    if isinstance(value, Json):
        hint = "Remove `| tojson`, or write `| json` if you want its text."
        raise refuse(held, "it would be read as text, not as the value it looks like", hint)
    if isinstance(value, Joined) and (
        (slot.in_list and slot.flow and "," in value.separator)
        or ("\n" in value.separator and _ITEMS.search(value))  # within an item it is text, as of a list in Markdown
    ):
        hint = "Write the list itself, without `| join`; add `| string` if you want one text."
        raise refuse(held, "the result of `join` would be one text, not several items", hint)


def _refuse_tag(slot: Slot, held: Held) -> None:
    if slot.tag in {None, STRING} and (slot.tag is None or isinstance(held.value, str)):
        return
    if slot.tag is None or slot.tag.startswith("tag:yaml.org,2002:") or slot.tag == "!":
        raise refuse(held, f"the tag {slot.tag!r} before it decides how it is read", "Remove the tag.")


def _key(slot: Slot, held: Held) -> str:
    if isinstance(held.value, dict | list):
        raise refuse(held, "a key must be text, a number, a boolean or null")
    return key(held.value, flow=slot.flow)


def _value(draft: Draft, slot: Slot, held: Held) -> str:
    index, value = slot.pieces[0], held.value
    if slot.flow:
        return inline(value)
    if not isinstance(value, dict | list) and not (isinstance(value, str) and "\n" in value):
        return scalar(value)  # one line wherever it is
    before = draft.before(index).rstrip(" ")
    if not draft.after(index) and slot.tag is None and slot.anchor is None:
        if before[-1:] == ":" and before.strip() != ":":
            text = after_key(value, slot.column, **_room(draft, index, slot.column))
            if text[0] == "\n":
                _trim_before(draft, index)
            return text
        if before[-1:] == "-" and not before.strip(" -"):
            column = len(before) - 1
            entry = len(draft.before(index))
            return after_dash(value, column, entry, **_room(draft, index, column))
    return inline(value) if isinstance(value, dict | list) else scalar(value)


def _room(draft: Draft, index: int, column: int) -> dict[str, bool]:
    """Whether text may be a literal block here, and one that ends in empty lines."""
    match = _NEXT_LINE.match(draft.reference, draft.end(index))
    if match is None:
        return {"literal": False, "keep": False}
    blank, margin, first = match.groups()
    return {"literal": first != "#" or len(margin) <= column, "keep": not blank and (bool(first) or not margin)}


def _trim_before(draft: Draft, index: int) -> None:
    while index:
        index -= 1
        draft.outputs[index] = draft.outputs[index].rstrip(" ")
        if draft.outputs[index]:
            return


def _fill_entries(draft: Draft, slot: Slot, held: Held) -> None:
    index = slot.pieces[0]
    if held.value:
        column = len(draft.before(index))
        draft.outputs[index] = entries(held.value, column, literal=_room(draft, index, column)["literal"])
    elif slot.text:
        start = len(draft.before(index))
        draft.outputs[index] = ("  " if slot.outer == start else "") + inline(held.value)
    else:
        _drop_line(draft, index)


def _drop_line(draft: Draft, index: int) -> None:
    _trim_before(draft, index)
    for after in range(index + 1, len(draft.outputs)):
        draft.outputs[after] = draft.outputs[after].lstrip(" ")
        if draft.outputs[after]:
            draft.outputs[after] = draft.outputs[after].removeprefix("\n")
            return


def _fill_within(draft: Draft, slot: Slot) -> None:
    if not slot.style and not slot.one_line:
        below = draft.where_in_reference(draft.reference.index("\n", slot.start) + 1)
        hint = f"Indent {below} less, or write `>-` or `|-` before a text of several lines."
        raise refuse(draft.held(slot.pieces[0]), "unquoted lines would be joined into one text here", hint)
    texts = {index: fragment(draft.held(index), "a longer text") for index in slot.pieces}
    whole = draft.fill(slot.value)
    for index in slot.pieces:
        value = draft.held(index).value
        if isinstance(value, Joined) and slot.style and slot.style in value.separator:
            hint = "Write the list itself, without `| join` and quotes; add `| string` if you want one text."
            raise refuse(draft.held(index), "the result of `join` would be one text, not several items", hint)
    if slot.is_key and whole == "<<":
        hint = "Write it as a whole value, without quotes around it."
        raise refuse(
            draft.held(slot.pieces[0]), "Ruby's reader would merge a mapping for the key `<<`, even in quotes", hint
        )
    if slot.is_key and len(whole) > LONGEST_KEY:
        raise refuse(draft.held(slot.pieces[0]), f"the whole key would be longer than {LONGEST_KEY} characters")
    for index, text in texts.items():
        draft.outputs[index] = _part(draft, slot, index, text)
    if not slot.style:
        _check_plain(draft, slot, texts, whole)


def _part(draft: Draft, slot: Slot, index: int, text: str) -> str:
    if slot.style == '"':
        return double_quoted(text)
    if slot.style == "|" and "\n" in text:
        return _lines(draft, slot, index, text)
    if not presentable(text.replace("\t", " ") if slot.style == "|" else text):
        raise refuse(draft.held(index), "line breaks, tabs and invisible characters are not allowed here", _QUOTE_IT)
    if slot.style == "'":
        return text.replace("'", "''")
    if slot.style == ">" and text != text.strip(" "):
        raise refuse(draft.held(index), "white space at its ends may be lost in a folded block", "Use `|`, not `>`.")
    return text


def _lines(draft: Draft, slot: Slot, index: int, text: str) -> str:
    lines = text.split("\n")
    if not all(presentable(line.replace("\t", " ")) for line in lines):
        raise refuse(
            draft.held(index), "some of its characters are not allowed in a text block", "Use quotes, not `|`."
        )
    header = _HEADER.search(draft.reference, slot.start)
    if header is None or header.group(1).strip("+-"):
        raise refuse(
            draft.held(index), "the indentation of its lines is unclear", "Remove the digit of the block header."
        )
    margin = header.group(2)
    return "\n".join([lines[0], *(margin + line if line else "" for line in lines[1:])])


def _check_plain(draft: Draft, slot: Slot, texts: dict[int, str], whole: str) -> None:
    held = draft.held(slot.pieces[0])
    if _NO_SPACE.fullmatch(draft.before(slot.pieces[0])):
        raise refuse(held, "there is no space before it, so the whole would be one text", "Write `- ` and `: `.")
    if not unquoted_problem(slot.value, flow=slot.flow):
        if problem := unquoted_problem(whole, flow=slot.flow):
            raise refuse(held, f"it is inside the unquoted text {show(whole)}: {problem}", _QUOTE_IT)
    elif not all(map(_WORD.fullmatch, texts.values())) or not reads_as_text(whole):
        raise refuse(held, f"it is inside the unquoted text {show(whole)}", _QUOTE_IT)


def _fill_comment(draft: Draft, index: int) -> None:
    if not _COMMENT.search(draft.before(index)):
        raise refuse(
            draft.held(index), "no parser finds it at this position", "Use values only in keys, values and comments."
        )
    draft.outputs[index] = comment(draft, index)


def _prove(draft: Draft, layout: Layout) -> None:
    """Read the finished file and compare it with the reference, event by event."""
    text = draft.text()
    found = yaml_events(text)
    try:
        for item in layout.program:
            if isinstance(item, Slot):
                _prove_slot(draft, item, found)
                continue
            event = next(found, None)
            if event is None or signature(event) != item:
                raise draft.blame(event.start_mark.index if event else len(text), "this text reads differently")
        if (event := next(found, None)) is not None:
            raise draft.blame(event.start_mark.index, "this text reads differently")
    except Unreadable as error:
        raise draft.blame(error.offset, str(error)) from None


def _prove_slot(draft: Draft, slot: Slot, found: Iterator[Any]) -> None:
    held = draft.held(slot.pieces[0])
    if slot.kind == "within":
        event = next(found, None)
        expected: tuple[Any, ...] = (draft.fill(slot.value), slot.style, slot.anchor, slot.tag)
        if event is None or signature(event) != expected:
            read = getattr(event, "value", None)
            raise refuse(held, f"{show(expected[0])} would be read as {show(read)} here", _QUOTE_IT)
        return
    names = (slot.anchor, slot.tag)
    for part in _wanted(slot, held.value):
        event = next(found, None)
        if event is None or not is_part(event, part, names):
            raise refuse(held, f"it would be read as {show(getattr(event, 'value', None))} here")
        names = (None, None)


def _wanted(slot: Slot, value: Any) -> Iterable[Any]:
    if slot.kind == "entries":
        return entry_parts(value)
    return parts(value) if isinstance(value, dict | list) else (leaf(value),)
