"""Finds errors in the templates of a project and its packs without rendering anything.

Names, attributes, filters and tests are looked up in every branch; blocks, parents and included templates are followed
through all layers. Only templates of projects and packs are checked: built-in ones have tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import jinja2

from wurzel.exceptions import Problem, TemplateError, WurzelError
from wurzel.render.check.described import field_types
from wurzel.render.check.names import Names
from wurzel.render.check.positions import positions
from wurzel.render.check.reach import Reach
from wurzel.render.check.scope import Scope, anything, merged
from wurzel.render.check.sources import Reference, Source, Sources
from wurzel.render.check.truth import conditions
from wurzel.render.check.types import Module
from wurzel.render.contexts import Common
from wurzel.render.layers import OURS, POLICIES
from wurzel.render.mistakes import SET, UNDEFINED, needed, syntax
from wurzel.render.renames import renamed
from wurzel.render.structure import OUTSIDE, circle, languages_differ, no_such_block, outside
from wurzel.render.text import COMPARE, NO_TRUTH
from wurzel.suggestion import LOOSE, did_you_mean

if TYPE_CHECKING:
    from wurzel.render.environment import Environment

_MOST_VISITS = 20
"""Most contexts in which one part is checked; parts that include each other would have infinitely many."""


class Checker:
    """Checks templates of the layers of an environment.

    `contexts` has for each template that is rendered the class whose fields are the names it sees; `None` allows any
    name. `concerns` tells by name whether to check a template; `others` returns those that are rendered, but not
    checked here, and is called only when no template seems to use one.
    """

    def __init__(
        self,
        environment: Environment,
        contexts: Mapping[str, type | None],
        concerns: Callable[[str], bool] = lambda _name: True,
        others: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._environment = environment
        self._contexts = contexts
        self._others = others
        self.sources = Sources(environment.layers, environment)
        """Reads templates, each once."""
        self._checked = [
            self.sources.read(found)
            for layer in environment.layers.layers
            if layer.is_own
            for found in environment.layers.of(layer)
            if concerns(found.name)
        ]
        self._seen: dict[Source, list[list[Problem]]] = {}
        self._sites: dict[Source, dict[str, Scope]] = {}
        self._given: dict[Source, Scope] = {}
        self._modules: dict[Source, Module | None] = {}
        self._own = True

    def problems(self) -> list[Problem]:
        """All errors, template by template, each with its line."""
        if not self._checked:
            return []
        self.follow()
        unused = set(self._unused())
        found: list[Problem] = []
        for source in self._checked:
            own = [source.problem] if source.problem else [*self._structure(source), *self._in_every_context(source)]
            if source in unused:
                own.append(self._useless(source))
            found += sorted(dict.fromkeys(own), key=_line)
        return found

    def bypassed(self) -> list[Problem]:
        """Templates of packs and folders that are never used because one above does not extend them."""
        roots = [*self._contexts, *self._others()]
        checked = [
            source for source in self._checked if source.found.relative != POLICIES
        ]  # policies of all layers run
        found = Reach(self.sources, roots).bypasses(checked, roots, self._environment)
        return [self._bypass(*each) for each in found]

    # Structure: parents, blocks, what is included

    def _structure(self, source: Source) -> Iterator[Problem]:
        yield from (
            Problem(OUTSIDE, source.at(line), "Move it into a block.") for line in dict.fromkeys(outside(source.tree))
        )
        for reference in source.references:
            where = source.at(reference.node.lineno)
            for name in reference.names:
                if problem := languages_differ(source.found.name, name):
                    yield Problem(problem.message, where, problem.hint)
            if reference.needed and reference.names and not any(self._named_by(source, reference)):
                yield self._missing(source, reference.names[0], where)
        for line in dict.fromkeys(conditions(source.tree)):
            yield Problem(NO_TRUTH, source.at(line), COMPARE)
        yield from self._inheritance(source)
        yield from self._compiled(source)

    def _inheritance(self, source: Source) -> Iterator[Problem]:
        chain, complete = self.sources.chain(source)
        parent = self.sources.parent(chain[-1])
        if source.extends is not None and parent in chain:
            where = source.at(source.extends.node.lineno)
            yield circle(where, chain[len(chain) > 1].found, itself=len(chain) == 1)
        if not complete or len(chain) == 1:
            return
        known = {block for each in chain[1:] for block in each.blocks}
        for block in source.top_blocks:
            if block.name not in known:
                yield no_such_block(source.at(block.lineno), block.name, known)

    def _named_by(self, source: Source, reference: Reference) -> Iterator[Source]:
        for name in reference.names:
            if (found := self.sources.get(name, source.found.layer)) is not None:
                yield found

    def _missing(self, source: Source, name: str, where: str) -> Problem:
        try:
            self._environment.layers.find(name, source.found.layer)
        except TemplateError as error:
            return Problem(error.message, where, error.hint)
        raise AssertionError(name)

    def _compiled(self, source: Source) -> Iterator[Problem]:
        """Errors of the compiler, except filters, tests and text outside blocks, which are all found elsewhere."""
        try:
            self._environment.load(source.found)
        except jinja2.TemplateSyntaxError as error:
            message = error.message or ""
            if not message.startswith(("No filter", "No test", OUTSIDE)):
                message, hint = syntax(message, self._environment.filters, self._environment.tests)
                yield Problem(message, source.at(error.lineno), hint)
        except WurzelError as error:
            yield Problem(error.message, error.where, error.hint)

    def _unused(self) -> list[Source]:
        """Templates that no rendered template leads to."""
        found = [each for each in self._checked if each not in self._seen and not each.problem]
        # A part of a pack is an offer to include it.
        found = [each for each in found if not (each.found.layer.is_pack and each.found.path.name.startswith("_"))]
        if not found:
            return []
        reach = Reach(self.sources, [*self._contexts, *self._others()])
        return [] if reach.is_open else [each for each in found if each not in reach]

    def _bypass(self, above: Source, below: Source) -> Problem:
        line = above.extends.node.lineno if above.extends is not None else 1
        return Problem(
            f"the template does not extend {below.label}, which is therefore never used",
            above.at(line),
            f'Write `{{% extends "!{above.found.relative}" %}}`, which means the next layer below that has the file.',
        )

    def _useless(self, source: Source) -> Problem:
        name = source.found.name
        known = [*self._contexts, *self._environment.layers.names()]
        return Problem(
            "the file overrides no template and no template uses it, so it has no effect",
            source.at(1),
            did_you_mean(name, {each for each in known if each != name}, cutoff=LOOSE)
            or "Name it like the template it should override; `wurzel templates list` shows them.",
        )

    # Names: each template in every surrounding it is rendered in

    def _in_every_context(self, source: Source) -> Iterable[Problem]:
        """Errors that occur in every context, since a part may choose what it reads by its context."""
        visits = self._seen.get(source, [])
        return [problem for problem in visits[0] if all(problem in other for other in visits[1:])] if visits else []

    def follow(self, *, own: bool = True) -> None:
        """Visit all templates that are rendered, starting from the files that targets write.

        Without `own`, only the target's own templates are visited, not those that a render would find.
        """
        self._own = own
        for name, context in self._contexts.items():
            if own and not self.sources.may_reach_own(name):
                continue  # nothing of it is checked
            scope = _scope(context)
            starts = [self.sources.get(name if own else f"{OURS}!{name}")]
            starts += [source for source in self._checked if own and self._name(source) == name]
            for start in dict.fromkeys(start for start in starts if start is not None):
                self._visit(start, scope)

    def _name(self, source: Source) -> str:
        """The current name of a template."""
        old = renamed(self._environment.layers.renames, "template", source.found.name)
        return old.new if old is not None else source.found.name

    def target_source(self, name: str) -> Source:
        """The target's own version of a template."""
        return self.sources.read(self._environment.layers.find(f"{OURS}!{name}"))

    def made(self, source: Source) -> Mapping[str, Any]:
        """The names that a template defines at its top level, with their types."""
        return Names(source, self._environment, self._module).exported()

    def surroundings(self, source: Source) -> Mapping[str, Any]:
        """The names that a visited template gets, with their types."""
        return self._given[source].all() if source in self._given else {}

    def seen_by(self, source: Source, block: str) -> Mapping[str, Any]:
        """The names that a block of a visited template sees, with their types."""
        return self._sites.get(source, {}).get(block, Scope()).all()

    def _visit(self, source: Source, context: Scope) -> None:
        chain, complete = self.sources.chain(source)
        if len(self._seen.get(source, ())) >= _MOST_VISITS:
            return
        walks = [Names(each, self._environment, self._module) for each in chain]
        surrounding = context.flat()
        surrounding.is_open = surrounding.is_open or not complete
        for walk in walks:
            surrounding.names |= walk.exported()
        sites: dict[str, Scope] = {}
        for each, walk in reversed(list(zip(chain, walks, strict=True))):
            walk.walk(surrounding, sites, alone=not context.all())
            sites |= {name: merged(scopes) for name, scopes in walk.blocks.items()}
            self._sites[each] = dict(sites)
            self._given[each] = merged([context, *([self._given[each]] if each in self._given else [])])
            checked = each in self._checked
            problems = [*walk.problems, *positions(each, walk.kinds), *self._unset(each, walk)] if checked else []
            known = problems in self._seen.setdefault(each, [])
            self._seen[each].append(problems)
            for _, name, scope in () if known and len(self._seen[each]) > 1 else walk.included:
                if self._own and not self.sources.may_reach_own(name, each.found.layer):
                    continue  # nothing of it is checked
                if (part := self.sources.get(name, each.found.layer)) is not None:
                    self._visit(part, scope)

    def _unset(self, source: Source, walked: Names) -> Iterator[Problem]:
        """Names that parts of a target need and do not get from a template that includes them."""
        for line, name, scope in walked.included:
            part = self.sources.get(name, source.found.layer)
            if part is None or part.found.layer.is_own:
                continue
            walk = Names(part, self._environment, self._module)
            seen = scope.flat()
            seen.names |= walk.exported()
            walk.walk(seen, {})
            for undefined in filter(None, (UNDEFINED.fullmatch(problem.message) for problem in walk.problems)):
                yield Problem(needed(part.label, undefined[1]), source.at(line), SET)

    def _module(self, asking: Source, name: str, scope: Scope | None) -> Module | None:
        """The module of an imported template, which is read in `scope` or without any names."""
        source = self.sources.get(name, asking.found.layer)
        if source is None or source.problem is not None:
            return None
        if scope is not None or source not in self._modules:
            made = frozenset(Names(source, self._environment, self._module).exported())
            self._modules[source] = Module(name, made) if source.extends is None else None
            self._visit(source, scope or Scope())
        return self._modules[source]


def _scope(context: type | None) -> Scope:
    if context is None:
        return anything()
    return Scope({**field_types(Common), **field_types(context)})


def _line(problem: Problem) -> int:
    number = problem.where.rpartition(":")[2]
    return int(number) if number.isdigit() else 0
