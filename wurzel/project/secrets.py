"""Which texts are keys that must not stand in a file: those in the format of a well-known token.

Each format has a prefix or frame of its own, so that ordinary text does not match; `docs/configuration.md` lists them.
"""

from __future__ import annotations

import re

FORMATS = {
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})",
    "GitLab token": r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[-A-Za-z0-9_]{20}",
    "OpenAI or Anthropic key": r"\bsk-(?:[A-Za-z0-9]{32}|(?:proj|svcacct|admin|ant-[a-z]+\d\d|or-v1)-[-\w]{20})",
    "Slack token": r"\bxox[abeoprs]-(?=[-A-Za-z]*[0-9])[-A-Za-z0-9]{10}|\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-",
    "Slack webhook": r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16}",
    "Google API key": r"\bAIza[-A-Za-z0-9_]{35}",
    "Stripe key": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{34}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}",
    "PyPI token": r"\bpypi-AgE[-A-Za-z0-9_]{40}",
    "SendGrid key": r"\bSG\.[-A-Za-z0-9_]{22}\.[-A-Za-z0-9_]{43}",
    "Azure storage key": r"\bAccountKey=[A-Za-z0-9+/]{40}",
    "Vault token": r"\bhv[bs]\.[-A-Za-z0-9_]{24}",
    "Databricks token": r"\bdapi[0-9a-f]{32}",
    "DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{64}",
    "age key": r"\bAGE-SECRET-KEY-1[0-9A-Z]{50}",
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "JSON Web Token": r"\beyJ[-A-Za-z0-9_]{10,}\.eyJ[-A-Za-z0-9_]{10,}\.[-A-Za-z0-9_]{10}",
    "password in a URL": r"://[^\s/:@'\"]*:(?![$<{%*])[^\s/@'\"]+@[^\s/@]",
}
"""What each format is called, and the regular expression that finds it."""

_SHORTEST = 12
_ANY: list[re.Pattern[str]] = []


def looks_like_key(text: str) -> str:
    """The name of the token format that the text holds, or ''."""
    if len(text) < _SHORTEST:
        return ""
    if not _ANY:
        _ANY.append(re.compile("|".join(FORMATS.values()), re.ASCII))
    if _ANY[0].search(text) is None:
        return ""
    return next(name for name, pattern in FORMATS.items() if re.search(pattern, text, re.ASCII))
