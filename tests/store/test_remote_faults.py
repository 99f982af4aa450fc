"""What becomes of every fault of an object store, and of everything in the environment that could change a request."""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from tests.engines.drivers.object_stores import certified
from tests.store.s3_server import BUCKET, KEYS, Reply, failure
from wurzel.exceptions import MissingPackage, StoreError, StoreSetupError
from wurzel.store.store import open_store

SECRET = KEYS["WURZEL_STORE_SECRET_ACCESS_KEY"]

ASK = {
    "get": lambda bucket: bucket.get("x"),
    "dated": lambda bucket: bucket.dated("x"),
    "head": lambda bucket: bucket.head("x"),
    "stream": lambda bucket: list(bucket.stream("x", 3)),
    "list": lambda bucket: list(bucket.list("x/")),
    "folders": lambda bucket: bucket.folders("x/"),
    "sizes": lambda bucket: bucket.sizes("x/", [f"x/{number}" for number in range(40)]),
    "put": lambda bucket: bucket.put("x", b"1"),
    "create": lambda bucket: bucket.put("x", b"1", create=True),
    "delete": lambda bucket: bucket.delete(["x"]),
}

ANSWERS = [
    # what the server answers, whether the user has to act, and what is shown
    (failure(400, "ExpiredToken", "The provided token has expired."), False, r"has expired \(ExpiredToken\)\n  Start"),
    (
        failure(400, "AuthorizationHeaderMalformed", "expecting 'eu-west-1'"),
        True,
        "expecting 'eu-west-1'.*\n.*`region`",
    ),
    (failure(400, "RequestTimeout", "Not read in time"), False, r"Not read in time \(RequestTimeout\)"),
    (failure(400, "InvalidBucketName", "It is not valid"), True, r"It is not valid \(InvalidBucketName\)"),
    (failure(401, "Unauthorized", "Who are you?"), True, r"Who are you\? \(Unauthorized\)"),
    (
        failure(403, "AccessDenied", "Access Denied"),
        True,
        r"Access Denied \(AccessDenied\)\n  wurzel needs s3:GetObject",
    ),
    (failure(403, "SignatureDoesNotMatch", "It does not match"), True, "It does not match .*\n.*secret key"),
    (failure(403, "InvalidAccessKeyId", "Not in our records"), True, "Not in our records .*\n.*access key"),
    (failure(403, "RequestTimeTooSkewed", "Too large"), True, "Too large .*\n.*clock"),
    (failure(404, "NoSuchBucket", "Does not exist"), True, "Does not exist .*\n.*Create the bucket"),
    (failure(409, "OperationAborted", "In progress"), False, r"In progress \(OperationAborted\)"),
    (failure(429, "TooManyRequests", "Slow down"), False, "Slow down"),
    (failure(500, "InternalError", "Internal error"), False, r"Internal error \(InternalError\)"),
    (failure(503, "SlowDown", "Reduce your rate"), False, r"Reduce your rate \(SlowDown\)"),
    (Reply(502, b"<html>Bad gateway</html>"), False, "the server answered 502 Bad Gateway"),
    (Reply(403, b""), True, "the server answered 403 Forbidden\n  wurzel needs"),
    (Reply(301, b""), True, "the bucket is in another region\n  Set `region`"),
    (Reply(307, b""), True, "the bucket is in another region"),
]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """obstore tries once, so that each test is short."""
    monkeypatch.setattr("wurzel.store.clients._TRIES", 0)


@pytest.mark.parametrize(("answer", "setup", "message"), ANSWERS)
def test_what_the_server_refuses(server, opened, answer, setup, message):
    server.fault = lambda request: answer
    for ask, call in ASK.items():
        with pytest.raises(StoreError) as found:
            call(opened().bucket)
        bare = ask == "head" and not setup and answer.status > 400  # answers to HEAD have no text
        assert re.search(f"the server answered {answer.status}" if bare else message, str(found.value)), ask
        assert isinstance(found.value, StoreSetupError) == setup, ask
        assert found.value.where.startswith(f"s3://{BUCKET}/team x")
        assert "Debug" not in str(found.value)


def test_no_secret_is_in_a_message(server, opened):
    environ = KEYS | {"AWS_SESSION_TOKEN": "unused"}
    bucket = opened(environ=environ).bucket
    server.fault = lambda request: failure(403, "SignatureDoesNotMatch", f"{SECRET}: of AKIDACME, &lt;{SECRET}&gt;")
    with pytest.raises(StoreSetupError, match=r"\*\*\*: of \*\*\*, <\*\*\*> \(Sig") as found:
        bucket.get("x")
    assert found.value.__cause__ is None
    assert found.value.__suppress_context__


def test_every_third_request_fails(server, opened, tmp_path, monkeypatch):
    monkeypatch.setattr("wurzel.store.clients._TRIES", 3)
    bucket = opened().bucket
    server.fault = lambda request: None if server.counted() % 3 else failure(503, "SlowDown")
    path = tmp_path / "source"
    path.write_bytes(b"12345678" * (3 << 19))
    digest = sha256(path.read_bytes()).hexdigest()
    for number in range(10):
        assert bucket.put(f"a/{number}", b"1", create=True)
    bucket.put_file("big", path, digest)
    server.page = 7
    assert len(list(bucket.list("a/"))) == 10
    assert bucket.sizes("a/", [f"a/{number}" for number in range(100)]) == {f"a/{number}": 1 for number in range(10)}
    bucket.delete([f"a/{number}" for number in range(10)])
    assert bucket.get("a/0") is None
    assert sha256(b"".join(bucket.stream("big", 12 << 20))).hexdigest() == digest


def test_requests_are_sent_again_for_some_time(server, bucket, monkeypatch):
    monkeypatch.setattr("wurzel.store.sending.Sender.pause", lambda self, seconds: time.sleep(0.01))
    bucket.sender.patience = 10
    server.fault = lambda request: None if server.counted() == 6 else failure(503, "SlowDown")
    assert bucket.put("x", b"1", create=True)
    bucket.sender.patience = 1.2
    begun = time.monotonic()
    with pytest.raises(StoreError, match="SlowDown"):
        bucket.get("x")
    assert time.monotonic() - begun < 10
    assert server.counted() >= 8


def test_a_file_is_read_on_where_its_body_was_cut(server, bucket, monkeypatch):
    monkeypatch.setattr("wurzel.store.sending.Sender.pause", lambda self, seconds: None)
    data = os.urandom(5 << 20)
    server.objects["team x/x"] = (data, 1)
    server.fault = lambda request: "cut" if server.counted() < 4 else None
    assert b"".join(bucket.stream("x", len(data))) == data
    server.fault = lambda request: "cut"
    server.objects["team x/x"] = (b"12", 1)
    with pytest.raises(StoreError, match="closed the connection within an object"):
        list(bucket.stream("x", 2))


def test_an_object_of_another_size_gives_nothing(server, bucket):
    server.objects["team x/x"] = (b"123", 1)
    assert list(bucket.stream("x", 4)) == list(bucket.stream("x", 2)) == []


def test_a_slow_body_is_waited_for(server, opened, monkeypatch):
    monkeypatch.setattr("wurzel.store.clients._HANGS", "1500ms")
    server.objects["team x/x"] = (b"12", 1)
    monkeypatch.setattr("wurzel.store.remote._BROKEN", 0)
    bucket = opened().bucket
    server.fault = lambda request: 0.4
    assert b"".join(bucket.stream("x", 2)) == b"12"
    server.fault = lambda request: 4.0
    with pytest.raises(StoreError, match="does not answer in time"):
        list(bucket.stream("x", 2))


def test_a_server_that_hangs_is_given_up(server, opened, monkeypatch):
    monkeypatch.setattr("wurzel.store.clients._HANGS", "150ms")
    bucket = opened().bucket
    server.fault = lambda request: "hang"
    for call in ASK.values():
        with pytest.raises(StoreError, match="does not answer in time"):
            call(bucket)


def test_an_upload_that_hangs_is_given_up(server, opened, tmp_path, monkeypatch):
    monkeypatch.setattr("wurzel.store.clients._FILES", "150ms")
    server.fault = lambda request: "hang"
    for size in (5, 20 << 20):
        (tmp_path / "source").write_bytes(b"1" * size)
        with pytest.raises(StoreError, match="does not answer in time"):
            opened().bucket.put_file("x", tmp_path / "source", sha256(b"1" * size).hexdigest())


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("http://127.0.0.1:1", "it refuses connections"),
        ("http://store.invalid", "its host name cannot be resolved"),
        ("https://{host}", "does not speak TLS"),
    ],
)
def test_a_server_that_is_not_there(server, opened, endpoint, message):
    endpoint = endpoint.replace("{host}", server.endpoint.removeprefix("http://"))
    with pytest.raises(StoreError, match=message):
        opened(endpoint=endpoint).bucket.get("x")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "AWS_CA_BUNDLE"])
def test_a_private_authority_is_trusted_when_it_is_named(server, opened, tmp_path, variable):
    certificate, key, authority = certified(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    endpoint = server.endpoint.replace("http", "https")
    with pytest.raises(StoreSetupError, match=r"its certificate is not accepted \(UnknownIssuer\)\n.*SSL_CERT_FILE"):
        opened(endpoint=endpoint).bucket.get("x")
    assert opened(endpoint=endpoint, environ=KEYS | {variable: str(authority)}).bucket.put("x", b"1")
    assert server.requests[-1].headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"  # TLS guards it
    (tmp_path / "token").write_text("jwt-of-job")
    role = {"WURZEL_STORE_ROLE_ARN": "arn", "WURZEL_STORE_TOKEN_FILE": str(tmp_path / "token")}
    assert opened(endpoint=endpoint, environ=role | {variable: str(authority)}).bucket.put("x", b"1")
    with pytest.raises(StoreSetupError, match=r"identity of the store cannot be used: .*CERTIFICATE_VERIFY_FAILED"):
        opened(endpoint=endpoint, environ=role).bucket.put("x", b"1")
    with pytest.raises(StoreSetupError, match="the certificates cannot be read"):
        opened(endpoint=endpoint, environ=KEYS | {variable: str(tmp_path / "none")})


@pytest.mark.parametrize("skew", [-40 * 86400, 3 * 3600])
def test_times_are_those_of_the_server(server, bucket, skew):
    server.skew = skew
    bucket.put("x/y", b"")
    for found in (bucket.head("x/y").modified, bucket.dated("x/y")[1], *(item.modified for item in bucket.list("x/"))):
        assert abs(found.timestamp() - time.time() - skew) < 60
        assert found.utcoffset().total_seconds() == 0


HARMFUL = {
    "AWS_ACCESS_KEY_ID": "AKIDOTHER",
    "AWS_ALLOW_HTTP": "false",
    "AWS_BUCKET": "other",
    "AWS_CHECKSUM_ALGORITHM": "sha256",
    "AWS_CONDITIONAL_PUT": "disabled",
    "AWS_DEFAULT_REGION": "eu-west-7",
    "AWS_ENDPOINT": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "AWS_REGION": "eu-west-7",
    "AWS_REQUEST_PAYER": "requester",
    "AWS_ROLE_ARN": "arn:other",
    "AWS_S3_EXPRESS": "true",
    "AWS_SECRET_ACCESS_KEY": "other",
    "AWS_SERVER_SIDE_ENCRYPTION": "AES256",
    "AWS_SESSION_TOKEN": "other",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_UNSIGNED_PAYLOAD": "true",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "AWS_PROFILE": "nobody",
    "AWS_ANYTHING_ELSE": "1",
}


def sent(server, opened):
    bucket = opened(region="eu-north-1").bucket
    server.requests.clear()
    assert bucket.put("x", b"1", create=True)
    (request,) = server.requests
    varying = {"authorization", "x-amz-date", "host", "user-agent"}
    where = request.headers["authorization"].partition(",")[0].replace(request.headers["x-amz-date"][:8], "DAY")
    return request.path, where, {name: value for name, value in request.headers.items() if name not in varying}


@pytest.mark.parametrize("name", [*HARMFUL, "all"])
def test_no_variable_changes_a_request(server, opened, monkeypatch, name):
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    plain = sent(server, opened)
    assert plain[1] == "AWS4-HMAC-SHA256 Credential=AKIDACME/DAY/eu-north-1/s3/aws4_request"
    server.objects.clear()
    variables = HARMFUL if name == "all" else {name: HARMFUL[name]}
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert sent(server, opened) == plain
    for variable, value in variables.items():
        assert os.environ[variable] == value
        shown = subprocess.run(["printenv", variable], stdout=subprocess.PIPE, text=True, check=True)
        assert shown.stdout.strip() == value


def run_python(code, *arguments):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | KEYS)


OPEN = """import os, sys
from wurzel.store.store import open_store
bucket = open_store('s3://acme/x', 'rag', endpoint=sys.argv[1]).bucket
"""


@pytest.mark.parametrize(
    "code",
    [
        "bucket.get('x')",
        "bucket.put('x', b'')",
        "list(bucket.stream('x', 5))",
        "list(bucket.list('x/'))",
        "bucket.delete(['x'])",
        "bucket.put_file('x', __import__('pathlib').Path(sys.argv[2]), sys.argv[3])",
    ],
)
def test_ctrl_c_ends_what_hangs(server, tmp_path, code):
    data = b"1" * (20 << 20)
    (tmp_path / "big").write_bytes(data)
    server.fault = lambda request: "hang"
    process = run_python(OPEN + code, server.endpoint, str(tmp_path / "big"), sha256(data).hexdigest())
    begun = time.monotonic()
    while not server.requests and time.monotonic() - begun < 20:
        time.sleep(0.01)
    sent_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in text
    assert time.monotonic() - sent_at < 5


def test_a_fork_is_refused_instead_of_hanging(server):
    code = f"""{OPEN}
bucket.put('x', b'1')
if not os.fork():
    try:
        bucket.get('x')
    except Exception as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
print(bucket.get('x'))"""
    out, _ = run_python(code, server.endpoint).communicate(timeout=20)
    assert "cannot be used by a process forked from another one" in out
    assert out.endswith("b'1'\n")


def test_the_end_of_a_process_waits_for_no_request(server):
    server.fault = lambda request: "hang" if request.key == "x/hangs" else None
    hanging = "import threading; threading.Thread(target=bucket.get, args=('hangs',), daemon=True).start(); "
    process = run_python(f"{OPEN}{hanging}bucket.get('y')", server.endpoint)
    begun = time.monotonic()
    _, text = process.communicate(timeout=20)
    assert (process.returncode, text) == (0, "")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("s3://user:hunter22@acme/x", {}, "the URL of a store contains a user or password"),
        ("s3://acme/x?region=hunter22", {}, r"contains \? or #"),
        ("s3://acme/../x", {}, "contains //, /./ or /../"),
        ("s3://acme//x", {}, "contains //, /./ or /../"),
        ("s3://acme/x%2f..%2fy", {}, "contains .*; use letters"),
        ("s3://acme/x\\..\\y", {}, "contains .*; use letters"),
        ("s3://-acme/x", {}, "does not name a bucket"),
        ("s3://", {}, "does not name a bucket"),
        ("s3:/acme/x", {}, "does not name a bucket"),
        (" s3://acme/x", {}, "is not the URL of a store"),
        ("s3://acme/x", {"endpoint": "http://user:hunter22@host"}, "the endpoint contains a user, password or query"),
        ("s3://acme/x", {"endpoint": "host:9000"}, "is not the URL of a server"),
        ("az://acme/x", {}, r"az://acme: WURZEL_STORE_ACCESS_KEY_ID is only for s3://"),
        ("gs://acme/x", {"environ": {}, "region": "eu-west-1"}, r"gs://acme: a region is only for s3://"),
        ("s3://acme/x", {"endpoint": "https://host?x=1"}, "the endpoint contains a user, password or query"),
    ],
)
def test_what_cannot_be_a_store(url, options, message):
    with pytest.raises(StoreSetupError, match=message) as found:
        open_store(url, "rag", **{"environ": KEYS} | options)
    assert "hunter22" not in str(found.value)
    assert found.value.exit_code == 2


def test_obstore_is_imported_only_for_a_bucket(tmp_path):
    code = "import sys; from wurzel.store.store import open_store; open_store(sys.argv[1], 'rag').bucket.put('x', b'')"
    code += "; print([name for name in ('obstore', 'configparser', 'urllib.request', 'ssl') if name in sys.modules])"
    out, text = run_python(code, str(tmp_path / "store")).communicate(timeout=20)
    assert (out, text) == ("[]\n", "")


def test_without_obstore_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingPackage, match=r'pip install "wurzel\[store\]"'):
        open_store("s3://acme/x", "rag", environ=KEYS)
