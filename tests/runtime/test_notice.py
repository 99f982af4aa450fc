"""Somebody is told of a failed run: by a webhook, by a command."""

import json
import os
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner

from tests.command import program
from tests.plain import WORDS, plain_step
from wurzel.cli.notify import command
from wurzel.invocation.variables import secret_owners
from wurzel.ir.model import OnFailure, Pipeline, SecretRef
from wurzel.runtime.notice import NoticeError, notice, tell

SAYS = ["sh", "-c", 'echo "$WURZEL_PIPELINE $WURZEL_STEP $WURZEL_REASON $WURZEL_RUN"']


@contextmanager
def webhook(*codes):
    """A server that answers with these codes, the last one from then on; gives its URL and what it was sent."""
    sent = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(codes[min(len(sent), len(codes)) - 1])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/T0PS3CRET", sent
    finally:
        server.shutdown()
        server.server_close()


def test_a_webhook_gets_the_facts_as_json_and_as_a_line():
    with webhook(503, 200) as (url, sent):
        environ = {"WURZEL_WEBHOOK": url, "WURZEL_LINK": "https://runs.example/{run}"}
        tell(notice("rag", environ, step="embed", reason="exit code 1", run="17"), environ, webhook=True)
    assert (
        sent
        == [
            {
                "text": "rag failed in embed: exit code 1 (https://runs.example/17)",
                "pipeline": "rag",
                "step": "embed",
                "reason": "exit code 1",
                "link": "https://runs.example/17",
                "run": "17",
            }
        ]
        * 2
    )


# As Argo's controller lists them: in any order, with the DAG that failed with its steps, which has no message.
NODES = [
    {"displayName": "split", "templateName": "split", "phase": "Error", "message": "evicted", "finishedAt": "03:00:09"},
    {"displayName": "rag-x1", "templateName": "rag", "phase": "Failed", "message": "", "finishedAt": "03:00:10"},
    {"displayName": "embed(0)", "templateName": "embed", "phase": "Failed", "message": "why", "finishedAt": "03:00:04"},
    {"templateName": "report", "phase": "Omitted"},
]
JOBS = {"words": {"result": "success", "outputs": {}}, "join": {"result": "failure"}}


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (json.dumps(NODES), ("embed, split", "why")),
        (json.dumps([{"templateName": "rag", "phase": "Failed", "message": ""}]), ("rag", "")),
        (json.dumps(JOBS), ("join", "")),
        ("not JSON", ("", "not JSON")),
        ("", ("", "")),
    ],
)
def test_what_platforms_know_of_failed_jobs(failures, expected):
    found = notice("rag", {"WURZEL_FAILURES": failures})
    assert (found.step, found.reason) == expected


def test_what_goes_wrong_is_said_without_the_url():
    with webhook(404) as (url, sent), pytest.raises(NoticeError) as caught:
        tell(notice("rag", {}), {"WURZEL_WEBHOOK": url}, webhook=True, command=["nope"])
    assert str(caught.value).startswith("rag: the webhook answered 404; nope cannot be started: No such file")
    assert len(sent) == 1
    for bad, reason in (("file:///etc/passwd", "not an http or https URL"), ("x", "is not a URL"), ("", "is not set")):
        with pytest.raises(NoticeError, match=reason):
            tell(notice("rag", {}), {"WURZEL_WEBHOOK": bad}, webhook=True)
    with pytest.raises(NoticeError, match="ended with exit code 3"):
        tell(notice("rag", {}), {}, webhook=False, command=["sh", "-c", "exit 3"])


def test_a_reason_may_hold_what_no_variable_and_no_encoding_can():
    with webhook(200) as (url, sent):
        environ = {**os.environ, "WURZEL_WEBHOOK": url}
        tell(notice("rag", environ, step="embed", reason="a\0b\ud800"), environ, webhook=True)
        tell(notice("rag", environ, step="embed", reason="a\0b"), environ, webhook=False, command=SAYS)
    assert sent[0]["reason"] == "a\0b?"


def test_the_command_line():
    result = CliRunner().invoke(command, ["rag"])
    assert "there is no one to notify" in str(result.exception)
    words = ["notify", "rag", "--step", "a", "--reason", "why", "--run", "9", "--", *SAYS]
    done = program(*words, code=0)
    assert done.stdout == "rag a why 9\n"


def test_a_run_tells_once_when_it_fails(project):
    root = project("failing")
    told = {"webhook": {"name": "chat", "key": "url"}, "command": SAYS}
    config = {"version": 1, "pipelines": {"failing": {"entrypoint": "failing:pipeline", "on_failure": told}}}
    (root / "wurzel.yaml").write_text(json.dumps(config))
    with webhook(200) as (url, sent):
        env = {"WURZEL_WEBHOOK": url, "WURZEL_RUN_ID": "r1"}
        quiet = program("run", "failing", env=env, cwd=root)
        assert (quiet.returncode, sent) == (1, [])
        done = program("run", "failing", "--notify", env=env, cwd=root)
    (found,) = sent
    assert (found["pipeline"], found["step"], found["run"]) == ("failing", "failing", "r1")
    assert found["reason"] == "RuntimeError: this step always fails (exit code 1)"
    assert done.stdout == f"failing failing {found['reason']} r1\n"
    assert done.returncode == 1


def test_no_step_sees_what_only_the_notice_reads():
    ref = SecretRef(name="chat", key="url")
    steps = (
        plain_step(id="a", run="steps:Words"),
        plain_step(id="b", run="steps:Upper", input=WORDS, needs=["a"], secrets={"BOTH": ref}),
    )
    told = Pipeline(name="p", steps=steps, on_failure=OnFailure(webhook=ref, secrets={"BOTH": ref}))
    assert secret_owners(told, {"WURZEL_WEBHOOK": "x", "BOTH": "y", "HOME": "/"}) == {
        "WURZEL_WEBHOOK": frozenset(),
        "BOTH": frozenset({"b"}),
    }
