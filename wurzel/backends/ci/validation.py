"""The platforms' own linters for rendered CI files: each runs if its program is installed.

GitHub: the official schema (check-jsonschema), actionlint with shellcheck, zizmor. GitLab: the official schema and the
listing of gitlab-ci-local. None of them uses the network.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wurzel.exceptions import Problem
from wurzel.validation.programs import asked, find, found, run, write

_log = logging.getLogger(__name__)
_LONGEST = 300
"""Characters of a line of a program that crashed; one of minified JavaScript fills screens."""
_UNKNOWN_TO_ACTIONLINT = 'unexpected key "queue" for "concurrency" section'
"""A finding that is wrong: GitHub has that key since May 2026, actionlint 1.7.12 does not know it."""
_INSTALL = {
    "check-jsonschema": "pip install 'wurzel[validate]'",
    "zizmor": "pip install 'wurzel[validate]'",
    "actionlint": "see https://github.com/rhysd/actionlint/blob/main/docs/install.md",
    "gitlab-ci-local": "npm install --global gitlab-ci-local",
}


def check_github(files: Mapping[str, str], *, persona: str = "regular") -> list[Problem]:
    """Findings on workflows, by path; `persona` is how strict zizmor is: regular, pedantic or auditor."""
    texts = _yaml_only(files)
    if unreadable := _unreadable(texts):
        return unreadable
    if not _any_of("check-jsonschema", "actionlint", "zizmor"):
        return [_nothing("GitHub workflows")]
    import tempfile

    with tempfile.TemporaryDirectory(prefix="wurzel-") as folder:
        home = Path(folder)
        paths = {str(home / _below_top(path)): path for path in texts}
        for written, path in paths.items():
            write(Path(written), texts[path])
        return [
            *_schema("vendor.github-workflows", paths),
            *_actionlint(home, paths, texts.values()),
            *_zizmor(paths, persona),
        ]


def check_gitlab(files: Mapping[str, str], kind: str = "root") -> list[Problem]:
    """Findings on GitLab CI/CD files, by path; `kind` is the option of the gitlab target."""
    texts = _yaml_only(files)
    if unreadable := _unreadable(texts):
        return unreadable
    if not _any_of("check-jsonschema", "gitlab-ci-local"):
        return [_nothing("GitLab CI/CD files")]
    import tempfile

    with tempfile.TemporaryDirectory(prefix="wurzel-") as folder:
        home = Path(folder)
        paths: dict[str, str] = {}
        for number, (path, text) in enumerate(texts.items()):
            for part, document in enumerate(_documents(text)):
                written = home / "documents" / f"{number}-{part}.json"
                write(written, json.dumps(document))
                paths[str(written)] = path
        problems = _schema("vendor.gitlab-ci", paths)
        for path, text in texts.items():
            problems += _listing(home / "clone", path, text, kind)
        return problems


def _any_of(*programs: str) -> bool:
    places = [found(program, _INSTALL[program]) for program in programs]
    return any(places)


def _nothing(what: str) -> Problem:
    return Problem(f"no program that can check {what} is installed", hint="pip install 'wurzel[validate]'")


def _yaml_only(files: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if path.endswith((".yml", ".yaml"))}


def _unreadable(texts: Mapping[str, str]) -> list[Problem]:
    from ruamel.yaml.error import YAMLError

    problems = []
    for path, text in texts.items():
        try:
            _documents(text)
        except YAMLError as error:
            problems.append(Problem(f"is not valid YAML: {error}", where=path))
    return problems


def _schema(schema: str, paths: Mapping[str, str]) -> list[Problem]:
    program = find("check-jsonschema")
    if program is None or not paths:
        return []
    report, failed = asked([program, "--builtin-schema", schema, "--output-format", "json", *paths])
    if failed:
        return failed
    errors = [*report.get("errors", ()), *report.get("parse_errors", ())]
    return [
        Problem(f"{error.get('path', '')}: {_reason(error)} (official schema)", where=paths.get(error["filename"], ""))
        for error in errors
    ]


def _reason(error: Mapping[str, Any]) -> str:
    best = error.get("best_match") or {}
    return str(best.get("message") or error.get("message", "is not valid"))


def _actionlint(home: Path, paths: Mapping[str, str], texts: Iterable[str]) -> list[Problem]:
    program = find("actionlint")
    if program is None or not paths:
        return []
    config = home / "actionlint.json"
    write(config, json.dumps({"self-hosted-runner": {"labels": sorted(_labels(texts))}}))
    shellcheck = ["-shellcheck", path] if (path := find("shellcheck")) else []
    ignored = ["-ignore", _UNKNOWN_TO_ACTIONLINT]
    words = [program, "-config-file", str(config), *shellcheck, *ignored, "-format", "{{json .}}", *paths]
    findings, failed = asked(words, home)
    places = {str(Path(written).relative_to(home)): path for written, path in paths.items()} | dict(paths)
    return failed or [
        Problem(
            f"{item['message']} (actionlint, {item['kind']}): {item.get('snippet', '').partition(chr(10))[0].strip()}",
            where=places.get(item["filepath"], item["filepath"]),
        )
        for item in findings or ()
    ]


def _labels(texts: Iterable[str]) -> set[str]:
    """Runner labels in workflows; actionlint cannot know those of self-hosted runners."""
    found: set[str] = set()
    for text in texts:
        for document in _documents(text):
            for job in document.get("jobs", {}).values():
                runner = job.get("runs-on", ())
                labels = runner.get("labels", ()) if isinstance(runner, dict) else runner
                found |= {labels} if isinstance(labels, str) else set(labels)
    return found


def _zizmor(paths: Mapping[str, str], persona: str) -> list[Problem]:
    program = find("zizmor")
    if program is None or not paths:
        return []
    argv = [program, "--offline", "--no-progress", "--no-config", "--persona", persona, "--format", "json", *paths]
    findings, failed = asked(argv)
    return failed or [_zizmor_problem(item, paths) for item in findings]


def _zizmor_problem(item: Mapping[str, Any], paths: Mapping[str, str]) -> Problem:
    place = next((place for place in item["locations"] if place["symbolic"]["kind"] == "Primary"), item["locations"][0])
    written = json.dumps(place["symbolic"]["key"])
    where = next((path for home, path in paths.items() if home in written), "")
    shown = place["concrete"]["feature"].strip().partition("\n")[0]
    return Problem(f"{item['desc']} (zizmor, {item['ident']}): {shown}", where=where, hint=item["url"])


def _documents(text: str) -> list[Any]:
    """The documents of a file, with inputs (if it has a `spec:` header) replaced by their defaults."""
    from ruamel.yaml import YAML

    documents = [document for document in YAML(typ="safe").load_all(text) if document is not None]
    header = documents[0] if documents and isinstance(documents[0], dict) else {}
    inputs = header.get("spec", {}).get("inputs", {}) if len(documents) > 1 else {}
    values = {f"$[[ inputs.{name} ]]": given.get("default", "given") for name, given in inputs.items()}
    return [_filled(document, values) for document in documents]


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    return values.get(node, node) if isinstance(node, str) else node


def _listing(home: Path, path: str, text: str, kind: str) -> list[Problem]:
    """What gitlab-ci-local reports when it lists the jobs in a scratch clone with only this file."""
    program = find("gitlab-ci-local")
    git = find("git")
    if program is None or git is None:
        return []
    alone = _alone(path, text)
    if not alone:
        return []
    where, path = path, _below_top(path)
    write(home / path, alone)
    if kind != "root":
        needed = dict.fromkeys(_required_inputs(text), "given")
        write(home / ".gitlab-ci.yml", json.dumps({"include": [{"local": f"/{path}", "inputs": needed}]}))
        path = ".gitlab-ci.yml"
    author = ["-c", "user.name=wurzel", "-c", "user.email=wurzel@localhost"]
    for argv in (
        ["init", "--quiet", "--initial-branch=main"],
        ["remote", "add", "origin", "https://gitlab.com/wurzel/wurzel.git"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--message", "Check"],
    ):
        run([git, *argv], home)
    code, out, err = run([program, "--list-all", "--file", path, "--no-color"], home)
    if code == 0:
        return []
    lines = [line.strip(" \t•") for line in (out + err).splitlines() if line.strip()]
    text = "; ".join(line[:_LONGEST] for line in lines[:6])
    return [Problem(f"{text} (gitlab-ci-local)", where=where)]


def _below_top(path: str) -> str:
    """A path below the top of the repository; files of a project in a folder are written above it: `../.github/…`."""
    return re.sub(r"^(\.\./)+", "", path)


def _alone(path: str, text: str) -> str:
    """The text without what it includes, which is elsewhere and would be fetched; '' where its jobs need that."""
    if "include" not in text:
        return text
    from ruamel.yaml import YAML

    *header, body = [document for document in YAML(typ="safe").load_all(text) if document is not None]
    if not isinstance(body, dict) or "include" not in body:
        return text
    _log.warning("%s includes files that are elsewhere, so these are not checked", path)
    rest = {name: job for name, job in body.items() if name != "include"}
    jobs = [job for job in rest.values() if isinstance(job, dict)]
    bases = [[base] if isinstance(base := job.get("extends", []), str) else base for job in jobs]
    if not {name for each in bases for name in each} <= rest.keys():
        return ""
    return "\n---\n".join(json.dumps(document, default=str) for document in [*header, rest])


def _required_inputs(text: str) -> list[str]:
    header = next(iter(_documents(text)), None) or {}
    return [name for name, given in header.get("spec", {}).get("inputs", {}).items() if "default" not in given]
