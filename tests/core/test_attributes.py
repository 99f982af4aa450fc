import pytest

from wurzel import WZ, CommandStep, File, NoSettings, PydanticModel, TypedStep
from wurzel.core.attributes import PROGRAM_ATTRIBUTES
from wurzel.exceptions import StaticTypeError


class Doc(PydanticModel):
    text: str = ""


class Source(TypedStep[NoSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return [Doc()]


class Say(CommandStep[NoSettings, None, File]):
    command = ("echo", "hello")


def refused(base, **attributes):
    """What is said about a class with these attributes."""
    with pytest.raises(StaticTypeError) as caught:
        WZ(type("Made", (base,), attributes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("timout", 3, "timeout"),
        ("time_out", "1h", "timeout"),
        ("timeouts", 2.5, "timeout"),
        ("shard", 4, "shards"),
        ("shrads", {"items": 5, "max": 2}, "shards"),
        ("retrys", 3, "retry"),
        ("retries", {"limit": 2}, "retry"),
        ("ressources", {"cpu": 1}, "resources"),
        ("resource", {"gpu": 1}, "resources"),
        ("cached", False, "cache"),
        ("poll", True, "polls"),
        ("cachekey", "model-2", "cache_key"),
        ("shardby", "docs", "shard_by"),
        ("input_path", ("FOLDER",), "input_paths"),
        ("finalise", lambda self: None, "finalize"),
        ("whn", classmethod(lambda cls, inpt: True), "when"),
    ],
)
def test_a_misspelled_attribute_is_an_error_that_names_both(name, value, meant):
    message = refused(Source, **{name: value})
    assert f"the class attribute {name!r} means nothing to wurzel, but is nearly {meant!r}" in message
    assert f"Write {meant};" in message


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [("verison", ["x", "-V"], "version"), ("exit_code", {1}, "exit_codes"), ("envs", {"A": "b"}, "env")],
)
def test_programs_have_attributes_of_their_own(name, value, meant):
    assert f"is nearly {meant!r}" in refused(Say, **{name: value})
    WZ(type("Made", (Source,), {name: value}))


def test_an_attribute_of_a_base_or_a_mixin_counts_too():
    class Base(Source):
        timout = 3

    class Mixin:
        retrys = 2

    with pytest.raises(StaticTypeError, match="'timout'"):
        WZ(type("Made", (Base,), {}))
    with pytest.raises(StaticTypeError, match="'retrys'"):
        WZ(type("Made", (Mixin, Source), {}))


def test_attributes_of_the_author_pass():
    own = {
        "TIMEOUTS": 3,
        "_timout": 3,
        "cached": {"a": 1},  # what a bool never is
        "timeouts": (3, 10),
        "shared": {},
        "then": lambda self, inpt: inpt,
        "when_done": lambda self: None,
        "model": "small",
        "image": "mine",
        "retro": "1970",
    }
    WZ(type("Made", (Source,), own))
    WZ(type("Made", (Source,), {"cache": True, "caches": True}))  # both are there, so neither is a slip


@pytest.mark.parametrize("name", PROGRAM_ATTRIBUTES)
def test_every_attribute_that_is_known_is_one_of_the_class(name):
    assert name in {*dir(CommandStep), "command"}


def test_every_attribute_of_steps_is_known():
    options = {name for name in vars(TypedStep)["__annotations__"] if hasattr(TypedStep, name) and name[0] != "_"}
    assert options - {"name"} <= set(PROGRAM_ATTRIBUTES)
