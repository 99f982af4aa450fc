"""Which texts are keys that must not stand in a file: those in the format of a well-known token.

Each format has a prefix or frame of its own, so that ordinary text does not match; `docs/configuration.md` lists them.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Format(NamedTuple):
    """A kind of key: pieces of text of which every such key holds one, and the regular expression that finds it."""

    marks: tuple[str, ...]
    pattern: str


_GITLAB = ("glpat", "gloas", "gldt", "glrt", "glcbt", "glptt", "glft", "glimt", "glagent", "glsoat", "glffct")

FORMATS = {
    "AWS access key": Format(("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "GitHub token": Format(
        ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        r"\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})",
    ),
    "GitLab token": Format(_GITLAB, rf"\b(?:{'|'.join(_GITLAB)})-[-A-Za-z0-9_]{{20}}"),
    "OpenAI or Anthropic key": Format(
        ("sk-",), r"\bsk-(?:[A-Za-z0-9]{32}|(?:proj|svcacct|admin|ant-[a-z]+\d\d|or-v1)-[-\w]{20})"
    ),
    "Slack token": Format(
        ("xox", "xapp-"), r"\bxox[abeoprs]-(?=[-A-Za-z]*[0-9])[-A-Za-z0-9]{10}|\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-"
    ),
    "Slack webhook": Format(
        ("hooks.slack.com",), r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16}"
    ),
    "Google API key": Format(("AIza",), r"\bAIza[-A-Za-z0-9_]{35}"),
    "Stripe key": Format(("k_live_", "k_test_"), r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}"),
    "Hugging Face token": Format(("hf_",), r"\bhf_[A-Za-z0-9]{34}"),
    "npm token": Format(("npm_",), r"\bnpm_[A-Za-z0-9]{36}"),
    "PyPI token": Format(("pypi-AgE",), r"\bpypi-AgE[-A-Za-z0-9_]{40}"),
    "SendGrid key": Format(("SG.",), r"\bSG\.[-A-Za-z0-9_]{22}\.[-A-Za-z0-9_]{43}"),
    "Azure storage key": Format(("AccountKey=",), r"\bAccountKey=[A-Za-z0-9+/]{40}"),
    "Vault token": Format(("hvs.", "hvb."), r"\bhv[bs]\.[-A-Za-z0-9_]{24}"),
    "Databricks token": Format(("dapi",), r"\bdapi[0-9a-f]{32}"),
    "DigitalOcean token": Format(("_v1_",), r"\bdo[opr]_v1_[0-9a-f]{64}"),
    "age key": Format(("AGE-SECRET-KEY-",), r"\bAGE-SECRET-KEY-1[0-9A-Z]{50}"),
    "private key": Format(("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "JSON Web Token": Format(("eyJ",), r"\beyJ[-A-Za-z0-9_]{10,}\.eyJ[-A-Za-z0-9_]{10,}\.[-A-Za-z0-9_]{10}"),
    "password in a URL": Format(("://",), r"://[^\s/:@'\"]*:(?![$<{%*])[^\s/@'\"]+@[^\s/@]"),
}
"""The formats by what they are called."""

_SHORTEST = 12
_MARKS = tuple(mark for form in FORMATS.values() for mark in form.marks)


def looks_like_key(text: str) -> str:
    """The name of the token format that the text holds, or ''."""
    if len(text) < _SHORTEST or not any(map(text.__contains__, _MARKS)):
        return ""
    for name, form in FORMATS.items():
        if any(map(text.__contains__, form.marks)) and re.search(form.pattern, text, re.ASCII):
            return name
    return ""
