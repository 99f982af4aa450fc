"""Kills a process just before it changes the file system for the n-th time, or within a write.

Python runs this at its start where it finds it on PYTHONPATH. `KILL_COUNTER` names a file with the number of changes
that are left to all processes that share it; the one that comes to 0 dies, or gets `KILL_SIGNAL`. `KILL_SIZE` is how
far a file may grow.
"""

import fcntl
import os
import resource
import signal
import sys

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR


def watch():
    sys.dont_write_bytecode = True
    if size := os.environ.get("KILL_SIZE"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
    if path := os.environ.get("KILL_COUNTER"):
        _count(os.open(path, os.O_RDWR | os.O_CLOEXEC))


def _count(counter):
    def change(event, args):
        if event in CHANGES or (event == "open" and args[2] & WRITING):
            fcntl.flock(counter, fcntl.LOCK_EX)
            left = int(os.pread(counter, 20, 0)) - 1
            os.pwrite(counter, b"%20d" % left, 0)
            if not left:
                os.kill(os.getpid(), int(os.environ.get("KILL_SIGNAL", signal.SIGKILL)))
            fcntl.flock(counter, fcntl.LOCK_UN)

    sys.addaudithook(change)


watch()
