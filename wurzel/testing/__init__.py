"""Test kits: run a step, check a backend, a template pack, or rendered manifests.

`run_step` runs a step of yours on data that a test gives, and gives what it stored; `check_pipeline` runs a pipeline on
samples, and compares what its steps give with reviewed files.

from wurzel.testing import check_backend

def test_my_backend():
    check_backend("mytarget")

`check_pack("globex", "snapshots")` renders sample pipelines with a template pack, validates the files, and compares
them with snapshots.

`check_manifests` checks any Kubernetes and Argo manifests by the rules of `wurzel.validation`; `check_files` also uses
the models of the extra `validate`.
"""

from wurzel.testing.kit import check_backend, render_texts
from wurzel.testing.packs import check_pack
from wurzel.testing.pipelines import check_pipeline
from wurzel.testing.steps import SKIPPED, Recorded, StepResult, run_step
from wurzel.testing.variants import Variant, full_pipeline, variants
from wurzel.validation import check_files, check_manifests

__all__ = [
    "SKIPPED",
    "Recorded",
    "StepResult",
    "Variant",
    "check_backend",
    "check_files",
    "check_manifests",
    "check_pack",
    "check_pipeline",
    "full_pipeline",
    "render_texts",
    "run_step",
    "variants",
]
