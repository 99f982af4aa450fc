import json
import sys

import pytest

from wurzel.core.tracebacks import one_line, place_of, shortened


def caught(function):
    try:
        function()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("no error")


def files(text):
    return [line.split('"')[1] for line in text.splitlines() if line.startswith("  File")]


def test_frames_of_libraries_go_but_for_the_one_that_raised():
    error = caught(lambda: json.loads("{"))
    kept = files(shortened(error))
    assert kept[:-1] == [__file__, __file__]
    assert "json" in kept[-1]
    assert shortened(error).count("File") == 3


def test_our_own_frames_go():
    from wurzel.core.step_ids import check_id

    text = shortened(caught(lambda: check_id("A")))
    assert set(files(text)) == {__file__}


def test_causes_and_groups_are_shortened_too():
    def fail():
        try:
            json.loads("{")
        except ValueError as error:
            raise ExceptionGroup("many", [error, ValueError("b")]) from error

    text = shortened(caught(fail))
    assert "many" in text
    assert "in decode\n" not in text
    assert text.count("Expecting property name") == 2


def test_an_error_without_a_line_of_the_user_keeps_all_it_has():
    error = caught(lambda: json.loads("{"))
    while error.__traceback__.tb_frame.f_code.co_filename == __file__:
        error.__traceback__ = error.__traceback__.tb_next
    assert len(files(shortened(error))) == 3
    assert place_of(error) == ""


def test_the_place_is_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "placed.py").write_text("def f():\n    raise ValueError\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import placed

    assert place_of(caught(placed.f)) == "placed.py:2"
    del sys.modules["placed"]
    assert place_of(caught(lambda: 1 / 0)).startswith(__file__)


def test_an_error_whose_text_fails():
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    assert one_line(Silent()) == "Silent: (its text cannot be shown)"
    assert "Silent" in shortened(Silent())
    assert one_line(ValueError("a\n b")) == "ValueError: a b"


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y")])
def test_an_error_that_was_never_raised(error):
    assert type(error).__name__ in shortened(error)
    assert place_of(error) == ""
