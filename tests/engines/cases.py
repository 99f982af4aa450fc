"""The cases of tests: examples of `tests/pipelines`, perhaps configured otherwise."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from tests.engines.datasets import DATA_DIRS, example, pipeline_name
from wurzel.engines import driver

PLAIN_FOLDER = "da-ta/$HOME"
"""Data folder of the hostile example in gitlab-ci-local."""
MOUNTED = "steps.flaky.settings.MARKER=/wurzel/flaky.marker"
"""The only place where the flaky step can remember that it was tried, in a pod that is read-only elsewhere."""
ADAPTED = {
    ("argo", "flaky"): ((MOUNTED,), ""),
    ("cronjob", "flaky"): (
        (MOUNTED,),
        "its file of tries is on the data volume, the only place that can be written to",
    ),
    ("gitlab", "hostile"): (
        (f"data_dir={PLAIN_FOLDER}",),
        f"with `data_dir: {PLAIN_FOLDER}`: gitlab-ci-local keeps no artifacts whose path contains a quote or space",
    ),
    ("gitlab", "flaky"): (
        ("steps.flaky.retry.backoff=1s",),
        (
            "with `backoff: 1s`, so that `wurzel step` tries again: gitlab-ci-local ignores GitLab's own `retry`,"
            " which is rendered without it"
        ),
    ),
}


@dataclass(frozen=True)
class Case(driver.Case):
    fails: tuple[str, ...] = ()
    """Steps that leave no dataset, for the run fails."""
    same_as: str = ""
    """Case whose datasets it must have, when not its own."""

    @property
    def data_dir(self):
        return DATA_DIRS.get(self.example, "data")

    def project(self, folder):
        return example(self.example, folder)

    def pipeline(self, project):
        return pipeline_name(project, self.example)

    def adapted(self, engine):
        return ADAPTED.get((engine, self.example), ((), ""))


EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "rag"
PAGES = {
    "backends/argo.md": "# Argo\n\nThe argo command starts the pipeline.\n\n## Pods\n\nEach step is a pod.\n",
    "backends/dvc.md": "# DVC\n\nA stage runs again when its command or its data has changed.\n",
    "decisions/quoting.md": "# Why values are quoted\n\nThe template engine quotes every value, wherever it stands.\n",
}
"""Documents that stay as they are, so that the index of `rag` does."""


class Rag(Case):
    """The example of the documentation, with its documents within: engines copy a project and nothing beside it."""

    def project(self, folder):
        folder.mkdir(parents=True)
        for name in ("rag_pipeline.py", "questions.json"):
            shutil.copy(EXAMPLE / name, folder)
        yaml = YAML()
        content = yaml.load((EXAMPLE / "wurzel.yaml").read_text(encoding="utf-8"))
        rag = content["pipelines"]["rag"]
        for key in ("image", "schedule", "targets"):  # drivers give those that their engine needs
            del rag[key]
        del rag["defaults"]["resources"]  # the node of a small machine may have less
        for step, name in (("guides", "backends"), ("decisions", "decisions")):
            rag["steps"][step]["settings"]["FOLDER_PATH"] = name
        self.write_documents(folder)
        yaml.dump(content, folder / "wurzel.yaml")
        return folder

    def write_documents(self, folder):
        """Two folders of Markdown."""
        for name, text in PAGES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
