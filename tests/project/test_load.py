"""The file as a whole: found, checked together, with places; and what it says by name and environment."""

import time
from pathlib import Path

import pytest

from wurzel.exceptions import ConfigError, UsageError
from wurzel.project.load import find_project, load, parent_project

DESIGN = """\
# yaml-language-server: $schema=wurzel.schema.json
version: 1
templates: [wurzel-templates]                # organisation layers, most specific first
pipelines:
  rag:
    entrypoint: mypkg.pipelines:rag
    description: Docs to vectors, nightly
    image: ghcr.io/acme/rag@sha256:0000000000000000000000000000000000000000000000000000000000000000
    data_dir: data
    schedule: {cron: "0 4 * * *", timezone: Europe/Berlin, concurrency: forbid, deadline: 10m}
    env: {LOG_LEVEL: info}
    secrets: {QDRANT__API_KEY: {name: qdrant, key: api-key}}     # by reference only, never a value
    defaults:                                # for every step
      resources: {cpu: 500m, memory: 1Gi}    # request; `limits:` apart
      retry: {limit: 2, backoff: 30s, factor: 2, max: 10m}
      timeout: 1h
    steps:
      embed:
        image: ghcr.io/acme/embed:2.1
        resources: {cpu: "4", memory: 8Gi, gpu: 1}
        shards: 8
        settings: {BATCH_SIZE: 64}           # becomes EMBED__BATCH_SIZE
        parameters: [BATCH_SIZE]             # may be given anew for one run, in the platform's own way
        secrets: {API_KEY: {name: openai, key: token}}
        node_selector: {gpu: a100}
        tolerations: [{key: nvidia.com/gpu, operator: Exists}]
    targets:
      github: {runs_on: ubuntu-24.04}
      dvc: {}
environments:
  prod: {pipelines: {rag: {image: ghcr.io/acme/rag:1.4.0, targets: {github: {runs_on: large}}}}}
  small: {pipelines: {rag: }}
"""


def refused(project, text):
    with pytest.raises(ConfigError) as caught:
        project(text)
    return str(caught.value)


def entry(body):
    return "version: 1\npipelines:\n  rag:\n    entrypoint: a:b\n" + "".join(
        f"    {line}\n" for line in body.splitlines()
    )


def test_the_documented_file(project, tmp_path):
    loaded = project(DESIGN)
    assert loaded.root == tmp_path
    assert loaded.file == "wurzel.yaml"
    assert loaded.templates == ("wurzel-templates",)
    assert loaded.names() == ["rag"]
    assert loaded.entrypoint("rag", "prod") == "mypkg.pipelines:rag"
    assert [str(node.origin) for node in loaded.layers("rag", "prod")] == ["wurzel.yaml:6:5", "wurzel.yaml:31:27"]


def test_an_environment_may_remove_a_pipeline(project):
    loaded = project(DESIGN)
    assert loaded.names("small") == []
    with pytest.raises(UsageError, match="unknown pipeline 'rag'"):
        loaded.entrypoint("rag", "small")


def test_unknown_names_are_told_what_is_near(project):
    loaded = project(DESIGN)
    with pytest.raises(UsageError, match=r"unknown environment 'prd'\n  Did you mean prod\?"):
        loaded.names("prd")
    with pytest.raises(UsageError, match=r"unknown pipeline 'rug'\n  Did you mean rag\?"):
        loaded.entrypoint("rug")


BAD = [
    ("", "wurzel.yaml:1:1: is empty\n  Start with: version: 1"),
    ("# nothing\n", "is empty"),
    ("- a\n", "wurzel.yaml:1:1: the file: "),
    ("just text\n", "the file: 'just text' is not a mapping"),
    ("pipelines: {}\n", "wurzel.yaml:1:1: version is missing\n  Write version: 1"),
    ("version: 2\nnew: thing\n", "wurzel.yaml:1:10: version 2 is not supported; this wurzel reads version 1"),
    ("version: '1'\n", "wurzel.yaml:1:10: version: '1' is not 1"),
    ("version: true\n", "version: true is not 1"),
    ("verson: 1\n", "wurzel.yaml:1:1: unknown key 'verson' in the file\n  Did you mean version?"),
    ("version: 1\nversion: 1\n", "wurzel.yaml:2:1: the key 'version' is already on line 1"),
    ("version: 1\npipelines:\n\trag: {}\n", "wurzel.yaml:3:1: a tab"),
    (b"version: 1\n# \xe4\n", "wurzel.yaml:2:3: the byte 0xe4 is not UTF-8"),
    ("version: 1\npipelines: [rag]\n", 'pipelines: ["rag"] is not a mapping'),
    ("version: 1\npipelines: {rag: {}}\n", "wurzel.yaml:2:18: pipelines.rag.entrypoint is missing"),
    (entry("targets: {local: true}"), "targets.local: true is not a mapping\n  Write local: {}."),
    (entry("ignore: gpu"), "ignore: 'gpu' is not a list\n  Write ['gpu']."),
    ("version: 1\nrequires: [a]\n", 'requires: ["a"] is not text'),
    ("version: 1\npipelines:\n  embed:\n", "wurzel.yaml:3:3: pipelines.embed is empty"),
    ("version: 1\npipelines: {rag: {entrypoint: mypkg}}\n", "'mypkg' is not an entrypoint"),
    ("version: 1\npipelines: {Rag: {entrypoint: a:b}}\n", "wurzel.yaml:2:13: pipelines: 'Rag' is not a name"),
    ("version: 1\npipelines: {../x: {entrypoint: a:b}}\n", "'../x' is not a name"),
    ("version: 1\npipelines: {[a]: 1}\n", "a mapping or list is used as a key"),
    ("version: 1\ntemplates: x\n", "wurzel.yaml:2:12: templates: 'x' is not a list"),
    ("version: 1\nenvironments: {prod: {image: x}}\n", "unknown key 'image' in environments.prod"),
    ("version: 1\nenvironments: {a b: {}}\n", "wurzel.yaml:2:16: 'a b' is not a valid environment name"),
    ("version: 1\nenvironments: {p: {pipelines: {rog: {}}}}\n", "there is no pipeline 'rog'"),
    (entry("targets: {dcv: {}}"), "wurzel.yaml:5:15: pipelines.rag.targets: unknown target 'dcv'\n  Did you mean dvc?"),
    (entry("targets: {dvc: 5}"), "pipelines.rag.targets.dvc: 5 is not a mapping"),
    (
        entry("split: {}\nsteps: {split: {image: x}}"),
        "unknown key 'split' in pipelines.rag\n  Steps are below steps: {split: …}.",
    ),
    (
        entry("steps: {split: {LENGTH: 5}}"),
        "unknown key 'LENGTH' in pipelines.rag.steps.split\n  Settings of a step are below settings: {LENGTH: …}.",
    ),
    (entry("dataDir: x"), "wurzel.yaml:5:5: unknown key 'dataDir' in pipelines.rag\n  Did you mean data_dir?"),
    (entry("data_dir: /x"), "wurzel.yaml:5:15: pipelines.rag.data_dir: '/x' leads out of the project"),
    (entry("data_dir: a/../.."), "leads out of the project"),
    (entry("data_dir: ."), "is the project folder itself"),
    (entry("image: Ghcr"), "pipelines.rag.image: 'Ghcr' is not an image"),
    (entry("image: 'user:pa55word@ghcr.io/x'"), "pipelines.rag.image: 'user:***@ghcr.io/x' is not an image"),
    (entry("image: 'X:1@sha256:ab'"), "pipelines.rag.image: 'X:1@sha256:ab' is not an image"),
    (entry("parallelism: 0"), "pipelines.rag.parallelism: 0 is not 1 or more"),
    (entry("parallelism: '2'"), "pipelines.rag.parallelism: '2' is not a whole number"),
    (entry("timeout: -1"), "pipelines.rag.timeout: -1 is not a duration"),
    (entry("timeout: .inf"), "is not a duration"),
    (entry("timeout: 1w"), "'1w' is not a duration"),
    (
        entry("schedule: '0 4 * * *'"),
        "pipelines.rag.schedule: '0 4 * * *' is not a mapping\n  Write {cron: '0 4 * * *'}.",
    ),
    (entry("schedule: {timezone: UTC}"), "pipelines.rag.schedule.cron is missing"),
    (entry("schedule: {cron: 0 4 * * 7}"), "Sunday is 0"),
    (entry("schedule: {cron: '@daily', timezone: Berlin}"), "did you mean Europe/Berlin?"),
    (entry("schedule: {cron: '@daily', concurrency: forbit}"), "Did you mean forbid?"),
    (entry("env: {A-B: x}"), "wurzel.yaml:5:11: pipelines.rag.env: 'A-B' is not the name of an environment variable"),
    (entry("env: {A: [x]}"), 'pipelines.rag.env.A: ["x"] is not one value'),
    (entry("env: {A__KEY: [x]}"), "pipelines.rag.env.A__KEY: the value is not one value"),
    (entry("env: {API_TOKEN: {a: x}}"), "pipelines.rag.env.API_TOKEN: the value is not one value"),
    (entry("secrets: {A: hunter2}"), "pipelines.rag.secrets.A: a secret is set by reference, never as a value"),
    (entry("secrets: {A: {name: a}}"), "pipelines.rag.secrets.A.key is missing"),
    (entry("secrets: {A: {name: [hunter2], key: b}}"), "secrets.A.name: the value is not one value"),
    (entry("secrets: {A: {name: 'hunter2!', key: b}}"), "secrets.A.name: the value cannot be used"),
    (entry("labels: {-x: y}"), "'-x' is not a label key"),
    (entry("labels: {x: y z}"), "pipelines.rag.labels.x: 'y z' is not a label value"),
    (entry("service_account: A_b"), "'A_b' is not a Kubernetes name"),
    (entry("defaults: {resources: {cpu: lots}}"), "'lots' is not a Kubernetes quantity"),
    (entry("defaults: {resources: {gpu: 1.5}}"), "defaults.resources.gpu: 1.5 is not a whole number"),
    (entry("defaults: {retry: often}"), "defaults.retry: 'often' is not a whole number or a mapping"),
    (entry("defaults: {settings: {}}"), "unknown key 'settings' in pipelines.rag.defaults"),
    (entry("steps: {Embed: {}}"), "wurzel.yaml:5:13: pipelines.rag.steps: 'Embed' is not a name"),
    (
        entry("steps: {embed: {shards: eight}}"),
        "wurzel.yaml:5:29: pipelines.rag.steps.embed.shards: 'eight' is not a whole",
    ),
    (entry("steps: {embed: {shards: 0}}"), "steps.embed.shards: 0 is not 1 or more"),
    (entry("steps: {embed: {shards: true}}"), "steps.embed.shards: true is not a whole number or a mapping"),
    (entry("steps: {embed: {tolerations: {key: a}}}"), "is not a list"),
    (entry("steps: {embed: {tolerations: [{operator: Exist}]}}"), "Did you mean Exists?"),
    (entry("steps: {embed: {settings: 5}}"), "steps.embed.settings: 5 is not a mapping"),
    (entry("steps: {embed: {settings: {A: .nan}}}"), "steps.embed.settings.A: .nan is not a valid JSON number"),
    (entry("steps: {embed: {parameters: A}}"), "'A' is not a list"),
    (entry(f"env: {{A: ghp_{'a1' * 18}}}"), "wurzel.yaml:5:14: looks like a secret (GitHub token; not shown)"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_refused(project, text, message):
    found = refused(project, text)
    assert message in found
    assert "hunter2" not in found
    assert "a1a1" not in found


def test_every_finding_has_file_line_and_column(project):
    body = "\n".join(
        text.splitlines()[4].strip() for text, _ in BAD if str(text).startswith("version: 1\npipelines:\n  rag:")
    )
    seen = {}
    lines = [line for line in body.splitlines() if seen.setdefault(line.split(":")[0], line) == line]
    found = refused(project, entry("\n".join(lines)))
    places = [line for line in found.splitlines() if not line.startswith("  ")]
    assert len(places) >= len(lines)
    assert all(line.startswith("wurzel.yaml:") and line.split(":")[1].isdigit() for line in places)


def test_values_that_look_wrong_but_are_right(project):
    project(
        entry(
            "env: {PORT: 8080, VERSION: 1.10, DEBUG: true, EMPTY: '', N: no}\n"
            "labels: {version: 1.10}\n"
            "timeout: 90\n"
            "defaults: {resources: {cpu: 0.5, memory: 1e9}}\n"
            "description: 5"
        )
    )


def test_an_environment_may_be_empty_and_partial(project):
    loaded = project(DESIGN + "  dev:\n  test: {pipelines: {rag: {schedule: {timezone: UTC}}}}\n")
    assert loaded.names("dev") == ["rag"]
    assert loaded.names("test") == ["rag"]


def test_a_file_without_pipelines_is_fine(project):
    assert project("version: 1\n").names() == []


def test_five_megabytes_are_bearable(project):
    words = "many words " * 25
    text = "version: 1\npipelines:\n" + "".join(
        f"  p{index}:\n    entrypoint: a.b:c\n    env: {{A: b}}\n    description: {words}\n" for index in range(15_000)
    )
    assert len(text) > 5_000_000
    start = time.process_time()
    assert len(project(text).names()) == 15_000
    assert time.process_time() - start < 30


def test_messages_name_files_elsewhere_as_they_were_given(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "wurzel.yaml").write_text("version: 3")
    monkeypatch.chdir(tmp_path / "sub")
    with pytest.raises(ConfigError, match=r"^\.\./wurzel\.yaml:1:10: "):
        load(Path("../wurzel.yaml"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^wurzel\.yaml:1:10: "):
        load(tmp_path / "wurzel.yaml")


def test_only_the_current_folder_is_searched(tmp_path, monkeypatch):
    (tmp_path / "wurzel.yaml").write_text("version: 1")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert find_project() is None
    assert parent_project() == tmp_path
    monkeypatch.chdir(tmp_path)
    assert find_project() == Path("wurzel.yaml")


@pytest.mark.parametrize("name", ["wurzel.yml", ".wurzel.yaml"])
def test_a_file_of_another_name_is_not_overlooked(tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("version: 1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"is ignored\n  Rename it to wurzel\.yaml"):
        find_project()


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "wurzel.yaml")
    (tmp_path / "wurzel.yaml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: it is a folder, not a file"):
        load(tmp_path / "wurzel.yaml")


def test_a_file_beyond_all_bounds(tmp_path):
    with (tmp_path / "wurzel.yaml").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with pytest.raises(ConfigError, match="is larger than 32 MB"):
        load(tmp_path / "wurzel.yaml")
