"""A step whose input is cut into slices that run side by side."""

from steps import Join, Upper, Words

from wurzel.utils import WZ


class Loud(Upper):
    """Upper case, in three slices."""

    shards = 3


def pipeline():
    return WZ(Words) >> WZ(Loud) >> WZ(Join)
