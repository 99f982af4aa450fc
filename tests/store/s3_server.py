"""A small S3 server in this process, which can be told to fail in every way that servers do."""

import json
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "acme"
KEYS = {"WURZEL_STORE_ACCESS_KEY_ID": "AKIDACME", "WURZEL_STORE_SECRET_ACCESS_KEY": "hunter22hunter22"}


class Request(NamedTuple):
    method: str
    key: str
    """What is asked for, below the bucket."""
    query: dict
    headers: dict
    body: bytes
    path: str
    """As it was sent, with the bucket."""


class Reply(NamedTuple):
    status: int = 200
    body: bytes = b""
    headers: dict = {}


def failure(status, code, message="It failed"):
    return Reply(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())


class S3Server(ThreadingHTTPServer):
    """Objects of one bucket in memory.

    `fault` is called with every request, and gives `None` for the ordinary reply, a `Reply` in its place, or what
    happens to the ordinary one: `drop` (done, but never answered), `cut` (half a body), `hang`, or the seconds that
    its body takes.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.uploads, self.requests = {}, {}, []
        self.fault = lambda request: None
        self.early = lambda: False  # whether to break the connection before a body is read
        self.skew = 0  # seconds that its clock is ahead
        self.page = 1000
        self.lifetime = 3600  # seconds for which keys of an identity are good
        self.given = {}  # these keys, by their id: until when they are good, and the request for them
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.endpoint = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests

    def counted(self, method=""):
        return sum(1 for request in self.requests if request.method == method or not method)

    def answer(self, request):
        with self.lock:
            if request.path == "/token":
                return Reply(body=json.dumps({"value": f"jwt-for-{request.query['audience']}"}).encode())
            if request.path == "/":
                return self.identify(request)
            return self.refusal(request) or self.in_bucket(request)

    def in_bucket(self, request):
        if not request.path.startswith(f"/{BUCKET}"):
            return failure(404, "NoSuchBucket", "The specified bucket does not exist")
        if "uploads" in request.query or "uploadId" in request.query:
            return self.multipart(request)
        return getattr(self, request.method.lower())(request) if request.key else self.listed(request)

    def identify(self, request):
        """Keys for a token, as a security token service gives them."""
        fields = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        name = f"ASIA{len(self.given)}"
        self.given[name] = (time.time() + self.lifetime, fields)
        text = f"<AccessKeyId>{name}</AccessKeyId><SecretAccessKey>secret-of-{name}</SecretAccessKey>"
        text += (
            f"<SessionToken>session-of-{name}</SessionToken><Expiration>{iso_time(self.given[name][0])}</Expiration>"
        )
        return Reply(body=f"<R><Credentials>{text}</Credentials></R>".encode())

    def refusal(self, request):
        """Why keys of an identity are refused, if they are."""
        if not self.given:
            return None
        name = request.headers["authorization"].partition("Credential=")[2].partition("/")[0]
        if name not in self.given:
            return failure(403, "InvalidAccessKeyId", f"{name} does not exist")
        if request.headers.get("x-amz-security-token") != f"session-of-{name}":
            return failure(403, "InvalidToken", "It is another one")
        return failure(400, "ExpiredToken", f"{name} has expired") if self.given[name][0] < time.time() else None

    def stored(self, key, data):
        self.objects[key] = (data, time.time() + self.skew)
        return Reply(headers={"ETag": f'"{md5(data).hexdigest()}"'})

    def put(self, request):
        create = request.headers.get("if-none-match") == "*" or request.headers.get("x-goog-if-generation-match") == "0"
        if create and request.key in self.objects:
            return failure(412, "PreconditionFailed")
        return self.stored(request.key, request.body)

    def delete(self, request):
        self.objects.pop(request.key, None)
        return Reply(204)

    def head(self, request):
        return self.get(request)

    def get(self, request):
        if request.key not in self.objects:
            return failure(404, "NoSuchKey", "The specified key does not exist.")
        data, modified = self.objects[request.key]
        headers = {"ETag": f'"{md5(data).hexdigest()}"', "Last-Modified": http_time(modified)}
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "")):
            start, end = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
            if start >= len(data):
                return failure(416, "InvalidRange")
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            return Reply(206, data[start : end + 1], headers)
        return Reply(200, data, headers)

    def multipart(self, request):
        if "uploads" in request.query:
            name = f"u{len(self.uploads)}"
            self.uploads[name] = {}
            return Reply(body=f"<R><Bucket>b</Bucket><Key>k</Key><UploadId>{name}</UploadId></R>".encode())
        parts = self.uploads[request.query["uploadId"]]
        if request.method == "PUT":
            parts[int(request.query["partNumber"])] = request.body
            return Reply(headers={"ETag": f'"{md5(request.body).hexdigest()}"'})
        del self.uploads[request.query["uploadId"]]
        if request.method == "DELETE":
            return Reply(204)
        reply = self.stored(request.key, b"".join(parts[number] for number in sorted(parts)))
        text = f"<R><Location>l</Location><Bucket>b</Bucket><Key>k</Key><ETag>{reply.headers['ETag']}</ETag></R>"
        return Reply(body=text.encode())

    def listed(self, request):
        prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter")
        after = request.query.get("continuation-token") or request.query.get("start-after", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        folders = set()
        if delimiter:
            folders = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in keys if "/" in key[len(prefix) :]}
            keys = [key for key in keys if "/" not in key[len(prefix) :]]
        page = keys[: self.page]
        text = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{iso_time(self.objects[key][1])}</LastModified>"
            f"<ETag>x</ETag><Size>{len(self.objects[key][0])}</Size></Contents>"
            for key in page
        )
        text += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in sorted(folders))
        if len(page) < len(keys):
            text += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        return Reply(body=f"<ListBucketResult>{text}</ListBucketResult>".encode())


def http_time(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def iso_time(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.server.early():
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        path = unquote(parts.path)
        key = path.removeprefix(f"/{BUCKET}").lstrip("/")
        request = Request(self.command, key, query, headers, body, path)
        self.server.requests.append(request)
        fault = self.server.fault(request)
        if fault == "hang":
            self.server.closing.wait(60)
            self.close_connection = True
            return
        self.send(fault if isinstance(fault, Reply) else self.server.answer(request), fault)

    do_HEAD = do_GET  # noqa: N815 - http.server looks for these names
    do_PUT = do_GET  # noqa: N815
    do_POST = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def send(self, reply, fault):
        if fault == "drop":
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        half = len(reply.body) // 2
        self.wfile.write(reply.body[:half])
        if fault == "cut":
            self.close_connection = True
            return
        if isinstance(fault, float):
            time.sleep(fault)
        self.wfile.write(reply.body[half:])


@contextmanager
def serving():
    server = S3Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
