"""The cases of tests: examples of `tests/pipelines`, perhaps configured otherwise."""

from dataclasses import dataclass

from tests.engines.datasets import DATA_DIRS, example, pipeline_name
from wurzel.engines import driver

PLAIN_FOLDER = "da-ta/$HOME"
"""Data folder of the hostile example in gitlab-ci-local."""
ADAPTED = {
    ("gitlab", "hostile"): (
        (f"data_dir={PLAIN_FOLDER}",),
        f"with `data_dir: {PLAIN_FOLDER}`: gitlab-ci-local keeps no artifacts whose path holds a quote or space",
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
