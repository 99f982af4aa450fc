"""The table of policies on `docs/organisation.md`: what each takes in the example pack, with its lines counted."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

_PACK = Path(__file__).resolve().parents[1] / "docs" / "examples" / "organisation-pack"
_TAG = re.compile(r"{%-?\s*(end)?(block|if|for|filter|macro|call)\b")
_DEFAULTS = "wurzel-pack.yaml#pipeline.targets."

POLICIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "labels with a value of the project",
        "a variable, and a block on each target",
        (
            "wurzel-pack.yaml#variables.owner",
            "acme/_labels.yaml.j2",
            "argo/workflow.yaml.j2#block labels",
            "argo/_schedule.yaml.j2#block workflow_labels",
            "argo/_pod.yaml.j2#block pod_labels",
            "cronjob/cronjob.yaml.j2#block labels",
            "cronjob/_pod.yaml.j2#block pod_labels",
            "gitlab/_job.yml.j2#block job_variables",
            "github/_job.yml.j2#block job_env",
            "airflow/_pod.py.j2#block labels",
            "dvc/dvc.yaml.j2#block meta",
        ),
    ),
    (
        "proxy, annotations of a mesh",
        "defaults `env`, `annotations`",
        ("wurzel-pack.yaml#pipeline.env", "wurzel-pack.yaml#pipeline.annotations"),
    ),
    (
        "nodes for GPUs, classes of nodes",
        "a variable, blocks for selectors, tolerations, tags and runners; default `gpu_tags`",
        (
            "wurzel-pack.yaml#variables.node_class",
            "acme/_node_class.yaml.j2",
            "argo/_step.yaml.j2#block step_node_selector",
            "argo/_step.yaml.j2#block step_tolerations",
            "cronjob/_pod.yaml.j2#block node_selector",
            "cronjob/_pod.yaml.j2#block tolerations",
            "airflow/dag.py.j2#block imports",
            "airflow/_pod.py.j2#block node_selector",
            "airflow/_pod.py.j2#block tolerations",
            "gitlab/_job.yml.j2#block job_tags",
            "github/_job.yml.j2#block runs_on",
            f"{_DEFAULTS}gitlab.gpu_tags",
        ),
    ),
    (
        "private registry, pull secrets",
        "a filter in the blocks for images; default `image_pull_secrets`",
        (
            "filters.py#def from_acme",
            "argo/_step.yaml.j2#block image",
            "argo/_on_exit.yaml.j2#block on_exit_image",
            "cronjob/_container.yaml.j2#block image",
            "gitlab/gitlab-ci.yml.j2#block image",
            "gitlab/_job.yml.j2#block job_image",
            "github/_job.yml.j2#block container",
            "airflow/_pod.py.j2#block image",
            f"{_DEFAULTS}argo.image_pull_secrets",
            f"{_DEFAULTS}cronjob.image_pull_secrets",
            f"{_DEFAULTS}airflow.kubernetes",
        ),
    ),
    (
        "Vault, ExternalSecret beside the manifest",
        "blocks for annotations; `files:`; default `vault`",
        (
            "argo/_step.yaml.j2#block step_annotations",
            "cronjob/_pod.yaml.j2#block pod_annotations",
            "airflow/_pod.py.j2#block annotations",
            "acme/secrets.yaml.j2",
            "wurzel-pack.yaml#files.1",
            "wurzel-pack.yaml#files.2",
            f"{_DEFAULTS}gitlab.vault",
        ),
    ),
    (
        "GitHub: set-up action, labels, permissions",
        "block `before_step`; defaults `runs_on`, `permissions`",
        ("github/_steps.yml.j2#block before_step", f"{_DEFAULTS}github.runs_on", f"{_DEFAULTS}github.permissions"),
    ),
    (
        "GitLab: include, rules, id_tokens",
        "block `bottom`; defaults `rules`, `id_tokens`",
        ("gitlab/gitlab-ci.yml.j2#block bottom", f"{_DEFAULTS}gitlab.rules", f"{_DEFAULTS}gitlab.id_tokens"),
    ),
    (
        "Argo: central exit hook, log archive, repository, semaphore",
        "block `spec_bottom`; defaults `archive_logs`, `artifacts`, `synchronization`",
        (
            "argo/workflow.yaml.j2#block spec_bottom",
            f"{_DEFAULTS}argo.archive_logs",
            f"{_DEFAULTS}argo.artifacts",
            f"{_DEFAULTS}argo.synchronization",
        ),
    ),
    (
        "Airflow: owner, callbacks, pool, tags, access",
        "defaults `owner`, `on_failure`, `pool`, `tags`; blocks `tags`, `default_args`",
        (
            f"{_DEFAULTS}airflow.owner",
            f"{_DEFAULTS}airflow.pool",
            f"{_DEFAULTS}airflow.tags",
            f"{_DEFAULTS}airflow.on_failure",
            "alerts.py#def notify",
            "airflow/dag.py.j2#block tags",
            "airflow/_default_args.py.j2#block default_args",
        ),
    ),
    (
        "CronJob: security, disruption budget, network policy, kustomize component",
        "defaults `security`, `companions`, `layout`; `files:`; block `bottom` of the kustomization",
        (
            f"{_DEFAULTS}cronjob.security",
            f"{_DEFAULTS}cronjob.companions",
            f"{_DEFAULTS}cronjob.manifests",
            "acme/budget.yaml.j2",
            "wurzel-pack.yaml#files.0",
            "cronjob/kustomization.yaml.j2#block bottom",
        ),
    ),
    (
        "DVC: frozen, meta, desc, remote",
        "a variable; blocks `stage_bottom`, `meta`, `desc`; `files:` for `.dvc/config`",
        (
            "wurzel-pack.yaml#variables.frozen",
            "dvc/dvc.yaml.j2#block stage_bottom",
            "dvc/dvc.yaml.j2#block meta",
            "dvc/dvc.yaml.j2#block desc",
            "acme/dvc.ini.j2",
            "wurzel-pack.yaml#files.3",
        ),
    ),
    (
        "local: prologue, epilogue",
        "blocks `before`, `after`",
        ("local/run.sh.j2#block before", "local/run.sh.j2#block after"),
    ),
    (
        "at most 8 cpu, no floating tags",
        "`policies.j2`: what is asked for, and what files say; filters that find it",
        (
            "policies.j2#for step in pipeline.steps",
            "policies.j2#for file in files if not said.already",
            *(
                f"filters.py#def {name}"
                for name in ("is_floating", "named", "images", "_image", "_entries", "_of_document")
            ),
        ),
    ),
    ("a filter", "`filters:` and a typed function", ("wurzel-pack.yaml#filters", "filters.py#def vault_path")),
    ("the pack's version in every file", "nothing: the header has it", ()),
    ("three layers", "`templates: [wurzel-templates, docs, acme]`, `{{ super() }}`", ("../README.md#templates:",)),
    ("renamed blocks, macros and files", "`renames:`", ("wurzel-pack.yaml#renames",)),
    ("a pinned pack, and drift that names it", '`templates: ["acme>=1,<2"]`', ("../README.md#templates:",)),
    ("tests of the pack", "`check_pack`", ("../tests/test_pack.py#def test_pack",)),
    (
        "production only",
        "`environments:`; `environment` in a policy or template",
        (
            "wurzel-pack.yaml#environments",
            'policies.j2#if environment == "prod"',
            "filters.py#def unarchived",
            "filters.py#def _mappings",
        ),
    ),
    (
        "only steps with secrets",
        "`{% for step in template.steps if step.secrets %}`",
        ("argo/_step.yaml.j2#for step in template.steps if step.secrets",),
    ),
    (
        "nested lists in blocks",
        "lines of a block for a list or mapping start at the first column",
        ("argo/_step.yaml.j2#block sidecars", "cronjob/_pod.yaml.j2#block init_containers"),
    ),
    ("`argo-prod`", "a named target in the pack", (f"{_DEFAULTS}argo-prod",)),
    (
        "computed values",
        "`{% set %}`, `namespace()`, a filter",
        ("acme/secrets.yaml.j2#for step in pipeline.steps",),
    ),
)
"""What each policy is, how it is written, and the pieces of the pack that it takes."""


def table() -> str:
    """The table, in Markdown.

    Raises:
        ValueError: when the pack lacks a piece.
    """
    rows = ["| | policy | how | lines |", "|---|---|---|---|"]
    for number, (what, how, pieces) in enumerate(POLICIES, 1):
        rows.append(f"| {number} | {what} | {how} | {sum(map(lines, pieces))} |")
    return "\n".join(rows)


def lines(piece: str) -> int:
    """How many lines a piece of the pack has, without blank ones and comments: `FILE`, or `FILE#WHERE`.

    `WHERE` is a path in YAML, the start of a tag in a template, or what a line starts with elsewhere.
    """
    name, _, where = piece.partition("#")
    found = (_PACK / "acme_wurzel" / name).read_text(encoding="utf-8").splitlines()
    if where:
        cut = _of_yaml if name.endswith(".yaml") else _of_template if name.endswith(".j2") else _of_text
        found = cut(found, where)
    if not found:
        raise ValueError(f"the example pack has no {piece}")
    return sum(1 for line in found if line.strip() and not line.lstrip().startswith(("#", "{#", '"""')))


def _of_yaml(text: list[str], path: str) -> list[str]:
    node = yaml.compose("\n".join(text))
    start = 0
    for key in path.split("."):
        if isinstance(node, yaml.SequenceNode):
            node = node.value[int(key)]
            start = node.start_mark.line
            continue
        name, node = next(((name, child) for name, child in node.value if name.value == key), (None, None))
        if node is None:
            return []
        start = name.start_mark.line
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style  # which ends where the next line begins
    return text[start : node.end_mark.line + (0 if is_block else 1)]


def _of_template(text: list[str], tag: str) -> list[str]:
    start = next((number for number, line in enumerate(text) if line.strip().startswith(f"{{% {tag}")), None)
    depth = 0
    for number in range(start, len(text)) if start is not None else ():
        for match in _TAG.finditer(text[number]):
            depth += -1 if match.group(1) else 1
        if depth == 0:
            return text[start : number + 1]
    return []


def _of_text(text: list[str], beginning: str) -> list[str]:
    start = next((number for number, line in enumerate(text) if line.startswith(beginning)), None)
    if start is None:
        return []
    rest = text[start + 1 :] if beginning.startswith("def ") else []
    end = next((number for number, line in enumerate(rest) if line and not line[0].isspace()), len(rest))
    return [text[start], *rest[:end]]
