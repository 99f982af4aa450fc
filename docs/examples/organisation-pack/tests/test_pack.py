"""The pack renders for every target, fits the platforms, and every override matters."""

from pathlib import Path

from wurzel.testing import check_pack

VARIABLES = {"owner": "docs", "node_class": "spot", "frozen": True}
OPTIONS = {"argo": {"on_exit": {"command": ["tell", "us"]}}}  # what has no effect without it is held to it as well
SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_pack() -> None:
    snapshots = SNAPSHOTS if SNAPSHOTS.is_dir() else None
    check_pack("acme", snapshots, variables=VARIABLES, options=OPTIONS, environments=(None, "prod"))
