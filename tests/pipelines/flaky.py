"""A step that works at its second try."""

from steps import Flaky, Upper, Words

from wurzel.utils import WZ


def pipeline():
    return WZ(Words) >> WZ(Flaky) >> WZ(Upper)
