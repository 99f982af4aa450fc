"""Steps that share jobs: a group, a step that is too large to share one, and what `layout: auto` makes of the rest."""

from steps import Join, Reverse, Shout, Suffix, Upper, Words

from wurzel.utils import WZ


def pipeline():
    words, upper, reverse = WZ(Words), WZ(Upper), WZ(Reverse)
    suffix, join, shout = WZ(Suffix), WZ(Join), WZ(Shout)
    words >> upper >> suffix >> join
    words >> reverse >> join
    join >> shout
    return [shout]
