"""A fan-out and a fan-in: the order of the `>>`s decides the order of the data."""

from steps import Join, Reverse, Upper, Words

from wurzel.utils import WZ


def pipeline():
    words, upper, reverse, join = WZ(Words), WZ(Upper), WZ(Reverse), WZ(Join)
    words >> upper >> join
    words >> reverse >> join
    return join
