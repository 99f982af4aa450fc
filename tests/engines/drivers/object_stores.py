"""Servers of object stores on this machine, each with one bucket."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

from tests.engines.install import ROOT

BUCKET = "acme"
KEYS = {"WURZEL_STORE_ACCESS_KEY_ID": "AKIDACME", "WURZEL_STORE_SECRET_ACCESS_KEY": "hunter22hunter22"}
AZURE = {
    # The account that Azurite has, as its documentation prints it.
    "AZURE_STORAGE_ACCOUNT_NAME": "devstoreaccount1",
    "AZURE_STORAGE_ACCOUNT_KEY": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu"
    "Fq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
}

TOKEN = "computeMetadata/v1/instance/service-accounts/default/token"

# Ends with its standard input, and so also when the tests are killed; Azurite waits for clients that stay connected.
RUNNING = '"$@" </dev/null & cat >/dev/null; kill -9 $!; wait $!'


class ObjectStore(NamedTuple):
    url: str
    endpoint: str
    environ: dict
    """What a process that uses it has in its environment."""
    folder: Path | None = None
    """Where the objects of its bucket are files."""
    creates: bool = True
    """Whether it knows puts that only create; one that does not overwrites what is there."""

    @property
    def artifacts(self):
        """The option `artifacts` of Argo for it."""
        host = self.endpoint.removeprefix("http://")
        keys = "access_key: {name: bucket, key: id}, secret_key: {name: bucket, key: key}"
        return f"{{s3: {{bucket: {BUCKET}, endpoint: '{host}', insecure: true, {keys}}}}}"

    @property
    def secret(self):
        """The Secret that these refer to."""
        access, secret = self.environ.values()
        data = {"id": access, "key": secret}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bucket"}, "stringData": data}


def missing(name):
    """Why a server is not here, or an empty text."""
    engine = name.partition(",")[0]
    there = (ROOT / f"{engine}.installed").exists() and SERVERS[name].command("", ":")
    return "" if there else f"{engine} is not installed"


def certified(folder):
    """A server certificate for 127.0.0.1, its key, and that of the authority that signed it."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stderr=subprocess.DEVNULL)

    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Acme")
    openssl(*new, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=store")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "request.pem", *sign, "-out", "cert.pem")
    return folder / "cert.pem", folder / "key.pem", folder / "ca.pem"


@contextmanager
def serving(name, folder, address="127.0.0.1", tls=()):
    """The server, with an empty bucket; its data is in memory or in the folder, and `tls` what `certified` gives."""
    server = SERVERS[name]
    with socket.socket() as probe:
        probe.bind((address, 0))
        port = str(probe.getsockname()[1])
    environ = os.environ | {"ROOT_ACCESS_KEY": "AKIDACME", "ROOT_SECRET_KEY": "hunter22hunter22"}
    with (folder / "log").open("wb") as log:
        command = ["sh", "-c", RUNNING, "sh", *server.command(str(folder), f"{address}:{port}", *tls[:2])]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environ, cwd=folder)
        try:
            wait_for((address, int(port)), process, folder / "log")
            ready = server.ready(f"http{'s' if tls else ''}://{address}:{port}", folder)
            yield ready._replace(environ=ready.environ | {"SSL_CERT_FILE": str(tls[2])}) if tls else ready
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def wait_for(address, process, log):
    end = time.monotonic() + 40
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(address) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no answer: {log.read_text()[-2000:]}")


def ask(url, method, data=None, **headers):
    with urlopen(Request(url, data, headers, method=method), timeout=20) as answer:
        return answer.read()


class Moto:
    def command(self, _folder, address):
        host, _, port = address.partition(":")
        return [str(ROOT / "moto" / "bin" / "moto_server"), "-H", host, "-p", port]

    def ready(self, endpoint, _folder):
        ask(f"{endpoint}/{BUCKET}", "PUT")
        return ObjectStore(f"s3://{BUCKET}/team x", endpoint, KEYS)


class MotoAsGoogle(Moto):
    """Google's XML API has the calls of S3, but for the header of conditional puts, which moto does not know."""

    def ready(self, endpoint, folder):
        super().ready(endpoint, folder)
        # What Google's metadata server gives the clients of a machine, as an object.
        token = json.dumps({"access_token": "abc", "expires_in": 3600, "token_type": "Bearer"}).encode()
        ask(f"{endpoint}/computeMetadata", "PUT")
        ask(f"{endpoint}/{TOKEN}", "PUT", token, **{"x-amz-acl": "public-read", "Content-Type": "application/json"})
        environ = {"GCE_METADATA_HOST": endpoint.removeprefix("http://")}
        return ObjectStore(f"gs://{BUCKET}/team x", endpoint, environ, creates=False)


class VersityGateway:
    def command(self, folder, address, *tls):
        program = shutil.which(str(ROOT / "versitygw" / "bin" / "versitygw"))
        secured = ["--cert", str(tls[0]), "--key", str(tls[1])] if tls else []
        return program and [program, "--port", address, "--quiet", *secured, "posix", folder]

    def ready(self, endpoint, folder):
        (folder / BUCKET).mkdir()
        return ObjectStore(f"s3://{BUCKET}/team x", endpoint, KEYS, folder / BUCKET)


class Azurite:
    def command(self, _folder, address):
        program = shutil.which(str(ROOT / "azurite" / "node_modules" / ".bin" / "azurite-blob"))
        host, _, port = address.partition(":")
        return program and [program, "--inMemoryPersistence", "--blobHost", host, "--blobPort", port, "--silent"]

    def ready(self, endpoint, _folder):
        account, key = AZURE.values()
        date, version, path = formatdate(usegmt=True), "2023-11-03", f"/{account}/{BUCKET}"
        text = f"PUT\n{chr(10) * 11}x-ms-date:{date}\nx-ms-version:{version}\n/{account}{path}\nrestype:container"
        sign = base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()
        headers = {"x-ms-date": date, "x-ms-version": version, "Authorization": f"SharedKey {account}:{sign}"}
        ask(f"{endpoint}{path}?restype=container", "PUT", **headers)
        return ObjectStore(f"az://{BUCKET}/team x", f"{endpoint}/{account}", AZURE)


SERVERS = {"moto": Moto(), "moto, as Google": MotoAsGoogle(), "versitygw": VersityGateway(), "azurite": Azurite()}
"""By what is installed, with what it stands in for."""
