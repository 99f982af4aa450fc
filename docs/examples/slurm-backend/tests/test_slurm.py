from wurzel.testing import check_backend


def test_nothing_is_dropped() -> None:
    check_backend("slurm")
