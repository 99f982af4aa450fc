"""Chromium without a window, told what to do through pipes by its DevTools protocol."""

import fcntl
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager

# https://chromedevtools.github.io/devtools-protocol/: one JSON object after the other, each ended by a zero byte.


class Browser:
    """One page."""

    def __init__(self, reading, writing):
        self._reading, self._writing = reading, writing
        self._numbers = itertools.count(1)
        self._session = None
        self.told = []
        """What the browser said by itself: names and fields of events."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """The result of a command."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._writing.write(json.dumps(message).encode() + b"\0")
        self._writing.flush()
        while True:
            found = self._read()
            if found.get("id") == number:
                assert "error" not in found, found
                return found["result"]

    def _read(self):
        text = bytearray()
        while (byte := self._reading.read(1)) != b"\0":
            assert byte, "the browser has ended"
            text += byte
        found = json.loads(text)
        if "method" in found:
            self.told.append((found["method"], found["params"]))
        return found

    def open(self, url):
        """Open a page; gives the seconds until it was complete."""
        self.told.clear()
        start = time.monotonic()
        self.call("Page.navigate", url=url)
        while not any(method == "Page.loadEventFired" for method, _ in self.told):
            self._read()
        return time.monotonic() - start

    def value(self, expression):
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def key(self, name):
        """Press a key and let it go."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, "End": 35, "Home": 36}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])

    def events(self, *names):
        """What the browser said by itself under these names."""
        return [(method, params) for method, params in self.told if method in names]


@contextmanager
def browser():
    """A browser that is ended afterwards."""
    told, tell = os.pipe(), os.pipe()
    home = tempfile.mkdtemp()
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]

    # The browser reads from descriptor 3 and writes to 4; ours stand higher, so that neither takes the place of one.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (told[0], tell[1])]
    script = 'exec "$@" 3<&{} 4>&{}'.format(*ends)
    command = ["bash", "-c", script, "bash", *command, f"--user-data-dir={home}", "about:blank"]
    process = subprocess.Popen(command, pass_fds=ends, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for end in (told[0], tell[1], *ends):
        os.close(end)
    try:
        with os.fdopen(tell[0], "rb") as reading, os.fdopen(told[1], "wb") as writing:
            yield Browser(reading, writing)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)
