"""Texts with a grammar: what is accepted everywhere and what is refused, by pydantic and by the JSON Schema alike."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from wurzel.ir import names

GOOD = {
    "EnvName": ["A", "_x", "LOG_LEVEL", "EMBED__API_KEY", "a1"],
    "LabelKey": ["team", "acme.example/team", "nvidia.com/gpu", "A.b_c-d", "x" * 63, "1", f"{'a.' * 126}a/b"],
    "LabelValue": ["", "a100", "1.10", "A_b-c.d", "x" * 63],
    "Image": [
        "rag",
        "rag:latest",
        "acme/rag",
        "ghcr.io/acme/rag:1.4.0",
        "localhost/rag",
        "registry:5000/a/b_c/d__e/f--g:T_1.x-y",
        "[::1]:5000/rag",
        f"ghcr.io/acme/rag@sha256:{'0' * 64}",
        f"ghcr.io/acme/rag:1@sha256:{'a' * 64}",
    ],
    "Name": ["rag", "rag-de", "1", "a" * 63],
    "ObjectName": ["default", "rag.acme", "a-b.c-d"],
    "SecretName": ["openai", "secret/data/rag", "OPENAI_TOKEN"],
    "SecretKey": ["token", "api-key", "tls.crt", "API_KEY"],
    "Folder": ["data", "a/b", "da ta/$HOME it's", ".data", "..data"],
    "FreeText": ["", "\n", "{{ x }}"],
}
BAD = {
    "EnvName": ["", "1A", "A-B", "A.B", "A B", "Ä", "A=", None, 1],
    "LabelKey": ["", "-a", "a-", "a/b/c", "/a", "a/", "Acme.example/x", "x" * 64, "a b", "ä", f"{'a' * 254}/b", None],
    "LabelValue": ["-a", "a-", "a b", "x" * 64, "a/b", "ä", None],
    "Image": [
        "",
        "Rag",
        "acme/Rag",
        "Acme/rag",
        ":1",
        "rag:",
        "rag@sha256:abc",
        "ghcr.io//rag",
        "a b",
        "rag:-1",
        "http://x/y",
    ],
    "Name": ["", "Rag", "rag_de", "-rag", "rag-", "a" * 64, "a.b", "a/b", "..", "ä"],
    "ObjectName": ["", "Default", "a..b", ".a", "a_b", "a" * 254],
    "SecretName": ["", "a b", "ä", "a\n"],
    "SecretKey": ["", "a b", "a/b", "x" * 254],
    "Folder": ["", "/data", "../data", "a/../..", "..", "~/data", None, "a\nb", "a\x00b"],
    "FreeText": ["\x00", "a\x00b", None, 1],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in GOOD.items() for value in values])
def test_accepted(kind, value):
    adapter = TypeAdapter(getattr(names, kind))
    assert adapter.validate_python(value) == value
    assert re.search(adapter.json_schema().get("pattern", ""), value)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in BAD.items() for value in values])
def test_refused(kind, value):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(getattr(names, kind)).validate_python(value)
    assert repr(value) in str(caught.value) or "at most" in str(caught.value) or "prefix" in str(caught.value)


def test_a_folder_is_normalised():
    assert TypeAdapter(names.Folder).validate_python("./a//b/../c/") == "a/c"


def test_the_project_folder_itself_is_no_folder_for_datasets():
    with pytest.raises(ValidationError, match="project folder itself"):
        TypeAdapter(names.Folder).validate_python("a/..")
