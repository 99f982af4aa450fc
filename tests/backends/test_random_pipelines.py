"""Random pipelines of all constructs, on every target, layout, with and without a store: no edge is lost."""

import random
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wurzel.backends.rendering import render
from wurzel.exceptions import PreflightError
from wurzel.project.jobs import Request, open_jobs
from wurzel.project.open import renderer_of
from wurzel.validation import check_files

STEPS = """
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from typing_extensions import TypedDict
from wurzel import (
    WZ, CommandStep, File, Folder, Inputs, NoSettings, Outputs, PydanticModel, SelfConsumingLeafStep, TypedStep,
)

T = TypeVar("T")

class Doc(PydanticModel):
    text: str

class Other(PydanticModel):
    number: int

@dataclass
class Pair:
    text: str

class Row(TypedDict):
    text: str

class Txt(File):
    suffix = ".txt"

class Tree(Folder):
    pass

class Mixed(Outputs):
    docs: Iterator[Doc]
    note: Doc
    file: Txt

class Joined(Inputs):
    docs: list[Doc]
    note: Doc | None
    file: Txt | None
    tree: Tree | None

class Same(TypedStep[NoSettings, T, T], Generic[T]):
    def run(self, inpt: T) -> T: ...

class Docs(TypedStep[NoSettings, None, list[Doc]]):
    async def run(self, inpt: None) -> list[Doc]: ...

class One(TypedStep[NoSettings, None, Doc]):
    def run(self, inpt: None) -> Doc: ...

class Trees(TypedStep[NoSettings, None, Tree]):
    def run(self, inpt: None) -> Tree: ...

class Texts(TypedStep[NoSettings, None, list[Txt]]):
    def run(self, inpt: None) -> list[Txt]: ...

class Memory(SelfConsumingLeafStep[NoSettings, list[Doc]]):
    def run(self, inpt: list[Doc] | None) -> list[Doc]: ...

class Mix(TypedStep[NoSettings, list[Doc], Mixed]):
    def when(self, inpt: list[Doc]) -> bool: ...
    def run(self, inpt: list[Doc]) -> Mixed: ...

class Cut(TypedStep[NoSettings, Iterable[Doc], Iterator[Doc]]):
    shards = {"items": 500, "max": 3}
    def run(self, inpt: Iterable[Doc]) -> Iterator[Doc]: ...

class Sliced(TypedStep[NoSettings, list[Doc], list[Doc]]):
    shards = 2
    def run(self, inpt: list[Doc]) -> list[Doc]: ...

class Join(TypedStep[NoSettings, Joined, Annotated[list[Doc], "joined"]]):
    shards = {"items": 2, "max": 2}
    shard_by = "docs"
    def run(self, inpt: Joined) -> list[Doc]: ...

class Each(TypedStep[NoSettings, Doc, list[Doc]]):
    def when(self, inpt: Doc) -> bool: ...
    def run(self, inpt: Doc) -> list[Doc]: ...

class Pairs(TypedStep[NoSettings, list[Doc], list[Pair]]):
    def run(self, inpt: list[Doc]) -> list[Pair]: ...

class Rows(TypedStep[NoSettings, list[Pair], list[Row]]):
    def run(self, inpt: list[Pair]) -> list[Row]: ...

class Union(TypedStep[NoSettings, list[Row], list[Other | Doc]]):
    def run(self, inpt: list[Row]) -> list[Other | Doc]: ...

class Sort(CommandStep[NoSettings, list[Txt], Txt]):
    command = ["awk", "{print $$ \\"${HOME} {{input}}\\"}", "{input}"]
    version = ["awk", "--version"]

class Again(Same[list[Doc]]):
    pass
"""
# What each takes, by input, and gives, by output; the types are names of the steps above.
CATALOGUE = {
    "Docs": ({}, {"": "docs"}),
    "One": ({}, {"": "doc"}),
    "Trees": ({}, {"": "tree"}),
    "Texts": ({}, {"": "texts"}),
    "Memory": ({}, {"": "docs"}),
    "Mix": ({"": "docs"}, {"docs": "docs", "note": "doc", "file": "text"}),
    "Cut": ({"": "docs"}, {"": "docs"}),
    "Sliced": ({"": "docs"}, {"": "docs"}),
    "Again": ({"": "docs"}, {"": "docs"}),
    "Each": ({"": "docs"}, {"": "docs"}),
    "Join": ({"docs": "docs", "note?": "doc", "file?": "text", "tree?": "tree"}, {"": "docs"}),
    "Pairs": ({"": "docs"}, {"": "pairs"}),
    "Rows": ({"": "pairs"}, {"": "rows"}),
    "Union": ({"": "rows"}, {"": "union"}),
    "Sort": ({"": "texts"}, {"": "text"}),
}
LAYOUTS = {"dvc": ("",), "local": ("",)}
TARGETS = ("dvc", "argo", "gitlab", "github", "airflow", "local", "cronjob")


def pipeline_text(seed):
    """A module with a random pipeline; `seed` says which."""
    chance = random.Random(seed)
    made, given, lines = ["Docs", *chance.sample(["One", "Trees", "Texts", "Memory"], 2)], [], []
    made += chance.choices([kind for kind, (takes, _) in CATALOGUE.items() if takes], k=7)
    for number, kind in enumerate(made):
        takes, gives = CATALOGUE[kind]
        edges = []
        for field, wanted in takes.items():
            fitting = [source for source, what in given if what == wanted]
            most = 2 if wanted in {"docs", "texts"} else 1
            if fitting and not (field.endswith("?") and chance.random() < 0.3):
                name = field.removesuffix("?")
                target = f's{number}["{name}"]' if name else f"s{number}"
                edges += [f"{one} >> {target}" for one in chance.sample(fitting, min(most, len(fitting)))]
        if takes and not any("?" in name or edges for name in takes):
            continue
        lines.append((f"class S{number}({kind}): pass\ns{number} = WZ(S{number})", edges))
        given += [(f's{number}["{name}"]' if name else f"s{number}", what) for name, what in gives.items()]
    arrows = [edge for _, edges in lines for edge in edges]
    chance.shuffle(arrows)
    alone = [made.rpartition("\n")[2].split(" ")[0] for made, _ in lines]
    return "\n".join([STEPS, *(made for made, _ in lines), f"pipeline = [{', '.join([*arrows, *alone])}]\n"])


def rendered(name, target, layout, store):
    """The pipeline, and the files by path; none where the target says why it cannot."""
    sets = [f"targets.{target}.layout={layout}"] * bool(layout) + ["store=s3://bucket/prefix"] * store
    sets += ["image=acme/words:1.0"] * (target in {"argo", "cronjob"})
    sets += ["schedule={cron: 0 5 * * *}"] * (target == "cronjob")
    jobs, project = open_jobs(Request([f"{name}:pipeline"], [target], None, sets))
    try:
        (result,) = render(jobs, renderer_of(project))
    except PreflightError as error:
        if target != "airflow" or "reads its own last output" not in str(error):
            raise
        return jobs[0].pipeline, {}
    return jobs[0].pipeline, {file.output.path: file.rendered.text for file in result.files}


def words_of(step, edge):
    """How an input is written on a command line."""
    return ("" if not edge.input else f"{edge.input}=") + "/".join(filter(None, ["data", edge.step, edge.output]))


def jobs_before(text, step):
    """Ids of the jobs that the job of a step waits for, in a file of GitHub or GitLab."""
    document = YAML(typ="safe").load(text)
    jobs = document.get("jobs", document)
    needs = [need for name, job in jobs.items() if name.startswith(step) for need in job.get("needs", [])]
    return [need["job"] if isinstance(need, dict) else need for need in needs]


@pytest.mark.parametrize("seed", range(4))
def test_no_edge_of_a_random_pipeline_is_lost(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"random_pipeline_{seed}"
    Path(f"{name}.py").write_text(pipeline_text(seed))
    for target in TARGETS:
        for layout in LAYOUTS.get(target, ("steps", "single", "auto")):
            for store in (False, True)[: 1 if target == "dvc" else 2]:
                pipeline, files = rendered(name, target, layout, store)
                manifests = files if target in {"argo", "cronjob"} else {}
                assert [str(problem) for problem in check_files(manifests)] == []
                everything = "\n".join(files.values())
                for step in pipeline.steps if files else ():
                    for edge in step.needs:
                        if target in {"dvc", "local"} and not store:
                            assert words_of(step, edge) in everything
                        if target in {"gitlab", "github"} and layout == "steps":
                            (text,) = (text for path, text in files.items() if path.endswith(".yml"))
                            assert any(job.startswith(edge.step) for job in jobs_before(text, step.id))
    sys.modules.pop(name, None)
