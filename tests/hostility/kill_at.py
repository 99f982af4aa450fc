"""`kill_at.py K ARGUMENTS…`: runs wurzel, and kills it just before it changes the file system for the K-th time.

Exits 0 (or as wurzel does) when it changes it less often, so that a test can go through all K there are.
"""

import os
import signal
import sys

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR


def main():
    left = int(sys.argv[1])

    def count(event, args):
        nonlocal left
        if event in CHANGES or (event == "open" and args[2] & WRITING):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    from wurzel.cli import main as wurzel

    sys.dont_write_bytecode = True
    sys.addaudithook(count)
    wurzel(sys.argv[2:])


if __name__ == "__main__":
    main()
