"""The Jinja environment of templates: strict, deterministic, and never inserting text unquoted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import jinja2
from jinja2 import Template

from wurzel.exceptions import TemplateError, WurzelError
from wurzel.render import bounds, text, values, work
from wurzel.render.code_cache import CodeCache
from wurzel.render.filters import FILTERS, REFUSED
from wurzel.render.internals import PRINTING, check_public, may_be_internal, modulo, only_values
from wurzel.render.jinja_types import Compiled, Context, Missing, places, running
from wurzel.render.layers import OURS, Found, Layer, Layers, TemplateMissing, label
from wurzel.render.lines import Watch, whole_lines
from wurzel.render.renames import renamed, rewrite
from wurzel.render.structure import ONE_NAME, Chains, Extending, languages_differ, raised
from wurzel.render.text import Text
from wurzel.render.values import NotAValue, show
from wurzel.suggestion import LOOSE, did_you_mean

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.lexer import TokenStream

    from wurzel.render.compiler import Generator


class Environment(jinja2.Environment):
    """Compiles and runs templates of a set of layers; their output is a `Text`."""

    context_class = Context
    template_class = Compiled
    concat = staticmethod(text.concat)  # type: ignore[assignment]
    hold = staticmethod(text.hold)
    hold_at = staticmethod(text.hold_at)
    hold_line = staticmethod(text.hold_line)
    mark = text.Mark
    seam = text.SEAM
    glue = staticmethod(text.glue)
    looped = staticmethod(values.looped)
    pairs = staticmethod(values.pairs)
    parts = staticmethod(values.parts)
    modulo = staticmethod(modulo)
    times = staticmethod(bounds.times)
    power = staticmethod(bounds.power)
    plus = staticmethod(bounds.plus)
    scanned = staticmethod(bounds.scanned)
    compared = staticmethod(bounds.compared)
    searched = staticmethod(bounds.searched)

    def __init__(self, layers: Layers) -> None:
        super().__init__(
            undefined=Missing,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            optimized=False,
            auto_reload=False,
            loader=jinja2.FunctionLoader(self._source),
            bytecode_cache=cast("jinja2.BytecodeCache", CodeCache()),
        )
        self.layers = layers
        self._found: dict[str, Found] = {}
        self._keys: dict[tuple[str, Layer | None], str] = {}
        self._missing: dict[str, TemplateMissing] = {}
        self._trees: dict[str, tuple[str, nodes.Template]] = {}
        self._extending: Extending | None = None
        self._chains = Chains(self._found)
        self.rendering: dict[str, jinja2.runtime.Context] = {}
        """The latest context of each template that takes part in this file."""
        self.taken: set[str] = set()
        """Every template that took part in this file, also one that wrote nothing."""
        self._provide(layers)

    def _provide(self, layers: Layers) -> None:
        """Set the filters, tests and functions of templates: those of jinja that suit, ours, those of packs."""
        for name in REFUSED:
            del self.filters[name]
        self.filters |= {
            name: bounds.after(only_values, self.filters[name]) for name in PRINTING if name not in FILTERS
        }
        self.filters |= FILTERS | layers.filters
        self.filters |= {name: bounds.after(bounds.narrow, self.filters[name]) for name in bounds.NARROW}
        self.filters["format"] = bounds.after(bounds.formatted, self.filters["format"])
        self.filters["sum"] = work.total
        self.filters = work.counted(self.filters)
        self.tests["blank"] = text.is_blank
        self.tests |= {name: text.of_values(name, self.tests[name]) for name in text.OF_VALUES}
        self.tests |= work.comparing(self.tests)
        del self.globals["lipsum"]
        self.globals["range"] = bounds.bounded_range
        self.globals["block_of"] = self._block_of
        if any(each.kind == "attribute" for each in layers.renames):
            self.getattr = self._renamed_attribute  # type: ignore[assignment,method-assign]

    def run(self, name: str, context: Mapping[str, Any]) -> Text:
        """Everything the template writes. Raises `TemplateError` with the line of the template, for any error in it."""
        self._chains.clear()
        self.rendering.clear()
        self.taken = set()
        values.budget.reset()
        try:
            template = self.get_template(self._key(name, None))
            written = text.concat(template.root_render_func(template.new_context(dict(context))))  # type: ignore[arg-type]
            self._chains.check_blocks()
            text.check_length(written.pieces)
            return text.Text(whole_lines(written.pieces))
        except Exception as error:  # noqa: BLE001 - whatever a template does wrong is the template's error
            self._explain(error, context)

    @property
    def code_generator_class(self) -> type[Generator]:  # type: ignore[override]
        """What compiles templates, imported only where one is not in the user's cache."""
        from wurzel.render.compiler import Generator

        return Generator

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        from jinja2.lexer import TokenStream, newline_re

        source = newline_re.sub("\n", source)
        tokens = Watch(source, str(name)).tokens(self.lexer.tokeniter(source, name, filename, state))
        return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)

    def load(self, found: Found) -> Template:
        """The compiled template, the same for all of its names.

        Raises:
            jinja2.TemplateSyntaxError: when it cannot be compiled.
        """
        return self.get_template(self._registered(found))

    def _key(self, name: str, asking: Layer | None) -> str:
        """Jinja's name for the template that `name` refers to; the name itself if there is none."""
        key = self._keys.get((name, asking))
        if key is None:
            try:
                key = self._registered(self.layers.find(name, asking))
            except TemplateMissing as error:
                self._missing[name] = error
                return name
            self._keys[name, asking] = key
        return key

    def templates(self) -> tuple[Found, ...]:
        """The templates that took part in the latest file, sorted by name."""
        return tuple(self._found[name] for name in sorted(self.taken))

    def below(self) -> Iterator[tuple[str, Layer, Found]]:
        """Every `!…` so far, in a template of a layer, that led to a template of a project or pack."""
        for (name, asking), key in self._keys.items():
            found = self._found[key]
            if name.startswith("!") and asking is not None and asking.is_own and found.layer.is_own:
                yield name, asking, found

    def _registered(self, found: Found) -> str:
        """The unique label of a template, by which it is found again."""
        key = label(found)
        while key in self._found and self._found[key].path != found.path:
            key = f"!{key}"
        self._found[key] = found._replace(name=key)
        return key

    def labelled(self, where: str) -> str:
        """A place, `template:line`, with the label of the template."""
        name, mark, line = where.partition(":")
        return label(self._found[name]) + mark + line if name in self._found else self.layers.labelled(where)

    def tree(self, source: str, found: Found) -> nodes.Template:
        """The template as its compiler sees it.

        Raises:
            jinja2.TemplateSyntaxError: when it cannot be parsed.
            TemplateError: when a tag removes the indentation or line break of a line.
        """
        return self._parse(source, found.name, str(found.path))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Like jinja's, once per file: a checked template need not be parsed again to render it."""
        read, tree = self._trees.get(filename or "", ("", None))
        if tree is None or read != source:
            tree = super()._parse(source, name, filename)
            if found := self.may_be_renamed(filename):
                for old, line in rewrite(tree, self.layers.renames, found.name):
                    self.layers.warnings[old.warning(f"{label(found)}:{line}")] = None
            self._trees[filename or ""] = (source, tree)
        return tree

    def may_be_renamed(self, filename: str | None) -> Found | None:
        """The template of a project or pack, if it may use old names: they are replaced where it is parsed."""
        return self.layers.own(Path(filename or "")) if self.layers.renames else None

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Like jinja's: an entry, or else an attribute, but not a private one."""
        if isinstance(argument, str) and not isinstance(obj, Mapping):
            if argument.startswith("_"):
                return self.undefined(obj=obj, name=argument)
            if may_be_internal(argument):
                check_public(obj, argument)
            if argument in bounds.GROWING:
                return self.growing(obj, argument)
        return super().getitem(obj, argument)

    def growing(self, obj: Any, attribute: str) -> Any:
        """A method that may make something much larger than what it is given; compiled templates call this."""
        return bounds.growing(obj, attribute, self.getattr(obj, attribute))

    def public(self, obj: Any, attribute: str) -> Any:
        """An attribute whose name is that of an internal one of some values; compiled templates call this."""
        check_public(obj, attribute)
        return self.getattr(obj, attribute)

    def _renamed_attribute(self, owner: Any, attribute: str) -> Any:
        """An attribute that a template reads, also by its old name."""
        found = super().getattr(owner, attribute)
        kinds = [part.__name__ for part in type(owner).__mro__]
        old = renamed(self.layers.renames, "attribute", attribute, kinds) if isinstance(found, Missing) else None
        if old is None:
            return found
        self.layers.warnings[old.warning(running(sys._getframe(1)))] = None  # noqa: SLF001 - no other way to a frame
        return super().getattr(owner, old.new)

    def _block_of(self, template: str, block: str, **names: Any) -> Text:
        """What a block of another template of this file writes, through all layers; with other values for `names`.

        Nothing, if that template has written nothing so far, as where a layer replaces what includes it.
        """
        key = self._key(template, None)
        if key not in self._found:
            raise self._missing[template]
        context = self.rendering.get(key)
        if context is None or block not in context.blocks:
            known = self.get_template(self._key(f"{OURS}!{template}", None)).blocks
            if block not in known:
                raise NotAValue(f"{template} has no block {block!r}", did_you_mean(block, known, cutoff=LOOSE))
            return Text(())
        return text.concat(context.blocks[block][0](cast("Context", context).derived(names)))  # type: ignore[arg-type]

    def extends(self, name: str, line: int, blocks: Sequence[tuple[str, int]]) -> None:
        """Compiled templates call this just before they get their parent."""
        self._extending = Extending(name, line, blocks)

    def join_path(self, template: str, parent: str) -> str:
        """The template that a name refers to, after checking that both have the same language."""
        if not isinstance(template, str | jinja2.Undefined):
            raise NotAValue(f"{ONE_NAME}, not {show(template)}")
        if problem := languages_differ(parent, template):
            raise raised(problem)
        return self._key(template, self._found[parent].layer)

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: Any = None,  # noqa: A002 - jinja's signature
    ) -> Template:
        """Like jinja's; also finds templates that extend themselves."""
        extending, self._extending = self._extending, None
        template = super().get_template(name, parent, globals)
        self.taken.add(str(template.name))
        if extending:
            self._chains.add(extending, template)
        return template

    def _source(self, name: str) -> tuple[str, str, Callable[[], bool]]:
        if name not in self._found:
            raise jinja2.TemplateNotFound(name) from self._missing.get(name)
        found = self._found[name]
        return found.read(), str(found.path), lambda: True

    def _explain(self, error: Exception, context: Mapping[str, Any]) -> NoReturn:
        passed = list(places(error.__traceback__))
        where = "{}:{}".format(*passed[0 if isinstance(error, RecursionError) else -1]) if passed else ""
        if isinstance(error, jinja2.TemplateNotFound) and isinstance(error.__cause__, TemplateMissing):
            error = error.__cause__
        if isinstance(error, WurzelError):
            error.where = self.labelled(error.where or where)
            raise error
        if isinstance(error, jinja2.TemplateSyntaxError):
            where = f"{error.name}:{error.lineno}"
        from wurzel.render.mistakes import explained, not_set

        message, hint = explained(error, [*context, *self.globals], self.filters, self.tests)
        including = [each for each in passed if each not in self._chains.places()]
        if (found := not_set(message, including, self._found)) is not None:
            where, message, hint = found
        raise TemplateError(message, where=self.labelled(where), hint=hint) from error
