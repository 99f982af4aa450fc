"""What templates of an organisation cost: `--check` with templates of the project, a render through two packs."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import in_turn, run, wurzel

DOCS = Path(__file__).resolve().parents[2] / "docs"
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


def project(work, name, layers):
    """The example as a project of its own, with template layers."""
    folder = work / name / "docs" / "examples" / "rag"
    shutil.copytree(DOCS, work / name / "docs")
    config = (folder / "wurzel.yaml").read_text()
    (folder / "wurzel.yaml").write_text(config.replace("version: 1\n", f"version: 1\ntemplates: {layers}\n", 1))
    return folder


def costs(work):
    """Both ratios, measured in turn."""
    site = work / "site"
    pack(site, "globex", BLOCKS[::2])
    pack(site, "initech", BLOCKS[1::2])
    plain = project(work, "plain", "[]")
    own = project(work, "own", "[wurzel-templates]")
    templates(own / "wurzel-templates", BLOCKS)
    packed = project(work, "packed", "[globex, initech]")
    env = {"PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))}
    for folder in (plain, own, packed):
        run(wurzel("render"), folder, env)
    check, render = wurzel("render", "--check"), wurzel("render")
    calls = [(check, own), (check, plain), (render, packed), (render, plain)]
    found = [cost.cpu for cost in in_turn([lambda argv=argv, cwd=cwd: run(argv, cwd, env) for argv, cwd in calls])]
    return [
        Cost("`wurzel render --check` with 30 overrides of the project", found[0], found[1], 1.5),
        Cost("`wurzel render` through two packs with 30 overrides", found[2], found[3], 1.25),
    ]
