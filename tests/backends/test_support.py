"""Features that a backend does not know: an older backend with a newer wurzel."""

from typing import Annotated

import pytest

from wurzel.backends import registry
from wurzel.backends.base import Backend, OutputFile, native
from wurzel.backends.support import unsupported_uses
from wurzel.ir.features import FEATURES
from wurzel.ir.model import Feature, Step, Store
from wurzel.testing import full_pipeline


class Older(Backend):
    """Knows two features, and looks up the table itself."""

    name = "older"
    summary = "a list of words"
    support = {"labels": native(), "gpu": native()}

    def files(self, pipeline, options):
        return [OutputFile("older.yaml", "local/run.sh.j2")]

    def support_for(self, use, options):
        return self.support[use.feature]


class NewerStep(Step):
    """A step of a later version of the IR."""

    colour: Annotated[int | None, Feature("colour")] = None


@pytest.fixture
def newer(monkeypatch):
    """A pipeline of a later version of the IR, in which one step asks for a colour."""
    monkeypatch.setattr("wurzel.ir.features.FEATURES", FEATURES | {"colour": "what it looks like on a board"})
    monkeypatch.setattr("wurzel.backends.support.FEATURES", FEATURES | {"colour": "what it looks like on a board"})
    pipeline = full_pipeline()
    first, *rest = pipeline.steps
    step = NewerStep.model_construct(**dict(first), colour=7)
    return pipeline.model_copy(update={"steps": (step, *rest)})


def test_a_feature_without_an_entry_is_unsupported(newer):
    reports = {report.feature: report for report in unsupported_uses(Older(), newer)}
    assert "gpu" not in reports
    assert "labels" not in reports
    assert reports["colour"].paths == ("steps.words.colour",)
    assert reports["colour"].note == "the older backend does not support it; use another target"


def test_it_can_be_accepted_like_any_other(newer):
    assert "colour" not in {report.feature for report in unsupported_uses(Older(), newer, ["colour"])}


@pytest.mark.parametrize("target", registry.BUILT_IN)
def test_built_in_backends_report_it_too(newer, target):
    assert "colour" in {report.feature for report in unsupported_uses(registry.get(target), newer)}


@pytest.mark.parametrize("target", ["airflow", "github", "gitlab"])
@pytest.mark.parametrize(("url", "lost"), [("/srv/store", True), ("file:///srv/store", True), ("s3://acme/x", False)])
def test_a_store_that_each_runner_has_for_itself_is_reported(target, url, lost):
    pipeline = full_pipeline().model_copy(update={"store": Store.model_validate({"url": url})})
    notes = [report.note for report in unsupported_uses(registry.get(target), pipeline) if report.feature == "store"]
    assert any("the store is a folder" in note for note in notes) == lost


@pytest.mark.parametrize("name", sorted(set(registry.names()) - {"dvc"}))
def test_a_bucket_that_jobs_have_no_login_for_is_reported(name):
    """The local script runs as the person who starts it, with their profile."""
    backend = registry.get(name)
    keys = {"access_key_id": {"name": "s", "key": "a"}, "secret_access_key": {"name": "s", "key": "b"}}
    for url, fields, count in (
        ("s3://acme/rag", {}, 0 if name == "local" else 1),
        ("gs://acme/rag", {}, 0 if name == "local" else 1),
        ("file:///srv/store", {}, 0),
        ("s3://acme/rag", {"secrets": keys}, 0),
    ):
        pipeline = full_pipeline().model_copy(update={"store": Store.model_validate({"url": url, **fields})})
        notes = [report.note for report in unsupported_uses(backend, pipeline) if report.feature == "store"]
        assert ["log in with what" in note for note in notes].count(True) == count, url
    assert unsupported_uses(backend, pipeline, ignore=["store"]) == [
        report for report in unsupported_uses(backend, pipeline) if report.feature != "store"
    ]
