"""`wurzel run` with a store in a bucket of S3: hits, credentials that no step sees, servers that fail."""

import signal
import threading

import pytest

from tests.runtime.clones import HEAD, PAIR
from tests.runtime.test_store_races import SLICED
from tests.store.s3_server import BUCKET, KEYS, failure, serving

CURIOUS = (
    HEAD
    + """
class Curious(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        note("curious")
        parent = os.getppid()
        keys = {"WURZEL_STORE_ACCESS_KEY_ID", "WURZEL_STORE_SECRET_ACCESS_KEY"}
        seen = [Word(text=name) for name in os.environ if name in keys]
        while parent > 1:
            try:
                if bytes(reversed(b"22retnuh")) in Path(f"/proc/{parent}/environ").read_bytes():
                    seen.append(Word(text="parent"))
                parent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
            except PermissionError:
                break
        return seen

assert not [name for name in os.environ if name.startswith("WURZEL_STORE_ACCESS")]
chain = WZ(Curious)
"""
)
LONG = (
    HEAD.replace("word.text.upper()", "word.text + 'x'")
    + """
chain = WZ(Words)
for number in range(7):
    chain = chain >> WZ(Upper, name=f"upper-{number}")
"""
)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def on_server(server):
    """Options that let a clone use the bucket."""
    return {"WURZEL_STORE": f"s3://{BUCKET}/team", "WURZEL_STORE_ENDPOINT": server.endpoint, **KEYS}


def test_what_one_machine_has_computed_no_other_computes_again(clone, server, on_server):
    one, other = clone("one", LONG), clone("other", LONG)
    one(run="u1", **on_server)
    assert one.texts("upper-6") == [f"a{number}xxxxxxx" for number in range(4)]
    server.requests.clear()
    said = other(run="u2", **on_server)
    assert "8 unchanged" in said
    assert "the run run-u2 is whole\nchain: 8 unchanged in" in said
    assert f"datasets are in the store s3://{BUCKET}/team" in said
    assert server.counted() <= 40
    assert not other.data.exists() or not other.contents()


def test_entries_are_looked_up_while_the_files_of_others_are_checked(clone, server, on_server):
    """So that eight hits in a row take some ten requests one after the other, not sixteen."""
    one = clone(text=LONG)
    one(run="u1", **on_server)
    one.clean()
    looked_up, waited = threading.Event(), []

    def fault(request):
        asked = [each for each in server.requests if each.method == "GET" and "/cache/" in each.key]
        if len(asked) == 8:
            looked_up.set()
        if request.method == "HEAD":
            waited.append(looked_up.wait(20))

    server.requests.clear()
    server.fault = fault
    assert "8 unchanged" in one(run="u2", **on_server)
    assert waited == [True] * 8


def test_requests_grow_as_slices_do(clone, server, on_server):
    """Each slice asks once which others there are, so it does not look for each of them."""
    asked = {}
    for count in (4, 16):
        text = SLICED.replace("range(8)", f"range({count})").replace('"max": 8', f'"max": {count}')
        one = clone(f"in-{count}", text)
        one("--only", "words", run=f"u{count}", **on_server)
        server.requests.clear()
        for number in range(1, count + 1):
            said = one("--only", "cut", "--shard", f"{number}/{count}", run=f"u{count}", **on_server)
        assert "put all slices together" in said
        asked[count] = server.counted()
    assert asked[16] <= 4 * asked[4]


def test_no_step_finds_the_credentials(clone, server, on_server):
    one = clone(text=CURIOUS)
    one(**on_server)
    assert one.texts("curious") == []
    assert not any(b"hunter22" in path.read_bytes() for path in one.folder.rglob("*") if path.is_file())
    assert not any(b"hunter22" in data for data, _ in server.objects.values())


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (failure(403, "AccessDenied", "No"), 2, "AccessDenied"),
        (failure(404, "NoSuchBucket", "None"), 2, "bucket"),
        (failure(400, "ExpiredToken", "The token has expired"), 1, "expired"),
    ],
)
def test_a_store_that_cannot_be_used_runs_nothing(clone, server, on_server, fault, code, reason):
    server.fault = lambda request: fault
    one = clone(text=PAIR)
    said = one(code=code, **on_server)
    assert reason in said
    assert "hunter22" not in said
    assert one.calls() == []


def test_a_server_that_fails_every_third_time_is_asked_again(clone, server, on_server):
    count = iter(range(10_000))
    server.fault = lambda request: failure(503, "SlowDown") if next(count) % 3 == 2 else None
    one = clone(text=PAIR)
    assert "is whole" in one(run="u1", **on_server)
    one.clean()
    assert "2 unchanged" in one(run="u2", **on_server)


@pytest.mark.parametrize(("method", "words"), [("GET", []), ("PUT", []), ("GET", ["--only", "upper"])])
def test_ctrl_c_ends_a_run_whatever_its_requests_wait_for(clone, server, on_server, method, words):
    one = clone(text=PAIR)
    asked = threading.Event()

    def hang(request):
        if request.method == method:
            asked.set()
            return "hang"
        return None

    server.fault = hang
    run = one.start(*words, run="u1", **on_server)
    try:
        assert asked.wait(60)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=10)
    finally:
        run.kill()
    assert run.returncode == 128 + signal.SIGINT, said
    assert "interrupted" in said
