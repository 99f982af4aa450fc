"""Steps that decide at run time whether they run: one of two branches, and a join behind them."""

from steps import Join, Reverse, Upper, Word, Words

from wurzel import WZ


class Many(Upper):
    """Upper case, if there are many words."""

    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) > 3


class Few(Reverse):
    """Backwards, if there are few words."""

    def when(self, inpt: list[Word]) -> bool:
        return len(inpt) <= 3


class After(Reverse):
    """Backwards; skipped with the step before it."""


def pipeline():
    words, join = WZ(Words), WZ(Join)
    words >> WZ(Many) >> join
    words >> WZ(Few) >> WZ(After) >> join
    return join
