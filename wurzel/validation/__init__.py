"""Checks of rendered Kubernetes and Argo manifests, in layers; nothing here needs a cluster.

1. wurzel's own rules: what the API server and Argo's controller check and no schema can express.
2. Strict structure, with the extra `validate`: unknown fields and wrong types.
3. `argo lint --offline`, when `argo` is on the path.
"""

from wurzel.validation.check import check_files, check_manifests

__all__ = ["check_files", "check_manifests"]
