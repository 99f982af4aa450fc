"""`wurzel ci`: the CI file that checks rendered files on every commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wurzel.drift.workflow import Choices
    from wurzel.project.load import Project
    from wurzel.render.output import Change


@click.command("ci")
@click.argument("platform", type=click.Choice(["github", "gitlab"]))
@click.option("--push", is_flag=True, help="Push updated files if rendered files are out of date.")
@click.option("--token", default="", metavar="NAME", help="Name of the secret or variable with the token to push with.")
@click.option("--merge-requests", is_flag=True, help="On GitLab: also check in merge request pipelines.")
@click.option("--image", is_flag=True, help="Write the file that builds and pushes the image instead.")
@click.option("--role", default="", metavar="ARN", help="With --image: the role of AWS whose identity may push.")
@click.option("-e", "--env", "environment", metavar="ENV", help="Check for this environment of wurzel.yaml.")
@click.option("--install", default="", metavar="LINE", help="Shell line that installs wurzel and your code.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME",
    help="On GitHub: a secret that the installation reads as a variable, such as PIP_INDEX_URL; with --image, on both"
    " platforms, PIP_CONF or NETRC with the contents of such a file, for the build.",
)
@click.option(
    "--python",
    default="",
    metavar="VERSION",
    help="Version of Python.  [default: what .python-version or requires-python asks for, else 3.12]",
)
@click.option("--stdout", is_flag=True, help="Print the file instead of writing it.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the file is out of date.")
@click.option("--force", is_flag=True, help="Overwrite a file that was edited by hand or not written by wurzel.")
def command(stdout: bool, check: bool, force: bool, **choices: Any) -> None:
    """Write a CI file that checks rendered files on every commit.

    For GitHub it is a workflow, for GitLab a file to include. With --push, files that are out of date are rendered
    again, and a separate job that runs none of your code pushes them. With --image it is another file, which builds
    the image of `wurzel image` on the main branch and pushes it.
    """
    from wurzel.cli.writing import write
    from wurzel.drift.workflow import Choices, check_choices, ci_file
    from wurzel.project.home import home_of
    from wurzel.project.load import ALLOW_OUTSIDE
    from wurzel.project.open import project_variables, renderer_of, required_project
    from wurzel.project.place import place_of

    chosen = Choices(**choices, outside=bool(os.environ.get(ALLOW_OUTSIDE)))
    check_choices(chosen)
    project = required_project()
    project.names(chosen.environment)
    top, home = place_of(project).top, home_of(project)
    if home.problem is not None and not chosen.install:
        click.echo(f"warning: {home.problem}", err=True)
    named = _rendered_paths(chosen.environment) if chosen.push else ()
    variables = project_variables(project, chosen.environment)
    if chosen.image:
        from wurzel.drift.image_workflow import image_file

        file = image_file(chosen, renderer_of(project), home, variables, _image(project), project.requires)
    else:
        file = ci_file(chosen, renderer_of(project), home, variables, named)
    if stdout:
        click.echo(file.text, nl=False)
        return
    from wurzel.render.output import plan
    from wurzel.render.transaction import recover

    recover(top)
    changes = plan(top, [file])
    write(changes, chosen.command(), check=check, force=force)
    _advise(changes[0], chosen)


def _image(project: Project) -> str:
    """What the image is called; raises `UsageError` where wurzel.yaml does not say it."""
    from wurzel.exceptions import UsageError
    from wurzel.image.files import container_of

    name = container_of(project).image
    if name is None:
        raise UsageError("container.image is missing", where=project.file, hint="It names what is built and pushed.")
    return name


def _rendered_paths(environment: str | None) -> list[str]:
    """Paths of the files that wurzel.yaml renders: the only new files that may be pushed."""
    from wurzel.backends.rendering import paths
    from wurzel.project.jobs import Request, open_jobs

    jobs, project = open_jobs(Request(environment=environment, may_be_empty=True))
    more = [file for pack in project.packs() for file in pack.files] if project is not None else []
    return paths(jobs, more)


def _advise(change: Change, choices: Choices) -> None:
    """What the author has to do besides, once the file is there."""
    if choices.platform == "gitlab" and change.state == "new":
        click.echo(include(change), err=True)
    if choices.platform == "github" and choices.push and not choices.token and change.state != "same":
        text = "GitHub's own token must not push changes to workflows; if you render for github, add --token NAME"
        click.echo(f"note: {text}", err=True)


def include(change: Change) -> str:
    """How to include a new file in the root file, which may itself be rendered."""
    from wurzel.render.header import is_ours

    path, root = change.target.relative_to(change.home).as_posix(), change.home / ".gitlab-ci.yml"
    if root.is_file() and is_ours(root.read_bytes()):
        return (
            f"note: .gitlab-ci.yml is rendered, so do not edit it. Set targets.gitlab.kind: include,"
            f" and write a .gitlab-ci.yml that includes the rendered file, and {path}"
        )
    return f"include it in .gitlab-ci.yml:\n  include: {{local: {path}}}"
