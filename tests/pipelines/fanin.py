"""Many sources into one step, and single items mapped one by one."""

from steps import Join, Shout, Words

from wurzel.utils import WZ


def pipeline():
    shout = WZ(Shout)
    for name in ("b", "a", "c"):
        WZ(Words, name=f"words-{name}") >> WZ(Join, name=f"join-{name}") >> shout
    return shout
