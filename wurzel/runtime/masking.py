"""Secrets in output: found in every form in which programs print them, and replaced by `***`.

Output comes in chunks that may cut a secret in two; what could be its beginning waits for the next chunk.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, groupby, takewhile
from typing import TYPE_CHECKING

from wurzel.patterns import pattern
from wurzel.runtime.work_left import TooMuchWork, WorkLeft
from wurzel.runtime.wrapped import Wrapped, tail

if TYPE_CHECKING:
    from wurzel.runtime.continued import Spans

SHORTEST = 6
"""Shorter values are not masked: they occur in ordinary text."""

_MASK = b"***"
_BASE64_GROUP = 3
_SAFE_IN_URLS = ("", "/", "-_.!~*'()", ";,/?:@&=+$-_.!~*'()#", "!#$%&'()*+,/:;=?@[]~", "$&+:=@", "!$&'()*+,;=:")
"""What programs leave as it is in URLs: Python, JavaScript (a part, a whole URL), requests, Go (paths), RFC 3986."""
_ESCAPED_BY_GO = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
"""Go's JSON can stand in HTML."""


_PLAIN = re.compile(r"[-\w.]*", re.ASCII).fullmatch
"""Texts that are written alike everywhere."""
_IN_HTML_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})  # importing `html` takes 7 ms
_IN_HTML = _IN_HTML_TEXT | str.maketrans({'"': "&quot;", "'": "&#x27;"})
_IN_HTML_OF_JINJA = _IN_HTML_TEXT | str.maketrans({'"': "&#34;", "'": "&#39;"})
_IN_XML = _IN_HTML_TEXT | str.maketrans({'"': "&quot;", "'": "&apos;"})
_SPECIAL_TO_SHELLS = pattern(r"[^\w@%+=:,./-]")
_SPECIAL_IN_QUOTES = pattern(r'[\\"$`]')
_CUT = pattern("(\\.\\.\\.|…)".encode())
"""In place of the middle of a long value, such as in messages of pydantic, or of its end."""
_CUT_SO_FAR = pattern(rb"\.\.\.|\xe2\x80\xa6|\.{1,2}\Z|\xe2\x80?\Z")
"""The same at the end of a chunk, which may have the beginning of it only."""
_LONGEST_END = 512
_REMEMBERED = 16384
"""Bytes of what was hidden as a whole in which the beginning of a secret is looked for that goes on after it."""
_LINES = (64, 76)
"""Columns of base64 in lines, each of which may be shown by itself."""
_DEEPEST = 12
"""Groups within each other: `re` compiles them by recursion."""
_PLAIN_IN_QUOTES = re.compile(r"[-\w. %+:=]*", re.ASCII).fullmatch


def forms(secret: str) -> Iterator[bytes]:
    """Forms of a secret, each on one line: as it is, for URLs, HTML, JSON, Python, shells, in base64, and in UTF-16."""
    for whole in (secret, *secret.splitlines()):
        text = whole.strip()
        if len(text) >= SHORTEST:
            yield from (form for form in _written(text) if len(form) >= SHORTEST)
            wide = (text.encode(f"utf-16-{order}", "surrogatepass") for order in ("le", "be"))
            yield from (form for form in wide if b"\n" not in form)
    if len(secret) >= SHORTEST:
        data = secret.encode("utf-8", "surrogateescape")
        yield from _in_base64(data)
        yield from (data.hex().encode(), data.hex().upper().encode())


def _written(text: str) -> Iterator[bytes]:
    if _PLAIN(text):
        yield text.encode()
        return
    from urllib.parse import quote, quote_plus

    plain = text.encode("utf-8", "surrogateescape")
    for_urls = [quote_plus(plain), *(quote(plain, safe=safe) for safe in _SAFE_IN_URLS)]
    texts = {text, *_quoted(text), repr(plain)[2:-1], *for_urls, text.replace("'", "'\\''"), " ".join(text.split())}
    texts |= {re.sub("%..", lambda found: found[0].lower(), form) for form in for_urls}
    texts |= {text.translate(_IN_HTML), text.translate(_IN_HTML_TEXT)}
    texts |= {twice for form in [*texts] for twice in _quoted(form)}  # as in a JSON line about an error
    texts |= {quote_plus(form) for form in for_urls} | {quote(form, safe="") for form in for_urls}
    texts |= {quote(form, safe, errors="surrogateescape") for form in _quoted(text) for safe in ("", "/")}
    texts |= {form.translate(_IN_HTML) for form in _quoted(text)}
    texts |= {text.translate(_IN_HTML_OF_JINJA), text.translate(_IN_XML)}
    texts |= {text.replace("'", "'\"'\"'"), text.replace("'", "''"), text.replace('"', '""')}  # shlex, SQL, CSV
    texts |= {_SPECIAL_TO_SHELLS.sub(r"\\\g<0>", text), _SPECIAL_IN_QUOTES.sub(r"\\\g<0>", text)}
    for form in (item.encode("utf-8", "surrogateescape") for item in texts):
        if b"\n" not in form and b"\r" not in form:
            yield form


def _quoted(text: str) -> Iterator[str]:
    """What JSON and Python put between the quotes, where that is not the text itself."""
    if _PLAIN_IN_QUOTES(text):
        return
    import json

    for form in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (form, form.replace("/", "\\/"), form.translate(_ESCAPED_BY_GO))
    yield from (repr(text)[1:-1], ascii(text)[1:-1])


def _in_base64(data: bytes) -> Iterator[bytes]:
    """Base64 of the data by itself, and what it looks like within other data, where it may start at three places."""
    import base64

    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        yield (whole := encode(data)).rstrip(b"=")
        for length in _LINES if len(whole) > min(_LINES) else ():
            lines = [whole[at : at + length] for at in range(0, len(whole), length)]
            yield from (line for line in lines if len(line) >= SHORTEST)
        for before in range(_BASE64_GROUP):
            after = -(before + len(data)) % _BASE64_GROUP
            coded = encode(b"\0" * before + data + b"\0" * after)
            inner = coded[4 if before else 0 : -4 if after else None]
            if len(inner) >= SHORTEST:
                yield from (inner, inner.replace(b"+", b"%2B").replace(b"/", b"%2F"))


def _any_of(texts: Collection[bytes]) -> re.Pattern[bytes] | None:
    """What finds the longest of the texts at each place, twenty times faster than a list of alternatives."""
    return re.compile(_alternatives(sorted(set(texts)))) if texts else None


def _alternatives(texts: Sequence[bytes], depth: int = 0) -> bytes:
    """An expression for sorted texts, with what they have in common at the beginning written once."""
    if depth > _DEEPEST:
        return b"(?:%s)" % b"|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    first, last = texts[0], texts[-1]
    common = first[: next((at for at in range(len(first)) if first[: at + 1] != last[: at + 1]), len(first))]
    rests = [text[len(common) :] for text in texts]
    if rests == [b""]:
        return re.escape(common)
    groups = [_alternatives(list(group), depth + 1) for byte, group in groupby(rests, lambda rest: rest[:1]) if byte]
    return re.escape(common) + b"(?:%s)" % b"|".join(groups) + (b"?" if b"" in rests else b"")


def _by(forms: Iterable[bytes], part: slice) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for form in forms:
        found.setdefault(form[part], []).append(form)
    return found


class Mask:
    """Replaces what it hides in texts and streams of bytes; hides nothing at first."""

    def __init__(self) -> None:
        self._forms: list[bytes] = []
        self._pattern: re.Pattern[bytes] | None = None
        self._ends: re.Pattern[bytes] | None = None
        self._by_start: dict[bytes, list[bytes]] = {}
        self._by_end: dict[bytes, list[bytes]] = {}
        self._wrapped = Wrapped(())
        self._by_first: dict[bytes, list[bytes]] = {}

    def hide(self, hidden: Iterable[bytes]) -> None:
        """Hide these forms from now on, and nothing else."""
        self._forms = sorted(set(hidden), key=lambda form: (-len(form), form))
        self._pattern = _any_of(self._forms)
        self._wrapped = Wrapped(self._forms)
        self._by_first = _by(self._forms, slice(1))
        self._by_start, self._by_end = _by(self._forms, slice(SHORTEST)), _by(self._forms, slice(-SHORTEST, None))
        self._ends = _any_of({*self._by_start, *self._by_end})

    def text(self, text: str) -> str:
        """A text without what is hidden."""
        if self._pattern is None:
            return text
        return self.whole(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def whole(self, data: bytes, before: bytes = b"", work: WorkLeft | None = None) -> bytes:
        """All of the data, which comes after other data, masked."""
        if self._pattern is None:
            return data
        text = before + data
        try:
            wrapped, _ = self._wrapped.find(text, self._pattern, work or WorkLeft())
        except TooMuchWork:
            return _instead_of(data)
        return self._shown(text, len(before), wrapped, len(text))[0]

    def split(self, data: bytes, before: bytes, work: WorkLeft) -> tuple[bytes, bytes]:
        """The data that can be shown, masked, and the rest that may be the beginning of something hidden.

        Raises `TooMuchWork` if the first cannot be told in time.
        """
        if self._pattern is None:
            return data, b""
        text, known = before + data, len(before)
        wrapped, wait = self._wrapped.find(text, self._pattern, work)
        wait = min(wait, known + self.begins(data))
        for pieces in sorted(wrapped, reverse=True):
            if (first := pieces[0][0]) < wait <= pieces[-1][0]:  # whoever shows one piece must know of all
                wait = text.rfind(b"\n", 0, first) + 1
        return self._shown(text, known, wrapped, max(wait, known))

    def _shown(self, text: bytes, known: int, wrapped: Iterable[Spans], wait: int) -> tuple[bytes, bytes]:
        """The text from a place on, without what is hidden, as far as the place from which the rest is to wait."""
        assert self._pattern is not None  # noqa: S101 - see the callers
        found = [match.span() for match in self._pattern.finditer(text, known)]
        shown, at = [], known
        for start, end in takewhile(lambda span: span[0] < wait, sorted(chain(found, *wrapped))):
            if start >= at:
                shown += [text[at:start], _MASK]
            at = max(at, end)
        if at < wait:
            shown.append(text[at:wait])
            at = wait
        return self._without_ends(b"".join(shown)), text[at:]

    def _without_ends(self, data: bytes) -> bytes:
        """The data without what is left of something hidden before and after `...`."""
        if self._ends is None or not _CUT.search(data) or not self._ends.search(data):
            return data
        pieces = _CUT.split(data)
        for at in range(1, len(pieces), 2):
            before, after = pieces[at - 1][-_LONGEST_END:], pieces[at + 1][:_LONGEST_END]
            if self._ends.search(before) and (size := self._begun(before)):
                pieces[at - 1] = pieces[at - 1][:-size] + _MASK
            if self._ends.search(after) and (size := self._ended(after)):
                pieces[at + 1] = _MASK + pieces[at + 1][size:]
        return b"".join(pieces)

    def begins(self, data: bytes) -> int:
        """Where the end of the data may be the beginning of something hidden, none of which goes beyond a line."""
        line = data.rfind(b"\n") + 1
        longest = max(map(len, self._forms), default=0)
        starts = range(max(line, len(data) - longest), len(data))
        firsts = self._by_first
        begins = (at for at in starts if any(form.startswith(data[at:]) for form in firsts.get(data[at : at + 1], ())))
        return self._cut(data[: next(begins, len(data))], line)

    def _cut(self, data: bytes, line: int) -> int:
        """Where the last `...` is, with what it may have cut before it, if what follows may still be what is left."""
        *_, last = None, *_CUT_SO_FAR.finditer(data, line)
        if last is None or not any(data[last.end() :] in form for form in self._forms):
            return len(data)
        before = data[max(line, last.start() - _LONGEST_END) : last.start()]
        return last.start() - self._begun(before)

    def _begun(self, text: bytes) -> int:
        """How many bytes at the end of a text are the beginning of something hidden."""
        for at in range(len(text) - SHORTEST + 1):
            if any(form.startswith(text[at:]) for form in self._by_start.get(text[at : at + SHORTEST], ())):
                return len(text) - at
        return 0

    def _ended(self, text: bytes) -> int:
        """How many bytes at the beginning of a text are the end of something hidden."""
        for end in range(len(text), SHORTEST - 1, -1):
            if any(form.endswith(text[:end]) for form in self._by_end.get(text[end - SHORTEST : end], ())):
                return end
        return 0


def _instead_of(data: bytes) -> bytes:
    """A mark in place of data that is hidden as a whole."""
    if not data:
        return b""
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    mark = b"*** (%d line%s hidden: too many pieces of secrets)" % (lines, b"s"[: lines != 1])
    return mark + b"\n" * data.endswith(b"\n")


class Stream:
    """Output on its way through a mask."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._work = WorkLeft()
        self._waiting = b""
        self._before = b""
        """The end of what was shown, as it was."""

    def feed(self, data: bytes) -> bytes:
        """What can be shown after some more data."""
        self._work.earn(len(data))
        known = len(self._before) + len(self._waiting)
        data = self._waiting + data
        try:
            self._work.search_again(known)
            shown, self._waiting = self._mask.split(data, self._before, self._work)
        except TooMuchWork:
            return self._hide(data)
        self._before = tail(self._before + data[: len(data) - len(self._waiting)])
        return shown

    def _hide(self, data: bytes) -> bytes:
        """What is shown instead of data that takes too long to search; what comes next may still go on from it."""
        end = self._mask.begins(data)
        self._waiting = data[end:]
        self._before = (self._before + data[:end])[-_REMEMBERED:]
        return _instead_of(data[:end])

    def end(self) -> bytes:
        """What is left when there is no more."""
        return self._mask.whole(self._waiting, self._before, self._work)


CURRENT = Mask()
"""Hides the secrets that this process was given."""
