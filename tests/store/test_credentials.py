"""Where the credentials of a store come from, that identities are renewed, and that no step can read them."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from tests.store.s3_server import BUCKET, KEYS, Reply, failure
from wurzel.exceptions import StoreError, StoreSetupError
from wurzel.store.credentials import withdraw
from wurzel.store.identity import Identity, sts_endpoint
from wurzel.store.store import open_store

ROLE = {"WURZEL_STORE_ROLE_ARN": "arn:aws:iam::1:role/rag"}


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".aws").mkdir()
    return tmp_path


def signer(server):
    """Key, region and session token of the last request."""
    headers = server.requests[-1].headers
    key, _, region, *_ = headers["authorization"].partition("Credential=")[2].split("/")
    return key, region, headers.get("x-amz-security-token")


def write(home, name, text):
    (home / ".aws" / name).write_text(text)


def test_keys_of_the_store(server, opened):
    own = {"AWS_ACCESS_KEY_ID": "AKIDOWN", "AWS_SECRET_ACCESS_KEY": "own", "AWS_SESSION_TOKEN": "own-token"}
    opened(environ=KEYS | own).bucket.get("x")
    assert signer(server) == ("AKIDACME", "us-east-1", None)
    opened(environ=own | {"AWS_REGION": "eu-west-1"}).bucket.get("x")
    assert signer(server) == ("AKIDOWN", "eu-west-1", "own-token")
    opened(environ=own, region="eu-west-2").bucket.get("x")
    assert signer(server)[1] == "eu-west-2"


PROFILES = {
    "config": "[default]\nregion = eu-west-3\n[profile team]\nregion = eu-west-4\n[profile sso]\nsso_session = acme\n",
    "credentials": "[default]\naws_access_key_id = AKIDDEF\naws_secret_access_key = p%ss\n"
    "[team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = x\naws_session_token = t\n",
}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("AKIDDEF", "eu-west-3", None)),
        ({"AWS_PROFILE": "team"}, ("AKIDTEAM", "eu-west-4", "t")),
        ({"AWS_DEFAULT_PROFILE": "team", "AWS_REGION": "eu-x-1"}, ("AKIDTEAM", "eu-x-1", "t")),
        ({"AWS_CONFIG_FILE": "/nowhere"}, ("AKIDDEF", "us-east-1", None)),
    ],
)
def test_keys_of_a_profile(server, opened, home, environ, expected):
    for name, text in PROFILES.items():
        write(home, name, text)
    opened(environ={"HOME": str(home), **environ}).bucket.get("x")
    assert signer(server) == expected


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"AWS_PROFILE": "nobody"}, "the profile 'nobody' is in neither"),
        ({"AWS_PROFILE": "sso"}, "gets its keys by sso_session, which wurzel does not do\n.*aws configure export-cred"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "{home}/.aws/torn"}, "torn: cannot be read as a file of profiles"),
        ({"AWS_ACCESS_KEY_ID": "AKID"}, "AWS_SECRET_ACCESS_KEY is not set"),
        ({"WURZEL_STORE_SECRET_ACCESS_KEY": "hunter22"}, "WURZEL_STORE_ACCESS_KEY_ID is not set"),
        (KEYS | ROLE, "WURZEL_STORE_ACCESS_KEY_ID and WURZEL_STORE_ROLE_ARN are both set"),
        (ROLE, "WURZEL_STORE_ROLE_ARN is set, but no token for it\n.*id-token: write"),
        (ROLE | {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}, "no token for it"),
    ],
)
def test_credentials_that_cannot_be_used(home, environ, message):
    for name, text in PROFILES.items():
        write(home, name, text)
    write(home, "torn", "[default\naws_secret_access_key = hunter22")
    environ = {"HOME": str(home)} | {name: value.replace("{home}", str(home)) for name, value in environ.items()}
    with pytest.raises(StoreSetupError, match=message) as found:
        open_store(f"s3://{BUCKET}/x", "rag", environ=environ)
    assert "hunter22" not in str(found.value)
    assert found.value.__cause__ is None


def test_no_credentials_at_all(opened, home, monkeypatch):
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # of a machine in Amazon's cloud
    monkeypatch.setattr("wurzel.store.clients._TRIES", 0)
    with pytest.raises(
        StoreSetupError, match="no credentials were found\n  Give an s3 store `secrets` or an `identity`"
    ):
        opened(environ={"HOME": str(home)}).bucket.get("x")


def test_the_role_of_a_container(server, opened, home, monkeypatch):
    expires = datetime.fromtimestamp(time.time() + 900, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f'{{"AccessKeyId": "ASIAX", "SecretAccessKey": "s", "Token": "t", "Expiration": "{expires}"}}'
    server.fault = lambda request: Reply(body=text.encode()) if request.path == "/role" else None
    (home / "token").write_text("pod")
    variables = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.endpoint}/role",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(home / "token"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    opened(environ={"HOME": str(home), **variables}).bucket.get("x")
    assert signer(server)[0] == "ASIAX"
    assert server.requests[0].headers["authorization"] == "pod"


def identities(server, home):
    (home / "token").write_text("jwt-of-file\n")
    github = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.endpoint}/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer-of-job",
    }
    return {
        "file": (ROLE | {"WURZEL_STORE_TOKEN_FILE": str(home / "token")}, "jwt-of-file"),
        "gitlab": (ROLE | {"WURZEL_STORE_ID_TOKEN": "jwt-of-gitlab"}, "jwt-of-gitlab"),
        "github": (ROLE | github, "jwt-for-sts.amazonaws.com"),
        "audience": (ROLE | github | {"WURZEL_STORE_AUDIENCE": "acme/x"}, "jwt-for-acme/x"),
        "own": (
            {"AWS_ROLE_ARN": ROLE["WURZEL_STORE_ROLE_ARN"], "AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token")},
            "jwt-of-file",
        ),
    }


@pytest.mark.parametrize("kind", ["file", "gitlab", "github", "audience", "own"])
def test_a_token_is_exchanged_for_keys(server, opened, home, kind):
    environ, token = identities(server, home)[kind]
    bucket = opened(environ=environ).bucket
    bucket.put("x", b"1")
    assert bucket.get("x") == b"1"
    ((_, fields),) = server.given.values()
    assert fields == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE["WURZEL_STORE_ROLE_ARN"],
        "RoleSessionName": "wurzel",
        "WebIdentityToken": token,
    }
    if kind in {"github", "audience"}:
        assert server.requests[0].headers["authorization"] == "Bearer bearer-of-job"


@pytest.mark.parametrize("lifetime", [3, 301])
def test_a_job_outlives_its_token(server, opened, home, lifetime):
    server.lifetime = lifetime
    environ, _ = identities(server, home)["file"]
    bucket = opened(environ=environ).bucket
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        assert bucket.put("x", b"1")
        time.sleep(0.02)
    assert server.counted("PUT") > 20
    assert 2 <= len(server.given) <= 6 if lifetime == 3 else len(server.given) == 1


def test_keys_are_kept_while_their_server_is_down(server, opened, home):
    server.lifetime = 40
    environ, _ = identities(server, home)["file"]
    bucket = opened(environ=environ).bucket
    identity = bucket._clients.access.identity
    bucket.put("x", b"1")
    server.fault = lambda request: failure(503, "SlowDown") if request.path == "/" else None
    identity._renewal = datetime.now(UTC)
    assert identity()["access_key_id"] == "ASIA0"
    assert identity._renewal > datetime.now(UTC)
    assert identity.failed is None


def test_a_token_server_that_fails_once_is_asked_again(server, opened, home, monkeypatch):
    monkeypatch.setattr("wurzel.store.sending.Sender.pause", lambda self, seconds: None)
    environ, _ = identities(server, home)["github"]
    bucket = opened(environ=environ).bucket
    bucket.sender.patience = 5
    server.fault = lambda request: failure(500, "InternalFailure") if len(server.requests) == 1 else None
    assert bucket.put("x", b"1")


REFUSED = {
    "denied": (
        failure(403, "AccessDenied", "Not authorized, jwt-of-file"),
        True,
        r"Not authorized, \*\*\* \(AccessDenied\)",
    ),
    "claim": (failure(400, "InvalidIdentityToken", "No provider"), True, "No provider .*\n  Check the trust policy"),
    "expired": (failure(400, "ExpiredTokenException", "Token expired"), False, "Token expired .*\n  GitLab's token"),
    "idp": (failure(400, "IDPCommunicationError", "Unreachable"), False, "Unreachable"),
    "down": (Reply(503, b"<html>"), False, "the server answered 503"),
    "other": (Reply(200, b"<html>"), False, "lacks AccessKeyId"),
    "elsewhere": (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), True, "the server answered 302"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_token_that_is_refused(server, opened, home, why):
    reply, setup, message = REFUSED[why]
    environ, token = identities(server, home)["file"]
    server.fault = lambda request: reply if request.path == "/" else None
    bucket = opened(environ=environ).bucket
    for call in (bucket.get, bucket.head, lambda key: bucket.put(key, b"1", create=True)):
        with pytest.raises(
            StoreError, match=f"the identity of the store cannot be used: .*{message}|{message}"
        ) as found:
            call("x")
        assert isinstance(found.value, StoreSetupError) == setup
        assert token not in str(found.value)


def test_a_token_that_cannot_be_read(server, opened, home):
    environ = ROLE | {"WURZEL_STORE_TOKEN_FILE": str(home / "none")}
    with pytest.raises(StoreSetupError, match="none: the identity's token cannot be read: No such file"):
        opened(environ=environ).bucket.get("x")


def test_github_refuses_a_token(server, opened, home):
    environ, _ = identities(server, home)["github"]
    server.fault = lambda request: Reply(401, b"bearer-of-job?") if request.path == "/token" else None
    with pytest.raises(StoreSetupError, match="the server answered 401\n  Give the job `permissions: id-token: write`"):
        opened(environ=environ).bucket.get("x")


@pytest.mark.parametrize(
    ("endpoint", "region", "given", "expected"),
    [
        ("", "eu-west-1", "", "https://sts.eu-west-1.amazonaws.com/"),
        ("", "cn-north-1", "", "https://sts.cn-north-1.amazonaws.com.cn/"),
        (
            "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com",
            "eu-west-1",
            "",
            "https://sts.eu-west-1.amazonaws.com/",
        ),
        ("https://minio.example", "eu-west-1", "", "https://minio.example/"),
        ("https://minio.example", "eu-west-1", "https://sts.example/x", "https://sts.example/x/"),
    ],
)
def test_where_tokens_are_exchanged(endpoint, region, given, expected):
    assert sts_endpoint(endpoint, region, given) == expected


def test_tokens_are_sent_over_https():
    identity = Identity("role", lambda: "hunter22", "http://minio.example/")
    with pytest.raises(StoreSetupError, match=r"http://minio\.example: a token is only sent over https"):
        identity()


def test_withdrawn_variables():
    github = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "y"}
    environ = KEYS | github | {"WURZEL_STORE_CACHE": "read", "PATH": "/bin"}
    assert withdraw(environ) == KEYS
    assert environ == github | {"WURZEL_STORE_CACHE": "read", "PATH": "/bin"}
    assert withdraw(environ) == {}
    environ |= ROLE
    assert withdraw(environ) == github | ROLE


SPY = """
import ctypes, os, subprocess, sys
from wurzel.store.credentials import withdraw
print(sorted(withdraw()))
read = "cat /proc/$PPID/environ /proc/self/environ | tr '\\\\0' '\\\\n'"
print(subprocess.run(["sh", "-c", read], stdout=subprocess.PIPE, text=True).stdout)
print(os.environ.get("WURZEL_STORE_SECRET_ACCESS_KEY"), ctypes.CDLL(None).getenv(b"WURZEL_STORE_SECRET_ACCESS_KEY"))
print("dumpable:", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_cannot_read_them():
    command = [sys.executable, "-c", SPY]
    done = subprocess.run(
        command, env=os.environ | KEYS | {"MARK": "seen"}, stdout=subprocess.PIPE, text=True, check=True
    )
    names, *shown = done.stdout.splitlines()
    assert names == str(sorted(KEYS))
    assert shown.count("MARK=seen") == 2 if os.geteuid() == 0 else 1
    assert "hunter22" not in done.stdout
    assert shown[-2:] == ["None 0", "dumpable: 0"]
