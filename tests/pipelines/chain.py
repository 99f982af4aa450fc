"""Three steps in a row."""

from steps import Reverse, Upper, Words

from wurzel.utils import WZ


def pipeline():
    return WZ(Words) >> WZ(Upper) >> WZ(Reverse)
