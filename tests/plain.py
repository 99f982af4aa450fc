"""Steps of the IR in a short form, for tests of one thing."""

from wurzel.ir.model import DataType, Edge, InputPort, OutputPort, Shards, Step

WORDS = DataType(contract="steps:Word", containers=("list",))


def plain_step(*, output=WORDS, input=None, needs=(), shards=None, **fields):  # noqa: A002 - the name of what it gives
    """A step with one input and one output without names, which reads the steps `needs`; `shards` is a number."""
    if shards is not None:
        fields["shards"] = Shards(max=shards)
    return Step(
        needs=tuple(Edge(step=need) for need in needs),
        inputs=() if input is None else (InputPort(type=input),),
        outputs=(OutputPort(type=output),),
        **fields,
    )
