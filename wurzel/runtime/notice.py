"""Telling of a failed run, once: by a request to a webhook, and by a command."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from wurzel.exceptions import WurzelError
from wurzel.invocation.failure import FAILURES, LINK, WEBHOOK
from wurzel.named_tuples import NamedTuple

_TRIES = 3
_SECONDS = 10
_LONGEST = 300
"""Seconds that a command may take."""
_FAILED = frozenset({"failure", "cancelled", "Failed", "Error"})
"""Results of jobs on GitHub, where one that takes too long is cancelled, and phases of Argo."""


class NoticeError(WurzelError):
    """Nobody could be told of a failed run."""


class Notice(NamedTuple):
    """What is told of a failed run."""

    pipeline: str
    step: str = ""
    """Ids of the steps that failed, with commas; empty where the platform does not say."""
    reason: str = ""
    link: str = ""
    run: str = ""

    @property
    def text(self) -> str:
        """All of it in a line, which chats show."""
        what = f"{self.pipeline} failed" + (f" in {self.step}" if self.step else "")
        return what + (f": {self.reason}" if self.reason else "") + (f" ({self.link})" if self.link else "")


def notice(pipeline: str, environ: Mapping[str, str], *, step: str = "", reason: str = "", run: str = "") -> Notice:
    """What there is to tell, completed by what the platform has put into variables."""
    if not step:
        step, reason = _of_platform(environ.get(FAILURES, ""), reason)
    return Notice(pipeline, step, reason, environ.get(LINK, "").replace("{run}", run), run)


def tell(found: Notice, environ: Mapping[str, str], *, webhook: bool, command: Sequence[str] = ()) -> None:
    """Send it to the webhook in the environment, if there is to be one, and run the command, if there is one.

    Raises `NoticeError` when one of them did not work; both have been tried.
    """
    problems = []
    if webhook:
        url = environ.get(WEBHOOK)
        problems += _post(url, found) if url else [f"{WEBHOOK}, the URL of the webhook, is not set"]
    if command:
        problems += _run(command, found, environ)
    if problems:
        raise NoticeError("; ".join(problems), where=found.pipeline)


def _of_platform(failures: str, reason: str) -> tuple[str, str]:
    """Failed steps and the reason: from Argo's list of nodes, or GitHub's mapping of jobs."""
    try:
        data = json.loads(failures) if failures else None
    except ValueError:
        return "", reason or failures
    if isinstance(data, list):
        nodes = [node for node in data if isinstance(node, dict) and node.get("phase") in _FAILED]
        nodes = [node for node in nodes if node.get("message")] or nodes  # a DAG that failed with its step has none
        nodes.sort(key=lambda node: (str(node.get("finishedAt", "")), str(node.get("displayName", ""))))
        names = dict.fromkeys(str(node.get("templateName", "")) for node in nodes)
        messages = [str(node["message"]) for node in nodes if node.get("message")]
        return ", ".join(filter(None, names)), reason or next(iter(messages), "")
    if isinstance(data, dict):
        jobs = [name for name, job in data.items() if isinstance(job, dict) and job.get("result") in _FAILED]
        return ", ".join(jobs), reason
    return "", reason


def _post(url: str, found: Notice) -> list[str]:
    """Problems of a request with JSON; they never show the URL, which is often a secret."""
    import http.client
    import urllib.error
    import urllib.request

    data: dict[str, Any] = {"text": found.text, **found._asdict()}
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
    problem = ""
    for number in range(_TRIES):
        time.sleep(number)
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked
            if request.type not in {"http", "https"}:
                return ["the webhook is not an http or https URL"]
            with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310 - checked
                return []
        except urllib.error.HTTPError as error:
            problem = f"the webhook answered {error.code}"
            error.close()
            if error.code < 500:  # noqa: PLR2004 - trying again helps only with what may pass
                break
        except ValueError:
            return ["the webhook is not a URL"]
        except (OSError, http.client.HTTPException) as error:
            problem = f"the webhook cannot be reached: {type(getattr(error, 'reason', error)).__name__}"
    return [problem]


def _run(command: Sequence[str], found: Notice, environ: Mapping[str, str]) -> list[str]:
    facts = {f"WURZEL_{name.upper()}": value.replace("\0", "") for name, value in found._asdict().items()}
    env = {name: value for name, value in environ.items() if name not in {WEBHOOK, FAILURES}} | facts
    try:
        code = subprocess.run(command, env=env, check=False, timeout=_LONGEST).returncode
    except subprocess.TimeoutExpired:
        return [f"{command[0]} took longer than {_LONGEST} seconds"]
    except OSError as error:
        return [f"{command[0]} cannot be started: {error.strerror}"]
    return [f"{command[0]} ended with exit code {code}"] if code else []
