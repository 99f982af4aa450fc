import contextlib
import json
import math
import re
import sys
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    EmailStr,
    Field,
    Json,
    PostgresDsn,
    Secret,
    SecretBytes,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import to_jsonable_python

from wurzel.core.loading import load_settings
from wurzel.core.settings import (
    NoSettings,
    Settings,
    SettingsBase,
    SettingsLeaf,
    encode,
    is_text,
)
from wurzel.datacontract.secrets import is_secret
from wurzel.exceptions import EnvSettingsError, StaticTypeError
from wurzel.runtime.secrets import Secrets


class Color(Enum):
    RED = "red"
    NULL = "null"


class SecretPath(Secret[Path]):
    pass


class Level(IntEnum):
    LOW = 1


class Server(SettingsLeaf):
    HOST: str
    PORT: int = 80


Server.model_rebuild(force=True)  # before 2.12, pydantic writes no object of a class that it has not built


class Deep(SettingsLeaf):
    SERVER: Server
    NAME: str = "deep"


class Plain(BaseModel):
    a: int = 1
    b: str = "b"


def load(cls, environ, given=None, step_id="my-step", class_name="MyStep"):
    return load_settings(cls, step_id=step_id, class_name=class_name, environ=environ, given=given)


def problems(cls, environ, given=None):
    with pytest.raises(EnvSettingsError) as caught:
        load(cls, environ, given)
    assert caught.value.exit_code == 2
    return str(caught.value)


# --- what travels in a variable -------------------------------------------------------------------------------------

TEXT = [str, Path, SecretStr, SecretBytes, bytes, Color, Literal["a", "b"], Literal["a"] | None, Decimal, UUID, AnyUrl]
TEXT += [Secret[str], SecretPath, EmailStr, PostgresDsn]
JSON = [
    Secret[int],
    Secret[list[str]],
    int,
    float,
    bool,
    list[str],
    dict[str, int],
    Server,
    Level,
    Literal[1, "a"],
    int | str,
    Any,
    None,
    tuple[int],
]


@pytest.mark.parametrize("annotation", TEXT)
def test_text_travels_as_it_is(annotation):
    assert is_text(annotation)
    assert is_text(annotation | None if annotation is not None else annotation)
    assert is_text(Optional[annotation])  # noqa: UP045
    assert is_text(Annotated[annotation, "mark"])


@pytest.mark.parametrize("annotation", JSON)
def test_everything_else_travels_as_json(annotation):
    assert not is_text(annotation)
    assert not is_text(Annotated[annotation, "mark"])


def test_secrets_are_found_anywhere_inside():
    class Holder(SettingsLeaf):
        KEYS: dict[str, list[SecretStr]] = {}
        again: Optional["Holder"] = None

    for annotation in (SecretStr, SecretStr | None, list[SecretStr], Holder, dict[str, Holder], SecretBytes):
        assert is_secret(annotation)
    for annotation in (str, Server, list[str], Any, Plain):
        assert not is_secret(annotation)


ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
HOSTILE = [
    "",
    " ",
    "null",
    "1e3",
    "[",
    "[]",
    "{}",
    "true",
    "0x10",
    '"',
    '"a"',
    "$HOME",
    "${x}",
    "a\nb",
    " x ",
    "ß→",
    "'",
]

FIELDS = {
    "text": (str, ANY_TEXT | st.sampled_from(HOSTILE)),
    "maybe": (str | None, st.none() | ANY_TEXT | st.sampled_from(HOSTILE)),
    "path": (Path, ANY_TEXT.filter(bool).map(Path)),
    "secret": (SecretStr, (ANY_TEXT | st.sampled_from(HOSTILE)).map(SecretStr)),
    "number": (int, st.integers()),
    "real": (float, st.floats()),
    "flag": (bool, st.booleans()),
    "flag_or_none": (bool | None, st.none() | st.booleans()),
    "either": (int | str, st.integers() | ANY_TEXT | st.sampled_from(HOSTILE)),
    "any_of": (
        Union[bool, int, str, None],  # noqa: UP007 - as authors may write it
        st.none() | st.booleans() | st.integers() | st.sampled_from(HOSTILE),
    ),
    "words": (list[str], st.lists(ANY_TEXT | st.sampled_from(HOSTILE))),
    "table": (dict[str, int | None], st.dictionaries(ANY_TEXT, st.none() | st.integers())),
    "anything": (Any, JSON_VALUES),
    "choice": (Literal["a", "null", "1"], st.sampled_from(["a", "null", "1"])),
    "mixed": (Literal[1, "1"], st.sampled_from([1, "1"])),
    "color": (Color, st.sampled_from(Color)),
    "level": (Level, st.sampled_from(Level)),
    "nested": (Server, st.builds(Server.model_construct, HOST=ANY_TEXT, PORT=st.integers())),
    "blob": (bytes, ANY_TEXT.map(str.encode)),
    "exact": (Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    "tags": (set[str], st.sets(ANY_TEXT)),
}


def same(left, right):
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right


@pytest.mark.parametrize("name", FIELDS)
def test_every_value_comes_back_from_its_variable(name):
    annotation, values = FIELDS[name]
    cls = type(Settings)("Made", (Settings,), {"__annotations__": {"FIELD": annotation}, "FIELD": "another"})
    cls.model_config["validate_default"] = False
    text = is_text(annotation)

    @given(values)
    def check(value):
        plain = (
            value.get_secret_value()
            if isinstance(value, SecretStr)
            else to_jsonable_python(value, inf_nan_mode="constants")
        )
        if text and plain is None:
            assert load(cls, {}, {"FIELD": None}).FIELD is None
            return
        loaded = load(cls, {"MY_STEP__FIELD": encode(plain, text=text)}).FIELD
        assert same(loaded, value)

    check()


@given(JSON_VALUES)
def test_given_values_need_no_encoding(value):
    class Made(Settings):
        FIELD: Any

    assert value == load(Made, {"MY_STEP__FIELD": "other"}, {"FIELD": value}).FIELD


# --- where they come from --------------------------------------------------------------------------------------------


class Main(Settings):
    SIZE: int = 1
    NAME: str = "n"
    SERVER: Server = Server.model_construct(HOST="default", PORT=9)
    PARAMS: dict[str, Any] = {}


def test_the_id_comes_before_the_class_name_field_by_field():
    environ = {"MY_STEP__SIZE": "2", "MYSTEP__SIZE": "3", "MYSTEP__NAME": "class"}
    loaded = load(Main, environ)
    assert (loaded.SIZE, loaded.NAME) == (2, "class")
    loaded = load(Main, {"MYSTEP__SERVER": '{"HOST": "a", "PORT": 1}', "MY_STEP__SERVER__PORT": "2"})
    assert (loaded.SERVER.HOST, loaded.SERVER.PORT) == ("a", 2)


def test_bare_variables_never_leak_in(monkeypatch):
    for name in ("SIZE", "NAME", "SERVER", "HOST", "SERVER__HOST", "PORT"):
        monkeypatch.setenv(name, "99")
    import os

    class Inner(SettingsLeaf):
        PORT: int = 5

    class Outer(Settings):
        SIZE: int = 1
        INNER: Inner
        MADE: Inner = Field(default_factory=Inner)

        def __init__(self, **values):
            super().__init__(**values)

    loaded = load(Outer, os.environ)
    assert (loaded.SIZE, loaded.INNER.PORT, loaded.MADE.PORT) == (1, 5, 5)


def test_given_values_win_and_may_be_flat_or_nested():
    environ = {"MY_STEP__SIZE": "2", "MY_STEP__SERVER__HOST": "env"}
    loaded = load(Main, environ, {"SIZE": 5, "SERVER__PORT": 7})
    assert (loaded.SIZE, loaded.SERVER.HOST, loaded.SERVER.PORT) == (5, "env", 7)
    loaded = load(Main, environ, {"SERVER": {"PORT": 8}, "SERVER__HOST": "given"})
    assert (loaded.SERVER.HOST, loaded.SERVER.PORT) == ("given", 8)
    loaded = load(Main, {"MY_STEP__PARAMS": '{"a": 1}'}, {"PARAMS__b": 2})
    assert loaded.PARAMS == {"b": 2}


def test_nested_variables_refine_json_and_defaults():
    loaded = load(Main, {"MY_STEP__SERVER__PORT": "1"})
    assert (loaded.SERVER.HOST, loaded.SERVER.PORT) == ("default", 1)
    loaded = load(Main, {"MY_STEP__SERVER": '{"HOST": "json"}', "MY_STEP__SERVER__PORT": "2"})
    assert (loaded.SERVER.HOST, loaded.SERVER.PORT) == ("json", 2)
    loaded = load(Main, {"MY_STEP__PARAMS": '{"a": {"b": 1}}', "MY_STEP__PARAMS__a__c": "2", "MY_STEP__PARAMS__d": "x"})
    assert loaded.PARAMS == {"a": {"b": 1, "c": 2}, "d": "x"}


def test_a_plain_model_may_be_nested_as_well():
    class Outer(Settings):
        PLAIN: Plain = Plain(a=5)
        MAYBE: Plain | None = None
        NEEDED: Plain

    loaded = load(Outer, {"MY_STEP__PLAIN__b": "x", "MY_STEP__MAYBE__a": "3"})
    assert (Plain(a=5, b="x"), Plain(a=3), Plain()) == (loaded.PLAIN, loaded.MAYBE, loaded.NEEDED)
    assert "MY_STEP__PLAIN__c: there is no such setting" in problems(Outer, {"MY_STEP__PLAIN__c": "x"})


def test_what_json_reads_is_handed_over_as_text():
    class Inner(BaseModel):
        A: int

    class Parsed(Settings):
        LIST: Json[list[int]] = []
        ANY: Json = None
        MODEL: Json[Inner] | None = None
        PLAIN: Json[Inner]

    given = {"S__LIST": "[1]", "S__ANY": '{"x": 2}', "S__MODEL": '{"A": 3}', "S__PLAIN": '{"A": 4}'}
    found = load_settings(Parsed, step_id="s", class_name="S", environ=given)
    assert ([1], {"x": 2}, Inner(A=3), Inner(A=4)) == (found.LIST, found.ANY, found.MODEL, found.PLAIN)


def test_nested_twice():
    class Outer(Settings):
        DEEP: Deep

    loaded = load(Outer, {"MY_STEP__DEEP__SERVER__HOST": "h", "MY_STEP__DEEP__NAME": "n"})
    assert (loaded.DEEP.SERVER.HOST, loaded.DEEP.SERVER.PORT, loaded.DEEP.NAME) == ("h", 80, "n")
    assert "MY_STEP__DEEP__SERVER__HOST is not set; it takes str" in problems(Outer, {})


def test_a_field_name_may_hold_two_underscores():
    class Odd(Settings):
        A__B: int
        A: dict[str, int] = {}

    loaded = load(Odd, {"MY_STEP__A__B": "1", "MY_STEP__A__C": "2"})
    assert (loaded.A__B, loaded.A) == (1, {"C": 2})


def test_an_alias_may_be_used_like_the_name(monkeypatch):
    class Aliased(Settings):
        size: int = Field(1, alias="SIZE")

    assert load(Aliased, {"MY_STEP__SIZE": "2"}).size == 2
    assert load(Aliased, {"MY_STEP__size": "3"}).size == 3
    assert load(Aliased, {}, {"size": 4}).size == 4
    assert load(Aliased, {"MY_STEP__SIZE": "2"}, {"size": 4}).size == 4
    monkeypatch.setenv("SIZE", "5")
    assert (Aliased().size, Aliased(size=6).size, Aliased(SIZE=7).size) == (5, 6, 7)


def test_each_choice_of_an_alias_may_be_used():
    class Aliased(Settings):
        TOKEN: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("T", "TOK", AliasPath("KEYS", 0)))
        PORT: int = 1

    for name in ("T", "TOK", "TOKEN"):
        assert load(Aliased, {f"MY_STEP__{name}": "hunter2"}).TOKEN.get_secret_value() == "hunter2"
        secrets = Secrets("my-step", "MyStep", {f"MY_STEP__{name}": "hunter2"}, ())
        assert b"hunter2" in secrets.of_class(Aliased, {})


def test_defaults_are_checked_and_converted():
    class Defaults(Settings):
        FOLDER: Path = "data"

    assert Path("data") == load(Defaults, {}).FOLDER


def test_validators_of_the_author_see_what_they_expect():
    class Own(Settings):
        PARAMS: dict = {}
        WAIT: Annotated[int, BeforeValidator(lambda value: int(str(value).removesuffix("s")))] = 1
        URI: AnyUrl = AnyUrl("http://x")
        PREFIXES: dict[re.Pattern, str] = {}

        @field_validator("PARAMS", mode="before")
        @classmethod
        def parse(cls, value):
            return json.loads(value) if isinstance(value, str) else value

    loaded = load(
        Own,
        {
            "MY_STEP__PARAMS": '{"a": 1}',
            "MY_STEP__WAIT": "90s",
            "MY_STEP__URI": "https://a/b?c",
            "MY_STEP__PREFIXES": '{"^e5": "query: "}',
        },
    )
    assert (loaded.PARAMS, loaded.WAIT, str(loaded.URI)) == ({"a": 1}, 90, "https://a/b?c")
    assert {re.compile("^e5"): "query: "} == loaded.PREFIXES


def test_settings_can_be_changed_while_the_step_runs():
    loaded = load(Main, {})
    loaded.SIZE = 7
    assert loaded.SIZE == 7


def test_extra_fields_as_the_class_says():
    class Open(Settings):
        model_config = {"extra": "allow"}
        A: int = 1

    class Deaf(Settings):
        model_config = {"extra": "ignore", "env_prefix": "X_", "case_sensitive": False, "env_file": ".env"}
        A: int = 1

    loaded = load(Open, {"MY_STEP__B": "[1]", "MY_STEP__C": "text"})
    assert (loaded.B, loaded.C) == ([1], "text")
    assert load(Deaf, {"MY_STEP__B": "1", "X_A": "9"}).A == 1


# --- what goes wrong -------------------------------------------------------------------------------------------------


class Strict(Settings):
    TOKEN: SecretStr
    KEYS: list[SecretStr] = []
    PIN: SecretStr = Field(SecretStr("12345678"), min_length=8)
    SIZE: int
    WORDS: list[str] = []
    SERVER: Server
    COLOR: Color = Color.RED
    LIMIT: int = Field(1, le=5)


def test_every_problem_is_named_at_once():
    text = problems(
        Strict, {"MY_STEP__WORDS": "a,b", "MYSTEP__COLOR": "blue", "MY_STEP__LIMIT": "9", "MY_STEP__SIZ": "1"}
    )
    assert "settings of step 'my-step': 7 problems" in text
    assert "MY_STEP__TOKEN is not set; it takes SecretStr (or set MYSTEP__TOKEN)" in text
    assert "MY_STEP__SIZE is not set; it takes int" in text
    assert "MY_STEP__SERVER__HOST is not set; it takes str" in text
    assert """MY_STEP__WORDS: Input should be a valid list, not 'a,b'; write JSON, such as ["a", "b"]""" in text
    assert "MYSTEP__COLOR: Input should be 'red' or 'null', not 'blue'" in text
    assert "MY_STEP__LIMIT: Input should be less than or equal to 5, not 9" in text
    assert "MY_STEP__SIZ: there is no such setting; did you mean MY_STEP__SIZE?" in text


def test_an_unknown_name_far_from_any_shows_them_all():
    assert "the settings are HOST, PORT" in problems(Strict, {"MY_STEP__SERVER__XXXXXX": "1"})
    assert "MYSTEP__NOPE: there is no such setting; the settings are" in problems(Main, {"MYSTEP__NOPE": "1"})
    assert "NOPE: there is no such setting" in problems(Main, {}, {"NOPE": 1})
    assert "SIZE__X: there is no such setting" in problems(Main, {"MY_STEP__SIZE__X": "1"})


def test_a_step_without_settings_takes_none():
    assert load(NoSettings, {"OTHER__X": "1"}) is None
    assert load(type(None), {}) is None
    assert "MY_STEP__SIZE: the step has no settings" in problems(NoSettings, {"MY_STEP__SIZE": "1"})
    assert "SIZE: the step has no settings" in problems(NoSettings, {}, {"SIZE": 1})


@pytest.mark.parametrize(
    "environ",
    [
        {"MY_STEP__PIN": "hunter2"},
        {"MY_STEP__KEYS": "hunter2"},
        {"MY_STEP__KEYS": '["hunter2", {"a": "hunter2"}]'},
        {"MY_STEP__KEYS": '{"hunter2": "hunter2"}'},
    ],
)
def test_no_secret_is_shown(environ):
    text = problems(Strict, environ)
    assert "hunter2" not in text
    assert "the value is secret and not shown" in text


def test_no_password_in_a_url_is_shown():
    class Connected(Settings):
        DSN: PostgresDsn
        URLS: list[AnyUrl] = []
        PORT: int = 1

    text = problems(
        Connected,
        {
            "MY_STEP__DSN": "postgresql:/u:hunter2@h:bad",
            "MY_STEP__URLS": '["http//u:hunter2@h", "redis://:hunter2", "x//:hunter2", "no url", "http://:80/"]',
            "MY_STEP__PORT": "redis://:hunter2@cache",
        },
    )
    assert "hunter2" not in text
    assert "PORT: Input should be a valid integer, not 'redis://:***@cache'" in text
    assert text.count("not 'no url'") == text.count("not 'http://:80/'") == 1


def test_a_secret_of_text_takes_the_text_of_its_variable():
    class Typed(Settings):
        TOKEN: Secret[str]
        PIN: Secret[int]

    loaded = load(Typed, {"MY_STEP__TOKEN": "123", "MY_STEP__PIN": "123"})
    assert (loaded.TOKEN.get_secret_value(), loaded.PIN.get_secret_value()) == ("123", 123)


def test_no_secret_is_shown_by_the_checks_of_the_author():
    class Chatty(Settings):
        TOKEN: SecretStr
        OTHER: str = ""

        @field_validator("TOKEN", mode="before")
        @classmethod
        def check(cls, value):
            if value.startswith("bad"):
                raise ValueError(f"what is {value}?")
            return value

        @model_validator(mode="after")
        def whole(self):
            raise ValueError(f"token {self.TOKEN.get_secret_value()} is wrong, {self.OTHER}")

    assert problems(Chatty, {"MY_STEP__TOKEN": "bad hunter2"}).endswith(
        "the value is not valid (the value is secret and not shown)"
    )
    assert problems(Chatty, {"MY_STEP__TOKEN": "hunter2", "MY_STEP__OTHER": "so"}).endswith("token *** is wrong, so")


def test_no_key_of_a_secret_mapping_is_shown_by_the_checks_of_the_author():
    class Chatty(Settings):
        TOKENS: Secret[dict[str, str]]

        @model_validator(mode="after")
        def whole(self):
            raise ValueError(f"who is {next(iter(self.TOKENS.get_secret_value()))}?")

    assert problems(Chatty, {"MY_STEP__TOKENS": '{"hunter2": "word"}'}).endswith("who is ***?")


def test_long_values_are_cut():
    text = problems(Strict, {"MY_STEP__SIZE": "9" * 50 + "x" * 500})
    assert len(text) < 800


def test_a_missing_key_inside_a_value_is_no_missing_variable():
    class Outer(Settings):
        SERVERS: list[Server] = []

    text = problems(Outer, {"MY_STEP__SERVERS": '[{"PORT": 1}]'})
    assert "MY_STEP__SERVERS[0][HOST]: Field required" in text


# --- made directly, as upstream --------------------------------------------------------------------------------------


def test_made_directly_they_read_bare_names(monkeypatch):
    monkeypatch.setenv("SIZE", "3")
    monkeypatch.setenv("SERVER", '{"HOST": "json"}')
    monkeypatch.setenv("SERVER__PORT", "4")
    monkeypatch.setenv("size", "5")
    made = Main()
    assert (made.SIZE, made.SERVER.HOST, made.SERVER.PORT) == (3, "json", 4)
    assert Main(SIZE=9).SIZE == 9
    assert Server(HOST="arg", PORT=4) == Main(SERVER={"HOST": "arg"}).SERVER
    assert Main(SERVER='{"HOST": "text"}').SERVER.HOST == "text"
    assert Main(SERVER=Server(HOST="made")).SERVER.HOST == "made"


def test_made_directly_unknown_names_are_refused(monkeypatch):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Main(NOPE=1)
    monkeypatch.setenv("SERVER__HOTS", "x")
    with pytest.raises(ValidationError, match=r"SERVER.HOTS"):
        Main()


def test_errors_of_direct_making_show_no_input(monkeypatch):
    monkeypatch.setenv("TOKEN", "x")
    monkeypatch.setenv("KEYS", '["hunter2", 3]')
    with pytest.raises(ValidationError) as caught:
        Strict()
    assert "hunter2" not in str(caught.value)


def test_a_prefix(monkeypatch):
    monkeypatch.setenv("DB__HOST", "db")
    monkeypatch.setenv("HOST", "bare")
    prefixed = Server.with_prefix("DB__")
    assert prefixed().HOST == "db"
    assert issubclass(prefixed, Server)
    assert Server().HOST == "bare"

    class Configured(Settings):
        model_config = {"env_prefix": "DB__"}
        HOST: str

    assert Configured().HOST == "db"


def test_base_settings_take_nested_leaves(monkeypatch):
    class Root(SettingsBase):
        SERVER: Server

    monkeypatch.setenv("SERVER__HOST", "h")
    assert Server(HOST="h") == Root().SERVER
    monkeypatch.delenv("SERVER__HOST")
    with pytest.raises(ValidationError, match=r"SERVER.HOST"):
        Root()


def test_the_schema_and_a_copy_read_no_environment(monkeypatch):
    monkeypatch.setenv("PORT", "77")
    made = Server(HOST="a", PORT=1)
    assert made.model_copy() == made
    assert Server.model_validate({"HOST": "b"}).PORT == 80
    assert Server.model_json_schema()["properties"]["PORT"]["default"] == 80


@given(
    st.dictionaries(
        st.sampled_from(["SIZE", "NAME", "SERVER", "SERVER__HOST", "PARAMS", "PARAMS__a__b", "X", "__"]), ANY_TEXT
    )
)
@example({"SERVER": "[" * 5000})
@example({"PARAMS": '{"a": 1}', "PARAMS__a__b": "1"})
def test_no_environment_breaks_the_loader(environ):
    with contextlib.suppress(EnvSettingsError):
        load(Main, {f"MY_STEP__{name}": value for name, value in environ.items()})


def test_a_mapping_gives_values_and_names_win_over_it(monkeypatch):
    monkeypatch.setenv("PORT", "1")
    assert Server({"HOST": "a"}) == Server(HOST="a", PORT=1)
    assert Server({"HOST": "a", "PORT": 2}, PORT=3).PORT == 3
    with pytest.raises(ValidationError, match="NOTHING"):
        Server({"HOST": "a", "NOTHING": 1})

    class Parent(Settings):
        SERVERS: dict[str, Server] = {"one": Server({"HOST": "a"})}

    assert Parent().SERVERS["one"].HOST == "a"


def test_prefixes_can_be_seen_in_the_configuration():
    assert (Server.model_config["env_prefix"], Server.model_config["env_nested_delimiter"]) == ("", "__")
    assert Server.with_prefix("pp").model_config["env_prefix"] == "pp"
    assert Server.model_config["env_prefix"] == ""


def test_the_default_of_a_field_reads_no_environment(monkeypatch):
    class Db(SettingsLeaf):
        HOST: str = "localhost"
        PASSWORD: str = "none"

    class Around(SettingsLeaf):
        DB: Db = Field(default_factory=Db)

    def made():
        return Db()

    for name in ("HOST", "PASSWORD", "DB"):
        monkeypatch.setenv(name, '{"HOST": "hunter2"}')

    class Outer(Settings):
        DIRECT: Db = Db()
        GIVEN: Db = Db(HOST="x")
        FIELD: Db = Field(default=Db())
        LIST: list[Db] = [Db() for _ in range(1)]
        CALLED: Db = made()
        AROUND: Around = Around()

    loaded = load(Outer, {"MY_STEP__GIVEN__PASSWORD": "p"})
    assert "hunter2" not in repr(loaded)
    assert (loaded.DIRECT.HOST, loaded.GIVEN.HOST, loaded.GIVEN.PASSWORD) == ("localhost", "x", "p")
    assert "hunter2" in Db().HOST


class Kept(SettingsLeaf):
    HOST: str = "localhost"
    PORT: int = 1


def test_a_default_that_was_made_elsewhere_does_not_bring_what_it_has_read(monkeypatch):
    monkeypatch.setenv("HOST", "hunter2")
    monkeypatch.setenv("PORT", "22")
    lines = "read = Kept()\ngiven = Kept(PORT=3)\nread_later = Kept()"
    module = {"Kept": Kept, "__name__": __name__}
    exec(compile(lines, "<module of an author>", "exec"), module)
    read, given = module["read"], module["given"]
    assert (read.HOST, given.HOST, given.PORT) == ("hunter2", "hunter2", 3)

    class Outer(Settings):
        ONE: Kept = read
        TWO: Kept | None = given
        LIST: list[Kept] = [read, given]
        PAIR: tuple[Kept, int] = (given, 1)
        NAMED: dict[str, Kept] = {"a": read}
        FIELD: Kept = Field(default=read)

    class Derived(Outer):
        pass

    for cls in (Outer, Derived):
        loaded = load(cls, {"MY_STEP__TWO__HOST": "given"})
        assert "hunter2" not in repr(loaded)
        assert (loaded.ONE.PORT, loaded.TWO.HOST, loaded.TWO.PORT, loaded.PAIR[0].PORT) == (1, "given", 3, 3)
    assert read.HOST == "hunter2"


class Enclosing(BaseModel):
    DB: Kept


@dataclass(frozen=True, slots=True)
class Record:
    DB: Kept


class Around(SettingsLeaf):
    DB: Kept


@dataclass
class Held:
    found: Any


def test_a_default_around_one_that_was_made_elsewhere_does_not_bring_it_either(monkeypatch):
    monkeypatch.setenv("HOST", "hunter2")
    module = {"Kept": Kept, "__name__": __name__}
    exec(compile("read = Kept()", "<module of an author>", "exec"), module)
    read = module["read"]

    class WithDefault(BaseModel):
        DB: Kept = read

    class Outer(Settings):
        MODEL: Enclosing = Enclosing(DB=read)
        RECORD: Record = Record(read)
        AROUND: Around = Around(DB=read)
        DEEP: tuple[dict[str, list[Enclosing]]] = ({"a": [Enclosing(DB=read)]},)
        COPIED: WithDefault = WithDefault()

    assert "hunter2" in repr(WithDefault())
    assert "hunter2" not in repr(load(Outer, {}))
    assert load(Outer, {"MY_STEP__AROUND__DB__HOST": "x"}).AROUND.DB.HOST == "x"


@pytest.mark.parametrize("around", [lambda found: found, lambda found: [{"a": found}], Held])
def test_a_default_that_another_library_reads_is_refused(monkeypatch, around):
    class BaseSettings(BaseModel):
        HOST: str = "hunter2"

    monkeypatch.setitem(sys.modules, "pydantic_settings", SimpleNamespace(BaseSettings=BaseSettings))

    class Foreign(BaseSettings):
        pass

    with pytest.raises(StaticTypeError, match=r"Outer\.ONE: its default has an object of Foreign, which") as caught:

        class Outer(Settings):
            ONE: Any = around(Foreign())

    assert "hunter2" not in str(caught.value)
