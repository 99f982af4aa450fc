"""A folder on a server with another clock: what is written has its times, which no test may tell from ours."""

import os
import time
from datetime import timedelta

from wurzel.store.local import LocalBucket


class Clocked(LocalBucket):
    """A bucket whose server's clock is off by some seconds, and may be moved on."""

    def __init__(self, root, ahead=0.0):
        super().__init__(root)
        self.ahead = ahead

    def pass_hours(self, hours):
        """Let time pass on the server."""
        self.ahead += hours * 3600

    def sweep(self, before):
        super().sweep(before - timedelta(seconds=self.ahead))  # of folders and leftovers the times are ours

    def _place(self, key, write, *, create=False):
        def timed(target):
            write(target)
            now = time.time() + self.ahead
            os.utime(target, (now, now))

        return super()._place(key, timed, create=create)
