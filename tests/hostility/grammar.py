"""Whole templates at random, with what a reader must find: blocks in children, includes, calls, loops and line ends.

A template is put together from places, each with values in it, which are wrapped in tags that leave their meaning as it
is. What is rendered must read as the places say, or the render fails by name and line.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.hostility import places

MACROS = """\
{% macro wrap() %}{{ caller() }}{% endmacro %}
{% macro box() %}
{{ caller() }}
{% endmacro %}
{% macro maybe() %}
{% if true %}{{ caller() }}{% endif %}
{% endmacro %}
{% macro twice(x) %}{{ x }}{% endmacro %}
"""
SHARED = {"_macros.j2": MACROS, "_value.j2": "{{ shown }}"}
"""Files that all templates use."""
HEAD = '{% import "_macros.j2" as m %}\n'


@dataclass
class Template:
    """Files by name, `@` being their folder, the context, and what a reader must find."""

    language: str
    random: random.Random
    """Decides what the template is."""
    values: random.Random
    """Decides the values in it."""
    files: dict[str, str] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)
    count: int = 0

    def name(self, kind):
        """A name that nothing else has."""
        self.count += 1
        return f"{kind}{self.count}"

    def hold(self, value):
        """An expression that is the value, in one of several ways."""
        name = self.name("v")
        self.context[name] = value
        return self.random.choice(WAYS).replace("@", name)

    @property
    def suffix(self):
        return {"YAML": "yaml", "shell": "sh", "Python": "py"}[self.language]


WAYS = [
    *["{{ @ }}"] * 8,
    "{{ [@] | first }}",
    "{{ @ if true else 1 }}",
    "{{ nothing | default(@) }}",
    "{{ m.twice(@) }}",
    "{%+ for i in [@] %}{{ i }}{% endfor +%}",
    "{%+ if true %}{{ @ }}{% endif +%}",
    "{%+ set q = @ %}{{ q }}",
    "{%+ filter trim %}{{ @ }}{% endfilter +%}",
    '{%+ with shown = @ %}{% include "_value.j2" %}{% endwith +%}',
]
"""Ways for a value to get where it is written; `@` is its name."""


def generate(seed, draw=0):
    """The template of a seed with the values of a draw, and what a reader must find; `None` when it must be refused."""
    rng = random.Random(seed)
    language = rng.choices(["YAML", "shell", "Python"], [5, 4, 1])[0]
    template = Template(language, rng, random.Random(f"{seed} {draw}"))
    place = {"YAML": places.yaml, "shell": places.shell, "Python": places.python}[template.language]
    body, expected = "", []
    for _ in range(rng.randint(1, 3)):
        text, found = part(template, place, 0, 0)
        body += text
        expected += [None] if found is None else found
    head = places.head(template)
    main = f"x.{template.suffix}.j2"
    if template.overrides or rng.random() < 0.2:
        template.files[f"base.{template.suffix}.j2"] = head + HEAD + body
        child = f'{{% extends "@/base.{template.suffix}.j2" %}}\n' + HEAD + "".join(template.overrides)
        template.files[main] = child.rstrip("\n") if rng.random() < 0.5 else child
    else:
        template.files[main] = head + HEAD + (body.rstrip("\n") if rng.random() < 0.2 else body)
    return template, None if None in expected else places.EXPECTED[template.language](expected)


def part(template, place, column, depth):
    """Lines at a column with what they say, perhaps within a key or statement, perhaps wrapped."""
    rng = template.random
    if depth < 2 and rng.random() < 0.3:
        outer, inner, gather, end = places.NESTS[template.language](template, column)
        text, found = "", []
        for _ in range(rng.randint(1, 2)):
            more, entries = part(template, place, inner, depth + 1)
            text += more
            found += [None] if entries is None else entries
        text, expected = outer + text + end, None if None in found else gather(found)
    else:
        text, expected = place(template, column)
    while rng.random() < 0.45:
        text = wrapped(template, text, column)
    return text, expected


def wrapped(template, text, column):
    """The lines within a tag that leaves their meaning as it is, if what is rendered is not refused."""
    rng = template.random
    kinds = [*PLAIN] * 2 + (MOVING if movable(text, column) else [])
    return rng.choice(kinds)(template, text, column)


def movable(text, column):
    """Whether the lines can stand at the first column as well: no tags, no text whose own indentation counts."""
    return column and not any(mark in text for mark in ("{%", "EOF", "'''", '"""', "\\\n", "|", ">", "\t", "\n\n"))


def tags(template, begin, text, end):
    """A tag in front of lines and one behind them, each on its own line or not."""
    rng = template.random
    first = rng.choice(["\n", "\n", "\n", "" if not text.startswith(" ") else "\n"])
    sign = "-" if rng.random() < 0.1 else ""
    body = text.removesuffix("\n") if rng.random() < 0.25 else text
    return f"{{% {begin} %}}{first}{body}{{%{sign} {end} %}}\n"


def condition(template, text, _column):
    if template.random.random() < 0.3:
        begin = "{% if false %}\n" + places.NEVER[template.language]
        return begin + "{% else %}\n" + tags(template, "", text, "endif").partition("%}")[2].lstrip("\n")
    return tags(template, "if true", text, "endif")


def loop(template, text, _column):
    return tags(template, f"for {template.name('i')} in [1]", text, "endfor")


def scope(template, text, _column):
    return tags(template, f"with {template.name('w')} = 1", text, "endwith")


def included(template, text, _column):
    name = file(template, text)
    tag = f'{{% include "@/{name}" %}}\n'
    return tags(template, "if true", tag, "endif") if template.random.random() < 0.3 else tag


def file(template, text):
    name = template.name("_p") + ".j2"
    template.files[name] = HEAD + (text.removesuffix("\n") if template.random.random() < 0.5 else text)
    return name


def called(template, text, _column):
    macro = template.random.choice(["wrap", "box", "maybe"])
    return tags(template, f"call m.{macro}()", text, "endcall")


def captured(template, text, _column):
    name = template.name("q")
    return tags(template, f"set {name}", text, "endset") + f"{{{{ {name} }}}}\n"


def macro(template, text, _column):
    name = template.name("f")
    return tags(template, f"macro {name}()", text, "endmacro") + f"{{{{ {name}() }}}}\n"


def block(template, text, _column):
    name = template.name("b")
    if template.random.random() < 0.3:
        return tags(template, f"block {name}", text, "endblock")
    if template.random.random() < 0.3:
        template.overrides.append(tags(template, f"block {name}", "{{ super() }}\n", "endblock"))
        return tags(template, f"block {name}", text, "endblock")
    template.overrides.append(tags(template, f"block {name}", text, "endblock"))
    return tags(template, f"block {name}", template.random.choice(["", places.NEVER[template.language]]), "endblock")


def empty_call(template, text, _column):
    call = "{% call m." + template.random.choice(["wrap", "box", "maybe"]) + "() %}{% endcall %}\n"
    return call + text if template.random.random() < 0.5 else text + call


def filtered(template, text, column):
    inner = file(template, dedented(text, column)) if template.random.random() < 0.5 else None
    body = f'{{% include "@/{inner}" %}}' if inner else dedented(text, column)
    return tags(template, f"filter indent({column}, true)", body + "\n" * bool(inner), "endfilter")


def indented_macro(template, text, column):
    name, rng = template.name("f"), template.random
    pad = " " * column
    uses = [f"{{{{ {name}() | indent({column}, true) }}}}", f"{pad}{{{{ {name}() | trim | indent({column}) }}}}"]
    uses.append(f"{pad}{{{{ {name}() }}}}")  # refused where there are several lines
    return tags(template, f"macro {name}()", dedented(text, column), "endmacro") + rng.choice(uses) + "\n"


def indented_include(template, text, column):
    sign = template.random.choice(["", "", "+"])
    return " " * column + f'{{%{sign} include "@/{file(template, dedented(text, column))}" {sign}%}}\n'


def indented_call(template, text, column):
    return " " * column + tags(template, "call m.wrap()", dedented(text, column), "endcall")


def dedented(text, column):
    return "".join(line[column:] if line[:column].isspace() else line for line in text.splitlines(keepends=True))


PLAIN = [condition, loop, scope, included, called, captured, macro, block, block, empty_call, included]
MOVING = [filtered, indented_macro, indented_include, indented_call] * 4
