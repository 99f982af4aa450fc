"""Names that say that there is a secret: of variables, and of settings that are paths.

Imports nothing of pydantic: the guard of a step asks before anything else is imported.
"""

from __future__ import annotations

import re

_FILE_WORDS = frozenset(
    {"apikey", "credential", "credentials", "key", "keyfile", "keystore", "passphrase", "passwd", "password", "pem"}
    | {"passwordfile", "passwords", "privatekey", "pw", "pwd", "pwfile", "secret", "secrets", "token", "tokenfile"}
)


def names_secret_file(field: str) -> bool:
    """Whether a setting that is a path names, by its own name, a file with a key or password: `TOKEN_FILE`, `PWFILE`.

    Such a file is never hashed: the digest of a password is enough to guess it.
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", field).lower()
    return not _FILE_WORDS.isdisjoint(re.split(r"[_\W]+", words))


_KEYS = "ACCESS|ACCOUNT|API|AUTH|DEPLOY|ENCRYPTION|FERNET|HMAC|LICENSE|MASTER|PRIVATE|SECRET|SIGNING|SSH|STORAGE"
_VARIABLES = (
    r"(?s:.*)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?)|(?s:.+)_(?:AUTH|PASS|PAT|PWD)"
    rf"|(?:(?s:.*)_)?(?:{_KEYS})_?KEY"
)


def may_be_secret(variable: str) -> bool:
    """Whether the name of a variable says that it is a secret, such as `GITHUB_TOKEN` or `PGPASSWORD`."""
    return re.fullmatch(_VARIABLES, variable, re.IGNORECASE) is not None


def may_contain_password(value: str) -> bool:
    """Whether a value looks like a URL with user or query, or like a connection string: a quick look, not a search."""
    return re.search(r"(?i)://\S*[@?]|(?:password|pwd)\s*=", value) is not None
