"""One branch fails; the other one finishes."""

from steps import Failing, Upper, Words

from wurzel.utils import WZ


def pipeline():
    words = WZ(Words)
    return [words >> WZ(Failing), words >> WZ(Upper)]
