"""Texts in the format of well-known tokens are recognised; ordinary ones are not."""

import pytest

from wurzel.project.secrets import FORMATS, looks_like_key

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
    "Azure storage key": [f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={A}{A[:20]}=="],
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
