"""Filters of the pack's templates."""


def vault_path(secret: str, owner: str) -> str:
    """Where the vault keeps a secret of a team."""
    return f"teams/{owner}/{secret}"
