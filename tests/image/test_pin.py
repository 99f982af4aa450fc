"""`wurzel image --pin` writes the digest that was pushed where wurzel.yaml names the image."""

from pathlib import Path

import pytest

from tests.command import invoke
from wurzel.image import build

NEW = f"ghcr.io/acme/rag@sha256:{'1' * 64}"
CONFIG = """version: 1
requires: wurzel==0.1.0
container: {base: python, image: "ghcr.io/acme/rag:1.0"}
pipelines:
  one:  # ours
    entrypoint: flow:one
    image: ghcr.io/acme/rag:1.0
    steps: {a: {image: "ghcr.io/acme/rag@sha256:OLD"}, b: {image: "ghcr.io/acme/other:1"}}
    targets: {gitlab: {image: ghcr.io/acme/rag}}
  two: {entrypoint: "flow:two", image: "localhost:5000/rag:1.0"}
  three: {entrypoint: "flow:three"}
environments:
  prod: {pipelines: {two: {image: "ghcr.io/acme/rag:2"}}}
  test: {pipelines: {one: null}}
""".replace("OLD", "0" * 64)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("wurzel.yaml").write_text(CONFIG)
    return tmp_path


def pin(*words, name=NEW):
    return invoke("image", "--pin", *([name] if name else []), *words)


def test_every_place_with_the_image_gets_the_digest(here):
    done = pin()
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, "updated wurzel.yaml")
    replaced = {
        "image: ghcr.io/acme/rag:1.0\n": f"image: {NEW}\n",
        f'"ghcr.io/acme/rag@sha256:{"0" * 64}"': f"'{NEW}'",
        "gitlab: {image: ghcr.io/acme/rag}": f"gitlab: {{image: '{NEW}'}}",
    }
    text = CONFIG
    for old, new in replaced.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    assert Path("wurzel.yaml").read_text() == text


def test_an_environment_gets_it_in_its_own_part(here):
    Path("wurzel.yaml").write_bytes(CONFIG.replace("\n", "\r\n").encode())
    assert pin("-e", "prod").exit_code == 0
    text = Path("wurzel.yaml").read_bytes().decode()
    assert text.count("\n") == text.count("\r\n")
    assert text.replace("\r\n", "\n").partition("environments:")[0] == CONFIG.partition("environments:")[0]
    from wurzel.project.load import load

    one, two = (load(Path("wurzel.yaml")).environments["prod"][name] for name in ("one", "two"))
    assert one.fields["image"].value == two.fields["image"].value == NEW
    assert {name: node.fields["image"].value for name, node in one.below("steps").items()} == {"a": NEW}


def test_nothing_is_pinned_where_nothing_names_the_image(here):
    done = pin("-e", "test")
    assert "no pipeline has ghcr.io/acme/rag as its `image`" in str(done.exception)
    assert "unknown environment 'tst'" in str(pin("-e", "tst").exception)
    assert Path("wurzel.yaml").read_text() == CONFIG


def test_a_file_that_cannot_be_edited_stays_as_it_is(here):
    text = CONFIG.replace('"ghcr.io/acme/other:1"', "ghcr.io/acme/other:1")
    Path("wurzel.yaml").write_text(text)
    assert "wurzel.yaml:8: cannot be changed: found unexpected ':', for readers of YAML 1.1" in str(pin().exception)
    assert Path("wurzel.yaml").read_text() == text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pin"], "--pin requires --push, or a name with a digest"),
        (["--pin", "ghcr.io/acme/rag:2"], "--pin ghcr.io/acme/rag:2: it has no digest"),
        (["--pin", NEW, "--push"], "the name is that of --push"),
        (["--push", "-e", "prod"], "--env is for --pin"),
    ],
)
def test_options_that_have_no_effect_are_refused(here, words, message):
    done = invoke("image", *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not Path("Dockerfile").exists()


def test_what_is_pushed_is_pinned(here, monkeypatch):
    """A place that cannot be changed is found before anything is pushed."""
    digest = NEW.partition("@")[2]
    program = here / "bin/buildah"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$1" >> {here}/calls\n[ $1 = build ] || printf {digest} > "${{2#--digestfile=}}"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert build.builder("buildah") == "buildah"
    done = pin("--push", "--builder", "buildah", name="")
    assert (done.exit_code, done.stdout) == (0, f"{NEW}\n")
    assert f"image: {NEW}\n    steps" in Path("wurzel.yaml").read_text()
    Path("calls").unlink()
    Path("wurzel.yaml").write_text(
        CONFIG.replace("/rag:1.0\n  ", "/gone:1\n  ").replace("rag@", "x@").replace("rag}", "y}")
    )
    assert "no pipeline has" in str(pin("--push", "--builder", "buildah", name="").exception)
    assert not Path("calls").exists()
