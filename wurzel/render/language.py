"""The language of a rendered file, which decides how values are quoted in it."""

from __future__ import annotations

from functools import cache
from typing import Literal

Language = Literal["YAML", "Python", "shell", "JSON", "plain text"]

PLAIN = (
    *(".toml", ".ini", ".cfg", ".conf", ".properties", ".env", ".hcl", ".tf", ".rego", ".sql", ".lua", ".md", ".html"),
    *(".xml", ".js", ".ts", ".jsonnet", ".libsonnet", ".groovy", ".go", ".proto", ".cue", ".txt"),
    *("Dockerfile", "ignore"),
)
"""Suffixes of files that packs may add, where only values that need no quotes can be written."""
LANGUAGES: dict[str, Language] = {
    ".yaml": "YAML",
    ".yml": "YAML",
    ".py": "Python",
    ".sh": "shell",
    ".json": "JSON",
    **dict.fromkeys(PLAIN, "plain text"),
}
"""Suffix of a template's name (without `.j2`) to the language its values are quoted for."""


@cache
def language_of(template: str) -> Language | None:
    """The language of a template by its name; `None` for parts that fit any file, such as `_macros.j2`."""
    stem = template.removesuffix(".j2")
    return next((language for suffix, language in LANGUAGES.items() if stem.endswith(suffix)), None)
