"""Steps whose `run` is async."""

import pytest

from wurzel.exceptions import StepFailed
from wurzel.runtime.user_code import UserCodeFailed

STEPS = """
import asyncio
from wurzel.core import NoSettings, PydanticModel, TypedStep
from wurzel.exceptions import StepFailed

class Word(PydanticModel):
    text: str

class Words(TypedStep[NoSettings, None, list[Word]]):
    async def run(self, inpt: None) -> list[Word]:
        async def word(text: str) -> Word:
            await asyncio.sleep(0.001)
            return Word(text=text)
        return await asyncio.gather(*(word(text) for text in "abc"))

class Lazy(Words):
    async def run(self, inpt: None) -> list[Word]:
        await asyncio.sleep(0)
        return (Word(text=text) for text in "xy")

class Fails(Words):
    errors = [ValueError("no such thing")]
    async def run(self, inpt: None) -> list[Word]:
        async def fail(error: Exception) -> None:
            raise error
        async with asyncio.TaskGroup() as group:
            for error in self.errors:
                group.create_task(fail(error))
        return []

class Nested(Words):
    async def run(self, inpt: None) -> list[Word]:
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [KeyError("deep")])])

class Refuses(Fails):
    errors = [StepFailed("the shop is closed")]
"""


@pytest.fixture
def flow(flow):
    flow.write(STEPS)
    return flow


@pytest.mark.parametrize(("name", "texts"), [("Words", ["a", "b", "c"]), ("Lazy", ["x", "y"])])
def test_what_an_async_run_gives_is_stored(flow, name, texts):
    flow(name)
    assert flow.texts() == [texts]


def test_an_error_of_a_task_group_is_shown_as_the_error_within(flow):
    with pytest.raises(UserCodeFailed) as caught:
        flow("Fails")
    assert caught.value.reason == "ValueError: no such thing"


def test_of_several_errors_the_first_is_shown(flow):
    flow("Words")
    flow.module.Fails.errors = [ValueError("one"), KeyError("two"), OSError("three")]
    with pytest.raises(UserCodeFailed) as caught:
        flow("Fails")
    assert caught.value.reason == "ValueError: one (and 2 more)"


def test_groups_within_groups_are_opened(flow):
    with pytest.raises(UserCodeFailed) as caught:
        flow("Nested")
    assert caught.value.reason == "KeyError: 'deep'"


def test_an_error_for_the_reader_of_the_log_stays_one_within_a_task_group(flow):
    with pytest.raises(StepFailed, match="the shop is closed") as caught:
        flow("Refuses")
    assert not isinstance(caught.value, UserCodeFailed)
