"""Configured settings held to the settings class of the step, without its other settings and without its files."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, DirectoryPath, Field, FilePath, SecretStr, field_validator

from tests.plain import plain_step
from wurzel.core import Settings, TypedStep
from wurzel.core.settings import SettingsLeaf
from wurzel.datacontract import PydanticModel
from wurzel.ir.model import DataType
from wurzel.project import typecheck


class Doc(PydanticModel):
    text: str


def loud(value):
    if value != value.upper():
        raise ValueError("must be loud")
    return value


class Database(SettingsLeaf):
    HOST: str = "localhost"
    PORT: int = Field(5432, gt=0)


class AllSettings(Settings):
    NEEDED: SecretStr
    COUNT: int = Field(1, ge=0)
    RATIO: float = 0.5
    NAME: str = ""
    FLAG: bool = False
    MODE: Literal["a", "b"] = "a"
    LIMIT: int | None = None
    TAGS: list[str] = Field([], max_length=2)
    FOLDER: Path = Path()
    FILE: FilePath | None = None
    WHERE: DirectoryPath | None = None
    EVEN: int = 0
    SHORT: Annotated[str, AfterValidator(lambda value: value if len(value) < 3 else 1 / 0)] = ""
    LOUD: Annotated[str, AfterValidator(loud)] = "A"
    BOUND: Annotated[str, Field(pattern="^x")] = "x"
    DB: Database = Database()
    TABLE: dict[str, int] = {}

    @field_validator("EVEN")
    @classmethod
    def is_even(cls, value):
        if value % 2:
            raise ValueError("must be even")
        return value


class Checked(TypedStep[AllSettings, None, list[Doc]]):
    def run(self, inpt: None) -> list[Doc]:
        return []


@pytest.fixture
def check(monkeypatch):
    module = ModuleType("checked_steps")
    module.Checked = Checked
    monkeypatch.setitem(sys.modules, "checked_steps", module)
    step = plain_step(id="checked", run="checked_steps:Checked", output=DataType(contract="x:Doc"))
    return lambda **values: dict(typecheck.check_settings(step, values))


GOOD = [
    {"COUNT": 3},
    {"COUNT": "3"},
    {"RATIO": 1},
    {"RATIO": 0.25},
    {"NAME": "x"},
    {"FLAG": True},
    {"FLAG": "yes"},
    {"MODE": "b"},
    {"LIMIT": None},
    {"LIMIT": 3},
    {"TAGS": ["a", "b"]},
    {"FOLDER": "somewhere"},
    {"FILE": "not/here.txt"},
    {"WHERE": "not/here"},
    {"EVEN": 4},
    {"BOUND": "xy"},
    {"LOUD": "LOUD"},
    {"SHORT": "too long, but its validator has a bug"},
    {"DB__PORT": 1},
    {"DB__HOST": "db"},
    {"TABLE": {"a": 1}},
]
BAD = [
    ("COUNT", -1, "greater than or equal to 0, not -1"),
    ("COUNT", "many", "valid integer"),
    ("COUNT", None, "valid integer"),
    ("RATIO", "x", "valid number"),
    ("NAME", 5, "valid string"),
    ("MODE", "c", "'a' or 'b', not 'c'"),
    ("LIMIT", "x", "valid integer"),
    ("TAGS", ["a", 5], "[1] Input should be a valid string, not 5"),
    ("TAGS", ["a", "b", "c"], "at most 2"),
    ("EVEN", 3, "must be even, not 3"),
    ("LOUD", "quiet", "must be loud, not 'quiet'"),
    ("BOUND", "y", "should match pattern"),
    ("DB__PORT", 0, "greater than 0, not 0"),
    ("TABLE", {"a": "b"}, "[a] Input should be a valid integer"),
]


@pytest.mark.parametrize("values", GOOD, ids=str)
def test_values_that_fit(check, values):
    assert check(**values) == {}


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_values_that_do_not_fit(check, name, value, reason):
    found = check(**{name: value, "NAME" if name != "NAME" else "FLAG": "yes"})
    assert list(found) == [name]
    assert reason in found[name]


def test_what_is_plainly_right_builds_no_validator(check):
    class Fresh(Settings):
        COUNT: int = Field(1, ge=0)
        TAGS: list[str] = []

    assert all(typecheck._fits(Fresh.model_fields[name], value) for name, value in (("COUNT", 3), ("TAGS", ["a"])))
    assert "Mock" in type(Fresh.__pydantic_validator__).__name__


def test_plain_acceptance_is_never_laxer_than_pydantic():
    values = [None, True, 0, -1, 3, 0.5, "", "3", "x", [], ["a"], ["a", 1], [["a"]], {}]
    for name, field in AllSettings.model_fields.items():
        if name in {"NEEDED", "EVEN", "SHORT"}:
            continue
        for value in values:
            if typecheck._fits(field, value):
                assert [*typecheck._refused(AllSettings, name, value)] == [], (name, value)


def test_a_validator_that_needs_more_than_there_is_keeps_quiet(check):
    class Odd(BaseModel):
        A: int = 1

        @field_validator("A")
        @classmethod
        def fails(cls, value):
            raise KeyError("only at run time")

    assert list(typecheck._refused(Odd, "A", 1)) == []
