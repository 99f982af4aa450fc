"""Renders templates into files in which every value is quoted for its position, and read back to prove it.

rendered = Renderer(["wurzel-templates"]).render("dvc/dvc.yaml.j2", {"stages": stages})
rendered.text, rendered.origins
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wurzel.exceptions import TemplateError
from wurzel.render.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wurzel.render.check import Checker
    from wurzel.render.environment import Environment
    from wurzel.render.language import Language
    from wurzel.render.layers import Found, Layer
    from wurzel.render.quoting.draft import Draft
    from wurzel.render.text import Piece
    from wurzel.render.trace import Origin


__all__ = ["Layers", "Rendered", "Renderer"]


class Rendered:
    """A finished file, verified."""

    def __init__(self, draft: Draft, templates: Sequence[Found] = ()) -> None:
        """`templates` are all that took part, also one that wrote nothing."""
        self._draft = draft
        self.text = draft.text()
        self.templates = templates

    @property
    def unpatched(self) -> Rendered:
        """The file before patches."""
        return self

    def is_made_of(self, pieces: Sequence[Piece]) -> bool:
        """Whether the file was made of exactly these pieces, so that rendering them again would change nothing."""
        from wurzel.render.text import same

        return len(pieces) == len(self._draft.pieces) and all(map(same, pieces, self._draft.pieces))

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """For each line of `text`, the template and line that wrote it and the values on it."""
        from wurzel.render.trace import origins

        return origins(self._draft.pieces, self._draft.outputs)


class Renderer:
    """Renders templates of a project's layers. It caches compiled templates, so use one renderer for many files."""

    def __init__(
        self, layers: Sequence[str | Path] = (), *, root: str | Path = ".", places: Mapping[str, str] | None = None
    ) -> None:
        """Find the template layers.

        Args:
            layers: folders (relative ones below `root`) and names of installed packs, most specific first; the
                built-in templates always come last.
            root: the project folder.
            places: the place of each layer in the configuration, for messages.

        Raises:
            TemplateError: when a layer is neither a folder nor an installed pack of a matching version.
        """
        self.layers = Layers(layers, root=root, places=places)

    @cached_property
    def _environment(self) -> Environment:
        from wurzel.lean import load_jinja

        load_jinja()
        from wurzel.render.environment import Environment

        return Environment(self.layers)

    def checker(
        self,
        contexts: Mapping[str, type | None],
        concerns: Callable[[str], bool] = lambda _name: True,
        others: Callable[[], Iterable[str]] = tuple,
    ) -> Checker:
        """What finds errors in the templates of the project and its packs, also in branches that no render reaches."""
        from wurzel.render.check import Checker

        return Checker(self._environment, contexts, concerns, others)

    @property
    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """The filters that are added to Jinja's or replace them, including those of packs."""
        from wurzel.render.filters import FILTERS

        return {**FILTERS, **self.layers.filters}

    def render(self, template: str, context: Mapping[str, Any]) -> Rendered:
        """The file that a template writes from a context.

        Args:
            template: its name, e.g. `dvc/dvc.yaml.j2`; `wurzel.render.layers` explains a `!` in it. The suffix
                before `.j2` decides the language: `.yaml`, `.yml`, `.py` or `.sh`.
            context: names the template may use. Values are text, numbers, booleans, null, lists, mappings, and
                objects whose attributes are such values.

        Raises:
            TemplateError: when a template is missing, cannot be parsed or fails; `where` is the label of a template,
                which says whose it is, and a line.
            QuotingError: when a value is at a place where no quoting makes it read back unchanged.
            VerifyError: when the finished file cannot be parsed.
        """
        from wurzel.render.quoting import quote
        from wurzel.render.verify import without_collection

        language = _language(template)
        with without_collection():
            draft = quote(language, self._environment.run(template, context).pieces)
            rendered = Rendered(draft, self._environment.templates())
            same = not self.layers.filters or rendered.is_made_of(self._environment.run(template, context).pieces)
        if not same:
            hint = "A filter of a pack gives another result each time; it may not use the clock, chance or sets."
            raise TemplateError("the template renders differently when it is rendered again", where=template, hint=hint)
        return rendered

    def below(self) -> Iterable[tuple[str, Layer, Found]]:
        """Every `!…` in a rendered template of a layer that led to a template of a project or pack."""
        return self._environment.below()

    def variant(self, before: Rendered, template: str, context: Mapping[str, Any]) -> Rendered:
        """The file from another context, or `before`; not verified, as it is only compared. Raises as `render`."""
        from wurzel.render.quoting import quote

        pieces = self._environment.run(template, context).pieces
        return before if before.is_made_of(pieces) else Rendered(quote(_language(template), pieces, prove=False))


def _language(template: str) -> Language:
    from wurzel.render.language import LANGUAGES, language_of

    language = language_of(template)
    if language is None:
        raise TemplateError(
            "wurzel has no quoting rules for this kind of file",
            where=template,
            hint=f"Files that can be rendered: {', '.join(LANGUAGES)}.",
        )
    return language


class Finished(Rendered):
    """A rendered file in another form."""

    def __init__(self, before: Rendered, text: str, lines: Sequence[int]) -> None:
        """`lines` is the line before, from 0, for each line of the text."""
        self.text = text
        self.templates = before.templates
        self._before = before
        self._lines = lines

    @property
    def unpatched(self) -> Rendered:
        """The file as its templates write it."""
        return self._before.unpatched

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """As for any file, by the lines before."""
        return tuple(self._before.origins[line] for line in self._lines)
