"""Rules for the templates of Argo's objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from wurzel.records import dataclass
from wurzel.validation.argo_dag import check_dag, check_steps
from wurzel.validation.container import check_container
from wurzel.validation.manifest import Node, check_distinct
from wurzel.validation.metadata import check_annotations, check_labels
from wurzel.validation.pod import check_scheduling, check_security
from wurzel.validation.variables import AT_EXIT, GLOBALS, check_variables

if TYPE_CHECKING:
    from wurzel.exceptions import Problem

_KINDS = (
    "container", "containerSet", "script", "resource", "suspend", "data", "http", "plugin", "dag", "steps",
)  # fmt: skip
_LEAVES = frozenset(_KINDS) - {"dag", "steps"}
_STORES = (
    "s3", "gcs", "azure", "oss", "hdfs", "git", "http", "artifactory", "raw", "plugin",
)  # fmt: skip
_LONGEST = 128
_NAME = re.compile(r"[a-z0-9][-a-z0-9]*")
_PART_NAME = re.compile(r"[-a-zA-Z0-9_]+")
_POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")
_OF_ARGO = ("main", "init", "wait")
_DURATION = re.compile(r"\d+|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+")
_OWN = frozenset(
    {
        "pod.name", "node.name", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration",
        "lastRetry.message", "inputs.parameters", "inputs.artifacts",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """What a template can refer to: templates, parameters, volumes, defaults."""

    templates: Mapping[str, Node]
    parameters: frozenset[str]
    at_exit: frozenset[str]
    volumes: frozenset[str]
    defaults: Node
    pod: Node
    restricted: bool

    def variables(self, template: Node) -> set[str]:
        """The expressions that exist in a template."""
        found = {*GLOBALS, *(f"workflow.parameters.{name}" for name in self.parameters)}
        if template["name"].text in self.at_exit:
            found |= AT_EXIT
        for kind in ("parameters", "artifacts"):
            for item in template["inputs"][kind]:
                found |= {f"inputs.{kind}.{item['name'].text}", f"inputs.{kind}.{item['name'].text}.path"}
        return found


def check_template(template: Node, scope: Scope) -> Iterator[Problem]:
    """One template."""
    name = template["name"]
    if not _NAME.fullmatch(name.text):
        advice = "Pod names are derived from it, so use lower-case letters, digits and -."
        yield name.problem(f"{name.quoted} is not the name of a template", advice)
    elif len(name.text) > _LONGEST:
        yield name.problem(f"{name.quoted} has {len(name.text)} characters; at most {_LONGEST} fit")
    kinds = [kind for kind in _KINDS if template[kind]]
    if len(kinds) != 1:
        yield template.problem(f"has {len(kinds)} types: {', '.join(kinds) or 'none'}", "Give exactly one.")
        return
    yield from check_labels(template["metadata"]["labels"], templated=True)
    yield from check_annotations(template["metadata"]["annotations"])
    yield from check_scheduling(template, templated=True)
    yield from _check_limits(template, kinds[0])
    yield from _check_retry(template["retryStrategy"])
    yield from _check_parts(template, leaf=kinds[0] in _LEAVES)
    variables = scope.variables(template)
    if kinds[0] == "dag":
        yield from check_dag(template, scope.templates, variables)
    elif kinds[0] == "steps":
        yield from check_steps(template, scope.templates, variables)
    else:
        fields = {key: value.value for key, value in template.entries() if key != "metrics"}
        yield from check_variables(Node(fields, template.path), variables | _OWN)
    if kinds[0] == "container":
        yield from _check_container(template, scope)
    yield from check_beside(template, scope, _beside(scope.pod["templateDefaults"]))


def check_beside(owner: Node, scope: Scope, others: Sequence[Node] = ()) -> Iterator[Problem]:
    """Sidecars and init containers of a template, which Argo merges with `others` of templateDefaults by name."""
    common = {one["name"].text: one for one in others}
    volumes = {*scope.volumes, *(volume["name"].text for volume in owner["volumes"])}
    containers = _beside(owner)
    yield from check_distinct(containers, "another container of this pod")
    for container in containers:
        defaults = common.get(container["name"].text)
        if container["name"].text in _OF_ARGO:
            yield container["name"].problem(f"{container['name'].quoted} is the name of one of Argo's containers")
        yield from check_container(container, volumes, complete=defaults is None)
        yield from _check_security(owner, container, defaults, scope)


def _beside(owner: Node) -> list[Node]:
    return [*owner["sidecars"], *owner["initContainers"]]


def _check_limits(template: Node, kind: str) -> Iterator[Problem]:
    leaf = kind in _LEAVES
    if leaf and template["parallelism"]:
        yield template["parallelism"].problem("is for dag and steps templates only")
    for field in ("activeDeadlineSeconds", "timeout"):
        node = template[field]
        if node and not leaf:
            yield node.problem("is for templates that run a pod only")
    deadline = template["activeDeadlineSeconds"]
    if deadline and "{{" not in str(deadline.value) and not re.fullmatch(r"[1-9]\d*", str(deadline.value)):
        yield deadline.problem(f"{deadline.quoted} is not a number of seconds, 1 or more")
    timeout = template["timeout"]
    if timeout and "{{" not in timeout.text and (timeout.text.isdigit() or not _DURATION.fullmatch(timeout.text)):
        yield timeout.problem(f"{timeout.quoted} is not a duration", "Write for example 90s or 1h.")


def _check_retry(retry: Node) -> Iterator[Problem]:
    policy, limit, backoff = retry["retryPolicy"], retry["limit"], retry["backoff"]
    yield from policy.check_known(_POLICIES)
    if limit and not re.fullmatch(r"\d+|\{\{.*\}\}", str(limit.value)):
        yield limit.problem(f"{limit.quoted} is not a whole number, 0 or more")
    if backoff["factor"] and not re.fullmatch(r"\d+", str(backoff["factor"].value)):
        yield backoff["factor"].problem(f"{backoff['factor'].quoted} is not a whole number", "Argo takes no fractions.")
    for field in ("duration", "maxDuration", "cap"):
        if backoff[field] and not _DURATION.fullmatch(backoff[field].text):
            yield backoff[field].problem(
                f"{backoff[field].quoted} is not a duration as Go writes it",
                "Write for example 30s, 10m, 1h, in quotes.",
            )


def _check_parts(template: Node, *, leaf: bool) -> Iterator[Problem]:
    for side, kind in product(("inputs", "outputs"), ("parameters", "artifacts")):
        yield from check_distinct(template[side][kind], "another one")
        for item in template[side][kind]:
            name = item["name"]
            if not _PART_NAME.fullmatch(name.text):
                yield name.problem(f"{name.quoted} is not a name for {kind}", "Write letters, digits, - and _.")
            if kind == "artifacts":
                yield from _check_artifact(item, side, leaf=leaf)
            elif item["value"] and not isinstance(item["value"].value, str):
                yield item["value"].problem(f"{item['value'].quoted} is not text", "Put it in quotes.")


def _check_artifact(artifact: Node, side: str, *, leaf: bool) -> Iterator[Problem]:
    path = artifact["path"]
    if leaf and not path.text.startswith("/"):
        yield path.problem(f"{path.quoted} is not an absolute path")
    if not leaf and path:
        yield path.problem("is for templates that run a pod only")
    if side == "inputs" and artifact["from"]:
        yield artifact["from"].problem("is for arguments, not for inputs")
    stores = [store for store in _STORES if artifact[store]]
    if len(stores) > 1:
        yield artifact.problem(f"has {len(stores)} locations: {', '.join(stores)}", "Give one.")
    for store in stores:
        yield from _check_location(artifact[store], store)
    archives = [kind for kind in ("none", "tar", "zip") if artifact["archive"][kind]]
    if len(archives) > 1:
        yield artifact["archive"].problem(f"has {len(archives)} ways: {', '.join(archives)}", "Give one.")


def _check_location(location: Node, store: str) -> Iterator[Problem]:
    key = location["blob" if store == "azure" else "key"]
    if store in {"s3", "gcs", "azure"} and not key.text:
        yield location.problem("has no key")
    home = location["container" if store == "azure" else "bucket"]
    others = [name for name, _ in location.entries() if name not in {"key", "blob"}]
    if store in {"s3", "gcs", "azure"} and others and not home.text:
        yield location.problem(f"has no {'container' if store == 'azure' else 'bucket'}")


def _check_container(template: Node, scope: Scope) -> Iterator[Problem]:
    container, defaults = template["container"], scope.defaults
    if not container["command"] and not defaults["command"]:
        yield container["command"].problem(
            "there is none", "Argo looks the image's own up in the registry, which it often may not do."
        )
    volumes = {*scope.volumes, *(volume["name"].text for volume in template["volumes"])}
    mounted = {mount["mountPath"].text for mount in container["volumeMounts"]}
    inherited = {mount["mountPath"].text for mount in defaults["volumeMounts"]} - mounted
    yield from check_container(container, volumes, inherited, complete=not defaults["image"])
    for mount in defaults["volumeMounts"]:
        if mount["name"].text not in volumes:
            yield mount["name"].problem(f"{mount['name'].quoted} is not a volume of this workflow")
    yield from _check_merged_env(container, defaults)
    for artifact in template["inputs"]["artifacts"]:
        if artifact["path"].text in mounted | inherited:
            yield artifact["path"].problem(f"{artifact['path'].quoted} is where a volume is mounted")
    paths = [artifact["path"].text for artifact in template["inputs"]["artifacts"]]
    for path in {path for path in paths if path and paths.count(path) > 1}:
        yield template["inputs"]["artifacts"].problem(f"two of them have the path {path!r}")
    yield from _check_security(template, container, defaults, scope)


def _check_security(template: Node, container: Node, defaults: Node | None, scope: Scope) -> Iterator[Problem]:
    if scope.restricted:
        context = template["securityContext"] or scope.pod["securityContext"]
        pod = Node({"securityContext": context.value, "volumes": scope.pod["volumes"].value}, scope.pod.path)
        yield from check_security(pod, [container], defaults)


def _check_merged_env(container: Node, defaults: Node) -> Iterator[Problem]:
    """Argo merges variables by name, field by field."""
    kinds = {variable["name"].text: bool(variable["valueFrom"]) for variable in defaults["env"]}
    for variable in container["env"]:
        if kinds.get(variable["name"].text, bool(variable["valueFrom"])) != bool(variable["valueFrom"]):
            yield variable.problem("has a value here and another kind of value in templateDefaults: Argo keeps both")
