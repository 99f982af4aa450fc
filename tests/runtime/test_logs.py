import json
import logging
import warnings

import pytest

from wurzel.exceptions import WurzelWarning
from wurzel.runtime import logs


@pytest.fixture(autouse=True)
def _restore():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_text_lines(capsys, monkeypatch):
    monkeypatch.delenv("WURZEL_RUN_ID", raising=False)
    logs.set_up("text", "INFO", step="split")
    logging.getLogger("x").info("hello %s", "you")
    logging.getLogger("x").debug("unseen")
    logs.logger.error("bad")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["INFO split: hello you", "ERROR split: bad"]


def test_setting_up_again_replaces(capsys):
    logs.set_up("text", "INFO")
    logs.set_up("json", "WARNING", step=None)
    logs.logger.info("unseen")
    logs.logger.warning("once")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "once"


def test_json_lines_hold_what_extra_gave_and_tracebacks(capsys):
    logs.set_up("json", "INFO", step="split", pipeline="rag")
    logs.logger.info("ä", extra={"count": 1, "level": "mine", "thing": object})
    try:
        int("x")
    except ValueError:
        logs.logger.exception("failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", stacklevel=1)
        warnings.warn("jobs:Split: no annotation", WurzelWarning, stacklevel=1)
    first, second, third, own = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["message"], first["count"], first["level"], first["step"]) == ("ä", 1, "info", "split")
    assert first["pipeline"] == "rag"
    assert "ValueError: invalid literal" in second["exception"]
    assert "UserWarning: careful" in third["message"]
    assert own["message"] == "jobs:Split: no annotation"
