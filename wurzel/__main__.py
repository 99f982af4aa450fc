"""`python -m wurzel` is the `wurzel` command."""

import os
import sys

# Python puts the current folder first, where a `types.py` or `random.py` of the project would hide Python's own from
# wurzel. It is made importable later, when code of the project is.
if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - pathlib would be imported before
    del sys.path[0]

from wurzel.cli import main

if __name__ == "__main__":
    main()
