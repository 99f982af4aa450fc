"""Writes a random sample of mutants of modules as JSON; runs in the environment of cosmic-ray, `.engines/mutation`."""

import ast
import json
import random
import sys
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names


def annotated(source):
    """Lines and columns of annotations, which do nothing here: a mutant of one cannot be found."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if part is not None:
                found.append(((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)))
    return found


def positions(path):
    """Place to the mutations there are of it, in order."""
    source = path.read_text()
    tree, skipped, found = get_ast(source), annotated(source), {}
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments() or name.endswith("/NoOp"):
            continue
        places = (place for node in ast_nodes(tree) for place in operator().mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            if not any(begin <= start and end <= stop for begin, stop in skipped):
                found.setdefault((str(path), start), []).append((name, occurrence))
    return found


def main(seed, count, *paths):
    """Each place is as likely as any other, however many ways there are to change it."""
    draw, places = random.Random(seed), {}
    for path in sorted(paths):
        places |= positions(Path(path))
    for place in draw.sample(sorted(places), min(int(count), len(places))):
        path, (line, _) = place
        name, occurrence = draw.choice(sorted(places[place]))
        code = mutate_code(Path(path).read_text(), get_operator(name)(), occurrence)
        print(json.dumps({"path": path, "line": line, "code": code, "of": len(places)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
