"""What is said when `argo` is not there; tests/engines/test_argo_lint.py has it there."""

import os
import signal
from select import select

import pytest

from wurzel.core.program import captured
from wurzel.validation.lint import lint
from wurzel.validation.manifest import documents
from wurzel.validation.programs import run, told_once


def said(kind):
    text = f"apiVersion: x/v1\nkind: {kind}\nmetadata: {{name: a}}\n"
    return list(lint({"a.yaml": text}, documents("a.yaml", text)[0]))


def test_a_linter_that_is_missing_is_named_where_it_would_have_something_to_check(monkeypatch, caplog):
    monkeypatch.setenv("PATH", "/nowhere")
    assert said("CronJob") == []
    assert caplog.text == ""
    assert said("Workflow") == []
    assert "argo is not installed, so its checks were skipped" in caplog.text


def test_it_is_named_once_for_all_files(monkeypatch, caplog):
    monkeypatch.setenv("PATH", "/nowhere")
    for times in (1, 2):
        with told_once():
            assert [*said("Workflow"), *said("WorkflowTemplate")] == []
        assert caplog.text.count("argo is not installed") == times


def test_ctrl_c_ends_a_linter_and_what_it_has_started(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Whoever holds the other end of the pipe sees its end once the last child has gone.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", f"exec 3> {pipe}; sleep 9 & kill -INT {os.getpid()}; wait"])
    ended, *_ = select([reader], [], [], 5)
    os.close(reader)
    assert ended


def test_ctrl_c_while_a_program_starts_ends_it():
    reader, writer = os.pipe()  # the program holds one end until it has gone
    start = captured(["sleep", "9"], pass_fds=[writer], preexec_fn=lambda: os.kill(os.getppid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt), start:
        raise AssertionError("the interrupt was lost")
    os.close(writer)
    ended, *_ = select([reader], [], [], 5)
    os.close(reader)
    assert ended
