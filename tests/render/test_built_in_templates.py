"""What the built-in templates promise to those who extend them: blocks that are named, and that take one more line."""

import contextlib
import re

import pytest
import yaml
from jinja2 import nodes

from wurzel.backends.registry import BUILT_IN
from wurzel.backends.rendering import render
from wurzel.exceptions import TemplateError
from wurzel.project.jobs import Request, open_jobs
from wurzel.render import Renderer
from wurzel.render.documents import parsed

RENDERER = Renderer()
NAMES = RENDERER.layers.names()
HEAD = re.compile(r"{#(.*?)#}", re.DOTALL)


def source(name):
    return RENDERER.layers.find(name).read()


def blocks(name):
    tree = RENDERER._environment.parse(source(name))
    return [block.name for block in tree.find_all(nodes.Block)]


@pytest.mark.parametrize("name", [name for name in NAMES if blocks(name)])
def test_the_head_of_a_template_lists_its_blocks(name):
    head = " ".join(HEAD.search(source(name)).group(1).split())
    listed = re.search(r"Blocks to extend: (.*?)\.( |$)", re.sub(r" \([^)]*\)", "", head)).group(1)
    assert sorted(listed.split(", ")) == sorted(blocks(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_block_in_a_loop_is_scoped(name):
    tree = RENDERER._environment.parse(source(name))
    for loop in tree.find_all(nodes.For):
        for block in loop.find_all(nodes.Block):
            assert block.scoped, block.name


@pytest.mark.parametrize("name", [name for name in NAMES if len(source(name).splitlines()) > 160])
def test_templates_stay_readable(name):
    assert name == "airflow/dag.py.j2"


def entry_blocks(target):
    """Template and name of each block of a YAML file whose lines, from the first column on, stand under a key."""
    for name in NAMES:
        if name.startswith(f"{target}/") and ".y" in name:
            for match in re.finditer(r'{% filter under\("\w+"((?!placed).)*?\) %}\n{% block (\w+)', source(name)):
                yield name, match.group(2)


ALL_FILES = {
    "argo": ["targets.argo.on_exit={command: [notify]}"],
    "cronjob": [
        "targets.cronjob.layout=single",
        "steps.suffix.image=registry.example/x:1.0",
        "targets.cronjob.manifests=kustomize",
        "targets.cronjob.data={claim: {size: 1Gi}}",
        "targets.cronjob.companions={service_account: true, network_policy: true}",
        "targets.cronjob.disruption_budget=true",
    ],
}
"""What makes a target write all of its files."""


def written(jobs, *layers):
    return [file.rendered.text for file in render(jobs, Renderer(layers))[0].files]


def with_one_more(name, block, jobs, layer):
    """The files with one more entry in a block: an item or a pair, whichever fits."""
    (layer / name).parent.mkdir(parents=True)
    for entry in ("one: more", "- one: more"):
        (layer / name).write_text(
            f'{{% extends "!{name}" %}}\n{{% block {block} %}}\n{{{{ super() }}}}\n{entry}\n{{% endblock %}}\n'
        )
        with contextlib.suppress(TemplateError):
            return written(jobs, layer)
    return None


def leaves(texts):
    """Each value of files that has no others below it, behind the keys that lead to it; a script is a value itself."""
    found = set()
    todo = [((), [text if text.startswith("#!") else parsed(text) for text in texts])]
    for path, value in todo:  # grows while it is read
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else (("*", item) for item in value)
            todo += [((*path, key), item) for key, item in pairs]
        elif value is not None:
            image = ("image",) if path[-1] == "container" else ()  # in its long form
            found.add((*path, *image, value))
    return found


@pytest.mark.parametrize("target", [target for target in BUILT_IN if any(entry_blocks(target))])
def test_each_block_of_entries_takes_one_more(target, project, tmp_path):
    """Without copying what is there, whether or not there is something already."""
    project("scheduled")
    sets = ["image=registry.example/x:1.0", *ALL_FILES.get(target, [])]
    jobs, _ = open_jobs(Request(["scheduled"], [target], sets=sets))
    before = written(jobs)
    for number, (name, block) in enumerate(entry_blocks(target)):
        after = with_one_more(name, block, jobs, tmp_path / f"layer{number}")
        assert after is not None, (name, block)
        assert any("one: more" in text for text in after), (name, block)
        lost = leaves(before) - leaves(after)
        assert not lost, (name, block)
    assert number > 3


def test_github_takes_permissions_and_inputs_where_a_pipeline_has_none(project, tmp_path):
    project("scheduled")
    sets = ["image=x/y:1", "steps.suffix.parameters=[]", "targets.github.checkout=false"]
    jobs, _ = open_jobs(Request(["scheduled"], ["github"], sets=sets))
    (before,) = map(yaml.safe_load, written(jobs))
    assert before[True]["workflow_dispatch"] == {}
    assert all(job["permissions"] == {} for job in before["jobs"].values())
    (tmp_path / "github").mkdir()
    for name, block, entry in [
        ("github/_job.yml.j2", "permissions", "id-token: write"),
        ("github/workflow.yml.j2", "inputs", "x: {type: string}"),
    ]:
        (tmp_path / name).write_text(
            f'{{% extends "!{name}" %}}\n{{% block {block} %}}\n{{{{ super() }}}}\n{entry}\n{{% endblock %}}\n'
        )
    (after,) = map(yaml.safe_load, written(jobs, tmp_path))
    assert after[True]["workflow_dispatch"] == {"inputs": {"x": {"type": "string"}}}
    assert all(job["permissions"] == {"id-token": "write"} for job in after["jobs"].values())


@pytest.mark.parametrize("target", BUILT_IN)
def test_a_block_without_a_final_line_break_does_not_join_the_next_line(target, project, tmp_path):
    """Whatever block it is, a last line that ends at `endblock` gives what a line of its own gives."""
    project("scheduled")
    sets = ["image=registry.example/x:1.0", *ALL_FILES.get(target, [])]
    jobs, _ = open_jobs(Request(["scheduled"], [target], sets=sets))
    compared = 0
    for name in NAMES:
        for block in blocks(name) if name.startswith(f"{target}/") else ():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            found = []
            for end in ("\n{% endblock %}\n", "{% endblock %}\n", "\n{%- endblock %}"):
                text = f'{{% extends "!{name}" %}}\n{{% block {block} %}}\n{{{{ super() }}}}\n# one more{end}'
                (tmp_path / name).write_text(text)
                try:
                    found.append(written(jobs, tmp_path))
                except TemplateError:
                    found.append("refused")
            (tmp_path / name).unlink()
            assert found[0] == found[1] == found[2], (name, block)
            compared += found[0] != "refused" and any("# one more" in text for text in found[0])
    assert compared > 5


def test_every_target_has_templates():
    assert {name.partition("/")[0] for name in NAMES} >= set(BUILT_IN)
