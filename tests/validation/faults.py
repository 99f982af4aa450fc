"""Manifests that are sound, and one fault after another put into them.

A fault is a name, a part of the message it must be refused with, and what to do at which path: `put` a value, `add` an
item to a list, or `DROP` it.
"""

import copy
import re
from typing import Any, NamedTuple

import yaml

CRONJOB = """
apiVersion: batch/v1
kind: CronJob
metadata:
  name: rag
  namespace: ml
  labels: {app.kubernetes.io/name: rag}
spec:
  schedule: "0 4 * * *"
  timeZone: Europe/Berlin
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  jobTemplate:
    spec:
      backoffLimit: 1
      activeDeadlineSeconds: 3600
      ttlSecondsAfterFinished: 600
      podFailurePolicy:
        rules:
          - {action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}
          - {action: FailJob, onExitCodes: {operator: In, values: [2]}}
      template:
        metadata:
          labels: {app.kubernetes.io/name: rag}
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
          containers:
            - name: words
              image: acme/words:1.0
              command: [wurzel]
              args: [step, "steps:Words", -o, /wurzel/data/words]
              env:
                - {name: A, value: "1"}
                - {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}
              resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}
              securityContext:
                {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
              volumeMounts: [{name: data, mountPath: /wurzel}]
          volumes: [{name: data, emptyDir: {}}]
"""

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: rag-
spec:
  entrypoint: rag
  onExit: bye
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  podGC: {strategy: OnWorkflowSuccess}
  parallelism: 2
  arguments:
    parameters: [{name: SIZE, value: "64"}]
  volumes: [{name: data, emptyDir: {}}]
  templateDefaults:
    container:
      env: [{name: RUN, value: "{{workflow.uid}}"}]
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /wurzel}]
  templates:
    - name: rag
      dag:
        tasks:
          - {name: words, template: words}
          - name: upper
            template: upper
            depends: words
            arguments:
              artifacts: [{name: words, from: "{{tasks.words.outputs.artifacts.dataset}}"}]
          - name: loud
            template: loud
            depends: words
            withSequence: {start: "1", count: "3"}
            arguments: {parameters: [{name: shard, value: "{{item}}"}]}
          - {name: last, template: words, depends: upper && loud}
    - name: words
      retryStrategy: {limit: "2", retryPolicy: Always, backoff: {duration: 30s, factor: "2", cap: 10m}}
      activeDeadlineSeconds: 3600
      outputs:
        artifacts:
          - name: dataset
            path: /wurzel/data/words
            archive: {none: {}}
            s3: {endpoint: "minio:9000", bucket: acme-data, key: "{{workflow.uid}}/words"}
      container:
        image: acme/words:1.0
        command: [wurzel]
        args: [step, "steps:Words"]
        env:
          - {name: A, value: "{{workflow.parameters.SIZE}}"}
          - {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}
        resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}
    - name: upper
      inputs:
        artifacts: [{name: words, path: /wurzel/data/words}]
      container: {image: "acme/words:1.0", command: [wurzel]}
    - name: loud
      inputs: {parameters: [{name: shard}]}
      container: {image: "acme/words:1.0", command: [wurzel], args: ["{{inputs.parameters.shard}}/3"]}
    - name: bye
      container:
        image: acme/words:1.0
        command: [echo, "{{workflow.status}}", "{{workflow.failures}}"]
"""

CRON_WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: rag}
spec:
  schedules: ["0 4 * * *"]
  timezone: Europe/Berlin
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  workflowSpec:
    entrypoint: words
    securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
    templates:
      - name: words
        container:
          image: acme/words:1.0
          command: [wurzel]
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""

BASES = {"CronJob": CRONJOB, "Workflow": WORKFLOW, "CronWorkflow": CRON_WORKFLOW}


class Fault(NamedTuple):
    kind: str
    name: str
    says: str
    change: dict[str, Any]

    def manifest(self) -> dict[str, Any]:
        """The sound manifest with this fault in it."""
        found = yaml.safe_load(BASES[self.kind])
        for path, (what, value) in self.change.items():
            _apply(found, path, what, copy.deepcopy(value))
        return found

    def text(self) -> str:
        return yaml.safe_dump(self.manifest(), sort_keys=False)


def _apply(root, path, what, value):
    keys = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    for key in keys[:-1]:
        root = root.setdefault(key, {}) if isinstance(root, dict) else root[key]
    last = keys[-1]
    if what == "put":
        root[last] = value
    elif what == "drop":
        del root[last]
    elif what == "copy":
        root[last].append(copy.deepcopy(root[last][value]))
    else:
        root[last].append(value)


def put(value):
    return ("put", value)


def add(value):
    return ("add", value)


DROP = ("drop", None)
POD = "spec.jobTemplate.spec.template.spec"
BOX = f"{POD}.containers[0]"
TASKS = "spec.templates[0].dag.tasks"
WORDS = "spec.templates[1]"
DEFAULTS = "spec.templateDefaults.container"
MOUNTS = f"{DEFAULTS}.volumeMounts"
UPPER = "spec.templates[2]"


def fault(kind, name, says, *changes):
    return Fault(kind, name, says, dict(changes))


CRONJOBS = [
    fault("CronJob", *row)
    for row in [
        ("cron with Sunday as 7", "Sunday is 0", ("spec.schedule", put("0 4 * * 7"))),
        ("cron with six fields", "has 6 fields", ("spec.schedule", put("0 0 4 * * *"))),
        ("cron that runs backwards", "ends before it starts", ("spec.schedule", put("0 4 * * 5-1"))),
        ("cron with L", "day of month 'L'", ("spec.schedule", put("0 4 L * *"))),
        ("cron at reboot", "is not known", ("spec.schedule", put("@reboot"))),
        ("zone in the schedule", "contains a time zone", ("spec.schedule", put("TZ=Europe/Berlin 0 4 * * *"))),
        ("unknown zone", "is not an IANA time zone", ("spec.timeZone", put("Europe/Bonn"))),
        ("no zone", "no time zone", ("spec.timeZone", DROP)),
        ("unknown concurrency policy", "'Never' is not known", ("spec.concurrencyPolicy", put("Never"))),
        ("deadline nobody keeps", "may never start", ("spec.startingDeadlineSeconds", put(5))),
        ("long name", "at most 52", ("metadata.name", put("x" * 53))),
        ("upper-case name", "is not a Kubernetes name", ("metadata.name", put("Rag"))),
        ("bad label value", "is not a label value", ("metadata.labels", put({"a": "x y"}))),
        ("long label value", "is not a label value", ("metadata.labels", put({"a": "x" * 64}))),
        ("bad label key", "is not a label key", ("metadata.labels", put({"a b": "x"}))),
        ("label that is a number", "is not text", (f"{POD}.nodeSelector", put({"size": 1}))),
        ("restart policy of a server", "is not for Jobs", (f"{POD}.restartPolicy", put("Always"))),
        ("no restart policy", "is not for Jobs", (f"{POD}.restartPolicy", DROP)),
        ("failure policy that cannot be", "needs restartPolicy: Never", (f"{POD}.restartPolicy", put("OnFailure"))),
        (
            "failure policy for success",
            "is not a failure",
            ("spec.jobTemplate.spec.podFailurePolicy.rules[1].onExitCodes.values", put([0, 2])),
        ),
        (
            "failure policy without a status",
            "is not a status",
            ("spec.jobTemplate.spec.podFailurePolicy.rules[0].onPodConditions", put([{"type": "DisruptionTarget"}])),
        ),
        ("no image", "has no image", (f"{BOX}.image", DROP)),
        ("no container", "needs a container", (f"{POD}.containers", put([]))),
        ("container named in upper case", "is not the name of a container", (f"{BOX}.name", put("Words"))),
        ("two containers of one name", "is the name of another container", (f"{POD}.containers", ("copy", 0))),
        ("bad quantity", "is not a quantity", (f"{BOX}.resources.requests.memory", put("1GB"))),
        ("request above limit", "more than the limit", (f"{BOX}.resources.requests.memory", put("2Gi"))),
        ("gpu without a limit", "needs a limit", (f"{BOX}.resources.requests", put({"nvidia.com/gpu": "1"}))),
        ("unknown resource", "is not a resource", (f"{BOX}.resources.requests", put({"gpu": "1"}))),
        ("mount of no volume", "is not a volume of this pod", (f"{BOX}.volumeMounts[0].name", put("dta"))),
        ("mount twice", "is mounted twice", (f"{BOX}.volumeMounts", ("copy", 0))),
        ("relative mount", "is not an absolute path", (f"{BOX}.volumeMounts[0].mountPath", put("wurzel"))),
        ("volume twice", "is the name of another volume", (f"{POD}.volumes", ("copy", 0))),
        ("volume of two kinds", "has 2 sources", (f"{POD}.volumes[0].configMap", put({"name": "x"}))),
        ("bad variable", "is not the name of an environment", (f"{BOX}.env[0].name", put("1 A"))),
        ("variable twice", "is set twice", (f"{BOX}.env", add({"name": "A", "value": "2"}))),
        ("variable that is a number", "is not text", (f"{BOX}.env[0].value", put(1))),
        (
            "variable with two values",
            "has both value and valueFrom",
            (f"{BOX}.env[0].valueFrom", put({"secretKeyRef": {"name": "s", "key": "k"}})),
        ),
        ("privileged", "forbids it", (f"{BOX}.securityContext.privileged", put(True))),
        ("escalation", "requires false", (f"{BOX}.securityContext.allowPrivilegeEscalation", DROP)),
        ("capabilities", "requires drop: [ALL]", (f"{BOX}.securityContext.capabilities", DROP)),
        ("root", "forbids root", (f"{POD}.securityContext.runAsUser", put(0))),
        ("maybe root", "runAsNonRoot", (f"{POD}.securityContext.runAsNonRoot", DROP)),
        ("no seccomp profile", "RuntimeDefault", (f"{POD}.securityContext.seccompProfile", DROP)),
        ("folder of the node", "forbids volumes", (f"{POD}.volumes", add({"name": "h", "hostPath": {"path": "/"}}))),
        ("network of the node", "forbids it", (f"{POD}.hostNetwork", put(True))),
        (
            "toleration with seconds for ever",
            "needs effect: NoExecute",
            (f"{POD}.tolerations", put([{"key": "a", "operator": "Exists", "tolerationSeconds": 5}])),
        ),
        ("toleration without a key", "has no key", (f"{POD}.tolerations", put([{"value": "x"}]))),
        ("deadline of nothing", "1 or more", ("spec.jobTemplate.spec.activeDeadlineSeconds", put(0))),
        ("negative tries", "0 or more", ("spec.jobTemplate.spec.backoffLimit", put(-1))),
        ("wrong version", "must be batch/v1", ("apiVersion", put("batch/v1beta1"))),
        ("unknown field", "backofLimit", ("spec.jobTemplate.spec.backofLimit", put(1))),
        ("word for a number", "'two'", ("spec.jobTemplate.spec.backoffLimit", put("two"))),
        ("unknown pull policy", "is not known", (f"{BOX}.imagePullPolicy", put("Sometimes"))),
        ("argument that is a number", "is not text", (f"{BOX}.args", put(["-j", 2]))),
    ]
]

WORKFLOWS = [
    fault("Workflow", *row)
    for row in [
        ("no entrypoint", "no template is named", ("spec.entrypoint", DROP)),
        ("entrypoint that is not there", "no template is named 'rog'", ("spec.entrypoint", put("rog"))),
        ("exit handler that is not there", "no template is named 'by'", ("spec.onExit", put("by"))),
        ("two templates of one name", "name of another template", ("spec.templates", ("copy", 1))),
        (
            "template in upper case",
            "is not the name of a template",
            (f"{UPPER}.name", put("Upper")),
            (f"{TASKS}[1].template", put("Upper")),
        ),
        (
            "long template name",
            "at most 128",
            (f"{UPPER}.name", put("x" * 129)),
            (f"{TASKS}[1].template", put("x" * 129)),
        ),
        ("template of no kind", "has 0 types", (f"{UPPER}.container", DROP)),
        ("template of two kinds", "has 2 types", (f"{UPPER}.script", put({"image": "a", "source": "b"}))),
        ("task of no template", "no template is named 'uper'", (f"{TASKS}[1].template", put("uper"))),
        ("two tasks of one name", "name of another task", (f"{TASKS}", add({"name": "words", "template": "words"}))),
        ("task that starts with a digit", "is not the name of a task", (f"{TASKS}[3].name", put("1st"))),
        ("task with a dot", "is not the name of a task", (f"{TASKS}[3].name", put("a.b"))),
        ("dependency that is not there", "no task is named 'word'", (f"{TASKS}[1].depends", put("word"))),
        ("condition that is none", "is not a valid condition", (f"{TASKS}[3].depends", put("upper && || loud"))),
        ("unknown status", "is not a task status", (f"{TASKS}[3].depends", put("upper.Done"))),
        ("status of items without items", "for tasks with items", (f"{TASKS}[3].depends", put("upper.AllFailed"))),
        ("circle", "form a cycle", (f"{TASKS}[0].depends", put("last"))),
        (
            "depends and dependencies",
            "are mutually exclusive within one DAG",
            (f"{TASKS}[3].depends", DROP),
            (f"{TASKS}[3].dependencies", put(["upper"])),
        ),
        (
            "artifact of a stranger",
            "does not depend on",
            (f"{TASKS}[1].depends", put("loud")),
            (f"{TASKS}[2].depends", DROP),
        ),
        (
            "artifact that is not there",
            "has no such output",
            (f"{TASKS}[1].arguments.artifacts[0].from", put("{{tasks.words.outputs.artifacts.data}}")),
        ),
        ("artifact nobody gives", "needs the artifact 'words'", (f"{TASKS}[1].arguments", DROP)),
        (
            "artifact of a loop",
            "has no such output",
            ("spec.templates[3].outputs", put({"artifacts": [{"name": "x", "path": "/x"}]})),
            (
                f"{TASKS}[3].arguments",
                put({"artifacts": [{"name": "x", "from": "{{tasks.loud.outputs.artifacts.x}}"}]}),
            ),
            (f"{WORDS}.inputs", put({"artifacts": [{"name": "x", "path": "/x", "optional": True}]})),
        ),
        ("parameter nobody gives", "needs the parameter 'shard'", (f"{TASKS}[2].arguments", DROP)),
        (
            "parameter that is not there",
            "does not exist here",
            (f"{WORDS}.container.env[0].value", put("{{workflow.parameters.SIZ}}")),
        ),
        (
            "input that is not there",
            "does not exist here",
            (f"{UPPER}.container.args", put(["{{inputs.parameters.x}}"])),
        ),
        ("expression of no meaning", "cannot pass it on as text", (f"{UPPER}.container.args", put(["{{ x }}"]))),
        (
            "failures before the end",
            "only in the exit handler",
            (f"{UPPER}.container.args", put(["{{workflow.failures}}"])),
        ),
        ("item without items", "does not exist here", (f"{TASKS}[2].withSequence", DROP)),
        ("two loops", "only one of", (f"{TASKS}[2].withItems", put([1]))),
        ("count and end", "both count and end", (f"{TASKS}[2].withSequence.end", put("3"))),
        (
            "artifact name with a dot",
            "is not a name for artifacts",
            (f"{WORDS}.outputs.artifacts", add({"name": "a.b", "path": "/wurzel/x"})),
        ),
        ("two artifacts of one name", "name of another one", (f"{WORDS}.outputs.artifacts", ("copy", 0))),
        (
            "artifact with a relative path",
            "is not an absolute path",
            (f"{WORDS}.outputs.artifacts[0].path", put("data")),
        ),
        ("artifact without a path", "is not an absolute path", (f"{WORDS}.outputs.artifacts[0].path", DROP)),
        (
            "artifact in two places",
            "has 2 locations",
            (f"{WORDS}.outputs.artifacts[0].gcs", put({"bucket": "b", "key": "k"})),
        ),
        ("s3 without a bucket", "has no bucket", (f"{WORDS}.outputs.artifacts[0].s3.bucket", DROP)),
        ("s3 without a key", "has no key", (f"{WORDS}.outputs.artifacts[0].s3.key", DROP)),
        ("artifact on a mount", "is where a volume is mounted", (f"{UPPER}.inputs.artifacts[0].path", put("/wurzel"))),
        (
            "from in inputs",
            "is for arguments",
            (f"{UPPER}.inputs.artifacts[0].from", put("{{tasks.words.outputs.artifacts.dataset}}")),
        ),
        (
            "path in a dag",
            "run a pod only",
            ("spec.templates[0].inputs", put({"artifacts": [{"name": "x", "path": "/x", "optional": True}]})),
        ),
        ("no image", "has no image", (f"{UPPER}.container.image", DROP)),
        ("no command", "there is none", (f"{UPPER}.container.command", DROP)),
        (
            "mount of no volume",
            "is not a volume",
            (f"{UPPER}.container.volumeMounts", put([{"name": "x", "mountPath": "/x"}])),
        ),
        ("default mount of no volume", "is not a volume of this workflow", ("spec.volumes", DROP)),
        ("variable twice", "is set twice", (f"{WORDS}.container.env", add({"name": "A", "value": "2"}))),
        ("variable of two kinds", "Argo keeps both", (f"{WORDS}.container.env[1].name", put("RUN"))),
        ("request above limit", "more than the limit", (f"{WORDS}.container.resources.requests.memory", put("2Gi"))),
        (
            "gpu without a limit",
            "needs a limit",
            (f"{WORDS}.container.resources.requests", put({"nvidia.com/gpu": "1"})),
        ),
        ("bad quantity", "is not a quantity", (f"{WORDS}.container.resources.limits.memory", put("1 Gi"))),
        ("parameter that is a number", "the API server refuses it", ("spec.arguments.parameters[0].value", put(64))),
        (
            "parameter with a dot",
            "is not the name of a parameter",
            ("spec.arguments.parameters", add({"name": "a.b", "value": "x"})),
        ),
        ("two parameters of one name", "name of another parameter", ("spec.arguments.parameters", ("copy", 0))),
        ("parameter beside its choices", "is not one of", ("spec.arguments.parameters[0].enum", put(["32"]))),
        ("upper-case name", "is not a Kubernetes name", ("metadata", put({"name": "Rag"}))),
        ("long name", "at most 63", ("metadata", put({"name": "x" * 64}))),
        ("parallelism of a pod", "for dag and steps templates only", (f"{WORDS}.parallelism", put(2))),
        ("parallelism of none", "1 or more", ("spec.parallelism", put(0))),
        ("deadline of a dag", "run a pod only", ("spec.templates[0].activeDeadlineSeconds", put(5))),
        ("timeout of a dag", "run a pod only", ("spec.templates[0].timeout", put("5m"))),
        ("timeout without a unit", "is not a duration", (f"{WORDS}.timeout", put("60"))),
        ("deadline of nothing", "1 or more", (f"{WORDS}.activeDeadlineSeconds", put(-5))),
        ("unknown retry policy", "'Often' is not known", (f"{WORDS}.retryStrategy.retryPolicy", put("Often"))),
        ("fraction of a factor", "takes no fractions", (f"{WORDS}.retryStrategy.backoff.factor", put("1.5"))),
        ("days in a duration", "as Go writes it", (f"{WORDS}.retryStrategy.backoff.cap", put("2d"))),
        ("unknown way to remove pods", "is not known", ("spec.podGC.strategy", put("Always"))),
        ("mutex of old", "removed in Argo 4.0", ("spec.synchronization", put({"mutex": {"name": "x"}}))),
        ("priority of old", "removed in Argo 4.0", ("spec.podPriority", put(5))),
        ("unknown field", "templats", ("spec.templats", put([]))),
        ("unknown field of a container", "imagePullPolice", (f"{UPPER}.container.imagePullPolice", put("Always"))),
        ("unknown field of an artifact", "buckets", (f"{WORDS}.outputs.artifacts[0].s3.buckets", put("x"))),
        ("list for a mapping", "templates", ("spec.templates", put({"name": "x"}))),
        ("root", "forbids root", ("spec.securityContext.runAsUser", put(0))),
        (
            "escalation",
            "requires false",
            ("spec.templateDefaults.container.securityContext.allowPrivilegeEscalation", put(True)),
        ),
        ("mount of all that leads out", "leads out", (f"{MOUNTS}[0].subPath", put("../x"))),
        ("variable of all set twice", "set twice", (f"{DEFAULTS}.env", add({"name": "RUN", "value": "x"}))),
        (
            "output of a dag that no task gives",
            "does not exist here",
            ("spec.templates[0].outputs", put({"artifacts": [{"name": "all", "from": "{{tasks.words.outputs.x}}"}]})),
        ),
        (
            "201 tasks",
            "at most 200 in one template",
            (TASKS, put([{"name": f"t{number}", "template": "words"} for number in range(201)])),
        ),
        (
            "201 templates",
            "at most 200 in one object",
            (
                "spec.templates",
                put(
                    [
                        {
                            "name": "rag" if not number else "bye" if number == 1 else f"t{number}",
                            "container": {"image": "a/b:1", "command": ["x"]},
                        }
                        for number in range(201)
                    ]
                ),
            ),
        ),
        (
            "501 parameters",
            "at most 500",
            (
                "spec.arguments.parameters",
                put([{"name": f"p{number}" if number else "SIZE", "value": "x"} for number in range(501)]),
            ),
        ),
    ]
]

CRON_WORKFLOWS = [
    fault("CronWorkflow", *row)
    for row in [
        ("bad cron", "Sunday is 0", ("spec.schedules", put(["0 4 * * 7"]))),
        ("bad cron beside a good one", "has 6 fields", ("spec.schedules", add("0 0 4 * * *"))),
        ("no schedule", "is missing or empty", ("spec.schedules", put([]))),
        ("schedule of old", "removed in Argo 4.0", ("spec.schedules", DROP), ("spec.schedule", put("0 4 * * *"))),
        ("unknown zone", "is not an IANA time zone", ("spec.timezone", put("Berlin"))),
        ("no zone", "no time zone", ("spec.timezone", DROP)),
        ("unknown concurrency policy", "is not known", ("spec.concurrencyPolicy", put("forbid"))),
        ("deadline nobody keeps", "may never start", ("spec.startingDeadlineSeconds", put(0))),
        ("long name", "at most 52", ("metadata.name", put("x" * 53))),
        (
            "template that is not there",
            "no WorkflowTemplate 'x'",
            ("spec.workflowSpec", put({"workflowTemplateRef": {"name": "x"}})),
        ),
        ("no templates", "no template is named", ("spec.workflowSpec.templates", DROP)),
        ("unknown field", "timeZone", ("spec.timeZone", put("Europe/Berlin"))),
    ]
]

FAULTS = [*CRONJOBS, *WORKFLOWS, *CRON_WORKFLOWS]
