"""Files that the texts of a module name: what it reads beside itself or in the project, and scripts that it starts.

A text counts if it looks like the path of a file. What is part of a path (`HERE / "prompts" / name`,
`open(f"prompts/{name}.txt")`, `glob("prompts/*.txt")`) may also name a folder. Names stand for the texts that they are
given: those of the file here, those of other modules and of settings in `paths`, once all modules are known. Defaults
of settings do not count, since settings count by their values, and neither does what is written.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from wurzel.invocation.modules import CONSTANT, NAMED, WRITTEN, Import
from wurzel.invocation.path_forms import Forms, given, is_joined, is_made, is_same, name_of, text_of
from wurzel.invocation.path_texts import HOLE, REFERENCE, as_path, made
from wurzel.invocation.written_folders import CONTENTS, is_written, writes, written_folders
from wurzel.patterns import pattern

READING = pattern(
    rb"\b(?:__file__|subprocess|command|resources|spec_from_file_location|addsitedir)\b|Path\(|Loader\b|\bsys\.path\b"
    rb"|\b(?:exec|run_path|system|popen|path\.join|joinpath|mkdir|touch|write|to_|save|dump)\w*\("
    rb"|glob\b|\b(?:read|scan|load|f?open|iter\w|list\w|f?walk|copy\w|from_|parse|ingest|dataset)\w*\("
    rb"|(?:Reader|Encoder|Transformer)\("
    rb"|[\"'][\w@+ ,()&=#~./-]*\.[A-Za-z]\w{0,9}[\"']"
)
"""Occurs in the source of a module that reads or writes files, or has names of files, which others may read."""
OWN_STEM = "__file__.*"
"""In place of a path: what has the name of the module, with another suffix."""

_WITH_SUFFIX = frozenset({"with_suffix", "splitext"})
_STARTING = frozenset({"run", "Popen", "call", "check_call", "check_output", "getoutput", "popen", "system"})
_ADDING = frozenset({"append", "insert"})
"""Functions of `sys.path`."""
_SPLITTING = frozenset({"split", "splitlines"})
_READS = pattern(
    r"read|scan|load(?!s\b)|open|iter\w|list\w|walk|copy\w|from_(?:pre|file|path|dir|folder|disk)|parse_\w|ingest"
    r"|dataset\Z|\w*(?:Loader|Reader|SentenceTransformer|CrossEncoder)\Z|i?glob\Z|rglob\Z"
)
"""How the names of functions begin that read the file, or the folder, that they are given first."""
_SAYING_WHERE = pattern(r"(?:(?:input|data|root|source|docs)_)?(?:dir|directory|folder|path|root|files?|root_dir)")
"""Names of arguments of such functions."""
_IN_SQL = pattern(r"(?i:from|join|\()\s*'([^'\n]+\.\w+)'")
_GLOBBING = frozenset({"glob", "iglob", "rglob"})
_CONNECTING = frozenset({"connect"})
_WRITING_SQL = pattern(r"\s*(?i:insert|create|update|delete|replace|drop|alter|copy|attach)\s")
_LOOKED_AT = (
    *(ast.Constant, ast.Call, ast.BinOp, ast.JoinedStr, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.NamedExpr),
    *(ast.arguments, ast.For, ast.comprehension, ast.ImportFrom, ast.Dict, ast.FunctionDef, ast.AsyncFunctionDef),
)
_ALL_OF = pattern(r"\*\.\w+")
"""A pattern of files that lie beside the module or in the project folder itself."""
_LONGEST = 255


def named_files(tree: ast.Module, nodes: Sequence[ast.AST]) -> Iterator[Import]:
    """Paths that a module names, relative to its folder or the project's; with `/` at the end, it may be a folder.

    With names of other modules in them, they are forms, which `paths` fills in. Those that are the value of a name of
    the module have that as well, since other modules may write there.
    """
    nodes = [node for node in nodes if isinstance(node, _LOOKED_AT)]
    elsewhere = dict(_imported(nodes))
    forms, folders = Forms(_without_settings(nodes), elsewhere), written_folders(tree, nodes, elsewhere)
    targets = {id(value): name for node in _outer(tree) for name, value in given(node)}
    left_out = set(map(id, _left_out(nodes)))
    for node in nodes:
        if id(node) in left_out:
            continue
        yield from (Import(NAMED, text) for text in _patterns(node, forms))
        if id(node) in forms.read:
            continue
        target = targets.get(id(node))
        for form in dict.fromkeys(_named(node, forms)):
            paths = (path for path in _known(form) if not is_written(path, folders))
            yield from (Import(NAMED, path, (target,) if target else ()) for path in paths)


def constants(tree: ast.Module) -> Iterator[Import]:
    """Texts that a module or its classes give to names, which other modules may make paths of."""
    outer = _without_settings([*_outer(tree)])
    forms = Forms(outer, dict(_imported(outer)))
    for node in outer:
        for name, value in given(node):
            texts = [form.removeprefix(f"{HOLE}/") for form in forms.of(value)] if name else []
            texts = [text for text in texts if text.strip("/") and HOLE not in text and _is_like_a_path(text)]
            if texts := [text for text in texts if text != f"\0{name}\0"]:
                yield Import(CONSTANT, name, tuple(texts))


def written(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    """Names of other modules that this one makes files at."""
    nodes = [node for node in nodes if isinstance(node, _LOOKED_AT)]
    elsewhere = dict(_imported(nodes))
    calls = [node for node in nodes if isinstance(node, ast.Call) and writes(node)]
    places = [part for node in calls for part in _places(node)]
    places += [part for value in _values_of(_names(places), nodes) for part in ast.walk(value)]
    for part in places:
        if isinstance(part, ast.Name) and part.id in elsewhere:
            yield Import(WRITTEN, elsewhere[part.id])
        elif isinstance(part, ast.Attribute) and part.attr.isupper():
            yield Import(WRITTEN, part.attr)


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _values_of(names: set[str], nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Paths that are given to names, and to names in them: `CACHE`, too, if a file is `path = CACHE / name`."""
    assigned = [
        (name, value)
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr)
        for name, value in given(node)
        if name and _is_path(value)  # others are what is written, such as a table that a file was read into
    ]
    todo, seen = set(names), set[str]()
    while todo:
        seen |= todo
        found = [value for name, value in assigned if name in todo]
        yield from found
        todo = {name for value in found for name in _names(ast.walk(value))} - seen


def _known(form: str) -> Iterator[str]:
    """The paths of a form, or the form itself where other modules may say what it is."""
    if REFERENCE.search(form):
        yield from [form] if _is_like_a_path(form) else ()
    else:
        yield from filter(None, map(as_path, made(form)))


def _is_like_a_path(form: str) -> bool:
    return len(form) <= _LONGEST and any(map(as_path, made(REFERENCE.sub("x", form))))


def _named(node: ast.AST, forms: Forms) -> Iterator[str]:
    """Forms of the paths that a node names."""
    if (text := text_of(node)) is not None:
        for one in (text, *_IN_SQL.findall(text)):
            if ("." in one or "/" in one) and (path := as_path(one)) and ("." in path or path != one):
                yield path
        return
    if is_joined(node):
        yield from forms.of(node)
    elif is_made(node):
        yield from (form for form in forms.of(node) if "/" in form or "." in form)
    if isinstance(node, ast.Call):
        yield from _arguments(node, forms)


def _without_settings(nodes: Sequence[ast.AST]) -> list[ast.AST]:
    """All but fields of settings, which count by their values."""
    classes = [node for node in nodes if isinstance(node, ast.ClassDef) and any(map(_is_settings, node.bases))]
    fields = {id(one) for node in classes for one in node.body if isinstance(one, ast.AnnAssign)}
    return [node for node in nodes if id(node) not in fields]


def _is_settings(base: ast.AST) -> bool:
    return "Settings" in name_of(base)


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)


def _outer(tree: ast.Module) -> Iterator[ast.AST]:
    """What gives names to a module and its classes, with what their objects are made with."""
    todo: deque[ast.AST] = deque(tree.body)
    while todo:
        node = todo.popleft()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from [node.args] if node.name == "__init__" else ()
            continue
        yield node
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict | ast.Call):
            yield node.value
        for name in ("body", "handlers", "orelse", "finalbody"):
            todo.extend(getattr(node, name, ()))


def _left_out(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """What is written or given to settings, with what is assigned to names of such."""
    places: list[ast.AST] = []
    changes = any(_WRITING_SQL.match(text_of(node) or "") for node in nodes)  # then the database is output, not input
    for node in nodes:
        if isinstance(node, ast.Call) and (writes(node) or (changes and name_of(node.func) in _CONNECTING)):
            places += _places(node)
        elif isinstance(node, ast.ClassDef) and node.bases:  # settings; others are classes for data
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and one.value is not None]
            yield from (part for one in fields if "ClassVar" not in ast.dump(one.annotation) for part in ast.walk(one))
    yield from places
    for value in _values_of(_names(places), nodes):
        yield from ast.walk(value)


def _places(call: ast.Call) -> Iterator[ast.AST]:
    """What a call that writes says about the place; what other calls in it are given is read, or not a place."""
    yield call
    todo: deque[ast.AST] = deque([call.func])
    todo.extend(() if name_of(call.func) in CONTENTS else [*call.args, *(word.value for word in call.keywords)])
    while todo:
        node = todo.popleft()
        if not isinstance(node, ast.Call) or _is_path(node) or writes(node):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def _is_path(node: ast.AST) -> bool:
    return text_of(node) is not None or is_joined(node) or is_made(node) or is_same(node)


def _patterns(call: ast.AST, forms: Forms) -> Iterator[str]:
    """Patterns of files beside the module, and of files in the folder that it runs in."""
    if not isinstance(call, ast.Call):
        return
    name = name_of(call.func)
    around = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name in _WITH_SUFFIX or (name == "replace" and name_of(around) == "__file__"):
        yield OWN_STEM
    elif name == "with_stem":
        yield from (f"{text}.*" for text in map(text_of, call.args) if text and as_path(text) == text)
    elif name in _GLOBBING and (around is None or name_of(around) == "glob" or forms.is_here(around)):
        yield from filter(_ALL_OF.fullmatch, filter(None, map(text_of, call.args)))


def _arguments(call: ast.Call, forms: Forms) -> Iterator[str]:
    """Paths in what a function is given."""
    name = name_of(call.func)
    around = call.func.value if isinstance(call.func, ast.Attribute) else None
    if _READS.match(name):
        first = () if name in _GLOBBING else call.args if name.endswith("Loader") else call.args[:1]
        named = [word.value for word in call.keywords if _SAYING_WHERE.fullmatch(word.arg or "")]
        yield from (f"{form}/" for one in (*first, *named) for form in forms.of(one))
    elif name == "addsitedir" or (name in _ADDING and name_of(around) == "path"):
        yield from (f"{form}/" for one in call.args for form in forms.of(one))
    elif name in _STARTING | _SPLITTING:
        texts = map(text_of, (*call.args, around))
        yield from (word for line in texts if line and " " in line for word in line.split() if "." in word)
        yield from (f"{form}/" for word in call.keywords if word.arg == "cwd" for form in forms.of(word.value))
