"""The pack renders for every target, fits the platforms, and every override matters."""

from pathlib import Path

from wurzel.testing import check_pack


def test_pack() -> None:
    snapshots = Path(__file__).parent / "snapshots"
    check_pack("acme", snapshots if snapshots.is_dir() else None, variables={"owner": "docs"})
