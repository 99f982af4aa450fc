"""Filters of the pack's templates."""

REGISTRY = "registry.acme.example/"


def vault_path(secret: str, owner: str) -> str:
    """Where the vault keeps a secret of a team."""
    return f"teams/{owner}/{secret}"


def from_acme(image: str) -> str:
    """The image in Acme's registry; one that is there, or that the platform fills in, as it is."""
    return image if image.startswith((REGISTRY, "$")) else REGISTRY + image


def is_floating(image: str) -> bool:
    """Whether an image has no version, so that it is another one tomorrow."""
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "@" not in image and tag in {"", "latest"}
