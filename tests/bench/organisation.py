"""What templates of an organisation cost: renders and checks with templates of the project, and through two packs."""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.bench.measure import in_turn, run, wurzel
from tests.changed_settings import config

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
BLOCKS = (
    *(
        ("argo/workflow.yaml.j2", name)
        for name in ("top", "labels", "annotations", "spec_top", "spec_bottom", "bottom")
    ),
    *(("argo/_step.yaml.j2", name) for name in ("step_labels", "step_annotations", "env", "step_tolerations")),
    *(("argo/_pod.yaml.j2", name) for name in ("pod_labels", "pod_annotations", "node_selector")),
    *(("cronjob/cronjob.yaml.j2", name) for name in ("top", "labels", "annotations", "bottom")),
    *(("cronjob/_pod.yaml.j2", name) for name in ("pod_labels", "node_selector")),
    *(("dvc/dvc.yaml.j2", name) for name in ("top", "bottom")),
    *(("gitlab/gitlab-ci.yml.j2", name) for name in ("top", "bottom")),
    ("gitlab/_job.yml.j2", "job_variables"),
    *(("github/workflow.yml.j2", name) for name in ("top", "bottom")),
    *(("airflow/dag.py.j2", name) for name in ("top", "bottom")),
    *(("local/run.sh.j2", name) for name in ("top", "before")),
)
"""Thirty blocks that are overridden."""
FILES = {
    "acme/org.j2": "{% macro note(word) -%}\nseen {{ word }}\n{%- endmacro %}\n",
    "acme/_note.j2": "# written by the platform team\n",
}
BODY = """{{% block {name} %}}
{{{{ super() }}}}
{{% include "{who}/_note.j2" %}}
{{% for each in pipeline.steps if each.id != "nothing" %}}
# {{{{ org.note(each.id) }}}}
{{% endfor %}}
{{% endblock %}}
"""


class Cost(NamedTuple):
    """CPU seconds of a command with templates of an organisation and without, and the most that the ratio may be."""

    title: str
    ours: float
    plain: float
    limit: float

    @property
    def ratio(self):
        return self.ours / self.plain


def templates(folder, blocks, who="acme"):
    """Overrides with loops, macros and includes, as a folder of templates."""
    texts = {name.replace("acme", who): text for name, text in FILES.items()}
    for template, name in blocks:
        start = f'{{% extends "!{template}" %}}\n{{% import "{who}/org.j2" as org %}}\n'
        texts[template] = texts.get(template, start) + BODY.format(name=name, who=who)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def pack(site, name, blocks):
    """An installed pack with overrides."""
    templates(site / f"{name}_wurzel", blocks, name)
    (site / f"{name}_wurzel" / "__init__.py").touch()
    info = site / f"{name}_wurzel-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-wurzel\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[wurzel.templates]\n{name} = {name}_wurzel\n")


def project(work, name, layers, templates_of=None):
    """A pipeline for all targets as a project, rendered as it was before thirty settings changed."""
    folder = work / name
    folder.mkdir()
    for module in ("steps.py", "scheduled.py"):
        shutil.copy(PIPELINES / module, folder)
    if templates_of is not None:
        templates(folder / "wurzel-templates", templates_of)
    (folder / "wurzel.yaml").write_text(config(layers, after=False))
    run(wurzel("render"), folder, environment(work))
    return folder


def environment(work):
    """Where the packs are installed."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(work / "site"), os.environ.get("PYTHONPATH", "")]))}


def changed(folder):
    """The same project with thirty settings changed, not rendered since."""
    copy = folder.with_name(f"{folder.name}-changed")
    shutil.copytree(folder, copy)
    text = (copy / "wurzel.yaml").read_text()
    layers = yaml.safe_load(text)["templates"]
    (copy / "wurzel.yaml").write_text(config(layers, after=True))
    return copy


def costs(work):
    """All ratios, measured in turn."""
    pack(work / "site", "globex", BLOCKS[::2])
    pack(work / "site", "initech", BLOCKS[1::2])
    plain = project(work, "plain", [])
    own = project(work, "own", ["wurzel-templates"], BLOCKS)
    packed = project(work, "packed", ["globex", "initech"])
    check, render = wurzel("render", "--check"), wurzel("render")
    calls = [(check, folder, 0) for folder in (plain, own, packed)]
    calls += [(check, changed(folder), 1) for folder in (plain, own, packed)]
    calls += [(render, folder, 0) for folder in (plain, packed)]
    env = environment(work)
    found = in_turn([partial(run, argv, folder, env, code) for argv, folder, code in calls])
    same, of_own, of_packs, before, own_before, packs_before, rendered, packed_rendered = (cost.cpu for cost in found)
    return [
        Cost("`wurzel render --check` with 30 overrides of the project", of_own, same, 1.5),
        Cost("the same, with 30 changed settings to find reasons for", own_before, before, 1.5),
        Cost("`wurzel render` through two packs with 30 overrides", packed_rendered, rendered, 1.25),
        Cost("`wurzel render --check` through the two packs", of_packs, same, 1.5),
        Cost("the same, with 30 changed settings", packs_before, before, 1.5),
    ]
