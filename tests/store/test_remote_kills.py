"""A job that is killed at each of its requests: within its body, or when it is done and before the reply."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.store.s3_server import KEYS, Reply
from wurzel.datacontract.dataset import open_dataset
from wurzel.store.runs import latest

# Each job is a fork that imports obstore for itself, since a fork of a process that has used it cannot use it.
JOBS = """
import http.client, os, sys
from pathlib import Path
import wurzel.store.identity, wurzel.store.local
from tests.store.test_remote import PLAN, PRINT, dataset
from wurzel.store.records import Entry, HandOver
from wurzel.store.runs import Run
from wurzel.store.store import open_store

host, home, kind = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
folder = dataset(home / "out", "a" * 150_000)

def job(url, kill, force):
    import wurzel.store.remote as remote
    remote._PART = 64 << 10  # so that a small file has three parts
    store = open_store(url, "rag", endpoint=f"http://{host}")
    connection = http.client.HTTPConnection(host)
    connection.request("GET", f"/kill?pid={os.getpid()}&number={kill}")
    connection.getresponse().read()
    connection.close()
    run = Run(store, "argo-1")
    run.begin(PLAN)
    entry = None if force else store.look_up(PRINT)
    entry = entry or store.record(Entry(PRINT, "split", {"": store.put_dataset(folder)}, {}), force=force)
    store.fetch(entry.datasets[""], home / f"back-{os.getpid()}")
    run.hand_over(HandOver(run.name, "split", "", entry.datasets[""], PLAN))
    return not run.finish({"split": [""]})

def forked(url, kill=0, force=False):
    child = os.fork()
    if not child:
        os._exit(0 if job(url, kill, force) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for number in range(1, 100):
    url = f"s3://acme/{number}"
    assert kind == "first" or forked(url) == 0
    code = forked(url, kill=number, force=kind == "forced")
    if code == 0:
        break
    assert code == -9, code
    assert forked(url) == 0
print(number - 1)
"""


class Killer:
    """Kills the process that asked for it when its nth request arrives."""

    def __init__(self, server, *, within):
        self.lock = threading.Lock()
        self.pid = self.left = 0
        self.within = within
        server.fault = self.fault
        server.early = self.early

    def fault(self, request):
        if request.path == "/kill":
            self.pid, self.left = int(request.query["pid"]), int(request.query["number"])
            return Reply()
        return "drop" if not self.within and self.due() else None

    def early(self):
        return self.within and self.due()

    def due(self):
        with self.lock:
            self.left -= 1
            if self.left:
                return False
        os.kill(self.pid, signal.SIGKILL)
        return True


@pytest.mark.parametrize(
    ("kind", "least", "within"), [("first", 12, True), ("first", 12, False), ("hit", 6, False), ("forced", 12, False)]
)
def test_a_job_that_is_killed_at_any_request_is_finished_by_the_next(server, opened, tmp_path, kind, least, within):
    Killer(server, within=within)
    command = [sys.executable, "-c", JOBS, server.endpoint.removeprefix("http://"), str(tmp_path), kind]
    done = subprocess.run(command, env=os.environ | KEYS, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    kills = int(done.stdout)
    assert kills >= least
    digest = open_dataset(tmp_path / "out").digest
    for number in range(1, kills + 1):
        store = opened(f"s3://acme/{number}")
        assert latest(store) == "argo-1"
        assert store.look_up("f" * 64).datasets[""].digest == digest
        store.fetch(store.look_up("f" * 64).datasets[""], tmp_path / "back")
        assert open_dataset(tmp_path / "back").digest == digest
