"""Values that break careless quoting: every mended bug adds a line to the configuration beside this file."""

from steps import FileWords, Suffix, Words

from wurzel.utils import WZ


def pipeline():
    files = WZ(FileWords)
    chain = [WZ(Suffix, name=f"suffix-{number}") for number in range(14)]
    words = WZ(Words)
    for step in chain:
        words >> step
    return [*chain, files]
