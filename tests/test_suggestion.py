"""Did you mean: the closest known name, or nothing."""

from wurzel.suggestion import LOOSE, closest, did_you_mean


def test_the_closest_name_is_suggested():
    assert closest("chnk", ["load", "chunk", "chunks"]) == "chunk"
    assert did_you_mean("chnk", ["load", "chunk"], prefix="acme/") == "Did you mean acme/chunk?"


def test_nothing_is_suggested_if_no_name_is_close():
    assert closest("x", ["load"]) == did_you_mean("x", ["load"]) == did_you_mean("load", []) == ""


def test_the_cutoff_decides_what_is_close():
    assert did_you_mean("abcd", ["abxy"]) == ""
    assert did_you_mean("abcd", ["abxy"], cutoff=LOOSE) == "Did you mean abxy?"
