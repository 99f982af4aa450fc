"""The cluster of tests: that of `make cluster`, or given by KUBECONFIG and IMAGE; what it runs is in `wurzel.engines`.

Its namespace enforces the "restricted" Pod Security Standard. Needed: kubectl, a default storage class, and an image of
the folder that `conformance.py --context DIR` writes, where the cluster can get it. A Workflow is run where Argo's CRDs
are; its controller must watch the namespace.
"""

from contextlib import contextmanager
from dataclasses import replace

from tests.engines.cluster.image import load_image
from tests.engines.cluster.node import KUBECONFIG, SERVER
from tests.engines.drivers.argo import REMEMBERED, mount, unpack
from tests.engines.drivers.object_stores import missing, serving
from wurzel.engines import argo, cluster, cronjob

NAMESPACE = "wurzel-conformance"
SCHEDULE = 'schedule={cron: "0 4 * * *", timezone: UTC}'
WHERE = f"in a restricted namespace, {cluster.AT_ONCE} cases at a time"


class Cluster(cluster.Cluster):
    """One with an image of all cases; `kind` says what it is made of, for the page."""

    bucket = None
    """A server of S3 that pods can reach."""

    def __init__(self, image, kind="", config="", namespace=NAMESPACE):
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        super().__init__(config=config, namespace=namespace, labels=labels)
        self.image = image
        self.kind = kind

    @classmethod
    @contextmanager
    def local(cls, project, folder, namespace=NAMESPACE):
        """That of `make cluster`, with an image of the files of a project, and a bucket in a folder."""
        image = f"localhost/{namespace}:1"
        load_image(image, project)
        with cls(image, "one node, by `make cluster`", str(KUBECONFIG), namespace) as found:
            if missing("versitygw"):
                yield found
                return
            with serving("versitygw", folder, SERVER) as found.bucket:
                yield found

    @property
    def reason(self):
        """Why nothing can be run on it, or ''."""
        if not self.config:
            return "there is no cluster: `make cluster`, or `make conformance KUBECONFIG=… IMAGE=…`"
        if not self.image:
            return "no image was given: IMAGE=…; `conformance.py --context DIR` writes what to build it of"
        return self.missing

    def sets(self, target, layout):
        """Fields of all cases."""
        options = {"layout": layout, "image_pull_policy": "IfNotPresent"}
        return (f"image={self.image}", *(f"targets.{target}.{name}={value}" for name, value in options.items()))

    def described(self, version):
        return f"{version}; {self.kind}" if self.kind else version

    def submitted(self, manifest):
        """The name of the workflow of a manifest, once it is over, and how it ended."""
        (name,) = self.apply(manifest, verb="create")
        return name, self.ended(name)

    def ended(self, name):
        """The code of a workflow or job that is over, and what there is to see."""
        kind, _, short = name.partition("/")
        job = kind.startswith("job")
        selector = f"job-name={short}" if job else f"workflows.argoproj.io/workflow={short}"
        code = self.wait(lambda: self.job_state(short) if job else self.workflow_state(name), selector)
        return code, self.log(selector) if code else ""

    def pods(self, name):
        """What the controller knows of each pod of a workflow."""
        return [node for node in self.read("get", name)["status"]["nodes"].values() if node["type"] == "Pod"]


class ClusterCronJob(cronjob.ClusterCronJob):
    def __init__(self, cluster, mode):
        super().__init__(cluster, (*cluster.sets("cronjob", mode), SCHEDULE))
        self.name = f"CronJob, {mode}, cluster"
        self.how = f"applied with strict validation, started by `kubectl create job --from`, {WHERE}"

    def missing(self):
        return self.cluster.reason

    def version(self):
        return self.cluster.described(super().version())


class ClusterWorkflow(argo.ClusterWorkflow):
    """On a claim, or with a bucket for what its pods hand over."""

    def __init__(self, cluster, data="claim", layout="steps"):
        super().__init__(cluster, cluster.sets("argo", layout))
        self.data = data
        self.layout = layout
        self.name = f"Argo, {data}, {layout}, cluster"
        place = {"s3": "artifacts in versitygw, an S3 server on the node", "claim": "data on a claim"}[data]
        self.how = f"created with strict validation, run by the cluster's own controller, {WHERE}; {place}"

    def missing(self):
        if reason := self.cluster.reason or super().missing():
            return reason
        bucket = self.cluster.bucket or self.data != "s3"
        return "" if bucket else "its bucket is served on the node that `make cluster` makes"

    def version(self):
        return self.cluster.described(super().version())

    def run(self, case, folder):
        if self.data == "s3" and case.example == "flaky":
            outcome = ClusterWorkflow(self.cluster, "claim", self.layout).run(case, folder)
            return replace(outcome, note=REMEMBERED)
        return super().run(case, folder)

    def storage(self, name):
        return [self.cluster.bucket.secret] if self.data == "s3" else super().storage(name)

    def place(self, name):
        return self.cluster.bucket.artifacts if self.data == "s3" else super().place(name)

    def fetch(self, case, name, created, pods, folder):
        if self.data != "s3":
            return super().fetch(case, name, created, pods, folder)
        root = f"{mount(self.cluster.read('get', created)['spec'])}/{case.data_dir}/"
        return handed_over(self.cluster.pods(created), self.cluster.bucket.folder, root, folder)


def handed_over(pods, bucket, root, folder):
    """Put the artifacts of a workflow's pods below a folder, as they were below `root` in the pods."""
    for pod in pods:
        for artifact in pod.get("outputs", {}).get("artifacts", []):
            if artifact.get("path", "").startswith(root) and artifact["name"] != "last":
                unpack(bucket / artifact["s3"]["key"], folder / artifact["path"].removeprefix(root))
