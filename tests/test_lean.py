"""Pydantic, Jinja and ruamel.yaml are whole for everybody who uses them, although parts of them are imported late."""

import os
import subprocess
import sys

import pytest

USES = """
import sys
from wurzel.lean import load_jinja
load_jinja()
late = {"jinja2.bccache", "jinja2.compiler", "jinja2.lexer", "jinja2.parser"}
import jinja2
loaded = late & sys.modules.keys()
"""
RENDERS = """
import sys
sys.dont_write_bytecode = False
from wurzel.render import Renderer
assert Renderer(["layer"]).render("x/a.yaml.j2", {"value": 1}).text == "a: 1\\n"
print("jinja2.parser" in sys.modules, "jinja2.compiler" in sys.modules)
"""
FAKE = """
from jinja2.lexer import Lexer
either = Lexer | None
"""


def run(code, folder, **environ):
    environ = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **environ}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_compiles_templates_is_imported_only_to_compile(tmp_path):
    (tmp_path / "layer" / "x").mkdir(parents=True)
    (tmp_path / "layer" / "x" / "a.yaml.j2").write_text("a: {{ value }}\n")
    assert run(RENDERS, tmp_path) == "True True\n"
    assert run(RENDERS, tmp_path) == "False False\n"


COMPILES = """
assert jinja2.Environment().from_string("{{ a + 1 }}").render(a=1) == "2"
assert jinja2.Environment().compile_expression("a > 1")(a=2)
"""
TOKENS = 'assert list(jinja2.Environment().lexer.tokenize("a"))'
DERIVES = """
class Cache(jinja2.BytecodeCache): pass
class Own(jinja2.Environment.code_generator_class): pass
import jinja2.bccache as real
assert real.BytecodeCache in Cache.__mro__ and issubclass(Own, jinja2.environment.CodeGenerator)
"""
COMPARES = """
assert isinstance(jinja2.FileSystemBytecodeCache("."), jinja2.BytecodeCache) and jinja2.BytecodeCache | None
assert jinja2.BytecodeCache is jinja2.bccache.BytecodeCache
"""
WHOLE = """
import inspect
from functools import singledispatch
from jinja2.environment import Lexer, TokenStream
assert inspect.isclass(jinja2.Environment.code_generator_class) and Lexer | None
assert jinja2.environment.CodeGenerator is jinja2.compiler.CodeGenerator and Lexer is jinja2.lexer.Lexer
singledispatch(len).register(TokenStream, len)
"""
LISTED = 'assert "BytecodeCache" in dir(jinja2) and "jinja2.bccache" in sys.modules'
MODULES = """
assert not hasattr(jinja2, "__wrapped__") and "jinja2.lexer" not in sys.modules
assert not hasattr(jinja2, "nothing")
assert jinja2.lexer.Lexer and jinja2.__version__
"""
OTHERS = """
import jinja2.ext, jinja2.nativetypes, jinja2.sandbox
jinja2.sandbox.SandboxedEnvironment(extensions=["jinja2.ext.do"]).from_string("{% do 1 %}").render()
assert jinja2.nativetypes.NativeEnvironment().from_string("{{ [1] }}").render() == [1]
"""


@pytest.mark.parametrize("use", [COMPILES, TOKENS, DERIVES, COMPARES, WHOLE, LISTED, MODULES, OTHERS])
def test_other_code_uses_jinja_as_usual(tmp_path, use):
    run(f"{USES}assert not loaded, loaded\n{use}", tmp_path)


def test_a_version_of_jinja_that_needs_more_at_its_start_is_imported_as_usual(tmp_path):
    (tmp_path / "jinja2").mkdir()
    (tmp_path / "jinja2" / "__init__.py").write_text(FAKE)
    (tmp_path / "jinja2" / "lexer.py").write_text("class Lexer: pass")
    run(f"{USES}assert jinja2.either and loaded == {{'jinja2.lexer'}}, loaded", tmp_path)


EVENTS = """
import sys
from wurzel.yaml_events import CParser, YAMLError, events
late = {f"ruamel.yaml.{name}" for name in ("constructor", "cyaml", "main", "parser", "representer", "scanner")}
assert CParser("a: 1").get_event() and not late & sys.modules.keys()
"""
LOADS = """
import ruamel.yaml
assert not hasattr(ruamel.yaml, "__wrapped__")  # as inspect and debuggers ask every module
assert ruamel.yaml.YAML(typ="safe").load("a: 1") == {"a": 1} and ruamel.yaml.CLoader and ruamel.yaml.round_trip_load
assert not hasattr(ruamel.yaml, "nothing")
"""
LISTED_NAMES = """
import _ruamel_yaml, ruamel.yaml
assert {"YAML", "CLoader"} <= vars(ruamel.yaml).keys()
assert _ruamel_yaml.ScannerError is ruamel.yaml.scanner.ScannerError
"""
STAR = """
from ruamel.yaml import *
assert YAML(pure=True).load("[a]") == ["a"]
"""
NAMES = """
from ruamel.yaml import YAML
import ruamel.yaml.scalarstring
"""
FAILS = """
def fails(text):
    parser = CParser(text)
    try:
        while parser.get_event() is not None: pass
    except YAMLError as error:
        return error
from_parser, from_scanner = fails("[a"), fails("a: b: c")
from ruamel.yaml.parser import ParserError
from ruamel.yaml.scanner import ScannerError
assert type(from_parser) is ParserError and type(from_scanner) is ScannerError and from_parser.context_mark.line == 0
"""


@pytest.mark.parametrize("use", [LOADS, LISTED_NAMES, STAR, NAMES, FAILS])
def test_other_code_uses_ruamel_yaml_as_usual(tmp_path, use):
    run(f"{EVENTS}{use}", tmp_path)


PYDANTIC = """
import sys
from wurzel.lean import load_pydantic
load_pydantic()
late = {"pydantic.json_schema", "pydantic.types", "pydantic_core.core_schema", "pydantic._internal._generate_schema"}
import pydantic, typing
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
__name__ = "wurzel.models"
from pydantic import BaseModel
__name__ = "__main__"
class Item(BaseModel):
    model_config = ConfigDict(defer_build=True)
    number: int = Field(1, ge=1)
    items: "list[Item]" = []
Item.model_construct(number=2).model_copy()
assert not late & sys.modules.keys()
"""
VALIDATES = """
assert Item(number="3", items=[{}]).model_dump() == {"number": 3, "items": [{"number": 1, "items": []}]}
try:
    Item(number=0)
except ValidationError as error:
    assert error.errors()[0]["type"] == "greater_than_equal"
from pydantic._internal import _generate_schema, _model_construction
assert _model_construction.InvalidSchemaError is _generate_schema.InvalidSchemaError
"""
DESCRIBES = """
assert Item.model_json_schema()["$defs"]["Item"]["properties"]["number"]["minimum"] == 1
assert TypeAdapter(list[Item]).json_schema(ref_template="#/{model}")["items"] == {"$ref": "#/Item"}
class Own(pydantic.json_schema.GenerateJsonSchema): pass
assert issubclass(Own, pydantic.main.GenerateJsonSchema) and Item.model_json_schema(schema_generator=Own)
"""
MARKS = """
from pydantic import AfterValidator, PositiveInt, SecretStr, computed_field, field_validator
class Other(BaseModel):
    key: SecretStr
    count: typing.Annotated[PositiveInt, AfterValidator(lambda value: value + 1)] = Field(strict=True)
    ratio: float = Field(0, allow_inf_nan=False)
    @computed_field
    @property
    def twice(self) -> int: return 2 * self.count
    @field_validator("ratio")
    @classmethod
    def half(cls, value): return value / 2
assert Other(key="k", count=1, ratio=1).model_dump_json() == '{"key":"**********","count":2,"ratio":0.5,"twice":4}'
for wrong in ({"count": "1"}, {"count": 1, "ratio": float("inf")}):
    try:
        Other(key="k", **wrong)
    except ValidationError as error:
        continue
    raise AssertionError(wrong)
"""
CORE = """
import pydantic_core
from pydantic_core import CoreSchema, core_schema
assert pydantic_core.core_schema is core_schema and core_schema.int_schema() == {"type": "int"}
assert CoreSchema is core_schema.CoreSchema and pydantic_core.SchemaValidator(core_schema.int_schema())
assert not hasattr(pydantic_core, "nothing") and not hasattr(pydantic, "nothing")
"""
ALL = """
import pydantic.json_schema, pydantic_core
from pydantic import *
assert pydantic.types.SecretStr is SecretStr and pydantic.json_schema.CoreSchema is pydantic_core.CoreSchema
assert RootModel[int](1).root == 1 and validate_call(lambda a: a)(1) == 1
"""
WITHOUT = """
import gc, wurzel.lean
pydantic.main
stand_ins = {wurzel.lean._Later, wurzel.lean._StandIn}
assert not [one for one in gc.get_objects() if type(one) in stand_ins] and late <= sys.modules.keys()
assert {type(module) for name, module in sys.modules.items() if name.startswith("pydantic")} == {type(sys)}
"""
INSPECTS = """
import copy, inspect
from pydantic.fields import FieldInfo
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, GenerateJsonSchema, JsonSchemaMode
default = inspect.signature(BaseModel.model_json_schema).parameters
assert default["schema_generator"].default is GenerateJsonSchema
assert default["ref_template"].default is inspect.signature(BaseModel.schema).parameters["ref_template"].default
assert typing.get_type_hints(BaseModel.model_json_schema)["mode"] is JsonSchemaMode
assert copy.deepcopy(FieldInfo.metadata_lookup)["strict"] is pydantic.types.Strict
"""
VARIABLES = """
found = vars(pydantic.main)["GenerateJsonSchema"]
assert found is pydantic.json_schema.GenerateJsonSchema and pydantic.type_adapter
"""
INTERNAL = "assert pydantic._internal._generate_schema.GenerateSchema and pydantic.functional_validators.AfterValidator"
THREADS = """
from threading import Thread
failed, threads = [], []
def run(code):
    try:
        exec(code, {"__name__": "other"})
    except BaseException as error:
        failed.append((code, error))
sys.setswitchinterval(1e-6)
for code in [
    "from pydantic import SecretStr, AfterValidator", "import pydantic.types", "import pydantic.dataclasses",
    "from pydantic_core import core_schema; core_schema.int_schema()", "from pydantic import *",
    "from pydantic.json_schema import GenerateJsonSchema as G\\nclass X(G): pass", "import pydantic; vars(pydantic)",
    "from pydantic import TypeAdapter\\nTypeAdapter(list[int]).json_schema()",
]:
    threads.append(Thread(target=run, args=[code]))
for thread in threads: thread.start()
for thread in threads: thread.join(30)
assert not failed and not any(thread.is_alive() for thread in threads), failed
"""


@pytest.mark.parametrize(
    "use", [VALIDATES, DESCRIBES, MARKS, CORE, ALL, WITHOUT, INSPECTS, VARIABLES, INTERNAL, THREADS]
)
def test_other_code_uses_pydantic_as_usual(tmp_path, use):
    run(f"{PYDANTIC}{use}", tmp_path)


@pytest.mark.parametrize(
    ("version", "main"),
    [
        ("2.14.9", "from pydantic.types import A\nclass B(A): pass"),
        ("2.99.0", "from pydantic.types import A\nB = A"),
    ],
)
def test_a_version_of_pydantic_that_was_not_tried_or_needs_more_is_imported_as_usual(tmp_path, version, main):
    (tmp_path / "pydantic").mkdir()
    for name, code in {
        "__init__": f"VERSION = {version!r}",
        "main": main,
        "fields": "",
        "type_adapter": "",
        "types": "class A: pass",
    }.items():
        (tmp_path / "pydantic" / f"{name}.py").write_text(code)
    load = "import sys\nfrom wurzel.lean import load_pydantic\nload_pydantic()\nassert 'pydantic' not in sys.modules\n"
    run(f"{load}from pydantic.main import B\nassert sys.modules['pydantic.types'].A in B.__mro__", tmp_path)
