"""A source that polls and one that reads its own last output."""

from steps import Memory, Polling, Upper

from wurzel.utils import WZ


def pipeline():
    return [WZ(Polling) >> WZ(Upper), WZ(Memory)]
