"""`wurzel image`: the container image of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.saying import say

if TYPE_CHECKING:
    from wurzel.image.build import Builder
    from wurzel.project.load import Project


@click.command("image")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is out of date.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand or not written by wurzel.")
@click.option("--strict", is_flag=True, help="Exit 2 if two builds may differ.")
@click.option("--build", "builds", is_flag=True, help="Build the image, with docker, podman or buildah.")
@click.option("--push", "pushes", is_flag=True, help="Build and push it; prints its name with the digest.")
@click.option(
    "--builder", type=click.Choice(["docker", "podman", "buildah"]), help="[default: the first one installed]"
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="id=NAME,src=FILE",
    help="A file for the build alone: id=pip, id=netrc.",
)
@click.option("--network", metavar="MODE", help="The network of the build, as the builder names it.")
def command(
    check: bool,
    force: bool,
    strict: bool,
    builds: bool,
    pushes: bool,
    builder: Builder | None,
    secrets: tuple[str, ...],
    network: str | None,
) -> None:
    """Write a Dockerfile, and build and push the image.

    Writes Dockerfile and .dockerignore from `container` and `requires` in wurzel.yaml, and from the packages of the
    project: uv.lock, poetry.lock, pdm.lock, requirements.txt or pyproject.toml.
    """
    from wurzel.cli.writing import write
    from wurzel.exceptions import PreflightError, Problem, UsageError
    from wurzel.image import build
    from wurzel.image.files import image_of
    from wurzel.project.open import renderer_of, required_project
    from wurzel.render.output import plan
    from wurzel.render.transaction import recover

    project = required_project()
    image = image_of(project, renderer_of(project), _data_folders(project))
    if strict and image.reports:
        raise PreflightError([Problem(report) for report in image.reports])
    for report in image.reports:
        say("warning", report)
    recover(project.root)
    write(plan(project.root.resolve(), image.files), "wurzel image", check=check, force=force)
    if not (builds or pushes):
        return
    if image.name is None:
        raise UsageError("container.image is missing", where=project.file, hint="It names what is built.")
    program = build.builder(builder)
    more = [word for secret in secrets for word in ("--secret", secret)]
    build.build(program, project.root, image.name, [*more, *(["--network", network] if network else [])])
    if pushes:
        click.echo(build.push(program, image.name))


def _data_folders(project: Project) -> list[str]:
    """Folders of datasets that the file names for any environment, and the default."""
    layers = [
        *project.pipelines.values(),
        *(node for nodes in project.environments.values() for node in nodes.values()),
    ]
    nodes = [layer.fields["data_dir"] for layer in layers if "data_dir" in layer.fields]
    return ["data", *(str(node.value) for node in nodes if node.value is not None)]
