"""Places in YAML, shell and Python where values stand, each as lines at a column with what a reader must find."""

from tests.render.hostile import ALPHABET, STRINGS, has_surrogate

TEXTS = [text for text in STRINGS if "\0" not in text and not has_surrogate(text) and len(text) < 400]
CHARACTERS = [char for char in ALPHABET if char not in "\0\ud800"]
NUMBERISH = "0123456789abxoeE_+-.,:"
NEVER = {"YAML": "never: 1\n", "shell": "p never\n", "Python": "never = 1\n"}
EXPECTED = {"YAML": dict, "shell": list, "Python": dict}


def text(rng):
    """A text: one that often breaks something, characters at random, or what might be a number."""
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(TEXTS)
    if kind < 0.55:
        return "".join(rng.choices(NUMBERISH, k=rng.randint(1, 5)))
    if kind < 0.7:
        return rng.choice(TEXTS) + rng.choice(["", "\n", " ", "-"]) + rng.choice(TEXTS)
    return "".join(rng.choices(CHARACTERS, k=rng.randint(0, 8)))


def tame(rng):
    """A text that may stand nearly anywhere, so that not every template is refused."""
    return "".join(rng.choices("abcxyz_-./ 0123", k=rng.randint(1, 8))).strip() or "a"


def either(t):
    """A text of one of both kinds."""
    return t.random.choice([text, tame])(t.values)


def scalar(rng):
    """A text, number, boolean or null."""
    others = [0, -1, 7, 2**63, 10**30, 1.5, -0.0, 1e300, True, False, None]
    return text(rng) if rng.random() < 0.75 else rng.choice(others)


def value(rng, depth=0):
    """Anything that a template may write."""
    kind = rng.random()
    if depth > 2 or kind < 0.6:
        return scalar(rng)
    if kind < 0.8:
        return [value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return mapping(rng, depth + 1)


def mapping(rng, depth=1):
    """A mapping whose keys are texts."""
    return {text(rng)[:99]: value(rng, depth) for _ in range(rng.randint(0, 3))}


def head(template):
    """What a file of the language begins with."""
    if template.language != "shell":
        return ""
    first = "#!/bin/bash\n" if template.random.random() < 0.3 else ""
    return first + 'p() { for w in "$@"; do printf \'%s\\000\' "$w"; done; }\nONE=1\n'


# YAML: each place is an entry of the mapping around it.


def yaml(template, column):
    """An entry."""
    lines, found = template.random.choice(YAML)(template, template.name("k"))
    return "".join(" " * column + line + "\n" if line else "\n" for line in lines), [found]


def yaml_nest(template, column):
    """A key whose mapping is deeper."""
    key, inner = template.name("k"), column + template.random.choice([2, 2, 4])
    return " " * column + f"{key}:\n", inner, lambda found: [(key, dict(found))], ""


def whole(t, key):
    found = value(t.values)
    return [f"{key}: {t.hold(found)}"], (key, found)


def commented(t, key):
    found, note = value(t.values), text(t.values).replace("\n", " ")
    return [f"# {t.hold(text(t.values))}", f"{key}: {t.hold(found)} # {t.hold(note)}"], (key, found)


def items(t, key):
    found = [value(t.values), value(t.values)]
    margin, dash = t.random.choice(["", "  "]), t.random.choice(["- ", "-   ", "- "])
    return [f"{key}:", *(f"{margin}{dash}{t.hold(item)}" for item in found)], (key, found)


def nested_items(t, key):
    one, two = value(t.values), value(t.values)
    return [f"{key}:", f"  - x: {t.hold(one)}", f"    z: {t.hold(two)}"], (key, [{"x": one, "z": two}])


def flow(t, key):
    one, two = value(t.values), value(t.values)
    if t.random.random() < 0.5:
        return [f"{key}: [{t.hold(one)}, {t.hold(two)}]"], (key, [one, two])
    return [f"{key}: {{a: {t.hold(one)}, b: {t.hold(two)}}}"], (key, {"a": one, "b": two})


def named(t, key):
    name, found = text(t.values)[:99], value(t.values)
    return [f"{key}:", f"  {t.hold(name)}: {t.hold(found)}"], (key, {name: found})


def entries(t, key):
    found = mapping(t.values)
    return [f"{key}:", f"  {{{{ {bare(t, found)} }}}}"], (key, found)


def more_entries(t, key):
    found = {name: item for name, item in mapping(t.values).items() if name not in {"a", "b"}}
    return [f"{key}:", "  a: 1", f"  {{{{ {bare(t, found)} }}}}", "  b: 2"], (key, {"a": 1, **found, "b": 2})


def list_entries(t, key):
    found, margin = [value(t.values) for _ in range(t.random.randint(0, 3))], t.random.choice(["", "  "])
    return [f"{key}:", f"{margin}{{{{ {bare(t, found)} }}}}"], (key, found)


def quoted(t, key):
    one, two, quote = text(t.values), text(t.values), t.random.choice("'\"")
    return [f"{key}: {quote}a {t.hold(one)}-{t.hold(two)}{quote}"], (key, f"a {one}-{two}")


def unquoted(t, key):
    one = either(t)
    return [f"{key}: a{t.hold(one)}b"], (key, f"a{one}b")


def block_of_text(t, key):
    one, two = text(t.values), tame(t.values)
    style, end = t.random.choice([("|", "\n"), ("|-", ""), (">-", "")])
    gap = " " if style == ">-" else "\n"
    return [f"{key}: {style}", f"    {t.hold(one)}", f"    x {t.hold(two)}"], (key, f"{one}{gap}x {two}{end}")


def block_of_helm(t, key):
    one, width = text(t.values), t.random.choice([2, 4])
    name = bare(t, one)
    return [f"{key}: |", f"    {{{{ {name} | indent({width}) }}}}"], (key, f"{one}\n")


def bare(t, found):
    """A name of the context for a value."""
    name = t.name("v")
    t.context[name] = found
    return name


YAML = [whole, whole, commented, items, nested_items, flow, named, entries, more_entries, list_entries, quoted]
YAML += [unquoted, block_of_text, block_of_helm]


# Shell: each place prints words.


def shell(template, column):
    """Commands."""
    lines, words = template.random.choice(SHELL)(template, template.random.choice([text, text, tame]))
    pad = " " * column  # `\r` in front of a line says that it stands in the first column
    return "".join(line[1:] + "\n" if line.startswith("\r") else f"{pad}{line}\n" for line in lines), words


def shell_nest(template, column):
    """A statement around others."""
    pad, name = " " * column, template.name("f")
    statements = [("if true; then", "fi"), ("{", "}"), ("(", ")"), ("for i in 1; do", "done")]
    begin, end = template.random.choice([*statements, (f"{name}() {{", f"}}; {name}")])
    return f"{pad}{begin}\n", column + 2, list, f"{pad}{end}\n"


def word(t, draw):
    one, two = draw(t.values), draw(t.values)
    return [f"p {t.hold(one)} a{t.hold(two)}/{t.hold(one)}=b --x={t.hold(two)}"], [one, f"a{two}/{one}=b", f"--x={two}"]


def beside(t, draw):
    one = draw(t.values)
    front = t.random.choice(["$ONE", "${ONE}", "2", "i", "x:~", "{}", "a+="])
    said = "1" if "ONE" in front else front
    return [f"p {front}{t.hold(one)}"], [f"{said}{one}"]


def quotes(t, draw):
    one, two = draw(t.values), draw(t.values)
    return [f"p 'a {t.hold(one)} $ONE' \"{t.hold(two)} ${{ONE}}{t.hold(one)}\""], [f"a {one} $ONE", f"{two} 1{one}"]


def many(t, draw):
    found = [draw(t.values) for _ in range(t.random.randint(0, 3))]
    return [f"p a {{{{ {bare(t, found)} | words }}}} b"], ["a", *found, "b"]


def note(t, draw):
    one, two = draw(t.values), draw(t.values).replace("\n", " ")
    space = t.random.choice([" ", " ", "\t", "\xa0", "\f", "\u2003", "\v"])
    if space in " \t":
        return [f"# {t.hold(one)}", f"p 1{space}# {t.hold(two)}"], ["1"]
    return [f"p 1{space}#{t.hold(two)}"], [f"1{space}#{two}"]


def here(t, draw):
    one, two = draw(t.values), draw(t.values)
    quote, said = t.random.choice([("", "1"), ("'", "$ONE")])
    minus = t.random.choice(["", "", "-"])
    tab = "\t" if minus and t.random.random() < 0.7 else ""
    lines = [f"cat <<{minus}{quote}EOF{quote} | tr -d '\\000'; printf '\\000'"]
    lines += [f"\r{tab}a {t.hold(one)} $ONE", f"\r{tab}{t.hold(two)}", f"\r{tab}EOF"]
    return lines, [f"a {one} {said}\n{two}\n"]


def here_beside(t, draw):
    one = draw(t.values)
    return [f"cat <<EOF; p {t.hold(one)}", "\rb", "\rEOF"], None if "\n" in one else [f"b\n{one}"]


def here_within(t, draw):
    one = draw(t.values)
    end = t.random.choice([["\rEOF", '\r)"'], ["\rEOF"]])
    begin = 'p "$(cat <<EOF' if len(end) == 2 else 'p "$(cat <<EOF)"'
    return [begin, f"\rx{t.hold(one)}y", *end], [f"x{one}y"]


def joined(t, draw):
    one = draw(t.values)
    front, said = t.random.choice([("a ", ["a"]), ("a", None), ("$ONE", None), ("", None)])
    lines = [f"p {front}\\", f"{t.hold(one)}"]
    prefix = {"a": "a", "$ONE": "1", "": ""}.get(front, "")
    return [lines[0], "\r" + lines[1]], [*said, one] if said else [f"{prefix}{one}"]


def numbers(t, _draw):
    one = t.random.choice([0, -7, 2**63 - 1, 2**63, 10**25, 12])
    two = t.random.choice(["", "", "", "0", "#1"])
    return [f"p $(( {t.hold(one)}{two} ))"], [str(one) + two] if not two or two == "0" else None


def bashisms(t, draw):
    one = draw(t.values)
    form, said = t.random.choice(
        [
            ("{a/@/b}", f"{{a/{one}/b}}"), ("{1..@}", f"{{1..{one}}}"), ("{a,@}", f"{{a,{one}}}"),
            ("$[@]", f"$[{one}]"), ('$"@"', f"${one}"), ("a[@]=", f"a[{one}]="), ("$(p)#@", f"#{one}"),
        ]
    )  # fmt: skip
    return ["p " + form.replace("@", t.hold(one))], [said]


def set_variable(t, draw):
    one, two = either(t), draw(t.values)
    name = one.replace("-", "_").replace(".", "_")
    held = bare(t, one)
    filtered = f"{{{{ {held} | variable }}}}"
    lines = [f"j_{filtered}={t.hold(two)}", f'p "$j_{filtered}" "${{j_{filtered}}}x"']
    return lines, [two, f"{two}x"] if f"_{name}".isidentifier() else None


def set_plain(t, draw):
    one, two = draw(t.values), draw(t.values)
    return [f"V={t.hold(one)} W={t.hold(two)}", 'p "$V"'], [one]


def set_named(t, draw):
    one, two = t.random.choice(["V", "if", "a-b", "1", "a b"]), draw(t.values)
    lines = [f"{{{{ {bare(t, one)} }}}}={t.hold(two)}", f'p "${{{one.replace("-", "_")}}}"']
    return lines, [two] if one.isidentifier() else None


def choice(t, draw):
    one, two = draw(t.values), draw(t.values)
    lines = [f"case {t.hold(one)} in", f"  {t.hold(one)}) p {t.hold(two)} ;;", "  *) p no ;;", "esac"]
    return lines, [two]


def nested(t, draw):
    one, two = draw(t.values), draw(t.values)
    return [f'p "$(p {t.hold(one)}x | tr -d \'\\000\')" $(p)"{t.hold(two)}"'], [f"{one}x", two]


SHELL = [word, word, beside, quotes, many, note, here, here_beside, here_within, joined, numbers, bashisms]
SHELL += [set_variable, set_plain, set_named, choice, nested]


# Python: each place sets a name.


def python(template, column):
    """Statements."""
    key = template.name("k")
    lines, found = template.random.choice(PYTHON)(template, key)
    return "".join(" " * column + line + "\n" for line in lines), [(key, found)]


def python_nest(template, column):
    """A statement around others."""
    begin = template.random.choice(["if True:", "for _ in [1]:", "while True:"])
    end = " " * (column + 4) + "break\n" if begin == "while True:" else ""
    return " " * column + begin + "\n", column + 4, list, end


def assigned(t, key):
    found = value(t.values)
    return [f"{key} = {t.hold(found)}"], found


def listed(t, key):
    one, two = value(t.values), value(t.values)
    return [f"{key} = [", f"    {t.hold(one)},", f'    {{"a": {t.hold(two)}}},', "]"], [one, {"a": two}]


def string(t, key):
    one, quote = text(t.values), t.random.choice("'\"")
    return [f"{key} = {quote}a {t.hold(one)} b{quote}  # {t.hold(tame(t.values))}"], f"a {one} b"


PYTHON = [assigned, listed, string]
NESTS = {"YAML": yaml_nest, "shell": shell_nest, "Python": python_nest}
