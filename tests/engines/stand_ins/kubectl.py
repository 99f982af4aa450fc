"""A kubectl for tests: it writes down what is asked of it, and answers as if all had run well on a cluster.

Beside it are the folder `data`, which is on each claim, and perhaps `image`, a file that names an image that no pod
gets, or `endless`, by which no job ends.
"""

import base64
import io
import json
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
WORDS = sys.argv[5:]  # without --kubeconfig FILE --namespace NAME
NODE = {"kubeletVersion": "v1.36", "containerRuntimeVersion": "containerd://1"}
MAIN, INIT = {"name": "main", "image": "acme/words:1"}, {"name": "init", "image": "argoexec:v4"}
GONE = (HERE / "image").read_text() if (HERE / "image").exists() else ""
WAITING = [{"image": GONE, "state": {"waiting": {"reason": "ImagePullBackOff"}}}] if GONE else []
DONE = [] if GONE or (HERE / "endless").exists() else [{"type": "Complete", "status": "True"}]
POD = {"spec": {"containers": [MAIN], "initContainers": [INIT]}, "status": {"containerStatuses": WAITING}}
ANSWERS = {
    "version": {"serverVersion": {"gitVersion": "v1.36"}},
    "get nodes": {"items": [{"status": {"nodeInfo": NODE}}]},
    "get pods": {"items": [POD]},
    "get job": {"status": {"conditions": DONE}, "spec": {"template": {"spec": POD["spec"]}}},
}


def created(text):
    """The name of the last object that has one."""
    kind = "CronJob" if "kind: CronJob" in text else "Workflow" if "kind: Workflow" in text else ""
    if not kind:
        return ""
    name = text.rpartition(f"kind: {kind}")[2].partition("ame: ")[2].split()[0]
    return f"cronjob.batch/{name}" if kind == "CronJob" else f"workflow.argoproj.io/{name}"


def packed(path):
    """The data below a path of a claim."""
    with io.BytesIO() as made:
        with tarfile.open(fileobj=made, mode="w") as archive:
            archive.add(HERE / "data", "." if path.endswith("/data") else "data")
        return base64.encodebytes(made.getvalue()).decode()


def answer():
    question = " ".join(WORDS)
    for start, found in ANSWERS.items():
        if question.startswith(start):
            return json.dumps(found)
    if WORDS[0] == "exec":
        return packed(WORDS[-1])
    if WORDS[-1] == "jsonpath={.status.phase}":
        return "Succeeded" if WORDS[1].startswith("workflow") else ""
    sent = [Path(word.partition("=")[2]) for word in WORDS if word.startswith("--filename=")]
    return "\n".join(created(file.read_text()) for file in sent)


if __name__ == "__main__":
    with (HERE / "calls").open("a") as calls:
        print(*WORDS, file=calls)
    print(answer(), end="")
