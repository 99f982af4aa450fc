"""A step that needs a secret: it travels by reference only."""

from steps import SecretSuffix, Words

from wurzel.utils import WZ


def pipeline():
    return WZ(Words) >> WZ(SecretSuffix)
