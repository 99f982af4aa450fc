"""What handing data over through an object store costs, against obstore's own plain copies, which check nothing."""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import Cost, in_turn, run
from tests.engines.drivers.object_stores import certified, missing, serving

SERVER = "versitygw"  # keeps objects in files
ROUNDS = 3
GIB = 1 << 30
SIZES = {"1 file of 1 GiB": (1, GIB), "16 files of 64 MiB": (16, GIB // 16), "1,000 files of 10 KB": (1000, 10_000)}

MAKE = """
import os, sys
from pathlib import Path
from wurzel.datacontract import File
from wurzel.datacontract.shape import shape_of
from wurzel.datacontract.writer import writing_outputs

count, size = int(sys.argv[2]), int(sys.argv[3])
with writing_outputs(Path(sys.argv[1]), {"": shape_of(list[File])}) as writers:
    for number in range(count):
        path = writers.workdir / str(number)
        block = os.urandom(min(size, 1 << 20))
        with path.open("wb") as file:
            for _ in range(size // len(block)):
                file.write(block)
        writers[""].add([File(path)])
"""

OURS = """
import sys
from pathlib import Path
from wurzel.store.store import open_store

store = open_store(sys.argv[1], "rag", endpoint=sys.argv[2])
store.fetch(store.put_dataset(Path(sys.argv[3])), Path(sys.argv[4]))
"""

PLAIN = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from obstore.store import S3Store

keys = dict(access_key_id=os.environ["WURZEL_STORE_ACCESS_KEY_ID"])
keys["secret_access_key"] = os.environ["WURZEL_STORE_SECRET_ACCESS_KEY"]
authority = Path(os.environ["SSL_CERT_FILE"]).read_bytes()
client = {"root_certificate": authority, "timeout": "1h"}
store = S3Store(sys.argv[1].split("/")[2], endpoint=sys.argv[2], client_options=client, **keys)
source, target = Path(sys.argv[3]), Path(sys.argv[4])
target.mkdir(exist_ok=True)
paths = [path for path in source.rglob("*") if path.is_file()]

def put(path):
    store.put(path.name + path.parent.name, path)

def get(path):
    with (target / (path.name + path.parent.name)).open("wb") as file:
        for piece in store.get(path.name + path.parent.name).stream():
            file.write(piece)

with ThreadPoolExecutor(16) as pool:
    list(pool.map(put, paths))
    list(pool.map(get, paths))
"""


class HandOver(NamedTuple):
    """What one hand-over took, and obstore's plain copy to the server and back."""

    title: str
    ours: Cost
    plain: Cost


def hand_overs():
    """Every size, in turn; none where the server is not installed."""
    if missing(SERVER):
        return []
    memory = Path("/dev/shm")  # where there is one, so that no disk is measured
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        work = Path(folder)
        with serving(SERVER, work, tls=certified(work)) as server:
            return [_measured(title, count, size, server, work) for title, (count, size) in SIZES.items()]


def _measured(title, count, size, server, work):
    source, target = work / f"source-{count}", work / "back"
    run([sys.executable, "-c", MAKE, str(source), str(count), str(size)], work)
    arguments = [server.url, server.endpoint, str(source), str(target)]
    codes = (OURS, PLAIN)
    calls = [lambda code=code: run([sys.executable, "-c", code, *arguments], work, server.environ) for code in codes]
    return HandOver(title, *in_turn(calls, ROUNDS))
