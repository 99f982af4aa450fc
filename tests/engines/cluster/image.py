"""Images of a project with wurzel, on the node of the cluster without a registry."""

import tempfile
from pathlib import Path

from tests.engines.cluster.build import image, layer
from tests.engines.cluster.host import load
from tests.engines.containers import ROOTFS, VARIABLES, installed


def load_image(name, project, folder=None):
    """Put wurzel as it is here, and the files of a project in its working folder, into an image on the node.

    Args:
        name: of the image, with its tag.
        project: its folder.
        folder: where wurzel is installed for the image, if it was before.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = folder or Path(scratch)
        if not (made / "site").exists():
            installed(made, "store")
        program = layer(made / "program.tar", {"opt/site": made / "site", "usr/local/bin/wurzel": made / "wurzel"})
        files = layer(Path(scratch, "files.tar"), {"app": project})
        archive = Path(scratch, "image.tar")
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **VARIABLES}
        variables = [f"{name}={value}" for name, value in environment.items()]
        image(archive, name, [ROOTFS, program, files], Env=variables, WorkingDir="/app")
        load(archive)
