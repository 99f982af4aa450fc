"""One branch fails, and what is behind it never runs; the other one finishes."""

from steps import Failing, Reverse, Upper, Words

from wurzel.utils import WZ


def pipeline():
    words = WZ(Words)
    return [words >> WZ(Failing) >> WZ(Reverse), words >> WZ(Upper)]
