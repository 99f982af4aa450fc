"""Everything a platform may be asked for: schedule, resources, retries, selection, labels."""

from steps import Join, Suffix, Words

from wurzel.utils import WZ


def pipeline():
    return WZ(Words) >> WZ(Suffix) >> WZ(Join)
