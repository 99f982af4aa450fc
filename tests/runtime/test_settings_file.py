import pytest

from wurzel.exceptions import UsageError
from wurzel.runtime.settings_file import read_settings

YAML = """
rag:
  split: {SIZE: 1e3, DAY: 2024-01-01, FLAG: yes, TEXT: "007", NOTHING: null, LIST: [a:b]}
  empty:
  text: just text
"""


@pytest.fixture
def params(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(YAML)
    (tmp_path / "params.json").write_text('{"rag": {"split": {"SIZE": 1}}}')
    (tmp_path / "odd#name.yaml").write_text("A: 1")
    return tmp_path


def test_the_mapping_below_a_key(params):
    assert read_settings("params.yaml#rag.split") == {
        "SIZE": 1000.0,
        "DAY": "2024-01-01",
        "FLAG": "yes",
        "TEXT": "007",
        "NOTHING": None,
        "LIST": ["a:b"],
    }
    assert read_settings("params.json#rag.split") == {"SIZE": 1}
    assert read_settings("params.yaml#rag.empty") == {}
    assert list(read_settings("params.yaml")) == ["rag"]
    assert list(read_settings("params.yaml#")) == ["rag"]
    assert read_settings("odd#name.yaml") == {"A": 1}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nothing.yaml", "nothing.yaml: cannot be read: No such file"),
        ("nothing.yaml#a", "nothing.yaml: cannot be read: No such file"),
        (".", ".: cannot be read: it is a folder, not a file"),
        ("params.yaml#rag.splt", "params.yaml#rag: has no key 'splt'\n  Did you mean split?"),
        ("params.yaml#xyz", "params.yaml: has no key 'xyz'\n  There are: rag."),
        ("params.yaml#rag.text.deeper", "params.yaml#rag.text: has no key 'deeper'"),
        ("params.yaml#rag.text", "contains 'just text', not settings by name"),
        ("bad.yaml", "bad.yaml:2: is not YAML"),
        ("bad.json", "bad.json: is not JSON"),
        ("binary.yaml", "binary.yaml: is not UTF-8 text"),
    ],
)
def test_what_cannot_be_used(params, reference, message):
    (params / "bad.yaml").write_text("a: 1\nb: c: d\n")
    (params / "bad.json").write_text("{")
    (params / "binary.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError) as caught:
        read_settings(reference)
    assert message in str(caught.value)
