"""Refuses a patch that touches anything but rendered files.

Runs in the CI job that may push, after "git apply --cached" and before "git commit". That job has neither wurzel nor
code of the repository, so "wurzel ci" copies the text of this module into the CI file: standard library only, and no
backtick, which shellcheck takes for a forgotten expansion. It gets the paths that wurzel.yaml renders, one per line;
any other file must already be a rendered file in the commit.
"""

import re
import subprocess
import sys

MARK = (
    rb"(# |// |-- |<!-- )Rendered by \x60wurzel (-C [^\n]+ )?render [^\n]*; do not edit\. sha256:[0-9a-f]{64}"
    rb"( -->)?\r?(\n|\Z)"
)
HEADER = re.compile(rb"((#!|<\?xml)[^\n]*\n)?" + MARK)
FILES = ("100644", "100755")
NOTHING = "000000"


def problem(change: str, path: str, named: set[str]) -> str:
    """Why one line of "git diff-index" is refused, or an empty text."""
    before, after, old_id, new_id, _ = change.removeprefix(":").split(" ")
    if not {before, after} <= {*FILES, NOTHING}:
        return "links and submodules are not accepted"
    is_new, is_gone = before == NOTHING, after == NOTHING
    old = b"" if is_new else git("cat-file", "blob", old_id)
    new = b"" if is_gone else git("cat-file", "blob", new_id)
    has_no_comments = path in named and path.endswith(".json")
    faults = {
        "its mode changes": not is_new and not is_gone and before != after,
        "the committed file was not rendered": not is_new and not has_no_comments and not HEADER.match(old),
        "it is new, and this file does not list it; run wurzel ci again": is_new and path not in named,
        "it would not be a rendered file": not is_gone and not has_no_comments and not HEADER.match(new),
        "it would be executable, but is not a script": is_new and after == FILES[1] and not new.startswith(b"#!"),
    }
    return next((why for why, found in faults.items() if found), "")


def git(*words: str) -> bytes:
    """The output of git."""
    return subprocess.run(["git", *words], check=True, stdout=subprocess.PIPE).stdout


def main() -> None:
    """Exit 1 and say why, unless every change in the index is accepted."""
    named = set(sys.argv[1].split("\n"))
    words = git("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD").split(b"\0")[:-1]
    changes = [(words[at].decode(), words[at + 1].decode("utf-8", "surrogateescape")) for at in range(0, len(words), 2)]
    problems = [(path, problem(change, path, named)) for change, path in changes]
    refused = ["refused " + ascii(path) + ": " + why for path, why in problems if why]
    if refused or not changes:
        sys.exit("\n".join(refused or ["refused: the patch changes nothing"]))


if __name__ == "__main__":
    main()
