"""`wurzel schema`: Draft 7, accepts every example, and refuses what the loader refuses."""

import contextlib
import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.command import invoke
from wurzel.exceptions import ConfigError
from wurzel.project.load import load
from wurzel.project.model import PACK_FILE
from wurzel.project.nodes import Findings
from wurzel.project.packs import Pack, _check_targets, _read

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted([*(ROOT / "tests" / "pipelines").glob("*.yaml"), *(ROOT / "docs").rglob("wurzel.yaml")])


@pytest.fixture(scope="module")
def schema():
    result = invoke("schema")
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_it_is_a_schema_of_draft_7_and_the_same_every_time(schema):
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads(invoke("schema").stdout) == schema
    words = json.dumps(schema)
    assert "$defs" not in words
    assert "prefixItems" not in words


def nodes(schema):
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from nodes(item)


def test_references_stand_alone_and_lead_somewhere(schema):
    for node in nodes(schema):
        if isinstance(node.get("$ref"), str):
            assert node["$ref"].removeprefix("#/definitions/") in schema["definitions"]
            assert node.keys() == {"$ref"}


def test_every_mapping_of_ours_is_closed_and_every_field_described(schema):
    for name, definition in schema["definitions"].items():
        assert definition.get("additionalProperties") is False, name
        if "." not in name:
            missing = [key for key, value in definition["properties"].items() if not described(value, schema)]
            assert missing == [], name


def described(node, schema):
    if "description" in node:
        return True
    inner = [node, *node.get("anyOf", []), *node.get("allOf", [])]
    references = [item["$ref"].removeprefix("#/definitions/") for item in inner if "$ref" in item]
    references += [
        item["items"]["$ref"].removeprefix("#/definitions/")
        for item in inner
        if isinstance(item.get("items"), dict) and "$ref" in item["items"]
    ]
    return any("description" in schema["definitions"][name] for name in references)


def test_all_targets_are_there(schema):
    from wurzel.backends.registry import names

    assert list(schema["definitions"]["PipelineConfig"]["properties"]["targets"]["properties"]) == names()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_fit(schema, path):
    found = list(Draft7Validator(schema).iter_errors(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert found == []
    load(path)


def test_the_documented_file_fits(schema, tmp_path):
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8").split("```yaml\n")[1].partition("```")[0]
    assert fits(schema, text)
    assert loads(tmp_path, text)


GOOD = """\
version: 1
templates: [a]
pipelines:
  rag:
    entrypoint: mypkg.pipelines:rag
    image: null
    schedule: {cron: "@every 1h"}
    env: {A: 1, B: true, C: text, D: null}
    timeout: 90
    defaults: {resources: {cpu: 0.5, memory: 1Gi}, retry: {limit: null}}
    steps:
      embed: {settings: {A: [1, {b: null}]}, shards: 2, tolerations: [{key: a}], secrets: {X: {name: a, key: b}}}
      other:
    targets: {dvc: {}, local: }
environments:
  prod: {pipelines: {rag: {schedule: {timezone: UTC}, steps: {embed: {secrets: {X: {key: c}}}}}}}
  dev:
"""

BROKEN = [
    "[]",
    "text",
    "pipelines: {}",
    "version: 2",
    "version: '1'",
    "{version: 1, pipeline: {}}",
    "{version: 1, templates: a}",
    "{version: 1, templates: [[a]]}",
    "{version: 1, pipelines: []}",
    "{version: 1, pipelines: {rag: {}}}",
    "{version: 1, pipelines: {rag: 5}}",
    "{version: 1, pipelines: {Rag: {entrypoint: a:b}}}",
    "{version: 1, environments: {prod: {image: a}}}",
    "{version: 1, environments: {prod: {pipelines: {rag: {imag: a}}}}}",
]
BROKEN_ENTRIES = [
    "{entrypoint: mypkg}",
    "{entrypoint: 5}",
    "{imag: a}",
    "{image: Ghcr.io}",
    "{image: [a]}",
    "{data_dir: /tmp}",
    "{data_dir: ../x}",
    "{schedule: '@daily'}",
    "{schedule: {}}",
    "{schedule: {cron: '* * * * * *'}}",
    "{schedule: {cron: '@reboot'}}",
    "{schedule: {cron: 'TZ=UTC * * * * *'}}",
    "{schedule: {cron: '@daily', timezone: berlin time}}",
    "{schedule: {cron: '@daily', concurrency: never}}",
    "{schedule: {cron: '@daily', deadline: soon}}",
    "{parallelism: 0}",
    "{parallelism: 1.5}",
    "{timeout: -1}",
    "{timeout: 1w}",
    "{timeout: ''}",
    "{env: {A-B: c}}",
    "{env: {A: [b]}}",
    "{env: [A]}",
    "{secrets: {A: b}}",
    "{secrets: {A: {name: b}}}",
    "{secrets: {A: {name: b, key: c, value: d}}}",
    "{labels: {a: b c}}",
    "{labels: {a: [b]}}",
    "{service_account: A_b}",
    "{defaults: {resources: {cpu: lots}}}",
    "{defaults: {resources: {memory: 8 Gi}}}",
    "{defaults: {resources: {gpu: -1}}}",
    "{defaults: {resources: {disk: 1Gi}}}",
    "{defaults: {limits: 5}}",
    "{defaults: {retry: often}}",
    "{defaults: {retry: {limit: many}}}",
    "{defaults: {retry: {factor: 0.5}}}",
    "{defaults: {settings: {}}}",
    "{steps: {Embed: {}}}",
    "{steps: {embed: {shards: 0}}}",
    "{steps: {embed: {shards: two}}}",
    "{steps: {embed: {settings: []}}}",
    "{steps: {embed: {parameters: A}}}",
    "{steps: {embed: {tolerations: {key: a}}}}",
    "{steps: {embed: {tolerations: [{operator: Some}]}}}",
    "{steps: {embed: {tolerations: [{keys: a}]}}}",
    "{steps: {embed: {node_selector: {a: /}}}}",
    "{steps: []}",
    "{targets: {dcv: {}}}",
    "{targets: {dvc: 5}}",
    "{targets: [dvc]}",
]


def entry(text):
    given = text.removeprefix("{")
    start = "" if given.startswith("entrypoint") else "entrypoint: a.b:c, "
    return f"version: 1\npipelines: {{rag: {{{start}{given}}}\n"


def fits(schema, text):
    return Draft7Validator(schema).is_valid(yaml.safe_load(text))


def loads(tmp_path, text):
    (tmp_path / "wurzel.yaml").write_text(text)
    try:
        load(tmp_path / "wurzel.yaml")
    except ConfigError:
        return False
    return True


def test_both_accept_what_is_right(schema, tmp_path):
    assert fits(schema, GOOD)
    assert loads(tmp_path, GOOD)


@pytest.mark.parametrize("text", [*BROKEN, *map(entry, BROKEN_ENTRIES)])
def test_both_refuse_what_is_broken(schema, tmp_path, text):
    assert not loads(tmp_path, text)
    assert not fits(schema, text)


@pytest.mark.parametrize("options", ["{paramz: x}", "{params: [x]}", "{ignore: gpu}"])
def test_options_of_targets_are_held_to_their_models_by_both(schema, tmp_path, options):
    from wurzel.backends.registry import get
    from wurzel.ir.model import Pipeline
    from wurzel.project.options import validate_options
    from wurzel.project.resolve import resolve

    text = entry(f"{{targets: {{dvc: {options}}}}}")
    assert not fits(schema, text)
    (tmp_path / "wurzel.yaml").write_text(text)
    resolved = resolve(Pipeline(name="rag", steps=()), load(tmp_path / "wurzel.yaml"))
    with pytest.raises(ConfigError, match=r"wurzel\.yaml:2:"):
        validate_options(resolved, "dvc", get("dvc").options_model)


@pytest.fixture(scope="module")
def fits_pack():
    result = invoke("schema", "--pack")
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    Draft7Validator.check_schema(schema)
    assert schema["title"] == "wurzel-pack.yaml"
    return Draft7Validator(schema).is_valid


def test_the_schema_of_packs_accepts_the_example_and_knows_the_options_of_targets(fits_pack):
    (path,) = (ROOT / "docs").rglob("wurzel-pack.yaml")
    example = yaml.safe_load(path.read_text())
    assert fits_pack(example)
    example["pipeline"]["targets"]["argo"]["servic_account"] = "x"
    assert not fits_pack(example)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ("labels: {a: b}", True),
        ("labels: null", True),
        ("targets: {argo: {service_account: x}}", True),
        ("targets: {argoo: {}}", False),
        ("entrypoint: a:b", False),
        ("steps: {}", False),
        ("schedule: {timezone: Europe/Berlin}", False),
        ("defaults: {retry: {limit: 2}, timeout: 2h}", True),
        ("defaults: {retry: {limit: -2}}", False),
    ],
)
def test_the_schema_of_packs_says_what_the_loader_says(fits_pack, tmp_path, said, fits):
    text = f"version: 1\npipeline: {{{said}}}\n"
    assert fits_pack(yaml.safe_load(text)) is fits
    (tmp_path / PACK_FILE).write_text(text)
    findings = Findings()
    _check_targets(_read(Pack("acme"), tmp_path / PACK_FILE, findings), (), findings)
    with contextlib.nullcontext() if fits else pytest.raises(ConfigError):
        findings.check()
