# ruff: noqa: E501 - a table of texts
"""Values that break careless quoting, as hypothesis strategies."""

from hypothesis import strategies as st

STRINGS = [
    "", " ", "  two  ", "a ", "one two  ", "\n", "\n\n", "\n\n\n", "a\n", "a\nb", "a\nb\n", "a\nb\n\n", "a\nb\n\n\n", "\na", "\n\na\nb", " a\nb",
    "\ta\nb", "a\n b\n  c\n", "a \nb", "a\n \nb", "a\n\t\nb", "a\n# b\nc", "a\n---\nb", "---", "--- a", "...", "... a", "-",
    "- a", "-a", "--a", "--", "-- a", "?", "? a", "?a", ":", ": a", ":a", "a:", "a: b", "a:b", "a : b", "#", "# a", "a # b",
    "a#b", "a #b", "&a", "*a", "!a", "!!str a", "|", "|-", ">", "> a", "'", "''", "it's", '"', '""', 'say "x"', "%a", "@a", "`a`",
    "{", "}", "{a}", "{a: b}", "[", "]", "[a]", ",", "a, b", "a,b", "a]", "a}", "\\", "\\n", "a\\", "\\\\", "\t", "a\tb", "a\t",
    "\r", "a\r\nb", "a\rb", "\x85", "a\x85b", "\u2028", "a\u2028b\n", "\u2029", "\ufeff", "\ufeffa", "a\ufeff", "\0", "a\0b", "\x07",
    "\x1b[0m", "\x7f", "\x9b", "\xa0", "a\xa0", "\u200b", "\u202e", "\ufffe", "\uffff", "\U0001f331", "ünï", "日本", "\U000e0041",
    "\ud800", "a\udfff", "\ud800\udc00", "null", "Null", "NULL", "~", "true", "True", "TRUE", "false", "yes", "Yes", "no", "NO",
    "on", "off", "y", "Y", "n", "N", "nan", ".nan", ".NaN", ".inf", "-.inf", "+.INF", "inf", "0", "00", "01", "017", "0o17", "0O17", "0x1F",
    "0b11", "1", "-1", "+1", "1_000", "1,000", "_1", "1_", "1.", ".5", "-.5", "1.0", "1e3", "1E3", "1e-3", "1.5e+3", ".", "..", "+", "+.",
    "1:30", "1:30:00", "190:20:30.15", "1:3", "12:30", "2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5", "=", "<<", "<", "<a>", "0.0.0.0", "1.2.3", "500m", "1Gi", "0 4 * * *", "*/5 * * * *", "@daily",
    "{{ x }}", "{{workflow.uid}}", "${{ secrets.X }}", "${x}", "$x", "$(touch pwned)", "`touch pwned`", "{% raw %}", "{# c #}", "$",
    "$'a'", "a$", "!", "a!b", "~root", "~", "*", "?", "[ab]", "a;b", "a&b", "a|b", ">a", "2>a", "2", "(a)", "a=b", "A=b", "A+=b", "if", "done",
    "{a,b}", "!!", "EOF", "a\nEOF\nb", "held1z", "held0z", "heldx2z", "coding: utf-7", "-*- coding: latin-1 -*-", "'''", '"""', "{", "}}",
    "x" * 300, ("word " * 60).strip(), "x" * 2000, "\\N{DASH}", "\\x41", "%s", "%%", "r'a'", "#!a", "a\n#!b", "key: v\nkey2: w", "- a\n- b",
]  # fmt: skip

ALPHABET = "ab1 -:#'\"\\\n\t{}[],&*!|>%@`?=~<.$\r\x00\x1b\x85\xa0\u2028\ufeff\U0001f331é\ud800_0eE+/();"

strings = st.one_of(
    st.sampled_from(STRINGS),
    st.text(ALPHABET, max_size=12),
    st.text(max_size=8),
    st.lists(st.sampled_from(STRINGS), min_size=2, max_size=3).map("".join),
    st.lists(st.sampled_from(STRINGS), min_size=2, max_size=3).map("\n".join),
)
numbers = st.one_of(
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.sampled_from([0, -1, 10**300, 0.0, -0.0, 1e300, 1e-300, 1e16, 1.5, float("inf"), float("-inf"), float("nan")]),
    st.floats(),
)
scalars = st.one_of(strings, strings, numbers, st.booleans(), st.none())
keys = st.one_of(strings, strings, st.integers(-5, 5), st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
lists = st.lists(values, max_size=4)
mappings = st.dictionaries(keys, values, max_size=4)


def has_surrogate(value):
    """Whether a text anywhere in the value cannot be in a file."""
    if isinstance(value, str):
        return any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return any(has_surrogate(part) for item in value.items() for part in item)
    return isinstance(value, list) and any(map(has_surrogate, value))


def same(one, other):
    """Equal in type and value, all the way down; nan is nan, 0.0 is not -0.0."""
    return repr(one) == repr(other)
