"""Policies: what they see and say, and twenty ways round one, none of which works."""

import json
from pathlib import Path

import pytest

from tests.command import invoke

POLICY = """{# At most 8 cpu, images by version, and no pod that mounts the host. #}
{% for step in pipeline.steps %}
{% if step.resources.cpu and step.resources.cpu | quantity > 8 %}
{{ fail("at most 8 cpu", at="steps." ~ step.id ~ ".resources.cpu") }}
{% endif %}
{% endfor %}
{% import "globex/_rules.j2" as rules with context %}
{{ rules.images() }}
{% for file in files %}
{% for document in file.documents if "hostPath" in document | json %}
{{ fail("no hostPath", at=file.path) }}
{% endfor %}
{% if "curl" in file.text %}
{{ fail("no curl", at=file.path) }}
{% endif %}
{% endfor %}
{% if target == "argo" and environment == "prod" and not options.service_account %}
{{ fail("a service account in prod", at="targets.argo.service_account") }}
{% endif %}
"""
RULES = """{% macro nothing() %}{% endmacro %}
{% macro images() %}
{% if pipeline.image and pipeline.image.endswith(":latest") %}
{{ fail("no floating tags", at="image") }}
{% endif %}
{% endmacro %}
"""
YAML = """version: 1
templates: [own, "globex>=2"]
pipelines:
  p:
    entrypoint: chain:pipeline
    image: reg/words:1.0
    steps:
      words:
        resources: {cpu: 16}
    targets:
      argo: {history: {successful: 1}}
      cronjob: {}
environments:
  dev: {}
"""
SAID = "wurzel.yaml:9:26: step words: at most 8 cpu (policy of globex 2.1.0, policies.j2:4)"


@pytest.fixture
def globex(pack):
    return pack("globex", "2.1.0", {"policies.j2": POLICY, "globex/_rules.j2": RULES})


@pytest.fixture
def root(globex, project):
    folder = project("chain")
    (folder / "own").mkdir()
    (folder / "wurzel.yaml").write_text(YAML)
    return folder


def write(root, path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def write_top(root, line):
    text = f'{{% extends "!argo/workflow.yaml.j2" %}}\n{{% block top %}}\n{line}\n{{% endblock %}}\n'
    write(root, "own/argo/workflow.yaml.j2", text)


def change(root, old, new):
    text = (root / "wurzel.yaml").read_text()
    assert old in text
    (root / "wurzel.yaml").write_text(text.replace(old, new, 1))


def run(*arguments):
    result = invoke(*arguments)
    problems = getattr(result.exception, "problems", [])
    said = [str(problem) for problem in problems] or [str(result.exception or "")]
    return getattr(result.exception, "exit_code", result.exit_code), said


def refused(*arguments):
    """What policies say; nothing is written."""
    code, said = run("render", *arguments)
    assert code == 2, said
    assert {path.name for path in Path().rglob("*.yaml")} <= {"wurzel.yaml", "wurzel-pack.yaml"}
    return said


def test_everything_is_said_at_once_at_its_line(root):
    change(root, "words:1.0", "words:latest")
    change(root, "cronjob: {}", "cronjob: {patch: {metadata: {annotations: {how: curl}}}, ignore: [schedule]}")
    write(root, "own/cronjob/_pod.yaml.j2", WITH_HOST_PATH)
    assert refused() == [
        SAID,
        "wurzel.yaml:6:12: p: no floating tags (policy of globex 2.1.0, globex/_rules.j2:4)",
        "cronjob/p.yaml: no hostPath (policy of globex 2.1.0, policies.j2:11)",
        "cronjob/p.yaml: no curl (policy of globex 2.1.0, policies.j2:14)",
    ]


WITH_HOST_PATH = (
    '{% extends "!cronjob/_pod.yaml.j2" %}\n{% block volumes %}\n{{ super() }}\n'
    "- {name: host, hostPath: {path: /}}\n{% endblock %}\n"
)


def test_what_is_allowed_is_written(root):
    change(root, "cpu: 16", "cpu: 8")
    assert run("render") == (0, [""])
    assert "with globex 2.1.0" in (root / "argo/p.yaml").read_text()


def test_a_value_of_a_class_or_of_nobody_is_placed_as_near_as_can_be(root):
    change(root, "cpu: 16", "cpu: 1")
    write(
        root, "own/policies.j2", '{{ fail("no", at="steps.words.image") }}\n{{ fail("name it", at="labels.team") }}\n'
    )
    assert refused("-t", "argo") == [
        "wurzel.yaml:6:12: step words: no (policy own/policies.j2:1)",
        "wurzel.yaml:4:3: p: name it (policy own/policies.j2:2)",
    ]


# Twenty ways round


def by_overriding_the_step(root):
    write(root, "own/argo/_step.yaml.j2", '{% extends "!argo/_step.yaml.j2" %}{% block resources %}{% endblock %}\n')


def by_the_built_in_template(root):
    write(root, "own/argo/workflow.yaml.j2", '{% extends "!argo/workflow.yaml.j2" %}\n')


def by_a_patch(root):
    change(root, "{successful: 1}}", "{successful: 1}, patch: {metadata: {labels: {a: b}}}}")


def by_ignore(root):
    change(root, "cronjob: {}", "cronjob: {ignore: [cpu, memory]}")


def by_a_policy_of_the_same_name(root):
    write(root, "own/policies.j2", "{# nothing is refused #}\n")


def by_a_macro_file_of_the_same_name(root):
    write(root, "own/globex/_rules.j2", "{% macro images() %}{% endmacro %}\n")
    change(root, "cpu: 16", "cpu: 1")
    change(root, "words:1.0", "words:latest")
    return "p: no floating tags"


def by_a_policy_that_redefines_fail(root):
    write(root, "own/policies.j2", "{% macro fail(message, at) %}{% endmacro %}\n")


def by_a_policy_that_is_broken(root):
    write(root, "own/policies.j2", "{{ nope }}\n")
    return "'nope' is undefined"


def by_the_order_of_layers(root):
    change(root, '[own, "globex>=2"]', "[globex, own]")
    write(root, "own/policies.j2", "{# nothing #}\n")


def by_an_environment(root):
    change(root, "dev: {}", "dev: {pipelines: {p: {steps: {words: {resources: {cpu: 32}}}}}}")
    return "-e", "dev"


def by_an_environment_that_names_no_packs(root):
    change(root, "dev: {}", "dev: {templates: []}")
    return "unknown key 'templates' in environments.dev"


def by_set(root):
    return "--set", "templates=[]", "unknown key 'templates'"


def by_a_value_that_only_set_gives(root):
    change(root, "cpu: 16", "cpu: 1")
    return "--set", "steps.words.resources.cpu=9000m", "step words: at most 8 cpu"


def by_another_output_folder(_root):
    return "-o", "elsewhere"


def by_standard_output(_root):
    return ("--stdout",)


def by_explain(_root):
    return ("--explain",)


def by_force(_root):
    return ("--force",)


def by_the_entrypoint(_root):
    return "chain:pipeline", "-t", "argo"


def by_an_ir(root):
    change(root, "cpu: 16", "cpu: 1")
    result = invoke("inspect", "p", "--json")
    ir = json.loads(result.stdout)
    ir["steps"][0]["resources"]["cpu"] = "64"
    change(root, "resources: {cpu: 1}", "env: {A: b}")
    (root / "ir.json").write_text(json.dumps(ir))
    return "--from-ir", "ir.json", "-t", "argo", "step words: at most 8 cpu"


def by_another_unit(root):
    change(root, "cpu: 16", "cpu: 16000m")


def by_the_defaults(root):
    change(root, "    steps:\n      words:\n        resources", "    defaults:\n        resources")
    return "step words: at most 8 cpu"


def by_changing_what_the_policy_sees(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "words:1.0", "words:1.0\n    labels: {team: a}")
    write_top(root, '{% set gone = pipeline.labels.pop("team") %}')
    return "a template changed the pipeline or its options"


def by_python(root):
    write_top(root, "{% set x = pipeline.__class__ %}")
    return "templates cannot read '__class__'"


def by_computed_python(root):
    text = (
        '{% extends "!argo/workflow.yaml.j2" %}\n{% block top %}\n# {{ pipeline["__" ~ "class__"] }}\n{% endblock %}\n'
    )
    write(root, "own/argo/workflow.yaml.j2", text)
    return "has no '__class__'"


def by_an_empty_template(root):
    write(root, "own/argo/workflow.yaml.j2", "{# nothing #}\n")
    return "the template writes nothing"


def by_a_companion(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "cronjob: {}", "cronjob: {manifests: kustomize, companions: {network_policy: true}}")
    write(root, "own/cronjob/networkpolicy.yaml.j2", "kind: X\nspec: {hostPath: /}\n")
    return "cronjob/p/networkpolicy.yaml: no hostPath"


def by_a_link_in_place_of_the_folder(root):
    (root / "own").rmdir()
    (root / "own").symlink_to(root)
    write(root, "policies.j2", "{# nothing #}\n")


def by_an_output_that_is_not_called_yaml(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "cronjob: {}", "cronjob: {output: cronjob/p.txt}")
    write(root, "own/cronjob/_pod.yaml.j2", WITH_HOST_PATH)
    return "cronjob/p.txt: no hostPath"


def by_a_rename_of_a_macro(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "words:1.0", "words:latest")
    rename = '{kind: macro, old: images, new: nothing, since: "1.0", within: globex/_rules.j2}'
    write(root, "own/wurzel-pack.yaml", f"version: 1\nrenames: [{rename}]\n")
    return "p: no floating tags"


def by_a_rename_of_a_file(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "words:1.0", "words:latest")
    rename = '{kind: file, old: globex/_rules.j2, new: globex/_none.j2, since: "1.0"}'
    write(root, "own/wurzel-pack.yaml", f"version: 1\nrenames: [{rename}]\n")
    write(root, "own/globex/_none.j2", "{% macro images() %}{% endmacro %}\n")
    return "p: no floating tags"


def by_a_package_in_the_project(root):
    (root / "globex_wurzel").mkdir()
    (root / "globex_wurzel" / "__init__.py").touch()


def by_a_folder_of_the_same_name(root):
    change(root, '[own, "globex>=2"]', "[own, globex]")
    (root / "globex").mkdir()
    return "'globex' is a folder here, and globex is an installed pack"


def by_a_folder_of_the_same_name_alone(root):
    change(root, '[own, "globex>=2"]', "[globex]")
    change(root, "pipelines:", "variables: {team: a}\npipelines:")
    (root / "own").rmdir()
    (root / "globex").mkdir()
    return "'globex' is a folder here, and globex is an installed pack"


def by_a_folder_that_is_called_as_a_requirement(root):
    (root / "globex>=2").mkdir()
    return "'globex>=2' is a folder here, and globex is an installed pack"


def by_a_path_to_that_folder(root):
    change(root, '[own, "globex>=2"]', '[./globex, "globex>=2"]')
    (root / "globex").mkdir()


def by_a_target_of_another_name(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "cronjob: {}", "argo-x: {target: argo, environment: prod, service_account: null}")
    change(root, "dev: {}", "prod: {}")
    return "a service account in prod"


def by_a_rename_of_the_policy(root):
    write(root, "own/none.j2", "{# nothing #}\n")
    rename = '{kind: file, old: policies.j2, new: none.j2, since: "1.0"}'
    write(root, "own/wurzel-pack.yaml", f"version: 1\nrenames: [{rename}]\n")
    return "renames: policies.j2 cannot be renamed"


def by_binary_text(root):
    """`hostPath`, as readers of YAML decode it."""
    change(root, "cpu: 16", "cpu: 1")
    write(root, "own/cronjob/_pod.yaml.j2", WITH_HOST_PATH.replace("hostPath:", "!!binary aG9zdFBhdGg=:"))
    return "cronjob/p.yaml: no hostPath"


def by_a_merge_with_a_tag(root):
    change(root, "cpu: 16", "cpu: 1")
    write(
        root,
        "own/cronjob/_pod.yaml.j2",
        WITH_HOST_PATH.replace("hostPath:", "!!merge <<: {hostPath:").replace("/}}", "/}}}"),
    )
    return "cronjob/p.yaml: no hostPath"


def by_a_file_that_only_kustomize_takes_for_yaml(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "cronjob: {}", "cronjob: {manifests: kustomize}")
    for suffix in ("ini", "sh", "py"):
        write(root, f"own/x.{suffix}.j2", "kind: Pod\nspec: {hostPath: x}\n")
    files = [f"{{target: cronjob, template: x.{each}.j2, path: cronjob/x.{each}}}" for each in ("ini", "sh", "py")]
    write(root, "own/wurzel-pack.yaml", f"version: 1\nfiles: [{', '.join(files)}]\n")
    return "cronjob/x.sh: no hostPath"


def by_spending_what_a_policy_may_take(root):
    text = "{% for i in range(1000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}"
    write_top(root, text)


def by_variables_of_the_project(root):
    write(root, "own/wurzel-pack.yaml", "version: 1\nvariables: {fail: {default: none}, quantity: {default: 1}}\n")


def in_argo(root, template, block, *lines):
    """Lines of a block of Argo's, where nothing but files shows what is forbidden."""
    change(root, "cpu: 16", "cpu: 1")
    name = f"argo/{template}.yaml.j2"
    text = "\n".join((f"{{% extends '!{name}' %}}", f"{{% block {block} %}}", *lines, "{% endblock %}\n"))
    write(root, f"own/{name}", text)
    return "argo/p.yaml: no hostPath"


def by_escapes_in_a_pod_spec_patch(root):
    return in_argo(root, "_pod", "pod_spec", """podSpecPatch: '{"volumes": [{"host\\u0050ath": {"path": "/"}}]}'""")


def by_escapes_beside_what_argo_fills_in(root):
    line = """podSpecPatch: '{"x": {{ "{{n}}" }}, "host\\u0050ath": {"path": "/"}}'"""
    return in_argo(root, "_pod", "pod_spec", line)


def by_a_pod_spec_patch_that_is_not_yaml(root):
    in_argo(root, "_pod", "pod_spec", """podSpecPatch: '{"host\\u0050ath": '""")
    return "podSpecPatch is not YAML, so no policy can check it"


def by_a_pod_spec_patch_of_the_options(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "{successful: 1}}", """{successful: 1}, pod_spec_patch: '{"host\\u0050ath": {"path": "/"}}'}""")
    return "argo/p.yaml: no hostPath"


def by_a_manifest_that_a_workflow_applies(root):
    lines = ("---", "kind: WorkflowTemplate", "spec: {templates: [{name: x, resource: {manifest: *m}}]}")
    manifest = """x: &m '{"kind": "Pod", "spec": {"podSpecPatch": "{\\"host\\\\u0050ath\\": 1}"}}'"""
    return in_argo(root, "workflow", "bottom", lines[0], manifest, *lines[1:])


def by_a_patch_of_kustomize(root):
    change(root, "cpu: 16", "cpu: 1")
    change(root, "cronjob: {}", "cronjob: {manifests: kustomize}")
    text = (
        "{% extends '!cronjob/kustomization.yaml.j2' %}\n{% block bottom %}\npatches:\n"
        """  - patch: '{"kind": "X", "host\\u0050ath": 1}'\n{% endblock %}\n"""
    )
    write(root, "own/cronjob/kustomization.yaml.j2", text)
    return "cronjob/p/kustomization.yaml: no hostPath"


WAYS = [value for name, value in list(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_no_way_leads_round_a_policy(root, way):
    told = way(root) or ()
    told = (told,) if isinstance(told, str) else told
    wanted = (
        told[-1] if told and " " in told[-1] else "step words: at most 8 cpu (policy of globex 2.1.0, policies.j2:4)"
    )
    said = refused(*(word for word in told if " " not in word))
    assert any(wanted in each for each in said), said


NOT_OURS = """{% for file in files %}
{% for template in file.templates if template.layer not in ["wurzel", "globex"] %}
{{ fail("not " ~ template.name, at=file.path) }}
{% endfor %}
{% endfor %}
"""
PARTS = {
    "x/_a.j2": "{% import 'x/_b.j2' as b %}\n{% macro a() %}{% endmacro %}\n",
    "x/_b.j2": "{% macro say() %}{% include 'x/_part.j2' %}{% endmacro %}\n",
    "x/_part.j2": "# part\n",
}
TOP = '{{% extends "!{}" %}}\n{{% block top %}}\n{}\n{{% endblock %}}\n'


@pytest.mark.parametrize(
    ("argo", "cronjob", "said"),
    [
        ("", None, ["argo/p.yaml: not own/argo/workflow.yaml.j2"]),
        ("{% include 'x/_part.j2' %}", None, ["argo/p.yaml: not own/argo/workflow.yaml.j2", "not own/x/_part.j2"]),
        # a file of macros runs once for all that import it, with what it imports itself
        (
            "{% import 'x/_a.j2' as a %}",
            "{% import 'x/_a.j2' as a %}",
            [f"{path}: not own/x/_{part}.j2" for path in ("argo/p.yaml", "cronjob/p.yaml") for part in "ab"],
        ),
        ("{% import 'x/_b.j2' as b %}# {{ b.say() }}", None, ["argo/p.yaml: not own/x/_b.j2", "own/x/_part.j2"]),
    ],
)
def test_a_policy_sees_the_templates_of_a_file(root, pack, argo, cronjob, said):
    pack("globex", "2.1.0", {"policies.j2": NOT_OURS})
    texts = {"argo/workflow.yaml.j2": argo, "cronjob/cronjob.yaml.j2": cronjob}
    own = {name: TOP.format(name, text) for name, text in texts.items() if text is not None}
    for name, text in PARTS.items():
        if name in "".join(own.values()):
            own[name] = text
    for name, text in own.items():
        write(root, f"own/{name}", text)
    found = refused()
    for each in said:
        assert any(each in one for one in found), found
    assert ("cronjob/p.yaml" in str(found)) == (cronjob is not None)


def test_without_the_pack_nothing_is_refused(root):
    change(root, '[own, "globex>=2"]', "[own]")
    assert run("render") == (0, [""])


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("some text\n", "globex!policies.j2:1: a policy writes nothing: it only calls fail(…)"),
        ("\n{{ target }}\n", "globex!policies.j2:2: a policy writes nothing"),
        ("{{ fail() }}\n", "globex!policies.j2:1: "),
        ('{{ fail("") }}\n', "globex!policies.j2:1: fail() needs a message"),
        ("{{ fail() }}\n", "globex!policies.j2:1: fail() needs a message"),
        ('{{ fail("a", "b", 1) }}\n', "globex!policies.j2:1: TypeError: fail() takes from 0 to 2 positional arguments"),
        ('{{ fail("a", at=1) }}\n', "globex!policies.j2:1: 1 is not a path"),
        ("{{ pipeline.nam }}\n", "globex!policies.j2:1: "),
        ("{% if %}\n", "globex!policies.j2:1: Expected an expression"),
        (
            "{% for s in pipeline.steps %}{{ fail('x') if s.image | quantity > 1 else fail('y') }}{% endfor %}\n",
            "quantity",
        ),
    ],
)
def test_a_policy_that_fails_itself_is_an_error(root, pack, policy, message):
    pack("globex", "2.1.0", {"policies.j2": policy})
    change(root, "words:1.0", "words:1.0\n    defaults: {image: x}")
    said = refused("-t", "argo")
    assert any(message in each for each in said), said


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{environment}/x.yaml", "p for argo would write '/x.yaml', which is outside the project"),
        (
            ".git/hooks/x.yaml",
            "p for argo would write '.git/hooks/x.yaml', but wurzel never writes to git's own folder",
        ),
    ],
)
def test_a_file_of_a_pack_that_cannot_be_written_is_named_at_its_line(root, path, message):
    write(root, "own/x.yaml.j2", "a: 1\n")
    more = f'version: 1\nfiles: [{{target: argo, template: x.yaml.j2, path: "{path}"}}]\n'
    write(root, "own/wurzel-pack.yaml", more)
    (said,) = refused("-t", "argo")
    assert said.startswith(f"own/wurzel-pack.yaml:2:9: {message}")
    assert "in `files:` there" in said


@pytest.mark.parametrize("again", ["globex", "./own"])
def test_a_layer_is_listed_once(root, again):
    change(root, '"globex>=2"]', f'"globex>=2", {again}]')
    assert any(f"'{again}' is listed twice" in each for each in refused())


@pytest.mark.parametrize(
    "at", ["", ".", "steps", "steps.", "steps..cpu", "steps.nobody.image", "targets.argo", "a" * 999]
)
def test_a_failure_is_placed_whatever_its_path_is(root, pack, at):
    pack("globex", "2.1.0", {"policies.j2": f'{{{{ fail("no", at="{at}") }}}}\n'})
    (said,) = refused("-t", "argo")
    assert said.startswith("wurzel.yaml:")
    assert said.endswith("no (policy of globex 2.1.0, policies.j2:1)")


def test_what_a_policy_says_is_one_line_without_controls(root, pack):
    pack("globex", "2.1.0", {"policies.j2": '{{ fail(pipeline.description, at="steps.x\\ny\\x1b[2J") }}\n'})
    change(root, "words:1.0", 'words:1.0\n    description: "red \\e[31m\\nline"')
    (said,) = refused("-t", "argo")
    assert "\x1b" not in said
    assert len(said.splitlines()) == 1


def test_a_policy_ends(root, pack):
    pack("globex", "2.1.0", {"policies.j2": "{% for i in range(10 ** 12) %}{% endfor %}\n"})
    (said,) = refused("-t", "argo")
    assert "globex!policies.j2:1: range(1000000000000,) has more than 100,000 rounds" in said
    pack("globex", "2.1.0", {"policies.j2": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}\n"})
    assert "call each other endlessly" in refused("-t", "argo")[0]


def test_templates_check_reads_policies(root, pack):
    assert run("templates", "check")[0] == 0
    pack("globex", "2.1.0", {"policies.j2": "{% if false %}{{ pipelin.name }}{% endif %}\n"})
    assert "globex!policies.j2:1: 'pipelin' is undefined" in run("templates", "check")[1][0]


@pytest.mark.parametrize(("text", "number"), [("500m", 0.5), ("1Gi", 2**30), ("1k", 1000), ("2", 2), (3, 3)])
def test_quantity_is_a_number(text, number):
    from wurzel.render.filters import FILTERS

    assert FILTERS["quantity"](text) == number
