"""Layers over a pipeline: their order, what removes, what merges, and where each value comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wurzel.exceptions import ConfigError, UsageError, WurzelWarning
from wurzel.ir.model import InputPort, OutputPort, SecretRef
from wurzel.ir.pods import Toleration
from wurzel.project.nodes import Findings
from wurzel.project.resolve import resolve
from wurzel.project.sets import parse_sets


def step(resolved, step_id="embed"):
    return next(step for step in resolved.pipeline.steps if step.id == step_id)


def refused(make, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        make(*args, **kwargs)
    return str(caught.value)


PROD = "environments:\n  prod:\n    pipelines:\n      rag:\n"


def prod(body):
    return PROD + "".join(f"        {line}\n" for line in body.splitlines())


def test_without_configuration_nothing_changes(pipeline):
    resolved = resolve(pipeline)
    assert resolved.pipeline is pipeline
    assert resolved.options == {}
    assert resolved.locate("steps.embed.timeout") == "mypkg.steps:Embed.timeout"
    assert resolved.locate("steps.embed.shards") == ""


@pytest.mark.parametrize("body", ["env: {DB_PASSWORD: hunter2}", "steps: {embed: {env: {GITHUB_TOKEN: hunter2}}}"])
def test_a_plain_variable_that_is_called_like_a_secret_is_a_warning(resolved, body):
    with pytest.warns(WurzelWarning, match="is called like a secret, but rendered files show its value") as told:
        resolved(body)
    assert "hunter2" not in str(told[0].message)


@pytest.mark.parametrize(
    "env", ["MAX_TOKEN: 100000", "USE_TOKEN: true", "DB_PASSWORD: ''", "API_KEY_NAME: embedding", "EOS_TOKEN: </s>"]
)
def test_values_that_are_no_secret_may_be_called_as_they_like(resolved, env):
    resolved(f"env: {{{env}}}")


def test_fields_of_the_pipeline(resolved):
    result = resolved(
        "description: nightly\n"
        "image: ghcr.io/acme/rag:1\n"
        "data_dir: ./out/\n"
        "schedule: {cron: '@daily', timezone: Europe/Berlin}\n"
        "parallelism: 2\n"
        "timeout: 1h\n"
        "env: {A: 1.10, B: true, C: no}\n"
        "secrets: {TOKEN: {name: a, key: b}}\n"
        "labels: {v: 1.0}\n"
        "annotations: {acme.example/x: any text}\n"
        "service_account: rag"
    ).pipeline
    assert result.description == "nightly"
    assert result.data_dir == "out"
    assert result.schedule.timezone == "Europe/Berlin"
    assert result.schedule.concurrency == "forbid"
    assert (result.parallelism, result.timeout) == (2, 3600)
    assert result.env == {"A": "1.10", "B": "true", "C": "no"}
    assert result.secrets == {"TOKEN": SecretRef(name="a", key="b")}
    assert result.labels == {"v": "1.0"}
    assert result.service_account == "rag"
    assert result.entrypoint == "mypkg.pipelines:rag"


LEVELS = ["class", "defaults", "step", "env defaults", "env step", "set"]


@pytest.mark.parametrize("strongest", LEVELS)
def test_the_order_of_layers(resolved, strongest):
    """Each level says the timeout; those above the strongest say nothing."""
    said = LEVELS[: LEVELS.index(strongest) + 1]
    body, environment, sets = "", "schedule: {timezone: UTC, cron: '@daily'}\n", []
    if "defaults" in said:
        body += "defaults: {timeout: 101}\n"
    if "step" in said:
        body += "steps: {embed: {timeout: 102}}\n"
    if "env defaults" in said:
        environment += "defaults: {timeout: 103}\n"
    if "env step" in said:
        environment += "steps: {embed: {timeout: 104}}\n"
    if "set" in said:
        sets.append("steps.embed.timeout=105")
    result = resolved(body, *sets, environment="prod", rest=prod(environment))
    assert step(result).timeout == {"class": 60}.get(strongest, 100 + LEVELS.index(strongest))
    assert step(result, "load-docs").timeout == (None if strongest == "class" else 103 if len(said) > 3 else 101)


def test_mappings_merge_by_key_and_lists_replace(resolved):
    result = resolved(
        "defaults: {resources: {memory: 4Gi}, tolerations: [{key: a, operator: Exists}], env: {A: a, B: b}}\n"
        "steps: {embed: {resources: {gpu: 1}, tolerations: [{key: b, operator: Exists}], env: {B: c}}}"
    )
    embed = step(result)
    assert (embed.resources.cpu, embed.resources.memory, embed.resources.gpu) == ("1", "4Gi", 1)
    assert embed.tolerations == (Toleration(key="b", operator="Exists"),)
    assert embed.env == {"A": "a", "B": "c"}
    assert embed.retry.limit == 1


def test_null_removes_what_weaker_layers_said(resolved):
    result = resolved(
        "image: a\nenv: {A: a, B: b}\ndefaults: {timeout: 2h, env: {X: x}}\n"
        "steps: {embed: {timeout: null, resources: {cpu: null}, retry: null, env: {X: null}}}",
        environment="prod",
        rest=prod("image: null\nenv: {B: null}\ndefaults: null"),
    )
    embed = step(result)
    assert result.pipeline.image is None
    assert result.pipeline.env == {"A": "a"}
    assert embed.timeout is None
    assert (embed.resources.cpu, embed.resources.memory) == (None, "2Gi")
    assert embed.retry.limit == 0
    assert embed.env == {}
    assert step(result, "load-docs").timeout is None
    assert result.locate("steps.embed.timeout") == ""


def test_a_null_entry_of_a_step_removes_earlier_entries_only(resolved):
    result = resolved(
        "defaults: {timeout: 2h}\nsteps: {embed: {timeout: 3h, shards: 2}}",
        environment="prod",
        rest=prod("steps: {embed: null}"),
    )
    assert (step(result).timeout, step(result).shards.max) == (7200, 1)
    assert step(resolved("defaults: {timeout: 2h}\nsteps: {embed: {shards: 2}}", "steps=")).shards.max == 1


def test_what_is_set_for_all_steps_cannot_be_taken_from_one(resolved):
    found = refused(
        resolved, "env: {A: a, B: b}\nlabels: {x: y}\nsteps: {embed: {env: {A: null, C: null}, labels: {x: }}}"
    )
    assert [line for line in found.splitlines() if not line.startswith("  ")] == [
        "wurzel.yaml:7:27: steps.embed.env.A: the pipeline sets it for all steps",
        "wurzel.yaml:7:55: steps.embed.labels.x: the pipeline sets it for all steps",
    ]
    assert "Set it in defaults: {env: …} instead." in found


def test_origins(resolved):
    result = resolved(
        "env: {A: a}\ndefaults: {timeout: 2h}\nsteps:\n  embed:\n    resources: {gpu: 1}\n    parameters: [LIMIT]\n"
        "    labels: {acme.example/team: ml}\n    tolerations: [{operator: Exists}]\n"
        "    volumes: [{name: a, claim: {name: b}, mount_path: /a}]\ntargets: {dvc: {params: p.yaml}}",
        "steps.embed.shards=2",
    )
    assert result.locate("env") == "wurzel.yaml:5:10"
    assert result.locate("env.A") == "wurzel.yaml:5:14"
    assert result.locate("steps.load-docs.timeout") == "wurzel.yaml:6:25"
    assert result.locate("steps.embed.resources.gpu") == "wurzel.yaml:9:26"
    assert result.locate("steps.embed.resources.cpu") == "mypkg.steps:Embed.resources"
    assert result.locate("steps.embed.volumes.a.mount_path") == "wurzel.yaml:13:59"
    assert result.locate("steps.embed.shards") == "--set steps.embed.shards"
    assert result.locate("steps.embed.labels.acme.example/team") == "wurzel.yaml:11:37"
    assert result.locate("steps.embed.tolerations.0.operator") == "wurzel.yaml:12:34"
    assert result.locate("steps.embed.settings.LIMIT") == "wurzel.yaml:10:21"
    assert result.locate("targets.dvc.params") == "wurzel.yaml:14:29"
    assert result.locate("steps.embed.image") == ""
    assert result.locate("steps.nope.image") == ""


def test_options_are_raw_and_merge(resolved):
    result = resolved(
        "targets: {dvc: {params: a.yaml, metrics_dir: m}, local: {}}",
        "targets.dvc.ignore=[image]",
        environment="prod",
        rest=prod("targets: {dvc: {params: b.yaml}, local: null}"),
    )
    assert result.options == {"dvc": {"params": "b.yaml", "metrics_dir": "m", "ignore": ["image"]}}


def test_unknown_steps_and_environments(resolved, pipeline):
    assert "wurzel.yaml:5:13: steps: there is no step 'embd'\n  Did you mean embed?" in refused(
        resolved, "steps: {embd: {}}"
    )
    with pytest.raises(UsageError, match="unknown environment 'prod'"):
        resolved("", environment="prod")
    with pytest.raises(UsageError, match=r"there is no wurzel\.yaml here"):
        resolve(pipeline, environment="prod")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "steps: {embed: {limits: {memory: 1Gi}}}",
            "mypkg.steps:Embed.resources: steps.embed.resources.memory: 2Gi is more than the limit 1Gi",
        ),
        ("steps: {embed: {resources: {cpu: 1500m}, limits: {cpu: 1}}}", "1500m is more than the limit 1"),
        (
            "steps: {embed: {resources: {ephemeral_storage: 2Gi}, limits: {ephemeral_storage: 1Gi}}}",
            "steps.embed.resources.ephemeral_storage: 2Gi is more than the limit 1Gi",
        ),
        (
            "steps: {embed: {resources: {memory: 1Gi, hugepages: {2Mi: 3Mi}}}}",
            "steps.embed.resources.hugepages.2Mi: 3Mi is not a whole number of pages of 2Mi",
        ),
        ("steps: {load-docs: {resources: {hugepages: {1Gi: 1Gi}}}}", "huge pages need cpu or memory as well"),
        (
            "steps: {embed: {volumes: [{name: v, mount_path: /v, claim: {name: a}, secret: {name: b}}]}}",
            "wurzel.yaml:5:31: steps.embed.volumes.0: 'v' names 2 sources\n  Give one of",
        ),
        ("steps: {embed: {volumes: [{name: v, mount_path: v, claim: {name: a}}]}}", "'v' is not a mount path"),
        ("steps: {embed: {env_from: [{prefix: A_}]}}", "steps.embed.env_from.0: needs either config_map or secret"),
        ("steps: {embed: {priority: High}}", "'High' is not a Kubernetes name"),
        ("steps: {embed: {resources: {gpu: {amd: 1}}}}", "'amd' is not a device of Kubernetes; write for example"),
        ("steps: {embed: {resources: {amd.com/gpu: 1}}}", "Devices are below gpu: {amd.com/gpu: 1}."),
        ("defaults: {resources: {memory: 512}}", "memory: 512 is 512 bytes\n  Write a unit"),
        ("timeout: 0", "wurzel.yaml:5:14: timeout: 0 seconds is too short"),
        ("defaults: {timeout: 0s}", "steps.embed.timeout: 0 seconds is too short"),
        ("schedule: {cron: '@daily', deadline: 0}", "schedule.deadline: 0 seconds is too short"),
        ("defaults: {limits: {memory: 500m}}", "limits.memory: 500m is 0.5 bytes"),
        (
            "steps: {load-docs: {shards: 2}}",
            "wurzel.yaml:5:33: steps.load-docs.shards: 2 shards, but load-docs is a source",
        ),
        ('env: {EMBED__DB: \'{"PASSWORD": "hunter2"}\'}', "env.EMBED__DB: contains the secret setting DB__PASSWORD"),
        ("env: {EMBED__DB__PASSWORD: hunter2}", "env.EMBED__DB__PASSWORD: is the variable of a secret setting"),
        ("steps: {embed: {tolerations: [{operator: Exists, value: x}]}}", "operator Exists takes no value"),
        ("steps: {embed: {tolerations: [{effect: NoSchedule}]}}", "operator Equal needs a key"),
        ("steps: {embed: {tolerations: [{key: a, toleration_seconds: 5}]}}", "no effect without effect: NoExecute"),
        ("env: {A: a}\nsecrets: {A: {name: a, key: b}}", "env.A: A is also among the secrets"),
        (
            "secrets: {A: {name: a, key: b}}\nsteps: {embed: {env: {A: a}}}",
            "steps.embed.env.A: A is also among the secrets",
        ),
        ("env: {EMBED__API_KEY: hunter2}", "env.EMBED__API_KEY: is the variable of a secret setting"),
        ("steps: {embed: {env: {EMBED__API_KEY: hunter2}}}", "is the variable of a secret setting"),
        ("env: {EMBED__API_KEY__x: hunter2}", "is part of the secret setting API_KEY: its value must not be"),
        ("env: {EmbedStep__API_KEY: hunter2}", "looks like the variable of the secret setting API_KEY"),
        ("env: {EMBEDSETTINGS__API_KEY: hunter2}", "looks like the variable of the secret setting API_KEY"),
        ("env: {API_KEY: hunter2}", "Refer to it: secrets: {EMBED__API_KEY: {name: …, key: …}}."),
        ("env: {EMBED_API_KEY: hunter2}", "looks like the variable of the secret setting API_KEY"),
        ("env: {URL: 'redis://:hunter2@cache'}", "looks like a secret (password in a URL; not shown)"),
        (
            "secrets: {API_KEY: {name: a, key: b}}",
            "secrets.API_KEY: has no effect: step embed reads its setting API_KEY from EMBED__API_KEY",
        ),
        (
            "steps: {embed: {secrets: {EMBED_API_KEY: {name: a, key: b}}}}",
            "or name the variable EMBED__API_KEY",
        ),
        (
            "env: {EMBED__BATCH_SIZE: 1}\nsteps: {embed: {settings: {BATCH_SIZE: 2}}}",
            "env.EMBED__BATCH_SIZE: is also set by steps.embed.settings.BATCH_SIZE",
        ),
        (
            "steps: {embed: {settings: {BATCH_SIZE: 2}, secrets: {BATCH_SIZE: {name: a, key: b}}}}",
            "secrets.EMBED__BATCH_SIZE: is also set by steps.embed.settings.BATCH_SIZE",
        ),
        ("env: {LOADDOCSSTEP__GLOB: x}\nsteps: {load-docs: {settings: {GLOB: y}}}", "is also set by"),
    ],
)
def test_rules_over_several_fields(resolved, body, message):
    found = refused(resolved, body)
    assert message in found
    assert "hunter2" not in found


def test_settings(resolved):
    embed = step(
        resolved("steps: {embed: {settings: {BATCH_SIZE: 64, DB: {HOST: db, PORT: 1}}, parameters: [LIMIT, DB__PORT]}}")
    )
    by_name = {setting.name: setting for setting in embed.settings}
    assert {name: setting.value for name, setting in by_name.items() if setting.given} == {
        "BATCH_SIZE": 64,
        "DB__HOST": "db",
        "DB__PORT": 1,
    }
    assert [name for name, setting in by_name.items() if setting.parameter] == ["LIMIT", "DB__PORT"]


def test_a_step_of_one_item_cannot_be_cut_but_one_that_reads_items_can(pipeline):
    load, embed = pipeline.steps
    word = embed.outputs[0].type.model_copy(update={"containers": ()})
    read, given = (InputPort(type=word),), (OutputPort(type=word),)
    join = pipeline.model_copy(update={"steps": (load, embed.model_copy(update={"outputs": given}))})
    with pytest.raises(ConfigError, match="embed turns its whole input into one item"):
        resolve(join, sets=["steps.embed.shards=2"])
    mapped = pipeline.model_copy(update={"steps": (load, embed.model_copy(update={"inputs": read, "outputs": given}))})
    assert step(resolve(mapped, sets=["steps.embed.shards=2"])).shards.max == 2


def test_an_environment_variable_may_hold_nested_settings_that_are_no_secret(resolved):
    assert resolved('env: {EMBED__DB: \'{"HOST": "db"}\'}').pipeline.env == {"EMBED__DB": '{"HOST": "db"}'}


def given_settings(resolved, body, *sets, **kwargs):
    return {item.name: item.value for item in step(resolved(body, *sets, **kwargs)).settings if item.given}


def test_settings_merge_by_name_in_either_form(resolved):
    assert given_settings(
        resolved,
        "steps: {embed: {settings: {DB: {HOST: a, PORT: 1}, TAGS: {x: 1, y: 2}}}}",
        "steps.embed.settings.DB.PORT=3",
        environment="prod",
        rest=prod("steps: {embed: {settings: {DB__HOST: b, TAGS: {y: null, z: null}}}}"),
    ) == {"DB__HOST": "b", "DB__PORT": 3, "TAGS": {"x": 1, "z": None}}


def test_null_is_a_value_for_settings_that_may_be_null_and_removes_others(resolved):
    body = "steps: {embed: {settings: {BATCH_SIZE: 64, LIMIT: 1, DB: {HOST: a}}}}"
    assert given_settings(resolved, body, "steps.embed.settings.BATCH_SIZE=", "steps.embed.settings.LIMIT=") == {
        "LIMIT": None,
        "DB__HOST": "a",
    }
    assert given_settings(resolved, body, "steps.embed.settings.DB=") == {"BATCH_SIZE": 64, "LIMIT": 1}
    assert given_settings(resolved, body, "steps.embed.settings=") == {}


def test_numbers_for_text_settings_stay_as_they_are_written(resolved):
    resolved_glob = resolved("steps: {load-docs: {settings: {GLOB: 1.10, FOLDER: 007}}}")
    assert [setting.value for setting in step(resolved_glob, "load-docs").settings] == ["007", "1.10"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "{BATCH_SIZ: 1}",
            "wurzel.yaml:5:32: steps.embed.settings.BATCH_SIZ: there is no such setting\n  Did you mean BATCH_SIZE?",
        ),
        ("{batch_size: 1}", "Did you mean BATCH_SIZE?"),
        ("{DB: {PROT: 1}}", "steps.embed.settings.DB__PROT: there is no such setting\n  Did you mean PORT?"),
        ("{DB: 5}", "steps.embed.settings.DB: takes a mapping"),
        (
            "{API_KEY: hunter2}",
            "steps.embed.settings.API_KEY is a secret: its value must not be written here (it is not shown)",
        ),
        ("{API_KEY__x: hunter2}", "steps.embed.settings.API_KEY is a secret"),
        ("{API_KEY: {name: hunter2}}", "secrets: {API_KEY: {name: …, key: …}}"),
    ],
)
def test_settings_that_do_not_fit(resolved, settings, message):
    found = refused(resolved, f"steps: {{embed: {{settings: {settings}}}}}")
    assert message in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("[BATCH]", "there is no setting 'BATCH'\n  Did you mean BATCH_SIZE?"),
        ("[API_KEY]", "API_KEY is a secret and cannot be a parameter"),
    ],
)
def test_parameters_that_do_not_fit(resolved, parameters, message):
    assert message in refused(resolved, f"steps: {{embed: {{parameters: {parameters}}}}}")


def test_a_secret_for_a_settings_field_is_its_variable(resolved):
    embed = step(
        resolved(
            "secrets: {SHARED: {name: s, key: k}}\n"
            "defaults: {secrets: {API_KEY: {name: a, key: b}, OTHER: {name: o, key: o}}}",
            "steps.embed.secrets.EMBED__API_KEY.key=c",
        )
    )
    assert embed.secrets == {"EMBED__API_KEY": SecretRef(name="a", key="c"), "OTHER": SecretRef(name="o", key="o")}


def test_defaults_are_shared_by_steps_of_which_the_same_is_said(pipeline, project):
    many = tuple(pipeline.steps[0].model_copy(update={"id": f"s{number}", "settings": ()}) for number in range(2000))
    big = pipeline.model_copy(update={"steps": many})
    loaded = project(
        "version: 1\npipelines:\n"
        "  rag: {entrypoint: a:b, defaults: {timeout: 5m, env: {A: b}}, steps: {s7: {shards: 1}}}"
    )
    steps = resolve(big, loaded).pipeline.steps
    assert {item.timeout for item in steps} == {300}
    assert steps[1].env is steps[2].env
    assert steps[7].env == {"A": "b"}


def test_given_settings_are_checked_by_the_hook(resolved):
    def check(step, values):
        yield from ((name, "is odd") for name, value in values.items() if value == 3)

    found = refused(resolved, "steps: {embed: {settings: {BATCH_SIZE: 3, LIMIT: 4}}}", check=check)
    assert found == "wurzel.yaml:5:44: steps.embed.settings.BATCH_SIZE: is odd"


def test_an_ir_resolves_again_to_itself(resolved):
    once = resolved(
        "image: a\nschedule: {cron: '@daily'}\nenv: {A: a}\n"
        "steps: {embed: {settings: {BATCH_SIZE: 3}, parameters: [LIMIT], shards: 2,"
        " tolerations: [{operator: Exists}], secrets: {API_KEY: {name: a, key: b}}}}"
    ).pipeline
    assert resolve(once).pipeline == once
    again = resolve(once, sets=["steps.embed.shards=3", "env.B=b"]).pipeline
    assert again.env == {"A": "a", "B": "b"}
    assert again.image == "a"
    assert again.steps[1].shards.max == 3
    assert again.steps[1].tolerations == once.steps[1].tolerations
    assert again.steps[1].settings == once.steps[1].settings
    assert again.steps[1].secrets == once.steps[1].secrets


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "steps.embed.shards=eight",
            "--set steps.embed.shards: pipelines.rag.steps.embed.shards: 'eight' is not a whole number or a mapping",
        ),
        (
            "steps.embed.resorces.cpu=1",
            "unknown key 'resorces' in pipelines.rag.steps.embed\n  Did you mean resources?",
        ),
        ("steps.embd.shards=1", "steps: there is no step 'embd'\n  Did you mean embed?"),
        ("imge=a", "unknown key 'imge' in pipelines.rag\n  Did you mean image?"),
        ("image.tag=1", '{"tag": 1} is not one value'),
        ("image", "--set: 'image' is not KEY=VALUE\n  Write for example"),
        ("=a", "--set: '' is not a key"),
        ("a..b=c", "'a..b' is not a key"),
        ("image=[", "--set image: is not valid YAML"),
        ("image=a: b: c", "--set image: a mapping cannot start here"),
        ("env.COLOR=#fff", "--set env.COLOR: '#fff' is read as nothing: # starts a comment"),
        ("description=issue #5", "'issue #5' is read as 'issue': # starts a comment"),
        ("env.A=postgres://me:hunter2@db/x", "--set env.A: looks like a secret (password in a URL; not shown)"),
        ("targets.dvc=5", "targets.dvc: 5 is not a mapping"),
        ("entrypoint=5", "'5' is not an entrypoint"),
    ],
)
def test_sets_that_do_not_fit(resolved, text, message):
    found = refused(resolved, "", text)
    assert message in found
    assert "hunter2" not in found


def test_sets(resolved):
    result = resolved(
        "env: {A: a}\nimage: x",
        "env.B=1.10",
        'labels."acme.example/team"=ml',
        "annotations.'a.b/c'='x: y'",
        "schedule={cron: '0 4 * * *'}",
        "schedule.timezone=Europe/Berlin",
        "steps.embed.parameters=[LIMIT]",
        "description='#5'",
        "image=",
    )
    assert result.pipeline.env == {"A": "a", "B": "1.10"}
    assert result.pipeline.labels == {"acme.example/team": "ml"}
    assert result.pipeline.annotations == {"a.b/c": "x: y"}
    assert (result.pipeline.schedule.cron, result.pipeline.schedule.timezone) == ("0 4 * * *", "Europe/Berlin")
    assert result.pipeline.description == "#5"
    assert result.pipeline.image is None


def test_later_sets_are_stronger(resolved):
    assert resolved("", "image=a", "image=b").pipeline.image == "b"
    assert step(resolved("", "steps.embed={shards: 2, timeout: 5}", "steps.embed.shards=3")).shards.max == 3


@given(st.lists(st.text(max_size=20), max_size=3))
def test_any_sets_are_read_or_refused(texts):
    findings = Findings()
    try:
        node = parse_sets(texts, findings)
    except ConfigError as error:
        findings = error
    assert node is None or bool(findings) or all("=" in text for text in texts)


def test_a_secret_of_the_pipeline_may_have_the_name_of_a_setting_that_is_given_elsewhere(resolved):
    own = "steps: {embed: {secrets: {API_KEY: {name: a, key: b}}}}"
    assert set(resolved(f"secrets: {{API_KEY: {{name: c, key: d}}}}\n{own}").pipeline.secrets) == {"API_KEY"}


def test_a_class_and_another_step_must_not_share_their_variables(pipeline):
    load, embed = pipeline.steps
    renamed = load.model_copy(update={"run": "mypkg.steps:Embed"})
    with pytest.raises(ConfigError) as caught:
        resolve(pipeline.model_copy(update={"steps": (renamed, embed.model_copy(update={"run": "mypkg.steps:Other"}))}))
    assert "its class Embed is named like the step 'embed', so both would read EMBED__…" in str(caught.value)
    same = pipeline.model_copy(update={"steps": (renamed, embed.model_copy(update={"run": "mypkg.steps:Embed"}))})
    assert resolve(same).pipeline is same
