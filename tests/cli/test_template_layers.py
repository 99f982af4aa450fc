"""Several layers of templates as a user meets them: what takes part, what goes round, and what is used where."""

import json
import shutil
from pathlib import Path
from typing import get_type_hints

import pytest
from ruamel.yaml import YAML

from tests.command import invoke as run
from wurzel.render.contexts import CONTEXTS
from wurzel.render.layers import built_in

CONFIG = """version: 1
templates: [wurzel-templates, company]
pipelines:
  words: {entrypoint: "chain:pipeline", targets: {dvc: {}, local: {}}}
"""
ADDING = '{{% extends "{name}" %}}\n{{% block {block} %}}\n{{{{ super() }}}}\n{line}\n{{% endblock %}}\n'


EXTENDED = """{% extends "!ci/github.yml.j2" %}
{% block permissions %}
permissions: {contents: read, packages: read}
{% endblock %}
"""


@pytest.fixture
def layers(project):
    """A project with two folders of templates; gives a function that writes a template into one of them."""
    project("chain")
    Path("wurzel.yaml").write_text(CONFIG)
    for folder in ("wurzel-templates", "company"):
        Path(folder).mkdir()

    def save(path, name="", block="", line="", text=None):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text if text is not None else ADDING.format(name=name, block=block, line=line))

    return save


def listed(name):
    target = json.loads(run("templates", "list", "dvc", "--json").stdout)["targets"][0]
    found = target["files"][name]
    return found, {block["name"]: block["layers"] for block in found["blocks"]}


def test_the_list_says_which_layers_write_a_file_and_each_block(layers):
    layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "top", "# project")
    layers("company/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "top", "# company")
    found, blocks = listed("dvc/dvc.yaml.j2")
    every = ["wurzel-templates/dvc/dvc.yaml.j2", "company/dvc/dvc.yaml.j2", "wurzel!dvc/dvc.yaml.j2"]
    assert (found["layers"], found["bypassed"]) == (every, [])
    assert blocks["top"] == every
    assert blocks["bottom"] == every[-1:]
    detail = run("templates", "list", "dvc").stdout
    assert "  changed by wurzel-templates/dvc/dvc.yaml.j2, company/dvc/dvc.yaml.j2\n" in detail
    assert "    top  changed by wurzel-templates/dvc/dvc.yaml.j2, company/dvc/dvc.yaml.j2\n" in detail


def test_a_block_without_super_ends_with_its_layer(layers):
    layers("wurzel-templates/dvc/dvc.yaml.j2", text='{% extends "!dvc/dvc.yaml.j2" %}{% block top %}{% endblock %}')
    layers("company/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "top", "# company")
    assert listed("dvc/dvc.yaml.j2")[1]["top"] == ["wurzel-templates/dvc/dvc.yaml.j2"]


def test_what_is_gone_round_is_a_finding_and_stands_in_the_list(layers):
    layers("wurzel-templates/dvc/dvc.yaml.j2", "wurzel!dvc/dvc.yaml.j2", "top", "# project")
    layers("company/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "top", "# company")
    done = run("templates", "check")
    assert done.exit_code == 1
    assert "wurzel-templates/dvc/dvc.yaml.j2:1: the template does not extend company/dvc/dvc.yaml.j2" in str(
        done.exception
    )
    assert run("render", "-t", "dvc").exit_code == 0
    assert "(company/dvc/dvc.yaml.j2: not used)" in run("templates", "list").stdout
    assert "  not used: company/dvc/dvc.yaml.j2, which " in run("templates", "list", "dvc").stdout


@pytest.mark.parametrize(
    "using",
    [
        ADDING.format(
            name="!dvc/dvc.yaml.j2", block="top", line='{% import "acme/org.j2" as org %}\n# {{ org.word() }}'
        ),
        '{% extends "!dvc/dvc.yaml.j2" %}\n{% block top %}\n{% include "acme/more.yaml.j2" %}\n{% endblock %}\n',
        '{% extends "acme/base.yaml.j2" %}\n{% block top %}\n# {{ pipeline.name }}\n{% endblock %}\n',
    ],
)
def test_what_one_target_uses_no_other_refuses(layers, using):
    layers("company/acme/org.j2", text="{% macro word() -%}\nword\n{%- endmacro %}\n")
    layers("company/acme/more.yaml.j2", text='{% import "acme/org.j2" as org %}\n# {{ org.word() }}\n')
    layers("company/acme/base.yaml.j2", text='{% extends "wurzel!dvc/dvc.yaml.j2" %}\n')
    used = [name for name in ("org.j2", "more.yaml.j2", "base.yaml.j2") if f"acme/{name}" in using]
    for name in ("more.yaml.j2", "base.yaml.j2"):
        if name not in used:
            Path("company/acme", name).unlink()
    if used == ["base.yaml.j2"]:
        Path("company/acme/org.j2").unlink()
    layers("wurzel-templates/dvc/dvc.yaml.j2", text=using)
    for command in (("render", "-t", "local"), ("render", "-t", "dvc"), ("templates", "check")):
        done = run(*command)
        assert done.exit_code == 0, (command, done.exception)


def test_a_broken_template_of_another_target_uses_what_it_names(layers):
    layers("company/acme/org.j2", text="{% macro word() -%}\nword\n{%- endmacro %}\n")
    layers("wurzel-templates/dvc/dvc.yaml.j2", text='{% import "acme/org.j2" as org %}{% if %}')
    assert run("render", "-t", "local").exit_code == 0
    assert "dvc.yaml.j2:1: " in str(run("render", "-t", "dvc").exception)


def test_the_template_of_a_workflow_is_one_to_extend(layers):
    layers("company/ci/github.yml.j2", text=EXTENDED)
    Path("requirements.txt").write_text("")
    for command in (("ci", "github"), ("templates", "check"), ("render", "-t", "dvc")):
        done = run(*command)
        assert done.exit_code == 0, (command, done.exception)
    assert "packages: read" in Path(".github/workflows/wurzel.yml").read_text()
    layers("company/ci/gitlab.yml.j2", "!ci/gitlab.yml.j2", "nowhere", "a: 1")
    assert "has a block 'nowhere'" in str(run("templates", "check").exception)
    assert run("render", "-t", "dvc").exit_code == 0


@pytest.mark.parametrize("name", CONTEXTS)
def test_templates_of_commands_are_checked_for_the_names_that_they_see(layers, name):
    """All names that there are, in a copy of wurzel's own template, and one that there is not."""
    config = CONFIG + f'requires: wurzel==0.1.0\ncontainer: {{base: "x@sha256:{"0" * 64}", image: ghcr.io/a/b}}\n'
    Path("wurzel.yaml").write_text(config)
    every = [*get_type_hints(CONTEXTS[name]), "variables", "environment"]
    used = "".join(f"{{% set _ = {each} | json %}}\n" for each in every)
    layers(f"company/{name}", text=(built_in() / name).read_text() + used)
    folder, _, file = name.partition("/")
    words = ["image"] if folder == "image" else ["ci", file.partition(".")[0].partition("-")[0]]
    done = run(*words, *(["--image"] if "-image" in name else []))
    assert done.exit_code == 0, done.exception
    assert run("templates", "check").exit_code == 0, run("templates", "check").exception
    layers(f"company/{name}", text=(built_in() / name).read_text() + "# {{ nope }}\n")
    assert "'nope' is undefined" in str(run("templates", "check").exception)


def test_a_name_that_an_included_part_needs_is_missed_where_it_is_included(layers):
    """Copies of wurzel 0.1.0 include the part without `step`."""
    text = (built_in() / "github/workflow.yml.j2").read_text()
    layers("company/github/workflow.yml.j2", text=text.replace("{% set step = job.step %}\n", ""))
    line = text[: text.index('{% include "github/_job.yml.j2" %}')].count("\n")
    where = f"company/github/workflow.yml.j2:{line}: wurzel!github/_job.yml.j2 needs 'step', which is undefined here"
    for command in (["templates", "check"], ["render", "-t", "github", "--stdout"]):
        assert where in str(run(*command).exception), command
    layers("company/github/workflow.yml.j2", text=text)
    assert run("templates", "check").exit_code == 0


def test_rendered_text_is_neither_true_nor_false(layers):
    layers("company/acme/org.j2", text="{% macro is_gpu() -%}\nfalse\n{%- endmacro %}\n")
    for expression in (
        '"yes" if org.is_gpu() else "no"',
        "org.is_gpu() and 1",
        "org.is_gpu() or 1",
        "not org.is_gpu()",
        "[org.is_gpu()] | select | list",
        "org.is_gpu() == true",
        "org.is_gpu() | default(1, true)",
    ):
        line = '{% import "acme/org.j2" as org %}\nx-gpu: {{ ' + expression + " }}"
        layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "bottom", line)
        done = run("render", "-t", "dvc", "--stdout")
        assert str(done.exception).startswith("wurzel-templates/dvc/dvc.yaml.j2:5: "), (expression, done.output)
        assert '| trim == "true"' in str(done.exception)
    line = '{% import "acme/org.j2" as org %}\nx-gpu: {{ "yes" if org.is_gpu() | trim == "true" else "no" }}'
    layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "bottom", line)
    assert "x-gpu: 'no'" in run("render", "-t", "dvc", "--stdout").stdout


WRITES = [
    "false",
    "{{ true }}",
    "{{ false }}",
    "  {{ true }}\n",
    "{{ 0 }}",
    "{{ none }}",
    "{{ '' }}",
    "",
    "{{ 'false' }}",
]


@pytest.mark.parametrize("written", WRITES)
@pytest.mark.parametrize(
    "condition", ["if org.is_gpu()", "if not org.is_gpu()", "if pipeline.image and org.is_gpu() | trim"]
)
def test_no_macro_is_a_condition_whatever_it_writes(layers, written, condition):
    layers("company/acme/org.j2", text="{% macro is_gpu() %}" + written + "{% endmacro %}\n")
    line = '{% import "acme/org.j2" as org %}\n{% ' + condition + " %}\nx-gpu: 1\n{% endif %}"
    layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "bottom", line)
    for command in (("render", "-t", "dvc"), ("templates", "check")):
        message = str(run(*command).exception)
        assert "wurzel-templates/dvc/dvc.yaml.j2:5: text rendered by a macro" in message
        assert '`{% if … | trim == "true" %}`' in message


@pytest.mark.parametrize(("value", "wanted"), [("true", "'yes'"), ("false", "'no'")])
def test_a_macro_that_writes_one_truth_value_chooses_between_values(layers, value, wanted):
    layers("company/acme/org.j2", text="{% macro is_gpu() %}\n  {{ " + value + " }}\n{% endmacro %}\n")
    for expression in (
        '"yes" if org.is_gpu() else "no"',
        '"yes" if org.is_gpu() | trim == "true" else "no"',
        '"no" if org.is_gpu() | trim != "true" else "yes"',
    ):
        line = '{% import "acme/org.j2" as org %}\nx-gpu: {{ ' + expression + " }}"
        layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "bottom", line)
        assert f"x-gpu: {wanted}" in run("render", "-t", "dvc", "--stdout").stdout, expression
    for text in ("{{ 0 }}", "{{ none }}", "{{ '' }}", "{{ 'false' }}", "not {{ true }}", "{{ true }}{{ true }}"):
        layers("company/acme/org.j2", text="{% macro is_gpu() %}" + text + "{% endmacro %}\n")
        line = '{% import "acme/org.j2" as org %}\nx-gpu: {{ "yes" if org.is_gpu() else "no" }}'
        layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "bottom", line)
        assert "neither true nor false" in str(run("render", "-t", "dvc").exception), text


def test_a_block_with_comments_only_leaves_no_key(layers):
    text = """{% extends "!gitlab/_job.yml.j2" %}
{% block job_tags %}
{{ super() }}
- acme-spot
{% endblock %}
{% block after_script %}
# only with a GPU
{% if job.name == "other" %}
- nvidia-smi
{% endif %}
{% endblock %}
"""
    config = Path("wurzel.yaml").read_text().replace("dvc: {}", "gitlab: {tags: [acme], layout: steps}")
    Path("wurzel.yaml").write_text(config.replace("targets:", "image: acme:1, targets:"))
    before = YAML(typ="safe").load(run("render", "-t", "gitlab", "--stdout").stdout.split("---\n")[-1])
    assert "tags" not in before["words"]
    layers("wurzel-templates/gitlab/_job.yml.j2", text=text)
    after = YAML(typ="safe").load(run("render", "-t", "gitlab", "--stdout").stdout.split("---\n")[-1])
    for name in ("words", "upper", "reverse"):
        assert after[name]["tags"] == ["acme", "acme-spot"]
        assert "after_script" not in after[name]


def test_defaults_of_a_folder_count(layers):
    Path("company/wurzel-pack.yaml").write_text("version: 1\npipeline: {labels: {team: search}}\n")
    explained = run("inspect", "words", "--explain").stdout
    assert "search" in explained
    assert "company/wurzel-pack.yaml:2:" in explained


def test_a_folder_that_nobody_names_is_told(layers):
    Path("wurzel.yaml").write_text(CONFIG.replace("wurzel-templates, company", "company"))
    layers("wurzel-templates/dvc/dvc.yaml.j2", "!dvc/dvc.yaml.j2", "top", "# project")
    for command in (("render", "-t", "dvc"), ("templates", "check")):
        assert "the folder 'wurzel-templates' has templates, but" in run(*command).stderr
    shutil.rmtree("wurzel-templates/dvc")
    Path("wurzel-templates/wurzel-pack.yaml").write_text("version: 1\npipeline: {labels: {team: search}}\n")
    assert "the folder 'wurzel-templates' has a wurzel-pack.yaml, but" in run("render", "-t", "dvc").stderr


@pytest.mark.parametrize(
    ("templates", "wanted", "message"),
    [
        ("[wurzel-templates, company]", "company", "requires itself"),
        ("[wurzel-templates, company]", "globex>=2", "requires globex>=2, which `templates:` does not list"),
        ("[company, wurzel-templates]", "wurzel-templates>=1", "requires wurzel-templates>=1, but wurzel-templates is"),
        ("[wurzel-templates, company]", "wurzel-templates", "but wurzel-templates is above it"),
        ("[company, wurzel-templates]", "wurzel-templates", ""),
    ],
)
def test_what_a_pack_requires(layers, templates, wanted, message):
    Path("wurzel.yaml").write_text(CONFIG.replace("[wurzel-templates, company]", templates))
    Path("wurzel-templates/wurzel-pack.yaml").write_text("version: 1\n")
    Path("company/wurzel-pack.yaml").write_text(f'version: 1\nrequires: ["{wanted}"]\n')
    done = run("render", "-t", "dvc")
    if not message:
        assert done.exit_code == 0, done.exception
        return
    assert "company/wurzel-pack.yaml:2:" in str(done.exception)
    assert message in str(done.exception)
