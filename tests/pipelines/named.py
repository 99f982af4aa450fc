"""One class many times, told apart by name, and two last steps."""

from steps import Suffix, Words

from wurzel.utils import WZ


def pipeline():
    words = WZ(Words)
    return [words >> WZ(Suffix, name="suffix-de"), words >> WZ(Suffix, name="suffix-en")]
