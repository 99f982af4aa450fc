"""What the policy of the example pack refuses in files, rendered for every target by a project that tries."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_organisation_pack import EXAMPLES
from wurzel.backends.registry import names
from wurzel.backends.rendering import render
from wurzel.exceptions import PolicyError
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import renderer_of


class Way(NamedTuple):
    """A file that tries to get something past the policy."""

    number: int
    path: str
    text: str
    message: str = ""

    @property
    def name(self):
        return f"w{self.number}"

    @property
    def breaks(self):
        """Whether no policy can read the file, which is an error in itself, without a place in the file."""
        return any(part in self.message for part in ("quantity", "text form", "cannot be read", "alias *a"))


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)
DAG = "c = V1Container(image='rag:1.0')\n"
_WAYS = [
    ("x.yml", "a: {image: !reference [.a, b]}", "images need a version, not ['.a', 'b']"),
    ("x.yml", "a: {image: 'evil:$TAG'}", "not evil:$TAG"),
    ("x.yml", "a: {image: '$IMAGE'}", "not $IMAGE"),
    ("x.yml", "a: {container: 'evil:${{ vars.x }}'}", "not evil:${{ vars.x }}"),
    ("x.yaml", "image: 'evil:{{workflow.parameters.t}}'", "not evil:{{workflow.parameters.t}}"),
    ("x.yaml", "volumes: [{name: x, image: {reference: evil}}]", "not evil"),
    ("kustomization.yaml", "images: [{name: docs/rag, newTag: latest}]", "not docs/rag:latest"),
    ("kustomization.yaml", "images: [{name: docs/rag, newName: evil}]", "not evil"),
    ("x.yml", "a: {image: 'evil:latest '}", "not evil:latest"),
    ("x.yml", "a: {image: 'rag@$DIGEST'}", "not rag@$DIGEST"),
    ("x.yaml", "image: 'rag:1@{{workflow.parameters.d}}'", "not rag:1@{{workflow.parameters.d}}"),
    ("x.yml", "%TAG !e! tag:yaml.org,2002:\n---\n!e!str image: evil", "not evil"),
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
    ("x.yml", BOMB + "image: evil", "x.yml cannot be read, so no policy can check it: with aliases, it has more than"),
    ("x.yml", "a: &a {b: *a, image: evil}", "the alias *a is inside of what it repeats"),
    ("x.py", 'IMAGE = "evil"\nContainer(image=IMAGE)', "not IMAGE"),
    ("x.py", 'Container(image="ev" + "il")', "not 'ev' + 'il'"),
    ("x.py", 'Container(**{"image": "evil"})', "not evil"),
    ("x.py", 'Container(image=f"evil")', "not f'evil'"),
    ("x.py", 'Container(limits={"cpu": 8 * 8})', "'8 * 8' is not a quantity"),
    ("x.py", DAG + 'setattr(c, "im" + "age", "evil")', "no Python from own/ways/x.py.j2"),
    ("x.py", DAG + 'c.image = "evil"', "no Python from own/ways/x.py.j2"),
    ("x.py", DAG + 'exec("c.image = 1")', "no Python from own/ways/x.py.j2"),
]
_FINE = [
    ("x.yml", "a: {image: '$CI_REGISTRY_IMAGE/rag:1.0'}"),
    ("x.yml", "a: {image: 'rag@sha256:0'}"),
    ("x.yaml", """podSpecPatch: '{"limits": {"memory": "2Gi"}}'"""),
    ("x.yaml", "podSpecPatch: evil"),
    ("x.yaml", "a: &a {image: 'rag:1'}\nb: {<<: *a, c: &a x}\nd: *a"),
    ("x.sh", 'say "image: evil"; a: &a'),
]
WAYS, FINE = ([Way(number, *each) for number, each in enumerate(some)] for some in (_WAYS, _FINE))
TARGETS = sorted(names())


@pytest.fixture
def rendered(project, pack):
    """Render one target of a project with a pipeline for each way, which gets a file of this text."""
    source = EXAMPLES / "organisation-pack" / "acme_wurzel"
    files = {str(path.relative_to(source)): path.read_text() for path in source.rglob("*.*") if path.suffix != ".pyc"}
    one = files["wurzel-pack.yaml"]
    files["wurzel-pack.yaml"] = one.replace("path: .dvc/config", 'path: "{pipeline}.ini"')  # there is one per project
    pack("acme", files=files)
    root = project("chain")

    def render_all(target, ways):
        paths = {way.path for way in ways}
        for path in paths:
            write(root / "own" / "ways" / f"{path}.j2", "".join(map(only, (way for way in ways if way.path == path))))
        more = [f"{{target: {target}, template: ways/{path}.j2, path: '{{pipeline}}/{path}'}}" for path in paths]
        write(root / "own" / "wurzel-pack.yaml", f"version: 1\nfiles: [{', '.join(more)}]\n")
        head = "version: 1\ntemplates: [own, acme]\nvariables: {owner: docs}\npipelines:\n"
        write(root / "wurzel.yaml", head + "".join(pipeline(way.name, target) for way in ways))
        jobs, config = open_jobs(Request())
        return render(jobs, renderer_of(config))

    return render_all


def pipeline(name, target):
    """With paths of its own, where two pipelines would write the same file."""
    own = {
        "dvc": f"output: {name}/dvc.yaml, params: {name}/params.yaml, metrics_dir: {name}",
        "gitlab": f"output: {name}.yml",
    }
    what = f"entrypoint: 'chain:pipeline', image: docs/rag:1.4, data_dir: data/{name}"
    return f"  {name}: {{{what}, targets: {{{target}: {{{own.get(target, '')}}}}}}}\n"


def write(path: Path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def only(way):
    return f'{{% if pipeline.name == "{way.name}" %}}\n{{% raw %}}\n{way.text}\n{{% endraw %}}\n{{% endif %}}\n'


@pytest.mark.parametrize("target", TARGETS)
def test_what_files_say_is_found(rendered, target):
    # a kustomization that is there already cannot be written twice; test_organisation_pack extends it
    ways = [way for way in WAYS if target != "cronjob" or way.path != "kustomization.yaml"]
    with pytest.raises(PolicyError) as caught:
        rendered(target, ways)
    said = [str(problem) for problem in caught.value.problems]
    for way in ways:
        assert any(way.message in each and (way.breaks or f"{way.name}/{way.path}: " in each) for each in said), way


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_allowed_is_not_refused(rendered, target):
    for result in rendered(target, FINE):
        assert any(file.output.template.startswith("ways/") for file in result.files)
