"""Small step classes with several inputs and outputs, and what makes more of them."""

import types

from wurzel.core import Inputs, NoSettings, Outputs, PydanticModel, TypedStep


class Doc(PydanticModel):
    text: str = ""


class Index(PydanticModel):
    size: int = 0


class Halves(Outputs):
    train: list[Doc]
    test: list[Doc]


class Pair(Outputs):
    docs: list[Doc]
    index: Index


class Both(Inputs):
    docs: list[Doc]
    index: Index | None


class Sides(Inputs):
    left: list[Doc]
    right: list[Doc]


def made(name, given, result, **members):
    """A step class that takes and gives these types."""

    def run(self, inpt):
        raise NotImplementedError

    run.__annotations__ = {"inpt": given, "return": result}
    body = {"run": run, "__module__": __name__, **members}
    return types.new_class(name, (TypedStep[NoSettings, given, result],), exec_body=lambda space: space.update(body))


def fields_of(base, **fields):
    """A class of inputs or outputs with these fields."""
    return types.new_class("Made", (base,), exec_body=lambda space: space.update(__annotations__=fields))


def edges(step):
    """What a step reads: step, output and input of each edge."""
    return [(edge.step.step_id, edge.output, edge.input) for edge in step.step_edges]


Read = made("Read", None, list[Doc])
Count = made("Count", list[Doc], Index)
Split = made("Split", list[Doc], Halves)
Make = made("Make", list[Doc], Pair)
Join = made("Join", Both, list[Doc])
Compare = made("Compare", Sides, Index)
