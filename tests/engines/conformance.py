"""Runs rendered manifests on a real cluster and compares their datasets with those of `wurzel run`.

    make conformance KUBECONFIG=~/.kube/config IMAGE=registry.example/wurzel-conformance:1

It never makes a cluster. It works in a namespace of its own that enforces the "restricted" Pod Security Standard, and
removes it at the end. Needed: kubectl, a default storage class, and an image of the folder that `--context DIR` writes,
where the cluster can get it (`kind load docker-image …`, `k3s ctr images import …`, a registry). A Workflow is run as
well when Argo's CRDs are there; its controller must watch the namespace.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.engines.datasets import DATA_DIRS, example, pipeline_name, wurzel, wurzel_run

NAMESPACE = "wurzel-conformance"
EXAMPLES = ("diamond", "hostile", "sharded")
SECONDS = 300
DOCKERFILE = """FROM python:3.12-slim
COPY wurzel /src
RUN pip install --no-cache-dir /src
COPY examples /app
WORKDIR /app
"""


def main():
    options = parse()
    if options.context:
        write_context(Path(options.context))
        return 0
    cluster = Cluster(options.image)
    if not os.environ.get("KUBECONFIG"):
        print("conformance: no cluster is named; give one: make conformance KUBECONFIG=… IMAGE=…")
        return 0
    if not cluster.reachable():
        print("conformance: the cluster of KUBECONFIG cannot be reached, or kubectl is not on the path")
        return 1
    if not options.image:
        print("conformance: give the image that holds the examples, IMAGE=…; --context DIR writes what to build it of")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        failures = cluster.check(Path(folder))
    print("conformance: " + (f"{len(failures)} failed: {', '.join(failures)}" if failures else "all passed"))
    return 1 if failures else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image", default=os.environ.get("IMAGE", ""), help="image that holds wurzel and the examples")
    parser.add_argument("--context", metavar="DIR", help="write a folder to build that image of, and stop")
    return parser.parse_args()


def write_context(folder):
    """A folder with a Dockerfile, wurzel and the examples, each pipeline importable from the same working folder."""
    root = Path(__file__).parents[2]
    (folder / "wurzel").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, folder / "wurzel")
    for name in ("wurzel", "templates"):
        shutil.copytree(root / name, folder / "wurzel" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in EXAMPLES:
        project = example(name, folder / "examples" / name)
        (project / "wurzel.yaml").unlink(missing_ok=True)
        shutil.copytree(project, folder / "examples", dirs_exist_ok=True)
        shutil.rmtree(project)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    print(f"docker build -t wurzel-conformance:1 {folder}")


class Cluster:
    """kubectl in a namespace of our own."""

    def __init__(self, image):
        self.image = image

    def kubectl(self, *arguments, stdin=None, check=True, text=True):
        done = subprocess.run(
            ["kubectl", "--namespace", NAMESPACE, *arguments],
            input=stdin, capture_output=True, text=text, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def reachable(self):
        return shutil.which("kubectl") is not None and not self.kubectl("get", "--raw=/readyz", check=False).returncode

    def check(self, folder):
        """Names of the cases that failed."""
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        }
        self.apply(namespace)
        failures = []
        try:
            for name in EXAMPLES:
                expected = wurzel_run(example(name, folder / "expected" / name), name)
                for case, run in self.cases().items():
                    label = f"{name} {case}"
                    started = time.monotonic()
                    try:
                        found = run(example(name, folder / case / name), name)
                        said = "ok" if found == expected else "DIFFERENT DATA"
                    except (RuntimeError, AssertionError) as error:
                        said = f"FAILED: {error}"
                    print(f"{label}: {said} ({time.monotonic() - started:.0f} s)", flush=True)
                    if said != "ok":
                        failures.append(label)
        finally:
            self.kubectl("delete", "namespace", NAMESPACE, "--wait=false", check=False)
        return failures

    def cases(self):
        cases = {"single-pod": self.cronjob("single-pod"), "init-chain": self.cronjob("init-chain")}
        if self.kubectl("get", "crd", "workflows.argoproj.io", check=False).returncode == 0:
            cases["argo"] = self.workflow
        else:
            print("conformance: Argo's CRDs are not there, so no Workflow is run")
        return cases

    def apply(self, *manifests, create=False):
        """The names of the objects; unknown fields are errors, as `fieldValidation=Strict` makes them."""
        text = yaml.safe_dump_all(manifests)
        verb = "create" if create else "apply"
        return self.kubectl(verb, "--validate=strict", "-o", "name", "-f", "-", stdin=text).stdout.split()

    def rendered(self, project, name, target, sets):
        settings = [f"--set={item}" for item in [f"image={self.image}", *sets]]
        arguments = ["render", pipeline_name(project, name), "-t", target, "--stdout", *settings]
        return list(yaml.safe_load_all(wurzel(project, *arguments).stdout))

    def cronjob(self, mode):
        """Applies the CronJob, starts a job from it by hand, and reads its claim."""

        def run(project, name):
            objects = f"{name}-{mode}"
            sets = [
                'schedule={cron: "0 4 * * *"}', f"targets.cronjob.mode={mode}", f"targets.cronjob.name={objects}",
                "targets.cronjob.data={claim: {size: 100Mi}}", "targets.cronjob.image_pull_policy=IfNotPresent",
            ]  # fmt: skip
            self.apply(*self.rendered(project, name, "cronjob", sets))
            self.kubectl("create", "job", f"--from=cronjob/{objects}", objects)
            self.wait(lambda: self.job_state(objects), f"job/{objects}")
            return self.datasets(f"{objects}-data", objects, name)

        return run

    def workflow(self, project, name):
        """Submits the Workflow on a claim that its pods share."""
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": f"{name}-argo"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
        }
        self.apply(claim, ROLE, BINDING)
        sets = [
            f"targets.argo.artifacts={{volume: {{name: {name}-argo, per_run: false}}}}", f"targets.argo.name={name}",
            "targets.argo.image_pull_policy=IfNotPresent",
        ]  # fmt: skip
        (created,) = self.apply(*self.rendered(project, name, "argo", sets), create=True)
        self.wait(lambda: self.workflow_state(created), created)
        return self.datasets(f"{name}-argo", name, name)

    def job_state(self, name):
        status = yaml.safe_load(self.kubectl("get", "job", name, "-o", "yaml").stdout).get("status", {})
        kinds = {item["type"] for item in status.get("conditions", []) if item["status"] == "True"}
        return "done" if "Complete" in kinds else "failed" if "Failed" in kinds else ""

    def workflow_state(self, name):
        phase = self.kubectl("get", name, "-o", "jsonpath={.status.phase}").stdout
        return {"Succeeded": "done", "Failed": "failed", "Error": "failed"}.get(phase, "")

    def wait(self, state, what):
        deadline = time.monotonic() + SECONDS
        while (found := state()) != "done":
            if found == "failed" or time.monotonic() > deadline:
                events = self.kubectl("get", "events", "--sort-by=.lastTimestamp", check=False).stdout[-2000:]
                pods = self.kubectl("describe", "pods", check=False).stdout[-3000:]
                raise RuntimeError(f"{what} {found or 'takes too long'}\n{events}\n{pods}")
            time.sleep(1)

    def datasets(self, claim, folder, name):
        """The files on a claim, read through a pod."""
        reader = f"read-{claim}"
        container = {
            "name": "read",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sleep", "600"],
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
        spec = {"containers": [container], "securityContext": security, "volumes": [volume]}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": reader}, "spec": spec})
        self.kubectl("wait", "--for=condition=Ready", f"pod/{reader}", "--timeout=120s")
        root = f"/data/{folder}/{DATA_DIRS.get(name, 'data')}"
        done = self.kubectl("exec", reader, "--", "tar", "-C", root, "-c", ".", text=False)
        self.kubectl("delete", "pod", reader, "--wait=false", "--grace-period=1")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            files = [item for item in archive if item.isfile() and not Path(item.name).name.startswith(".")]
            return {item.name.removeprefix("./"): archive.extractfile(item).read() for item in files}


ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "workflow-executor"},
    "rules": [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "workflow-executor"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "workflow-executor"},
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
}


if __name__ == "__main__":
    sys.exit(main())
