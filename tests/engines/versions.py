"""Holds every example, rendered for each version of a platform, to that version's own validation: docs/versions.md.

`make versions` runs it. It takes two minutes, besides building the validation of Argo 3.6, so CI only runs those of the
newest versions (`test_argo.py`, `test_airflow.py`, `test_kubernetes.py`).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from kubernetes_validate import ValidationError, validate

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.conftest import EXAMPLES  # noqa: E402 - this folder is not an installed package
from tests.engines import test_airflow, test_argo, test_kubernetes  # noqa: E402
from tests.engines.datasets import example  # noqa: E402
from tests.engines.drivers.airflow import Airflow  # noqa: E402
from tests.engines.install import ROOT as INSTALLED  # noqa: E402
from wurzel.backends.argo.options import VERSIONS  # noqa: E402
from wurzel.engines.airflow import AirflowDags  # noqa: E402
from wurzel.engines.process import ENGINES  # noqa: E402
from wurzel.exceptions import WurzelError  # noqa: E402

PAGE = ROOT / "docs" / "versions.md"
INTRO = """# Versions of platforms

<!-- Written by `make versions`; do not edit. -->

Every example of `tests/pipelines`, in every variant that the tests of its target render (layouts, kinds of storage,
most options), held to the validation of each version: for Argo the one behind `argo lint --strict`, for Kubernetes the
strict schemas of its API, for Airflow an import. `wurzel targets TARGET --versions` says what a version lacks, and
`wurzel render --diff --set targets.argo.version=4.1` what an upgrade changes.

| target | rendered for | checked by | files | refused |
|---|---|---|---|---|
"""
KUBERNETES = [f"1.{minor}" for minor in range(29, 38)]
HERE = Path(__file__).parent
LINTS = {
    "argolint36": ("argolint36", (), "3"),
    "argolint 3": ("argolint", ("-argo", "3"), "3"),
    "argolint 4": ("argolint", ("-argo", "4"), "4"),
}
"""The validations of Argo: program, arguments, major version of its module."""
CHECKED = {"3.6": "argolint36", "3.7": "argolint 3", "4.0": "argolint 4", "4.1": "argolint 4"}
"""Version of Argo to its validation; that of 4.1 cannot be had as a Go module."""
LAYOUTS = {layout: [f"targets.argo.layout={layout}"] for layout in ("auto", "single")}
STORE = "store={url: s3://acme/data, secrets: {access_key_id: {name: s, key: i}, secret_access_key: {name: s, key: k}}}"


def rendered(top, target, variants):
    """The files of all examples in all variants; a variant that an example cannot have is left out."""
    for name in EXAMPLES:
        for number, sets in enumerate(variants):
            project = example(name, top / f"{name}-{number}")
            try:
                yield test_airflow.render_here(project, name, "image=acme/words:1.0", *sets, target=target)
            except WurzelError as error:
                print(f"{target}, {name}: left out: {error}"[:160])


def argo(top, version):
    """A row for Argo."""
    others = {"3.6", "4.1"}
    variants = [sets for name, sets in test_argo.VARIANTS.items() if name not in others]
    variants += [*LAYOUTS.values(), [STORE], [STORE, *LAYOUTS["auto"]]]
    wanted = f'targets.argo.version="{version}"'
    paths = list(rendered(top / version, "argo", [[*sets, wanted] for sets in variants]))
    program, arguments, major = LINTS[CHECKED[version]]
    command = [INSTALLED / program / "bin" / program, *arguments, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {item["file"] for item in found} == set(map(str, paths))
    (module,) = re.findall(rf"argo-workflows/v{major} v(\S+)", (HERE / program / "go.mod").read_text())[:1]
    refused = {item["file"] for item in found if item["error"]}
    print(*(item["error"] for item in found if item["error"]), sep="\n")
    return f"| argo | {version} | Argo {module} | {len(paths)} | {len(refused)} |"


def kubernetes(top):
    """Rows for Kubernetes, whose files are the same for all versions."""
    paths = list(rendered(top, "cronjob", test_kubernetes.VARIANTS.values()))
    files = [list(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader)) for path in paths]
    for version in KUBERNETES:
        refused = 0
        for path, documents in zip(paths, files, strict=True):
            try:
                for document in documents:
                    validate(document, version, strict=True)
            except ValidationError as error:
                refused += 1
                print(f"{version}: {path}: {error.message}")
        yield f"| cronjob | all | Kubernetes {version} | {len(paths)} | {refused} |"


def airflow(top, version):
    """A row for Airflow, with three operators."""
    home, mount = top / f"home-{version}", top / "mount"
    home.mkdir()
    found = test_airflow.import_all(Airflow(version, home), top / f"dags-{version}", mount)
    print(*found["errors"].values(), sep="\n")
    count = len(found["dags"]) + len(found["errors"])
    return f"| airflow | {version} | {AirflowDags(version).version()} | {count} | {len(found['errors'])} |"


def main():
    """Write the page; exit 1 if a version refuses a file."""
    os.environ[ENGINES] = str(INSTALLED)
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        rows = [argo(top / "argo", version) for version in VERSIONS]
        rows += kubernetes(top / "cronjob")
        rows += [airflow(top, version) for version in ("2.11", "3")]
    PAGE.write_text(INTRO + "\n".join(rows) + "\n", encoding="utf-8")
    print(*rows, sep="\n")
    return 0 if all(row.endswith("| 0 |") for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
