"""Syntax and filters of other template languages (Helm, Ansible, Salt, Liquid), and what to write here instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from wurzel.suggestion import did_you_mean

Place: TypeAlias = Literal["filter", "name", "member", "test"]
"""What a word stands for: a filter, a name or function, an attribute or method, a test."""

_QUOTED = "Remove it: every value is quoted for its position."
_VALUE = (
    "Remove it: `key: {{ x }}` writes a list or mapping itself, and `{{ x }}` alone on its line writes its entries."
)
_JSON = "Write `| json` for the JSON text; `key: {{ x }}` writes the value itself."
_INDENT = (
    "Write `key: {{ x }}`; lines of a value are indented for their position. `| indent(4)` indents text of a macro."
)
_ENCODED = "Templates do not encode: put the encoded text in a setting, or write `stringData:` in a Secret."
_ITEMS = "Loop over the mapping: `{% for key, value in x | items %}`."
_REGEX = "Write `| replace('old', 'new')`, or compute the text in Python."
_PURE = (
    "A template must render the same file every time, so it cannot read the clock, environment, files or network."
    " Use a setting."
)
_MERGE = "Write each mapping alone on its line, `{{ a }}` and then `{{ b }}`, or merge them in Python."
_PYTHON = "Compute it in Python, where the context is built."
_CHOICE = 'Write `{{ "a" if x else "b" }}`.'
_STRICT = "Remove it: an undefined name is always an error."
_NEEDS = "Write `{% include 'part.j2' %}` or `{% import 'macros.j2' as m %}` and `{{ m.name() }}`."
_ARITHMETIC = "Write `x + 1`, `x - 1`, `x * 2`, `x // 2`, `x % 2`."
_PRINTED = "Text outside of `{{ }}` is written as it is: `# {{ x }}`; `wurzel render --stdout` shows the file."
_MEMBER = "Write it as a method: `x.split(',')`, `x.startswith('a')`."

_TEST_IN = "Write `'a' in x`; as a method, `x.startswith('a')`."
_BOTH = "Write texts together with `~`: `{{ a ~ '/' ~ x }}`."
_RAW = "Write `{% include 'part.j2' %}` for a template; text of a file is a value, so read it in Python or a setting."
_TAG_PLAIN = "Remove it: text outside of tags is written as it is; `{% raw %}` keeps braces."
_NO_TAG = "Tags are those of Jinja, such as `if`, `for`, `set`, `macro`; compute the rest in Python."
_GO = "This looks like Go's template language. Write `{{ x | indent(4) }}`, `{% if x %}`, `{% for x in xs %}`."
_NO_DATABASE = "Templates see the pipeline and `variables`, no database."

_EXPRESSION = "An expression of the platform is text here: `{{ '${{ github.ref }}' }}`, `{{ '{{workflow.name}}' }}`."
_CONTEXT = "`wurzel templates list TARGET` lists the names here; what a project sets is in `variables`."

_FILTERS = {
    **dict.fromkeys(("quote", "squote", "to_quoted", "dquote"), _QUOTED),
    **dict.fromkeys(("toYaml", "to_yaml", "to_nice_yaml", "yaml", "toyaml", "yaml_dump"), _VALUE),
    **dict.fromkeys(("toJson", "to_json", "to_nice_json", "toPrettyJson", "toRawJson", "json_encode"), _JSON),
    "nindent": _INDENT,
    **dict.fromkeys(("b64encode", "b64decode", "b64enc", "b64dec", "base64", "base64_encode"), _ENCODED),
    **dict.fromkeys(("dict2items", "items2dict", "iteritems"), _ITEMS),
    **dict.fromkeys(("regex_replace", "regex_search", "regex_findall", "regex_escape", "regexReplaceAll"), _REGEX),
    **dict.fromkeys(("env", "lookup", "strftime", "to_datetime", "date", "hash", "checksum", "password_hash"), _PURE),
    **dict.fromkeys(("combine", "merge", "mergeOverwrite"), _MERGE),
    **dict.fromkeys(("ternary", "then"), _CHOICE),
    **dict.fromkeys(("mandatory", "required"), _STRICT),
    **dict.fromkeys(("from_json", "from_yaml", "fromJson", "fromYaml", "json_query", "basename", "dirname"), _PYTHON),
    **dict.fromkeys(("split", "splitList", "startswith", "endswith", "hasPrefix", "hasSuffix"), _MEMBER),
    **dict.fromkeys(
        ("trimSuffix", "trimPrefix"), "Write it as a method: `x.removesuffix('-')`, `x.removeprefix('v')`."
    ),
    **dict.fromkeys(("trimAll", "nospace"), "Write `x | trim`, `x.strip('-')` or `x | replace(' ', '')`."),
    **dict.fromkeys(("has", "contains", "includes"), _TEST_IN),
    **dict.fromkeys(("cat", "concat", "append_text"), _BOTH),
    **dict.fromkeys(("atoi", "int64", "toInt"), "Write `x | int`."),
    "toStrings": "Write `xs | map('string') | list`.",
    **dict.fromkeys(
        ("pick", "omit", "unset"), "Loop over the entries: `{% for key, value in x | items if key != 'a' %}`."
    ),
    **dict.fromkeys(("semverCompare", "version", "version_compare", "subelements", "symmetric_difference"), _PYTHON),
    **dict.fromkeys(("as_bool", "as_native", "as_number", "as_text"), "Remove it: a value keeps its type."),
    "bool": 'Write `x == "true"`; a setting of type `bool` is one already.',
    "append": "Write `{{ xs + [x] }}`.",
    "trunc": "Write `{{ x[:63] }}`.",
    **dict.fromkeys(("sha256sum", "sha1sum", "md5sum", "slugify", "slug", "flatten", "union", "difference"), _PYTHON),
    **dict.fromkeys(("zip", "product", "snakecase", "camelcase", "kebabcase", "pluralize"), _PYTHON),
    **dict.fromkeys(("plus", "minus", "times", "divided_by", "add", "sub", "mul", "div", "modulo"), _ARITHMETIC),
    **dict.fromkeys(("size", "len", "length_is"), "Write `x | length`."),
    **dict.fromkeys(("downcase", "upcase", "lowercase", "uppercase"), "Write `x | lower` or `x | upper`."),
    **dict.fromkeys(("log", "debug", "print"), _PRINTED),
    "keys": "Write `x | list`; a loop over `x | items` gives both.",
    "values": "Write `x.values() | list`.",
    "repr": _QUOTED,
    "shuffle": "Rendered files must be the same every time.",
}
_NAMES = {
    **dict.fromkeys(("now", "date", "time", "datetime", "ansible_date_time", "utcnow", "today"), _PURE),
    **dict.fromkeys(("lookup", "query", "env", "environ", "getenv", "os", "open", "uuid", "uuid4", "salt"), _PURE),
    **dict.fromkeys(("uuidv4", "randAlphaNum", "modules", "env_var", "timestamp"), _PURE),
    **dict.fromkeys(("run_query", "execute", "is_incremental", "adapter", "statement"), _NO_DATABASE),
    **dict.fromkeys(("if", "with", "block", "define", "else"), _GO),
    **dict.fromkeys(("any", "all"), "Use a filter: `{{ xs | select | list | length > 0 }}`."),
    "loop": "It exists inside `{% for %}` only; a macro or include that needs it takes it as an argument.",
    **dict.fromkeys(("import", "include_raw", "include_file", "readfile"), _RAW),
    **dict.fromkeys(("quote", "squote"), _QUOTED),
    **dict.fromkeys(("toYaml", "to_yaml"), _VALUE),
    **dict.fromkeys(("toJson", "to_json"), _JSON),
    **dict.fromkeys(("include", "tpl", "template"), _NEEDS),
    **dict.fromkeys(("required", "fail_if", "omit"), _STRICT),
    **dict.fromkeys(
        ("str", "int", "float", "list", "sorted", "len", "repr", "enumerate", "zip"),
        "Use a filter: `{{ x | string }}`, `| int`, `| list`, `| sort`, `| length`; `loop.index` counts.",
    ),
    **dict.fromkeys(("secrets", "github", "vars", "needs", "runner", "always", "failure", "success"), _EXPRESSION),
    **dict.fromkeys(
        ("toJSON", "fromJSON", "hashFiles", "workflow", "inputs", "outputs", "tasks", "steps", "item", "ds", "ts"),
        _EXPRESSION,
    ),
    **dict.fromkeys(
        ("params", "dag_run", "macros", "ti", "task_instance", "logical_date", "run_id", "execution_date"), _EXPRESSION
    ),
    **dict.fromkeys(
        ("Values", "Release", "Chart", "Capabilities", "values", "cookiecutter", "copier", "playbook_dir"), _CONTEXT
    ),
    **dict.fromkeys(("hostvars", "ansible_facts", "inventory_hostname", "groups"), _CONTEXT),
    **dict.fromkeys(("ref", "source", "var", "config", "target", "this", "dbt_utils", "model", "schema"), _CONTEXT),
    **dict.fromkeys(("random", "random_ascii_string", "random_string"), _PURE),
    "return": "A macro gives the text that it writes; for a value, use `{% set %}`, or a filter of a pack.",
    "contains": "Write `'a' in x`.",
    **dict.fromkeys(("log", "print", "console", "debug", "warn"), _PRINTED),
    **dict.fromkeys(("map", "filter", "sum", "min", "max", "abs", "reversed"), "Use a filter: `{{ x | sum }}`."),
    **dict.fromkeys(("type", "isinstance", "typeof", "kindOf"), "Use a test: `x is string`, `x is mapping`."),
    **dict.fromkeys(
        ("fail", "raise", "throw", "assert", "error", "exceptions"), "Only a policy refuses: `fail(…)` in policies.j2."
    ),
    **dict.fromkeys(("empty", "not_empty"), "Write `{% if not x %}`."),
    "undefined": "Write `x is defined`.",
    "forloop": "Write `loop.index`, `loop.first`, `loop.last`.",
    "printf": 'Write `{{ "%s/%s" | format(a, b) }}`, or join with `~`.',
    "end": "Name the tag that ends: `{% endif %}`, `{% endfor %}`, `{% endblock %}`.",
    "format": 'Write `{{ "%s/%s" | format(a, b) }}`, or join with `~`.',
    **dict.fromkeys(("null", "nil", "None"), "Write `none`."),
}
_MEMBERS = {
    **dict.fromkeys(("iteritems", "iterkeys", "itervalues", "entries"), _ITEMS),
    **dict.fromkeys(("has_key", "hasOwnProperty", "contains", "includes"), "Write `'a' in x`."),
    **dict.fromkeys(("length", "size", "len", "count"), "Write `x | length`."),
    **dict.fromkeys(("push", "append", "add", "concat"), "Write `{{ xs + [x] }}`."),
    **dict.fromkeys(("join", "map", "filter", "sort", "first", "last"), "Use a filter: `{{ x | join(',') }}`."),
    **dict.fromkeys(("toLowerCase", "toUpperCase", "trim"), "Use a filter: `| lower`, `| upper`, `| trim`."),
}
_TESTS = {
    **dict.fromkeys(("null", "nil", "None"), "Write `x is none`."),
    **dict.fromkeys(("empty", "blank"), "Write `{% if not x %}`."),
    **dict.fromkeys(("list", "array", "dict", "map", "str"), "Write `x is sequence`, `is mapping`, `is string`."),
    **dict.fromkeys(("match", "search", "contains"), "Write `'a' in x`, or compute it in Python."),
}
_TAGS = {
    **dict.fromkeys(("each", "foreach", "loop", "iterate"), "Write `{% for x in xs %}` … `{% endfor %}`."),
    **dict.fromkeys(("elif", "endif", "endfor", "endblock"), "It ends something that was not begun."),
    "comment": "Write `{# … #}`.",
    "include_raw": _RAW,
    **dict.fromkeys(("trans", "blocktrans", "autoescape", "spaceless", "verbatim"), _TAG_PLAIN),
    **dict.fromkeys(("try", "python", "call_python", "test", "snapshot", "materialization", "switch"), _NO_TAG),
    **dict.fromkeys(("debug", "log"), _PRINTED),
    **dict.fromkeys(("load", "use", "require"), _NEEDS),
    "continue": "Write `{% for x in xs if … %}`, or put `{% if … %}` around the rest of the loop.",
    "break": "Write `{% for x in xs[:1] %}`, or a condition: `{% for x in xs if … %}`.",
    "do": "Write `{% set _ = x.append(1) %}`.",
    "else": "`else` belongs inside `{% if %}` or `{% for %}`; `else if` is written `elif`.",
    "elseif": "Write `{% elif … %}`.",
    "elsif": "Write `{% elif … %}`.",
    "end": "Name the tag that ends: `{% endif %}`, `{% endfor %}`, `{% endblock %}`.",
    "range": "Write `{% for x in xs %}` … `{% endfor %}`.",
    "now": _PURE,
    "define": "Write `{% macro name() %}` … `{% endmacro %}`.",
    "assign": "Write `{% set x = 1 %}`.",
    "capture": "Write `{% set x %}` … `{% endset %}`.",
    "case": "Write `{% if … %}` and `{% elif … %}`.",
    "unless": "Write `{% if not … %}`.",
    "while": "Write `{% for x in xs %}`.",
}
_WITH_END = ("block", "filter", "for", "if", "macro", "raw", "set", "with")
_KNOWN_TAGS = (*_WITH_END, *(f"end{tag}" for tag in _WITH_END), "elif", "else", "extends", "import", "include")
_FOREIGN = re.compile(
    r"unexpected '\.'|unexpected char '[$]'|expected token 'end of print statement', got '(?:string|integer|float|\w+)'"
)
_SYNTAX = (
    (r"(unexpected|.* got) '='", "Compare with `==` and `!=`; set with `{% set x = 1 %}`; write with `{{ x }}`."),
    (r"expected token ':', got '}'", "Write `{{ x }}`, `{% for x in xs %}`, `{% if x %}`."),
    (r"unexpected '/'", "Write `{# a comment #}`."),
    (r"unexpected '>'", "Write `x != y`, `x.y`, or `{% include 'part.j2' %}`."),
    (r"expected token 'name', got '\|'", "Write `or`."),
    (r".* got ':'", "A filter takes its arguments in brackets: `{{ x | default('a') }}`."),
    (r".* got 'for'", "Write `{% for x in xs if … %}`, or `xs | map(attribute='name') | list`."),
    (r".* got 'then'", "Write `{% if x %}`."),
    (r"expected token 'as'", "Write `{% import 'macros.j2' as m %}`; modules of Python cannot be imported."),
    (
        r"expected token 'end of statement block', got '[-+*/]'",
        "Write `{% set x = x + 1 %}`; in a loop, of a namespace.",
    ),
    (r"unexpected 'end of print statement'", "Something is missing at the end; `x++` is written `x + 1`."),
)
"""Beginnings of messages of the parser, and what to write instead."""
_OPERATORS = {
    "#": "Write `{{ x }}`, `{% for x in xs %}`, `{% if x %}`.",
    "`": 'Write `"a" ~ x`.',
    "?": _CHOICE,
    "&": "Write `and`.",
    "!": "Write `not x` or `x != y`.",
    "|": "Write `or`.",
}


_WORDS: Mapping[Place, Mapping[str, str]] = {"filter": _FILTERS, "name": _NAMES, "member": _MEMBERS, "test": _TESTS}


def instead(place: Place, word: str) -> str:
    """What to write instead of a word of another language in this place; empty if none is known."""
    return _WORDS[place].get(word, "")


def syntax_instead(message: str) -> str:
    """What to write instead of syntax that the parser did not understand; empty if none is known."""
    if tag := re.match(r"Encountered unknown tag '(\w+)'", message):
        return _TAGS.get(tag.group(1), "") or did_you_mean(tag.group(1), _KNOWN_TAGS)
    if operator := re.match(r"unexpected char '(.)'", message):
        return _OPERATORS.get(operator.group(1), _GO if operator.group(1) == "$" else "")
    instead = next((hint for beginning, hint in _SYNTAX if re.match(beginning, message)), "")
    return instead or (_GO if _FOREIGN.match(message) else "")
