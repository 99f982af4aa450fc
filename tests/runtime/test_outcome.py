import pytest

from wurzel.runtime.outcome import Failure, RunResult


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
