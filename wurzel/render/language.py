"""The language of a rendered file, which decides how values are quoted in it."""

from __future__ import annotations

from typing import Literal

Language = Literal["YAML", "Python", "shell"]

LANGUAGES: dict[str, Language] = {".yaml": "YAML", ".yml": "YAML", ".py": "Python", ".sh": "shell"}
"""Ending of a template's name (without `.j2`) to the language its values are quoted for."""


def language_of(template: str) -> Language | None:
    """The language a template's name stands for; `None` for parts that fit any file, such as `_macros.j2`."""
    stem = template.removesuffix(".j2")
    return next((language for suffix, language in LANGUAGES.items() if stem.endswith(suffix)), None)
