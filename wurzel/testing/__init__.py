"""The kit that holds a backend, ours or a third party's, to what it says of itself.

from wurzel.testing import check_backend

def test_my_backend():
    check_backend("mytarget")
"""

from wurzel.testing.kit import check_backend, render_texts
from wurzel.testing.variants import Variant, full_pipeline, variants

__all__ = ["Variant", "check_backend", "full_pipeline", "render_texts", "variants"]
