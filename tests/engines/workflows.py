"""A simulation of Argo's controller, for tests: it walks the DAG, copies artifacts as Argo would, and runs containers.

It is no Argo. What it takes from the manifest: templates merged over `templateDefaults`, `templateRef`, DAGs in DAGs,
`depends`, `withSequence`, `withParam`, arguments, `{{…}}` and the one expression that we write, `retryStrategy.limit`,
output parameters, artifacts by `from`, by key, optional, as folders and as archives. It runs no exit handler.
"""

import copy
import json
import re
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from wurzel.backends.argo.common import merged
from wurzel.engines.pod import Pod

FATAL = {2, 3}
"""Exit codes that the `expression` of what is rendered does not retry."""
REPLACE = re.compile(r"=replace\(([\w.]+), '([^']*)', '([^']*)'\)")
"""The one expression that manifests have."""


def merge(base, over):
    """A strategic merge: mappings by key, variables as Argo does, mounts by path, other lists whole."""
    found = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merge(found[key], value)
        elif key == "env" and key in found:
            found[key] = merged(found[key], value)
        elif key == "volumeMounts" and key in found:
            items = {item["mountPath"]: item for item in found[key]}
            for item in value:
                items[item["mountPath"]] = merge(items.get(item["mountPath"], {}), item)
            found[key] = list(items.values())
        else:
            found[key] = copy.deepcopy(value)
    return found


def substitute(node, values):
    """All `{{tag}}`s of `values`; one that is left is an error, as it is for Argo."""
    text = json.dumps(node)

    def value(match):
        tag = match[1].strip()
        replaced = REPLACE.fullmatch(tag)
        found = values[replaced[1]].replace(replaced[2], replaced[3]) if replaced else values[tag]
        return json.dumps(found)[1:-1]

    return json.loads(re.sub(r"\{\{(.*?)\}\}", value, text))


@dataclass
class Simulation:
    """One run of a Workflow. When it is over: `codes` by task, the artifact store below `store`, and what it `kept`.

    `kept` has the place in the store of every dataset by its path in the container that wrote it.
    """

    manifest: dict
    folder: Path
    runner: object
    secrets: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    uid: str = "uid-1"
    parts: list = field(default_factory=list)
    """WorkflowTemplates that tasks refer to."""

    def __post_init__(self):
        spec = self.manifest["spec"]
        self.spec = spec.get("workflowSpec", spec)
        self.templates = {("", template["name"]): template for template in self.spec["templates"]}
        for part in self.parts:
            name = part["metadata"]["name"]
            self.templates |= {(name, template["name"]): template for template in part["spec"]["templates"]}
        self.store = self.folder / "store"
        self.codes = {}
        self.tries = {}
        self.logs = {}
        self.places = {}
        self.kept = {}
        self.results = {}
        given = self.spec.get("arguments", {}).get("parameters", [])
        self.globals = {"workflow.uid": self.uid, "workflow.name": "simulated", "workflow.namespace": "test"} | {
            f"workflow.parameters.{item['name']}": self.parameters.get(item["name"], item.get("value"))
            for item in given
        }

    def run(self):
        code, _ = self._dag("", self.templates["", self.spec["entrypoint"]], {})
        return code

    def _dag(self, home, template, places):
        """The exit code of a DAG template, and where its output artifacts are; `places` has its input artifacts."""
        codes = {}
        for task in template["dag"]["tasks"]:
            needs = [need.strip() for need in task.get("depends", "").split("&&") if need.strip()]
            assert set(needs) <= set(codes), f"{task['name']} stands before what it needs"
            if any(codes[need] for need in needs):
                codes[task["name"]] = -1
                continue
            above = ancestors(task["name"], template["dag"]["tasks"])
            scope = {name: place for name, place in places.items() if name.split(".")[1] in above | {"artifacts"}}
            codes[task["name"]], given = self._task(home, task, scope)
            places |= {f"tasks.{task['name']}.outputs.artifacts.{name}": place for name, place in given.items()}
        code = max(codes.values())
        outputs = template.get("outputs", {}).get("artifacts", []) if code == 0 else []
        return code, {item["name"]: places[expression(item["from"])] for item in outputs}

    def _task(self, home, task, places):
        """The exit code of a task, and where its artifacts are; `places` has those that it may take."""
        reference = task.get("templateRef")
        home, name = (reference["name"], reference["template"]) if reference else (home, task["template"])
        template = self.templates[home, name]
        given = task.get("arguments", {}).get("artifacts", [])
        given = {entry["name"]: places[expression(entry["from"])] for entry in given}
        if "dag" in template:
            wanted = {entry["name"] for entry in template.get("inputs", {}).get("artifacts", [])}
            assert wanted == set(given), f"{task['name']} is not given what it reads"
            return self._dag(home, template, {f"inputs.artifacts.{key}": place for key, place in given.items()})
        many = items(task, self.results)
        self.codes[task["name"]] = max(self._leaf(task, template, given, item) for item in many)
        return self.codes[task["name"]], self.places.get(task["name"], {}) if many == [None] else {}

    def _leaf(self, task, template, given, item):
        values = {"item": str(item)}
        parameters = {entry["name"]: entry for entry in task.get("arguments", {}).get("parameters", [])}
        inputs = {
            f"inputs.parameters.{entry['name']}": substitute(parameters[entry["name"]]["value"], values)
            for entry in template.get("inputs", {}).get("parameters", [])
        }
        template = merge({"container": self.spec["templateDefaults"]["container"]}, template)
        template = substitute(template, {**self.globals, **inputs})
        limit = int(template.get("retryStrategy", {}).get("limit", 0))
        for count in range(limit + 1):
            self.tries[task["name"]] = count + 1
            code = self._pod(task, template, given, item, count)
            if code in {0, *FATAL}:
                break
        return code

    def _pod(self, task, template, given, item, count):
        """A pod of its own: empty volumes, artifacts put in before and taken out after."""
        name = "-".join(str(part).replace("/", "-of-") for part in (task["name"], item, count) if part is not None)
        volumes = substitute(self.spec["volumes"], self.globals)
        claims = [
            {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{self.uid}-claim"}}
            for claim in self.spec.get("volumeClaimTemplates", [])
        ]
        context = self.spec.get("securityContext", {})
        annotations = substitute(self.spec["podMetadata"].get("annotations", {}), self.globals)
        pod = Pod(
            {"volumes": [*volumes, *claims], "securityContext": context},
            self.folder / "pods" / self.uid / name, self.folder / "claims", self.runner, self.secrets,
            fields={f"metadata.annotations['{key}']": text for key, text in annotations.items()},
        )  # fmt: skip
        mounts = pod.mounts(template["container"])
        for artifact in template.get("inputs", {}).get("artifacts", []):
            self._load(artifact, given.get(artifact["name"]), inside(mounts, artifact["path"]))
        done = pod.run(template["container"])
        self.logs[name] = done.output
        if done.code == 0:
            for artifact in template.get("outputs", {}).get("artifacts", []):
                place = self._place(artifact) or self.store / self.uid / "pods" / task["name"] / artifact["name"]
                self._save(artifact, inside(mounts, artifact["path"]), place)
                if artifact["name"] != "last":
                    kept = place if item is None else place.parent
                    self.places.setdefault(task["name"], {})[artifact["name"]] = kept
                    self.kept[artifact["path"]] = place
            for parameter in template.get("outputs", {}).get("parameters", []):
                text = inside(mounts, parameter["valueFrom"]["path"]).read_text()
                self.results[f"tasks.{task['name']}.outputs.parameters.{parameter['name']}"] = text
        return done.code

    def _place(self, artifact):
        for store in ("s3", "gcs", "azure"):
            if store in artifact:
                return self.store / artifact[store].get("key", artifact[store].get("blob"))
        return None

    def _load(self, artifact, given, target):
        place = given or self._place(artifact)
        if not place.exists() and artifact.get("optional"):
            return
        for folder in reversed([target.parent, *target.parent.parents]):
            if not folder.exists():
                folder.mkdir()  # Argo's init container makes it as the pod's user
                folder.chmod(0o777)
        if place.is_file():
            with tarfile.open(place) as archive:
                archive.extractall(target.parent, filter="data")
        else:
            shutil.copytree(place, target)
        for path in [target, *target.rglob("*")]:
            path.chmod(0o777)

    def _save(self, artifact, source, place):
        assert source.exists(), f"{artifact['path']} was never written"
        place.parent.mkdir(parents=True, exist_ok=True)
        if "none" in artifact.get("archive", {"tar": {}}):
            shutil.copytree(source, place)
        else:
            with tarfile.open(place, "w:gz") as archive:
                archive.add(source, source.name)

    def datasets(self, task, name="dataset"):
        """The folder that a task has written as an artifact of some name, with the files as they are kept."""
        return self.places[task][name]


def expression(text):
    """What stands between `{{` and `}}`."""
    return text.removeprefix("{{").removesuffix("}}")


def ancestors(name, tasks):
    """The tasks that one waits for, directly or not: it may take artifacts from no other."""
    needs = {task["name"]: set(task.get("depends", "").split(" && ")) - {""} for task in tasks}
    found, todo = set(), [name]
    while todo:
        more = needs[todo.pop()] - found
        found |= more
        todo += more
    return found


def items(task, results):
    """What a task is run for: the numbers of its sequence, what another task has listed, or once."""
    if "withParam" in task:
        return json.loads(results[expression(task["withParam"])])
    sequence = task.get("withSequence")
    if sequence is None:
        return [None]
    start = int(sequence["start"])
    return range(start, start + int(sequence["count"]))


def inside(mounts, path):
    """The folder of a path in a container."""
    for mount, folder in mounts.items():
        if path == mount or path.startswith(f"{mount}/"):
            return folder / path[len(mount) :].lstrip("/")
    raise AssertionError(f"{path} is on no volume")
