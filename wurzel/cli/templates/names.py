"""Arguments of `wurzel templates` that several of its commands share, with their shell completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wurzel.cli.types import Completed, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from wurzel.project.load import Project
    from wurzel.render import Renderer


class TemplateName(Completed):
    """The name of a template: `dvc/dvc.yaml.j2`, or with `!`, `acme!` or `wurzel!` in front."""

    name = "template"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names of the templates of all layers."""
        head = begun[: begun.rfind("!") + 1]
        return (head + name for name in open_renderer().layers.names())


class BlockName(Completed):
    """The name of a block of the template named earlier on the command line."""

    name = "block"

    def names(self, ctx: click.Context, begun: str) -> Iterable[str]:
        """Names of the blocks of that template."""
        from wurzel.render.ejected import blocks_of

        layers = open_renderer().layers
        return blocks_of(layers, layers.find(typed(ctx, "template") or ""))


def open_renderer(project: Project | None = None) -> Renderer:
    """The templates of the project in the current folder, of its packs and of all installed targets.

    Raises `ConfigError` when `wurzel.yaml` is wrong, `TemplateError` when a layer is neither a folder nor an installed
    pack.
    """
    from wurzel.backends.registry import get, names
    from wurzel.project.open import open_project, renderer_of

    project = project or open_project()
    renderer = renderer_of(project)
    for backend in map(get, names()):
        if backend.templates is not None:
            renderer.layers.add(backend.name, backend.templates)
        renderer.layers.rename(backend.renames)
    return renderer
