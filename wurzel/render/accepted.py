"""Which texts a program has accepted: a shell that parses the same text again takes a fiftieth of a cold render."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from wurzel.invocation.digests import status
from wurzel.user_cache import own_folder, remember, remembers


class Accepted:
    """Whether a program, as the file it is, has accepted a text before."""

    def __init__(self, program: str, text: str) -> None:
        """Nothing is remembered where there is no cache folder that is ours alone."""
        try:
            self._folder = own_folder()
            # Neither a file that is replaced nor one that is changed in place is the program that accepted it.
            path = Path(program).resolve()
            said = f"{path} {status(path.stat())}\n{text}"
            self._name = f"{sha256(said.encode(errors='surrogatepass')).hexdigest()}.accepted"
        except OSError:
            self._folder = None

    def before(self) -> bool:
        """Whether it has, as far as that was remembered."""
        return self._folder is not None and remembers(self._folder, self._name)

    def fine(self) -> None:
        """It has."""
        if self._folder is not None:
            remember(self._folder, self._name)
