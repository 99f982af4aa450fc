"""`wurzel image`: the container image of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wurzel.cli.saying import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.image.build import Builder
    from wurzel.project.load import Project

PUSHED = "what is pushed"
"""The value of `--pin` without one; no image can have this name."""


@click.command("image")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is out of date.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand or not written by wurzel.")
@click.option("--strict", is_flag=True, help="Exit 2 if two builds may differ.")
@click.option("--build", "builds", is_flag=True, help="Build the image, with docker, podman or buildah.")
@click.option("--push", "pushes", is_flag=True, help="Build and push it; prints its name with the digest.")
@click.option(
    "--pin",
    is_flag=False,
    flag_value=PUSHED,
    metavar="[NAME]",
    help="Write the name with the digest into wurzel.yaml, as `image` of its pipelines: that of --push, or this one.",
)
@click.option("-e", "--env", "environment", metavar="ENV", help="With --pin: write it into this environment.")
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
    pin: str | None,
    environment: str | None,
    builder: Builder | None,
    secrets: tuple[str, ...],
    network: str | None,
) -> None:
    """Write a Dockerfile, and build and push the image.

    Writes Dockerfile and .dockerignore from `container` and `requires` in wurzel.yaml, and from the packages of the
    project: uv.lock, poetry.lock, pdm.lock, requirements.txt or pyproject.toml.
    """
    from wurzel.cli.writing import write
    from wurzel.exceptions import PreflightError, Problem
    from wurzel.image.files import image_of
    from wurzel.invocation.call import options
    from wurzel.project.open import renderer_of, required_project
    from wurzel.render.output import plan
    from wurzel.render.transaction import recover

    _check_pin(pin, pushes, environment)
    project = required_project()
    image = image_of(project, renderer_of(project), _data_folders(project))
    if strict and image.reports:
        raise PreflightError([Problem(report) for report in image.reports])
    for report in image.reports:
        say("warning", report)
    recover(project.root)
    write(plan(project.root.resolve(), image.files), "wurzel image", check=check, force=force)
    if pin is not None:  # before anything is pushed: it says where that is impossible
        _pin(project, pin if pin != PUSHED else image.name or "", environment, writes=pin != PUSHED)
    if builds or pushes:
        pushed = _build(project, image.name, builder, options(secret=secrets, network=network), pushes=pushes)
        if pin is not None:
            _pin(project, pushed, environment)


def _build(project: Project, name: str | None, builder: Builder | None, options: Sequence[str], *, pushes: bool) -> str:
    """Build the image, and push it; gives its name, with the digest where it was pushed."""
    from wurzel.exceptions import UsageError
    from wurzel.image import build

    if name is None:
        raise UsageError("container.image is missing", where=project.file, hint="It names what is built.")
    program = build.builder(builder)
    build.build(program, project.root, name, options)
    if pushes:
        name = build.push(program, name)
        click.echo(name)
    return name


def _check_pin(pin: str | None, pushes: bool, environment: str | None) -> None:
    """Refuse options that contradict each other, or have no effect."""
    if pin == PUSHED and not pushes:
        raise click.UsageError("--pin requires --push, or a name with a digest.")
    if pin not in {None, PUSHED} and (pushes or "@sha256:" not in (pin or "")):
        what = "the name is that of --push" if pushes else "it has no digest"
        raise click.UsageError(f"--pin {pin}: {what}.")
    if environment is not None and pin is None:
        raise click.UsageError("--env is for --pin.")


def _pin(project: Project, name: str, environment: str | None, *, writes: bool = True) -> None:
    """Write the name of an image into wurzel.yaml, or only find out whether that is possible."""
    from wurzel.image.build import pinned_file
    from wurzel.new_file import write_file
    from wurzel.project.load import FILE

    text = pinned_file(project, name, environment)
    if writes:
        write_file(project.root / FILE, text)
        click.echo(f"updated {FILE}", err=True)


def _data_folders(project: Project) -> list[str]:
    """Folders of datasets, and of stores in the project, that the file names for any environment, and the default."""
    from wurzel.store_url import scheme_of

    layers = [
        *project.pipelines.values(),
        *(node for nodes in project.environments.values() for node in nodes.values()),
    ]
    nodes = [layer.fields["data_dir"] for layer in layers if "data_dir" in layer.fields]
    given = [*project.stores.values(), *(layer.fields["store"] for layer in layers if "store" in layer.fields)]
    stores = [str(store.fields.get("url", store).value) for store in given]
    folders = [url for url in stores if not scheme_of(url) and not url.startswith("/")]
    return ["data", *(str(node.value) for node in nodes if node.value is not None), *folders]
