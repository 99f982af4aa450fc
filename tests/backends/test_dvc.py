import shlex

import pytest
import yaml

from tests.plain import WORDS, plain_step
from wurzel.backends.dvc import DvcBackend
from wurzel.backends.dvc.stages import DvcOptions, input_paths
from wurzel.backends.dvc.style import with_flush_lists
from wurzel.ir.features import Use
from wurzel.ir.model import Edge, InputPort, OutputPort, Pipeline, Retry, Setting, Shards, Step
from wurzel.runtime import slices
from wurzel.testing import full_pipeline, render_texts


def one_step(**fields):
    step = plain_step(id="words", run="steps:Words", output=WORDS, **fields)
    return Pipeline(name="p", steps=(step,))


def stage(pipeline, **options):
    file, *_ = DvcBackend().files(pipeline, DvcOptions(**options))
    (found,) = file.context["stages"]
    return found


def test_a_stage_has_relative_deps_and_outs():
    options = DvcOptions(shards="processes")
    found = {item.name: item for item in DvcBackend().files(full_pipeline(), options)[0].context["stages"]}
    assert found["suffix"].deps == ["steps.py", "data/words"]
    assert found["suffix"].outs == ["data/suffix"]
    assert found["suffix"].metrics == "metrics/suffix.json"
    assert found["suffix"].wdir is None


def test_settings_go_through_params():
    dvc, params = DvcBackend().files(full_pipeline(), DvcOptions())
    assert params.path == "params.yaml"
    assert params.context["params"] == {"everything": {"suffix": {"SUFFIX": "?", "TIMES": 2}}}
    found = dvc.context["stages"][1]
    assert found.params == ["everything.suffix.SUFFIX", "everything.suffix.TIMES"]
    assert found.meta["options"]["settings"] == "params.yaml#everything.suffix"
    assert not {"--settings", "--null"} & set(shlex.split(found.cmd))


def test_secrets_required_and_computed_settings_are_no_params():
    settings = (
        Setting(name="TOKEN", variable="WORDS__TOKEN", secret=True),
        Setting(name="NEEDED", variable="WORDS__NEEDED", required=True),
        Setting(name="NOW", variable="WORDS__NOW", computed=True),
    )
    pipeline = one_step(settings=settings)
    assert len(DvcBackend().files(pipeline, DvcOptions())) == 1
    assert not stage(pipeline).params
    assert "settings" not in stage(pipeline).meta["options"]


def test_the_environment_stands_in_front():
    assert shlex.split(stage(one_step(env={"A": "it's $X"})).cmd)[:3] == ["env", "A=it's $X", "wurzel"]


def test_dvc_templating_is_escaped():
    found = stage(one_step(env={"A": "${HOME}"}, description="costs ${x}"))
    assert "'A=\\${HOME}'" in found.cmd
    assert found.desc == "costs \\${x}"


@pytest.mark.parametrize("text", ["one\ntwo", "end\n", "para\u2029graph", "nel\x85"])
def test_a_line_break_in_a_command_keeps_it_in_one_piece(text):
    cmd = stage(one_step(env={"A": text})).cmd
    assert isinstance(cmd, list)
    assert len(cmd) == 1
    assert shlex.split(cmd[0])[1] == f"A={text}"


def test_polling_and_self_consuming_steps():
    assert stage(one_step(polls=True)).always_changed
    assert stage(one_step(self_consuming=True)).outs == [{"data/words": {"persist": True}}]


def test_retry_and_timeout_are_emulated():
    found = stage(one_step(retry=Retry(limit=2, backoff=30, factor=1.5, max=600), timeout=90))
    options = {"report": "metrics/words.json", "retries": 2, "backoff": "30s", "backoff-factor": "1.5"}
    options |= {"backoff-max": "10m", "timeout": "1m30s"}
    assert found.meta["options"] == options
    assert found.cmd == stage(one_step()).cmd  # another text would be another stage to DVC, and run it again


def test_a_file_in_another_folder_leads_back_to_the_project():
    found = stage(one_step(), output="deep/er/dvc.yaml")
    assert found.wdir == "../.."


def test_another_parameter_file_is_named():
    settings = (Setting(name="A", variable="WORDS__A", default=1, text=False),)
    found = stage(one_step(settings=settings), params="deep/params.yaml")
    assert found.params == [{"deep/params.yaml": ["p.words.A"]}]


def folder(value, given=True):
    return Setting(name="F", variable="WORDS__F", input_path=True, given=given, value=value, required=not given)


def test_input_paths_are_deps():
    pipeline = one_step(settings=(folder("../in put/$x"),))
    assert input_paths(pipeline.steps[0]) == ["../in put/$x"]
    assert "../in put/$x" in stage(pipeline).deps
    assert input_paths(one_step(settings=(folder(None, given=False),)).steps[0]) == []
    many = folder({"x": ["in/a", "in/b"], "y": {"z": "in/c"}})
    assert input_paths(one_step(settings=(many,)).steps[0]) == ["in/a", "in/b", "in/c"]
    some = folder({"name": "no", "files": ["in/a", "in/b"]}).model_copy(
        update={"input_path": False, "input_places": (("files", "*"),)}
    )
    assert input_paths(one_step(settings=(some,)).steps[0]) == ["in/a", "in/b"]


@pytest.mark.parametrize("path", [".", "./", "data", "da/../data/", "data/"])
def test_an_input_that_holds_the_data_is_refused(path):
    pipeline = one_step(settings=(folder(path),))
    (problem,) = DvcBackend().preflight(pipeline, DvcOptions())
    assert "cycle" in problem.message


@pytest.mark.parametrize("path", ["../docs", "database", "other", "data.txt"])
def test_an_input_beside_the_data_is_fine(path):
    assert not DvcBackend().preflight(one_step(settings=(folder(path),)), DvcOptions())


def sharded():
    loud = plain_step(
        id="loud", run="m:Loud", output=WORDS, input=WORDS, needs=("words",), shards=3, retry=Retry(limit=1)
    )
    words = plain_step(id="words", run="m:Words", output=WORDS)
    return Pipeline(name="p", data_dir="d ${x}", steps=(words, loud))


def sharded_stages(**options):
    return stages_of(sharded(), **options)


def stages_of(pipeline, **options):
    return {item.name: item for item in DvcBackend().files(pipeline, DvcOptions(**options))[0].context["stages"]}


def test_every_stage_may_depend_on_a_lock_file():
    assert "uv.lock" in stage(one_step(), lock="uv.lock").deps
    assert "uv.lock" not in stage(one_step()).deps


def test_variables_that_change_no_data_are_not_in_the_command():
    step = one_step(env={"LOG_LEVEL": "debug", "MODEL": "a", "MINE": "${x}", "https_proxy": "http://p"})
    found = stage(step.model_copy(update={"env_ignored": ("MINE",)}))
    assert found.cmd.startswith("env MODEL=a wurzel step")
    assert found.meta["options"]["env"] == {"LOG_LEVEL": "debug", "MINE": "\\${x}", "https_proxy": "http://p"}


@pytest.mark.parametrize("fields", [{"polls": True}, {"cache": False}, {"self_consuming": True}])
def test_what_is_never_cached_always_runs(fields):
    assert stage(one_step(**fields)).always_changed
    assert not stage(one_step()).always_changed


def test_slices_are_stages_of_a_matrix_and_one_gathers_them():
    stages = sharded_stages()
    assert list(stages) == ["words", "loud_slice", "loud"]
    cut, whole = stages["loud_slice"], stages["loud"]
    assert cut.matrix == {"slice": [1, 2, 3]}
    assert cut.outs == ["d \\${x}/loud.slices/shard-${item.slice}-of-3"]
    assert whole.deps == [cut.outs[0].replace("${item.slice}", str(number)) for number in (1, 2, 3)]
    words = shlex.split(cut.cmd)
    assert words[words.index("--shard") + 1] == "${item.slice}/3"
    assert words[words.index("--report") + 1] == f"{cut.outs[0]}/{slices.REPORT}"
    assert words[words.index("--options") + 1] == "dvc.yaml#stages.loud_slice.meta"
    assert cut.meta["options"] == {"retries": 1}
    assert "--gather" in whole.cmd
    assert "--retries" not in whole.cmd
    assert (cut.metrics, whole.metrics) == ("", "metrics/loud.json")


def test_slices_may_be_processes_of_one_stage():
    stages = sharded_stages(shards="processes")
    assert list(stages) == ["words", "loud"]
    assert stages["loud"].meta["options"] == {"report": "metrics/loud.json", "retries": 1, "shards": 3}
    use = Use("shards", "steps.loud.shards")
    assert DvcBackend().support_for(use, DvcOptions()).level == "native"
    assert DvcBackend().support_for(use, DvcOptions(shards="processes")).level == "emulated"


def test_slices_that_the_data_numbers_are_processes_of_one_stage():
    words, loud = sharded().steps
    loud = loud.model_copy(update={"shards": Shards(items=500, max=64)})
    stages = stages_of(sharded().model_copy(update={"steps": (words, loud)}))
    assert list(stages) == ["words", "loud"]
    assert stages["loud"].meta["options"] == {"report": "metrics/loud.json", "retries": 1, "shards": 64}
    assert "--portion 500" in stages["loud"].cmd


def test_each_named_output_is_an_out_and_stages_depend_on_those_they_read():
    cut = Step(
        id="cut", run="steps:Cut", outputs=tuple(OutputPort(name=name, type=WORDS) for name in ("train", "test"))
    )
    reader = Step(
        id="fit",
        run="steps:Fit",
        needs=(Edge(step="cut", output="train", input="docs"), Edge(step="cut", output="train", input="more")),
        inputs=(InputPort(name="docs", type=WORDS), InputPort(name="more", type=WORDS)),
        outputs=(OutputPort(type=WORDS),),
    )
    stages = stages_of(Pipeline(name="p", steps=(cut, reader)))
    assert stages["cut"].outs == ["data/cut/train", "data/cut/test"]
    assert stages["fit"].deps == ["data/cut/train"]
    assert "-i docs=data/cut/train -i more=data/cut/train" in stages["fit"].cmd
    sliced = cut.model_copy(update={"shards": Shards(max=2), "inputs": reader.inputs, "needs": ()})
    stages = stages_of(Pipeline(name="p", steps=(sliced,)))
    assert stages["cut_slice"].outs == ["data/cut.slices/shard-${item.slice}-of-2"]
    assert stages["cut"].outs == ["data/cut/train", "data/cut/test"]


def test_plots_are_those_of_the_file():
    plots = [{"data/words/part-00000.json": {"x": "step", "y": "loss"}}]
    texts = render_texts(one_step(), "dvc", DvcOptions.model_validate({"plots": plots}))
    assert yaml.safe_load(texts["dvc.yaml"])["plots"] == plots
    assert "plots" not in render_texts(one_step(), "dvc", DvcOptions())["dvc.yaml"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a:\n  b:\n    - 1\n    - c:\n        - 2\n      d: 3\n  e: []\n",
            "a:\n  b:\n  - 1\n  - c:\n    - 2\n    d: 3\n  e: []\n",
        ),
        ("a:\n  - |-\n    x:\n      - y\n\n    z\nb: 1\n", "a:\n- |-\n  x:\n    - y\n\n  z\nb: 1\n"),
        ("a: |-\n  x:\n    - y\n", "a: |-\n  x:\n    - y\n"),
        ("a:\n  - - 1\n    - 2\n", "a:\n- - 1\n  - 2\n"),
    ],
)
def test_lists_are_written_as_dvc_writes_them(text, expected):
    found, sources = with_flush_lists(text)
    assert found == expected
    assert yaml.safe_load(found) == yaml.safe_load(text)
    assert len(sources) == text.count("\n")
