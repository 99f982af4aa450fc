"""The kit that holds a backend, ours or a third party's, to what it says of itself.

from wurzel.testing import check_backend

def test_my_backend():
    check_backend("mytarget")

`check_pack("globex", "snapshots")` holds a template pack to what it promises, and compares what it renders with files.

`check_manifests` holds Kubernetes and Argo manifests, wherever they come from, to the rules of `wurzel.validation`;
`check_files` does so with the models of the extra `validate` as well.
"""

from wurzel.testing.kit import check_backend, render_texts
from wurzel.testing.packs import check_pack
from wurzel.testing.variants import Variant, full_pipeline, variants
from wurzel.validation import check_files, check_manifests

__all__ = [
    "Variant",
    "check_backend",
    "check_files",
    "check_manifests",
    "check_pack",
    "full_pipeline",
    "render_texts",
    "variants",
]
