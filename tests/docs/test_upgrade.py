"""The upgrade of a pack that docs/organisation.md shows, with its files and, byte for byte, its output."""

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs" / "organisation.md"
HERE = Path(__file__).relative_to(ROOT).as_posix()
CODE = """from wurzel import WZ, NoSettings, PydanticModel, Step, TypedStep


class Page(PydanticModel):
    text: str


class Load(TypedStep[NoSettings, None, list[Page]]):
    def run(self, inpt: None) -> list[Page]:
        return [Page(text="a")]


def rag() -> Step:
    return WZ(Load, name="load")
"""


def commands(text):
    """Each command of a console block, with the output below it."""
    for part in text.removeprefix("$ ").split("\n$ "):
        command, _, output = part.partition("\n")
        yield command, output.rstrip("\n") + "\n" if output.strip() else ""


def said(command, project, site):
    """What a command prints, both streams as a terminal shows them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(site), "PATH": path}
    done = subprocess.run(
        command, shell=True, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode()


def test_the_upgrade_of_a_pack(pack, tmp_path):
    project = tmp_path / "a project"
    project.mkdir()
    (project / "rag_pipeline.py").write_text(CODE)
    shown = [block for block in blocks(PAGE) if block.said == HERE]
    first, team, config, second, renames, pinned, upgraded, done = shown
    (project / "own" / "argo").mkdir(parents=True)
    (project / team.file).write_text(team.text)
    (project / "wurzel.yaml").write_text(config.text)
    step = first.file.partition("/")[2]
    pack("globex", "1.0", {step: first.text})
    assert said("wurzel render", project, pack.site).startswith("created argo/rag.yaml")
    assert said("wurzel render --check", project, pack.site) == "1 file is up to date\n"
    pack("globex", "2.0", {step: second.text, "wurzel-pack.yaml": renames.text})
    for block in (pinned, upgraded, done):
        for command, output in commands(block.text):
            assert said(command, project, pack.site) == output, command
        (project / "wurzel.yaml").write_text(config.text.replace("globex>=1,<2", "globex>=2,<3"))
