"""One page for each target: what becomes of each feature, its options, and an example with what is rendered of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reference.configuration import file_schema
from reference.registry import ROOT
from reference.tables import model, models_below, title
from wurzel.backends.registry import BUILT_IN, get
from wurzel.ir.features import FEATURES, feature_of
from wurzel.ir.model import Pipeline, Step
from wurzel.models import Model

EXAMPLE = "scheduled"
_LEVELS = """\
*native*: the platform has it. *emulated*: wurzel does it. *unsupported*: using it is reported, and `wurzel render
--strict` exits 2; `targets.{target}.ignore` accepts it.
"""
_LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".py": "python", ".sh": "sh"}


def listing() -> str:
    """The built-in targets with links to their pages, for `docs/backends/index.md`."""
    return "\n".join(f"- [{name}]({name}.md): {_summary(name)}" for name in BUILT_IN)


def page(target: str) -> str:
    """The page of a target."""
    lines = [
        f"# {target}: reference\n",
        f"{_summary(target)}. How to use it is on the [page of the target](../../backends/{target}.md).\n",
        "## What becomes of each key\n",
        _LEVELS.format(target=target),
        *_support(target),
        "## Options\n",
        f"Below `targets.{target}` in `wurzel.yaml`.\n",
        *_options(target),
        "## Example\n",
        *_example(target),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _summary(target: str) -> str:
    """In Markdown, where `<pipeline>` would be an HTML tag."""
    return get(target).summary.replace("<", "&lt;")


def _support(target: str) -> Iterator[str]:
    backend, keys = get(target), _keys()
    yield "| feature | keys | | how, or what instead |\n|---|---|---|---|"
    for name, meaning in FEATURES.items():
        support = backend.support_of(name)
        note = support.note.replace("|", "\\|").replace("<", "&lt;")
        yield f"| {meaning} | {', '.join(f'`{key}`' for key in keys[name])} | {support.level} | {note} |"
    yield ""


def _keys() -> dict[str, list[str]]:
    """The keys that ask for each feature, as they are written in `wurzel.yaml`."""
    found: dict[str, list[str]] = {name: [] for name in FEATURES}
    for cls in (Pipeline, Step):
        for field, info in cls.model_fields.items():
            places = [(cls, field, field)]
            for inner in _models(info.annotation):
                places += [(inner, name, _key(field, name)) for name in inner.model_fields if inner is not Step]
            for owner, name, key in places:
                feature = feature_of(owner, name)
                if feature and key not in found[feature]:
                    found[feature].append(key)
    return found


def _key(field: str, name: str) -> str:
    if field == "settings":
        return "parameters" if name == "parameter" else field
    return field if field == "tolerations" else f"{field}.{name}"


def _models(annotation: object) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _options(target: str) -> Iterator[str]:
    definitions = file_schema()
    name = f"{target}.{get(target).options_model.__name__}"
    yield from model(name, definitions)
    for inner in models_below(name, definitions):
        yield f"### {title(inner)}\n"
        yield from model(inner, definitions)


def _example(target: str) -> Iterator[str]:
    pipelines = ROOT / "tests" / "pipelines"
    yield "A pipeline that asks for most of it, with its `wurzel.yaml`:\n"
    yield from _block("tests/test_snapshots.py renders it", pipelines / f"{EXAMPLE}.py")
    yield from _block("tests/test_snapshots.py renders it", pipelines / f"{EXAMPLE}.yaml")
    folder = ROOT / "snapshots" / target / EXAMPLE
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield f"`wurzel render {EXAMPLE} -t {target}` writes `{path.relative_to(folder).as_posix()}`:\n"
        yield from _block("tests/test_snapshots.py holds it up to date", path)


def _block(reason: str, path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8").rstrip()
    fence = "````" if "```" in text else "```"
    yield f"<!-- not run: {reason} -->\n\n{fence}{_LANGUAGES.get(path.suffix, 'text')}\n{text}\n{fence}\n"
