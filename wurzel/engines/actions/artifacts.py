"""Artifacts of GitHub's jobs as archives in the folder `TEST_ARTIFACTS`; run by the stand-ins for its actions."""

import fnmatch
import glob
import os
import sys
import zipfile
from pathlib import Path

STORE = Path(os.environ["TEST_ARTIFACTS"])


def main() -> None:
    """`artifacts.py upload`, or `artifacts.py download`."""
    {"upload": upload, "download": download}[sys.argv[1]]()


def upload() -> None:
    """Keep files under a name. As with GitHub, the folder that all patterns share is not part of their names."""
    patterns = [line.strip() for line in os.environ["PATHS"].splitlines() if line.strip()]
    wanted = [Path(line) for line in patterns if not line.startswith("!")]
    root = wanted[0] if len(wanted) == 1 else Path(os.path.commonpath(wanted))
    if glob.has_magic(str(root)):
        root = next(path for path in root.parents if not glob.has_magic(str(path)))
    hidden = os.environ["HIDDEN"] == "true"
    excluded = [line[1:] for line in patterns if line.startswith("!")]
    files = [
        path
        for pattern in wanted
        for path in below(pattern)
        if (hidden or not any(part.startswith(".") for part in path.relative_to(root).parts))
        and not any(fnmatch.fnmatch(str(path), pattern) for pattern in excluded)
    ]
    if not files:
        sys.exit(f"no files were found at {root}")
    with zipfile.ZipFile(STORE / f"{os.environ['NAME']}.zip", "w") as archive:
        for path in files:
            archive.write(path, path.name if path == root else path.relative_to(root))


def below(pattern: Path) -> list[Path]:
    """The files that a pattern names, or that are in folders which it names."""
    found = [Path(path) for path in glob.glob(str(pattern), recursive=True, include_hidden=True)]  # noqa: PTH207
    inner = [path for folder in found if folder.is_dir() for path in sorted(folder.rglob("*"))]
    return sorted({path for path in [*found, *inner] if path.is_file()})


def download() -> None:
    """Unpack one artifact by its name, or all that match a pattern, into a folder."""
    name, pattern = os.environ["NAME"], os.environ["PATTERN"]
    archives = [
        path for path in sorted(STORE.glob("*.zip")) if path.stem == name or fnmatch.fnmatch(path.stem, pattern)
    ]
    if not archives:
        sys.exit(f"no artifact matches {name or pattern}")
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(os.environ["PATHS"])


main()
