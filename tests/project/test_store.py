"""The store of a pipeline: its short and long form, which layer wins, and what is refused without showing a secret."""

import pytest

from wurzel.exceptions import ConfigError
from wurzel.ir.model import OutputPort, SecretRef, Store
from wurzel.ir.serialize import dump, parse
from wurzel.project.explain import explain
from wurzel.project.resolve import resolve, store_of

KEYS = "secrets: {access_key_id: {name: minio, key: id}, secret_access_key: {name: minio, key: secret}}"


def refused(make, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        make(*args, **kwargs)
    return str(caught.value)


def test_a_url_is_short_for_a_store_with_nothing_else(resolved):
    short = resolved("store: s3://acme-rag/prod")
    assert short.pipeline.store == resolved("store: {url: s3://acme-rag/prod}").pipeline.store
    assert short.locate("store.url") == "wurzel.yaml:5:12"
    assert resolved().pipeline.store is None


def test_the_long_form_has_all_that_jobs_need(resolved):
    store = resolved(
        f"store: {{url: s3://acme, endpoint: 'https://minio.example:9000', region: eu, {KEYS}}}"
    ).pipeline.store
    assert (store.endpoint, store.region, store.cache) == ("https://minio.example:9000", "eu", "read-write")
    assert store.secrets.access_key_id == SecretRef(name="minio", key="id")
    roles = "identity: {role: 'arn:aws:iam::1:role/rag', untrusted_role: r, audience: sts.amazonaws.com}"
    identity = resolved(f"store: {{url: s3://acme, cache: read, {roles}}}").pipeline.store.identity
    assert (identity.role, identity.untrusted_role) == ("arn:aws:iam::1:role/rag", "r")


FILE = """version: 1
store: {{url: s3://all/data, region: eu, {keys}}}
pipelines:
  rag:
    entrypoint: mypkg.pipelines:rag
    {rag}
environments:
  prod: {{{prod}}}
"""


def layered(project, pipeline, *sets, rag="", prod="", environment=None):
    opened = project(FILE.format(keys=KEYS, rag=rag, prod=prod))
    found = resolve(pipeline, opened, environment=environment, sets=sets).pipeline.store
    assert sets or found == store_of(opened, pipeline.name, environment), "also without the code of the pipeline"
    return found


def test_the_store_of_the_file_is_every_pipelines(project, pipeline):
    assert layered(project, pipeline).url == "s3://all/data"


def test_the_long_form_changes_what_it_names(project, pipeline):
    store = layered(project, pipeline, rag="store: {cache: 'off'}")
    assert (store.url, store.cache, store.region) == ("s3://all/data", "off", "eu")
    prod = "pipelines: {rag: {store: {region: us}}}"
    assert layered(project, pipeline, prod=prod, environment="prod").region == "us"
    assert layered(project, pipeline, prod="store: {cache: read}", environment="prod").cache == "read"


def test_the_short_form_replaces_all_since_keys_are_for_one_bucket(project, pipeline):
    assert layered(project, pipeline, rag="store: s3://other") == Store(url="s3://other")
    assert layered(project, pipeline, prod="store: s3://prod", environment="prod") == Store(url="s3://prod")
    assert layered(project, pipeline, "store=s3://set") == Store(url="s3://set")
    assert layered(project, pipeline, "store.url=s3://set").region == "eu"


@pytest.mark.parametrize("none", ["none", "null", "~"])
def test_none_is_no_store(project, pipeline, none):
    assert layered(project, pipeline, rag=f"store: {none}") is None
    assert layered(project, pipeline, prod=f"store: {none}", environment="prod") is None
    assert layered(project, pipeline, f"store={none}") is None


def test_a_part_of_a_store_needs_a_url_below_it(resolved):
    assert refused(resolved, "store: {cache: read}") == (
        "wurzel.yaml:5:12: store.url is missing\n"
        "  url: s3://bucket/prefix, file:///folder, or a folder relative to the project"
    )


PASSWORD = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://user:{PASSWORD}@bucket/x",
        f"s3://{PASSWORD}@bucket/x",
        f"s3:/a:{PASSWORD}@bucket",
        f"s3:a:{PASSWORD}@bucket",
        f"ftp://a:{PASSWORD}@b/c",
        f"s3://bucket/x?sig={PASSWORD}",
        f"az://bucket/x#{PASSWORD}",
    ],
)
def test_a_url_with_a_password_is_refused_and_not_shown(resolved, url):
    for body in (f"store: '{url}'", f"store: {{url: '{url}'}}"):
        message = refused(resolved, body)
        assert "store" in message
        assert "not shown" in message
        assert PASSWORD not in message
    assert PASSWORD not in refused(resolved, "", f"store={url}")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3:///prefix", "does not name a bucket; write s3://bucket/prefix"),
        ("s3://-/x", "does not name a bucket"),
        ("ftp://host/x", "is not the URL of a store; write s3://bucket/prefix, file:///folder or a folder"),
        ("S3://bucket", "is not the URL of a store"),
        ("file:folder", "is not the URL of a store"),
        ("file://host/folder", "names a host; write file:///path"),
        ("s3://bucket/../other", "contains //, /./ or /../"),
        ("s3://bucket//x", "contains //, /./ or /../"),
        ("", "is not the URL of a store"),
        ("~/x", "begins with ~, which only a shell expands"),
        ("$HOME/x", "begins with $, which only a shell expands"),
        (" s3://bucket", "is not the URL of a store"),
        ("file://", "does not name a folder"),
        ("file:///a/%2e%2e/b", "contains //, /./ or /../"),
        ("s3://bucket/a%2f..", "contains 'a%2f..'; use letters"),
        ("s3://bucket/prod/untrusted/", "ends in 'untrusted', where the store above it keeps what jobs that are not"),
        ("file:///srv/untruste%64", "ends in 'untrusted'"),
        ("untrusted", "ends in 'untrusted'"),
    ],
)
def test_what_is_no_url_of_a_store(resolved, url, reason):
    message = refused(resolved, f"store: {{url: '{url}'}}")
    assert f"store.url: {url!r} {reason}" in message or f"store.url: the path of {url!r} {reason}" in message


@pytest.mark.parametrize("url", ["s3://b", "s3://b/", "gs://my.bucket/x/y", "az://c/x", "file:///srv/w", "../w", "/w"])
def test_urls_of_stores(resolved, url):
    assert resolved(f"store: {url}").pipeline.store.url == url


@pytest.mark.parametrize(
    "endpoint", ["minio.example", "ftp://x", "https://", f"https://u:{PASSWORD}@x", f"http://x?a={PASSWORD}"]
)
def test_endpoints_that_are_refused(resolved, endpoint):
    message = refused(resolved, f"store: {{url: s3://b, endpoint: '{endpoint}'}}")
    assert "store.endpoint: " in message
    assert PASSWORD not in message


def test_keys_are_references(resolved):
    literal = f"store: {{url: s3://b, secrets: {{access_key_id: {PASSWORD}, secret_access_key: {PASSWORD}}}}}"
    message = refused(resolved, literal)
    assert "store.secrets.access_key_id: a secret is set by reference, never as a value" in message
    assert PASSWORD not in message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"store: {{url: s3://b, identity: {{role: r}}, {KEYS}}}", "identity and secrets are mutually exclusive"),
        ("store: {url: ../w, region: eu}", "store.region: has no effect on a store in a folder"),
        ("store: {url: none}", "store.url: 'none' is not a URL"),
        ("store: {url: s3://b, cache: write}", "store.cache: 'write' is not read-write or read or off"),
        ("store: {urls: s3://b}", "unknown key 'urls' in pipelines.rag.store\n  Did you mean url?"),
        ("store: 5", "store: 5 is not a mapping\n  Write for example {url: …, endpoint: …}."),
        ("data_dir: s3://bucket/x", "what is kept elsewhere is named by `store`"),
    ],
)
def test_what_is_refused(resolved, body, message):
    assert message in refused(resolved, body)


def test_names_that_a_store_cannot_tell_apart(pipeline):
    load, embed = pipeline.steps
    port = embed.outputs[0]
    twice = embed.model_copy(
        update={"outputs": tuple(OutputPort(name=name, type=port.type) for name in ("Docs", "docs"))}
    )
    found = pipeline.model_copy(update={"store": Store(url="s3://b"), "steps": (load, twice)})
    assert "its outputs Docs and docs differ only by case" in refused(resolve, found)
    resolve(found.model_copy(update={"store": None}))
    found = pipeline.model_copy(update={"store": Store(url="s3://b"), "name": "untrusted"})
    assert "a pipeline with a store cannot be called 'untrusted'" in refused(resolve, found)


def test_it_is_explained_and_survives_the_file_of_the_ir(resolved):
    found = resolved(f"store: {{url: s3://acme/x, {KEYS}}}")
    lines = [line.split() for line in explain(found) if line.startswith("store")]
    assert ["store.url", "s3://acme/x", "wurzel.yaml:5:18"] in lines
    assert ["store.cache", "read-write", "built-in", "default"] in lines
    assert any(line[:4] == ["store.secrets.access_key_id", "secret", "minio,", "key"] for line in lines)
    assert parse(dump(found.pipeline).encode(), "ir").store == found.pipeline.store
    assert resolve(parse(dump(found.pipeline).encode(), "ir")).pipeline.store == found.pipeline.store
