"""Small changes to a JSON document that is right, as a mistaken or malicious author would make them."""

import copy
import json

from hypothesis import strategies as st

from tests.render.hostile import scalars, strings, values

ODD = [
    None,
    True,
    -1,
    0,
    2**63,
    10**40,
    1e308,
    float("inf"),
    float("nan"),
    "",
    [],
    {},
    [[]],
    "../../x",
    "/etc/x",
    "a" * 300,
]


def paths(tree, at=()):
    """Where values stand in a document, outermost first."""
    yield at
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in pairs:
        yield from paths(item, (*at, key))


def look_up(tree, path):
    """The value that stands there."""
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def mutated(draw, tree):
    """The document with one to three changes: values replaced, moved, dropped, keys added or renamed."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        there = list(paths(tree))
        *home, key = draw(st.sampled_from(there[1:] or [("x",)]))
        holder = look_up(tree, home)
        change = draw(st.sampled_from(["text", "value", "odd", "move", "drop", "twice", "add", "rename"]))
        if change == "drop":
            del holder[key]
        elif change == "twice" and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif change == "add" and isinstance(holder, dict):
            holder[draw(strings)] = draw(values)
        elif change == "rename" and isinstance(holder, dict):
            holder[draw(strings)] = holder.pop(key)
        elif change == "move":
            holder[key] = copy.deepcopy(look_up(tree, draw(st.sampled_from(there))))
        else:
            holder[key] = draw({"text": strings, "odd": st.sampled_from(ODD)}.get(change, st.one_of(scalars, values)))
        if not paths(tree) or not tree:
            break
    return tree


def written(tree):
    """The document as bytes of JSON; half surrogate pairs as the escapes that JSON has for them."""
    return json.dumps(tree, default=str).encode()


@st.composite
def garbled(draw, text):
    """The bytes with some cut, doubled, or replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 20)))
        new = draw(st.one_of(st.binary(max_size=6), strings.map(lambda part: part.encode(errors="surrogatepass"))))
        text = text[:start] + draw(st.sampled_from([new, b"", text[start:end] * 2])) + text[end:]
    return text
