"""Arguments of `wurzel templates` that several of its commands share, with their shell completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from wurzel.project.load import Project
    from wurzel.render import Renderer


class TemplateName(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """The name of a template: `dvc/dvc.yaml.j2`, or with `!`, `acme!` or `wurzel!` in front."""

    name = "template"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names of the templates of all layers; nothing if these cannot be read."""
        from wurzel.exceptions import WurzelError

        prefix, mark, start = incomplete.rpartition("!")
        try:
            found = open_renderer().layers.names()
        except WurzelError:
            return []
        return [CompletionItem(f"{prefix}{mark}{name}") for name in found if name.startswith(start)]


class BlockName(click.ParamType):  # type: ignore[type-arg] # not generic in older clicks
    """The name of a block of the template named earlier on the command line."""

    name = "block"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names of the blocks of that template; nothing if it cannot be read."""
        from wurzel.exceptions import WurzelError
        from wurzel.render.ejected import blocks_of

        # While a value is being completed, click has not parsed arguments yet: TEMPLATE is among the leftover ones.
        name = ctx.params.get("template") or next(iter(ctx.args), "")
        try:
            layers = open_renderer().layers
            found = blocks_of(layers, layers.find(name))
        except WurzelError:
            return []
        return [CompletionItem(block) for block in found if block.startswith(incomplete)]


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
