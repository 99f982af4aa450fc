"""Texts in the format of well-known tokens are recognised; ordinary ones are not."""

import time
from collections import deque
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple, NewType, NotRequired

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    BaseModel,
    EmailStr,
    HttpUrl,
    Json,
    MongoDsn,
    PostgresDsn,
    RedisDsn,
    Secret,
    SecretBytes,
    SecretStr,
)
from typing_extensions import TypeAliasType, TypedDict

from wurzel.datacontract.secrets import (
    FORMATS,
    is_secret,
    is_url,
    key_in,
    looks_like_key,
    passwords_in,
    public,
    secret_texts,
    without_passwords,
)
from wurzel.secret_names import may_be_secret, may_contain_password, names_secret_file

A = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"
UPPER = A.upper()
HEX = "0123456789abcdef" * 4

KEYS = {
    "AWS access key": [f"AKIA{UPPER[:16]}", f"id=ASIA{UPPER[:16]};"],
    "GitHub token": [f"ghp_{A[:36]}", f"ghs_{A[:36]}", f"github_pat_{A[:22]}_{A[:59]}"],
    "GitLab token": [f"glpat-{A[:20]}", f"glrt-{A[:20]}"],
    "OpenAI or Anthropic key": [f"sk-{A[:48]}", f"sk-proj-{A[:40]}", f"sk-ant-api03-{A[:40]}", f"sk-or-v1-{HEX}"],
    "Slack token": [f"xoxb-123456789012-{A[:24]}", "xapp-1-A012ABCD-1234567890-abcdef"],
    "Slack webhook": [f"https://hooks.slack.com/services/T{UPPER[:8]}/B{UPPER[:8]}/{A[:24]}"],
    "Google API key": [f"AIza{A[:35]}"],
    "Stripe key": [f"sk_live_{A[:24]}", f"rk_test_{A[:24]}"],
    "Hugging Face token": [f"hf_{A[:34]}"],
    "npm token": [f"npm_{A[:36]}"],
    "PyPI token": [f"pypi-AgE{A[:60]}"],
    "SendGrid key": [f"SG.{A[:22]}.{A[:43]}"],
    "Azure key": [
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={A}{A[:20]}==",
        f"Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=b;SharedAccessKey={A}=",
    ],
    "Vault token": [f"hvs.{A[:24]}"],
    "Databricks token": [f"dapi{HEX[:32]}"],
    "DigitalOcean token": [f"dop_v1_{HEX}"],
    "age key": [f"AGE-SECRET-KEY-1{UPPER[:58]}"],
    "private key": [
        "-----BEGIN PRIVATE KEY-----\nMII",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
    "JSON Web Token": [f"eyJ{A[:20]}.eyJ{A[:30]}.{A[:40]}"],
    "password in a URL": [
        "postgres://me:hunter2@db/x",
        "redis://:hunter2@cache:6379",
        "https://u:p%40ss@h.example/x?y",
        "https://u:%40pass@h.example",
        "postgresql+asyncpg://me:hunter/2@db:5432/x",
        "mongodb://me:hunter2@a,you:other@b/db",
        "postgres://me:hun@ter2@db/x",
    ],
    "token in a URL": [f"https://{A[:20]}@github.com/acme/rag.git", f"https://{A[:30]}:@api.example/v1"],
    "password in a query": [
        "jdbc:postgresql://db/x?user=me&password=hunter2",
        "jdbc:sqlserver://db;user=me;password=hunter2",
        "https://account.blob.core.windows.net/c/b?sv=2024&sig=abc%3D",
        "https://api.example/v1?access_token=abc#top",
    ],
    "password in a connection string": [
        "host=db user=me password=hunter2",
        "Server=db;Database=x;User Id=me;Password=hunter2;",
    ],
}
ORDINARY = [
    "",
    "sk-learn-based-classifier-version-two",
    "task-runner-with-a-rather-long-name-indeed",
    "ghcr.io/acme/rag@sha256:" + HEX,
    "https://example.com:8080/path@v1",
    "http://user@example.com",
    "postgres://me:${PASSWORD}@db/x",
    "postgres://me:$PASSWORD@db/x",
    "postgres://me:{{password}}@db/x",
    "postgres://me:<password>@db/x",
    "postgres://me:%(password)s@db/x",
    "postgres://me:***@db/x",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    HEX,
    "550e8400-e29b-41d4-a716-446655440000",
    "https://hooks.slack.com/services/",
    "sentence-transformers/all-MiniLM-L6-v2",
    "/" + "long/path" * 20,
    A,
    "xoxb-is-the-prefix-of-tokens",
    "data@acme.example",
    "git+ssh://git@github.com/acme/rag.git",
    "http://[::1]:8080/path@v1",
    "https://api.example/v1?page_token=abc&next=x",
    "https://api.example/v1?token=${TOKEN}&x=1",
    "host=db user=me password=$PASSWORD",
    "password=hunter2",
    "https://example.com/a?b=://x",
]


def test_every_format_has_an_example():
    assert KEYS.keys() == FORMATS.keys()


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KEYS.items() for text in texts])
def test_keys(kind, text):
    assert looks_like_key(text) == kind
    assert looks_like_key(f"before {text} after") == kind


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_texts(text):
    assert looks_like_key(text) == ""


# --- texts without their secret part ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown", "secrets"),
    [
        ("postgres://me:hunter2@db/x", "postgres://me:***@db/x", ["hunter2"]),
        ("redis://:hunter2@cache", "redis://:***@cache", ["hunter2"]),
        ("a://u:p%40ss@h b://v:other@i", "a://u:***@h b://v:***@i", ["p%40ss", "p@ss", "other"]),
        ("mongodb://me:one@a,you:two@b/db", "mongodb://me:***@b/db", ["one@a,you:two"]),
        ("postgres://me:hun@ter2@db/x", "postgres://me:***@db/x", ["hun@ter2"]),
        ("x://h?password=a&token=b", "x://h?password=***&token=***", ["a", "b"]),
        ("'x://h?password=a'", "'x://h?password=***'", ["a"]),
        ("host=db password='a b' user=u", "host=db password=*** user=u", ["a b"]),
        ("postgres://me@db/x", "postgres://me@db/x", []),
        ("plain = text", "plain = text", []),
    ],
)
def test_the_passwords_of_a_text(text, shown, secrets):
    assert without_passwords(text) == shown
    assert without_passwords(shown) == shown
    found = list(passwords_in(text))
    assert set(secrets) <= set(found) or len(secrets) == len(found)
    assert all(secret in text or secret in secrets for secret in found)


def test_a_json_value_without_its_passwords():
    value = {"url": ["redis://:hunter2@cache", 1, None], "host": "cache"}
    assert public(value) == {"url": ["redis://:***@cache", 1, None], "host": "cache"}
    assert key_in(value) == "url.0"
    assert not key_in(public(value))


@given(st.text())
@example("://u:" + "@" * 500)
@example("host=" * 100 + "password=" * 100)
@example("://a:b@" * 300)
def test_hiding_ends_and_changes_nothing_twice(text):
    hidden = without_passwords(text)
    assert without_passwords(hidden) == hidden


def test_long_texts_are_searched_in_time():
    began = time.monotonic()
    for text in ("://" * 100_000, "password=" * 50_000, "a" * 1_000_000, "host=x;" * 100_000 + "password"):
        looks_like_key(text)
        without_passwords(text)
    assert time.monotonic() - began < 5


# --- types that hide their value -------------------------------------------------------------------------------------


class Nested(BaseModel):
    token: SecretStr = SecretStr("")


@dataclass
class Record:
    token: SecretStr


class Table(TypedDict):
    token: NotRequired[SecretBytes]


class Row(NamedTuple):
    name: str
    token: Secret[int]


class Date(Secret[date]):
    pass


class Tree(BaseModel):
    below: "list[Tree]" = []


Name = NewType("Name", SecretStr)
Alias = TypeAliasType("Alias", dict[str, SecretStr])


@pytest.mark.parametrize(
    "annotation",
    [
        *(SecretStr, SecretBytes, Secret[int], Secret[list[str]], Date, Nested, Record, Table, Row, Name, Alias),
        *(SecretStr | int, SecretStr | None, list[SecretStr], dict[str, Nested], tuple[int, Date], set[Name]),
        *(Annotated[SecretStr, "mark"], Annotated[str, "mark"] | Alias, Json[SecretStr], dict[SecretStr, int]),
    ],
    ids=str,
)
def test_secret_types(annotation):
    assert is_secret(annotation)


@pytest.mark.parametrize("annotation", [str, int, Tree, list[str], AnyUrl, PostgresDsn, Path, dict, tuple, None, "str"])
def test_types_without_secrets(annotation):
    assert not is_secret(annotation)


def test_urls():
    assert all(map(is_url, (AnyUrl, PostgresDsn, HttpUrl | None, list[RedisDsn], Annotated[MongoDsn, 1])))
    assert is_url(TypeAliasType("Address", HttpUrl | None))
    assert not any(map(is_url, (str, Path, EmailStr, list[str])))


def test_the_texts_of_secrets_within_a_value():
    class Whole(BaseModel):
        nested: Nested
        table: dict[str, SecretStr]
        number: Secret[int]
        blob: SecretBytes
        dsn: PostgresDsn
        record: Record
        name: str

    value = Whole(
        nested=Nested(token="one"),
        table={"a": "two"},
        number=3,
        blob=b"four",
        dsn="postgresql://u:five@h/db",
        record=Record(token=SecretStr("six")),
        name="public",
    )
    assert set(secret_texts(value)) == {"one", "two", "3", "four", "five", "six"}


def test_the_texts_of_secrets_in_other_objects():
    @dataclass(slots=True)
    class Slim:
        token: SecretStr

    class Open(BaseModel, extra="allow"):
        plain: str = "seven"

    class Whole(BaseModel):
        slim: Slim
        more: Open
        model: Secret[Open]
        record: Secret[Record]
        queue: deque[SecretStr]

    value = Whole(
        slim=Slim(SecretStr("one")),
        more=Open(token=SecretStr("two")),
        model=Secret(Open(plain="three", extra="four")),
        record=Secret(Record(token=SecretStr("five"))),
        queue=deque([SecretStr("six")]),
    )
    assert set(secret_texts(value)) == {"one", "two", "three", "four", "five", "six"}


@pytest.mark.parametrize("name", ["TOKEN_FILE", "PWFILE", "keyFile", "SSH_KEY", "DB_PASSWORD_PATH", "CREDENTIALS"])
def test_files_with_secrets(name):
    assert names_secret_file(name)


@pytest.mark.parametrize("name", ["FOLDER", "KEYWORDS_FILE", "TOKENIZER", "MONKEY_PATH", "CERT_FILE"])
def test_other_files(name):
    assert not names_secret_file(name)


@pytest.mark.parametrize(
    "name",
    [
        *("GITHUB_TOKEN", "github_token", "PGPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH", "GH_PAT", "TOKEN", "Db_Password"),
        *("AWS_SECRET_ACCESS_KEY", "DEEPL_AUTH_KEY", "FERNET_KEY", "AZURE_CREDENTIALS", "OPENAI_API_KEY", "APIKEY"),
    ],
)
def test_names_of_variables_that_are_secrets(name):
    assert may_be_secret(name)


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "SORT_KEY", "MAX_TOKENS", "SSH_AUTH_SOCK", "PATH", "PASS", "KEY"])
def test_names_of_other_variables(name):
    assert not may_be_secret(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[("postgresql://u:p@h/d", True), ("https://h/?sig=x", True), ("Server=h;Pwd = x", True)],
        *[("https://example.com/a", False), ("a@b", False), ("", False)],
    ],
)
def test_values_that_may_contain_a_password(value, expected):
    assert may_contain_password(value) is expected
