"""`wurzel graph --format svg`."""

from xml.etree import ElementTree as ET

import pytest

from tests.conftest import EXAMPLES
from tests.plain import WORDS as WORD
from tests.plain import plain_step
from wurzel.ir import graph
from wurzel.ir.jobs import Job
from wurzel.ir.model import DataType, OutputPort, Pipeline
from wurzel.project.open import open_pipeline

SVG = "{http://www.w3.org/2000/svg}"


def step(name, *needs, output=WORD):
    return plain_step(id=name, run="steps:Upper", needs=needs, input=WORD if needs else None, output=output)


def drawn(*steps):
    return ET.fromstring(graph.FORMATS["svg"](Pipeline(name="p", steps=steps)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_step_is_a_box_with_its_id_and_every_need_a_tip(project, name):
    folder = project(name)
    pipeline = open_pipeline(name if (folder / "wurzel.yaml").exists() else f"{name}:pipeline").pipeline
    picture = ET.fromstring(graph.FORMATS["svg"](pipeline))
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert texts[::2] == [step.id for step in pipeline.steps]
    assert [group.find(f"{SVG}title").text for group in picture.iter(f"{SVG}g")] == [
        step.run for step in pipeline.steps
    ]
    tips = [path for path in picture.iter(f"{SVG}path") if path.get("marker-end")]
    assert len(tips) == sum(len(step.needs) for step in pipeline.steps)


def test_boxes_lie_within_the_picture_and_apart():
    picture = drawn(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c", "a"))
    _, _, wide, high = map(float, picture.get("viewBox").split())
    boxes = [
        tuple(float(box.get(side)) for side in ("x", "y", "width", "height")) for box in picture.iter(f"{SVG}rect")
    ]
    for x, y, width, height in boxes:
        assert 0 < x < x + width < wide
        assert 0 < y < y + height < high
    assert boxes[1][1] + boxes[1][3] < boxes[2][1] or boxes[2][1] + boxes[2][3] < boxes[1][1]


def test_a_box_is_as_wide_as_its_text_in_any_script():
    def width(contract):
        return float(drawn(step("a", output=DataType(contract=f"m:{contract}"))).find(f".//{SVG}rect").get("width"))

    assert width("語" * 10) == width("W" * 20)


def test_what_is_markup_elsewhere_is_text_here():
    name = "A<b>&c"
    output = (OutputPort.model_construct(type=WORD.model_construct(contract=f"steps:{name}", containers=())),)
    picture = graph.FORMATS["svg"](
        Pipeline.model_construct(name='<"&', steps=(step("a").model_copy(update={"outputs": output}),))
    )
    parsed = ET.fromstring(picture)
    assert parsed.find(f"{SVG}title").text == '<"&'
    assert [text.text for text in parsed.iter(f"{SVG}text")] == ["a", name]


def test_nothing_is_fetched_and_nothing_runs():
    picture = graph.FORMATS["svg"](Pipeline(name="p", steps=(step("a"), step("b", "a"))))
    assert picture.count("://") == 1  # the name of the format
    assert not {"script", "image", "use", "a"} & {
        element.tag.removeprefix(SVG) for element in ET.fromstring(picture).iter()
    }


def jobs(*names_and_ids):
    steps = {one: step(one) for _, ids in names_and_ids for one in ids}
    return [Job(name, tuple(steps[one] for one in ids)) for name, ids in names_and_ids]


def test_jobs_are_boxes_around_their_steps():
    pipeline = Pipeline(name="p", steps=(step("a"), step("b", "a"), step("c", "b")))
    picture = ET.fromstring(graph.FORMATS["svg"](pipeline, jobs(("a-b", "ab"), ("c", "c"))))
    boxes = {group.find(f"{SVG}title").text: group.find(f"{SVG}rect") for group in picture.iter(f"{SVG}g")}
    first, last = ([float(boxes[name].get(side)) for side in ("x", "width")] for name in ("a-b", "c"))
    steps = [float(text.get("x")) for text in picture.iter(f"{SVG}text")][::2]
    assert first[0] < steps[0] < steps[1] < sum(first) < last[0] < steps[2] < sum(last)


def test_a_job_with_strangers_between_its_steps_is_several_boxes():
    pipeline = Pipeline(name="p", steps=(step("a"), step("b", "a"), step("c", "b")))
    picture = ET.fromstring(graph.FORMATS["svg"](pipeline, jobs(("outer", "ac"), ("b", "b"))))
    titles = [group.find(f"{SVG}title").text for group in picture.iter(f"{SVG}g") if group.get("class") == "job"]
    assert titles == ["outer", "outer", "b"]
