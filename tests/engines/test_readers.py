"""What is rendered, read by Go (yaml.v2, yaml.v3, sigs.k8s.io/yaml), npm (`yaml`, `js-yaml`) and Ruby (Psych)."""

import pytest

from tests.hostility import readers
from tests.hostility.places import TEXTS
from tests.hostility.search import Search
from wurzel.render.quoting.yaml_value import entries

pytestmark = pytest.mark.engine
NUMBERS = [
    "0b-1",
    "0o+17",
    "-0x-1",
    "0_b1",
    "0_x1",
    "1_0",
    "e1",
    "E+5",
    ".e3",
    "-e1",
    "0-1",
    "+.5",
    "1e",
    "0b",
    "0x",
    "_1",
]


@pytest.fixture(scope="module")
def others():
    found = readers.foreign()
    if not found:
        pytest.skip("none of Go's, npm's and Ruby's readers can be had here")
    yield found
    for reader in found:
        reader.close()


def test_every_text_is_a_text_as_value_key_and_item(others):
    for text in [*TEXTS, *NUMBERS, "<<"]:
        value = {"k": text, "l": [text], text[:99]: {"m": text}}
        assert not any(readers.yaml_problems([entries(value, 0) + "\n"], [value], others)), text


def test_generated_templates_are_read_as_they_say(others):
    search = Search(others)
    problems = list(search.problems(range(5000, 5200)))
    assert not problems, "\n".join(problems[:3])
    assert search.counts["YAML, read"] > 100
