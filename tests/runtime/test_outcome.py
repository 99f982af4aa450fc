import pytest

from wurzel.runtime.outcome import Failure, RunResult, tail


@pytest.mark.parametrize(
    ("codes", "late", "code"),
    [
        ([], False, 0),
        ([1], False, 1),
        ([2], False, 2),
        ([2, 2], False, 2),
        ([2, 1], False, 1),
        ([2], True, 1),
        ([], True, 1),
    ],
)
def test_the_exit_code_says_whether_another_try_can_help(codes, late, code):
    failed = {f"step-{number}": Failure("why", None, item) for number, item in enumerate(codes)}
    assert RunResult(failed=failed, late=late).exit_code == code


def test_control_characters_of_a_log_are_shown_not_obeyed(tmp_path):
    (tmp_path / "log").write_bytes("a\x1b]0;title\x07b\tc\n\x9b2Jd\x00\n".encode())
    assert tail(tmp_path / "log") == ["a\\x1b]0;title\\x07b\tc", "\\x9b2Jd\\x00"]
