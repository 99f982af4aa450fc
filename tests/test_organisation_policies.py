"""What files may say, as the policy of the example pack reads them; rendering for it is in test_organisation_pack."""

from types import SimpleNamespace

import pytest

from tests.test_organisation_pack import EXAMPLES
from wurzel.backends.policies import PolicyFile
from wurzel.render.language import language_of
from wurzel.render.layers import Layers
from wurzel.render.pack_filters import filters_of
from wurzel.render.policy import Policies


@pytest.fixture(scope="module")
def policies():
    root = EXAMPLES / "organisation-pack"
    layers = Layers([root / "acme_wurzel"])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        layers.filters, problems = filters_of("acme_wurzel.filters", "acme", [])
    assert not problems
    return Policies(layers)


def said(policies, path, text, target="argo", environment=None):
    """What the policy says about one file of a pipeline that asks for nothing forbidden."""
    context = {
        "files": [PolicyFile(path, text, language_of(f"{path}.j2") or "")],
        "pipeline": SimpleNamespace(steps=[], image="a:1", name="p"),
        "target": target,
        "environment": environment,
        "options": SimpleNamespace(archive_logs=True),
        "variables": {},
    }
    failures, broken = policies.run(lambda: context)
    return "\n".join([failure.message for failure in failures] + [problem.message for problem in broken])


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("x.yml", "a: {image: !reference [.a, b]}", "images need a version, not ['.a', 'b']"),
        ("x.yml", "a: {image: 'evil:$TAG'}", "not evil:$TAG"),
        ("x.yml", "a: {image: '$IMAGE'}", "not $IMAGE"),
        ("x.yml", "a: {container: 'evil:${{ vars.x }}'}", "not evil:${{ vars.x }}"),
        ("x.yaml", "image: 'evil:{{workflow.parameters.t}}'", "not evil:{{workflow.parameters.t}}"),
        ("x.yaml", "volumes: [{name: x, image: {reference: evil}}]", "not evil"),
        ("kustomization.yaml", "images: [{name: docs/rag, newTag: latest}]", "not docs/rag:latest"),
        ("kustomization.yaml", "images: [{name: docs/rag, newName: evil}]", "not evil"),
        ("x.yml", "a: {image: 'evil:latest '}", "not evil:latest"),
        ("x.yaml", """podSpecPatch: '{"containers":[{"im\\u0061ge":"evil"}]}'""", "not evil"),
        ("x.yaml", """podSpecPatch: '{"containers":[{"IMAGE":"evil"}]}'""", "not evil"),
        ("x.yaml", """podSpecPatch: '{"limits": {"Cpu": 64}}'""", "at most 8 cpu, not 64"),
        ("x.yaml", "podSpecPatch: '{{workflow.parameters.patch}}'", "no parameters in podSpecPatch"),
        ("x.yaml", """podSpecPatch: '{"a": {{workflow.parameters.patch}}}'""", "no parameters in podSpecPatch"),
        ("x.yaml", "cpu: 0x40", "at most 8 cpu, not 64"),
        ("x.yaml", "cpu: 6_4", "'6_4' is not a quantity"),
        ("x.yaml", "cpu: [64]", "[64] has no unique text form"),
        ("x.yml", "variables: {KUBERNETES_SERVICE_CPU_LIMIT: '64'}", "at most 8 cpu, not 64"),
        ("x.yml", "x: &k image\ny: {*k : evil}", "not evil"),
        ("x.yml", "? image\n: evil", "not evil"),
        ("x.yml", "'im\\x61ge': evil\n\"im\\x61ge\": evil", "not evil"),
        ("x.yml", "!!str image: !!str evil", "not evil"),
        ("x.yml", "a: 1\n---\nimage: evil", "not evil"),
        ("x.ini", "# \x85\nimage: evil", "not evil"),
        (
            "x.yml",
            BOMB + "image: evil",
            "x.yml cannot be read, so no policy can check it: with aliases, it has more than",
        ),
        ("x.yml", "a: &a {b: *a, image: evil}", "the alias *a is inside of what it repeats"),
        ("x.py", 'IMAGE = "evil"\nContainer(image=IMAGE)', "not IMAGE"),
        ("x.py", 'Container(image="ev" + "il")', "not 'ev' + 'il'"),
        ("x.py", 'Container(**{"image": "evil"})', "not evil"),
        ("x.py", 'Container(image=f"evil")', "not f'evil'"),
        ("x.py", 'Container(limits={"cpu": 8 * 8})', "'8 * 8' is not a quantity"),
    ],
)
@pytest.mark.parametrize("target", ["argo", "dvc"])
def test_what_files_say_is_found(policies, path, text, message, target):
    assert message in said(policies, path, f"{text}\n", target)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.yml", "a: {image: '$CI_REGISTRY_IMAGE/rag:1.0'}"),
        ("x.yml", "a: {image: 'rag@sha256:0'}"),
        ("x.yaml", """podSpecPatch: '{"limits": {"memory": "2Gi"}}'"""),
        ("x.yaml", "podSpecPatch: evil"),
        ("x.yaml", "a: &a {image: 'rag:1'}\nb: {<<: *a, c: &a x}\nd: *a"),
        ("x.py", 'Container(image="rag:1.0")'),
        ("x.sh", 'say "image: evil"; a: &a'),
    ],
)
def test_what_is_allowed_is_not_refused(policies, path, text):
    assert said(policies, path, f"{text}\n") == ""


@pytest.mark.parametrize(
    "text", ["metadata: {annotations: {archiveLogs: true}}\nspec: {workflowSpec: {}}", "spec: {archiveLogs: 'true'}"]
)
def test_logs_of_production_are_archived_where_argo_reads_it(policies, text):
    assert said(policies, "argo/p.yaml", text, environment="prod") == "logs of prod are archived"
    assert said(policies, "argo/p.yaml", "spec: {archiveLogs: true}", environment="prod") == ""
