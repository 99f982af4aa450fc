"""Pages of `wurzel report`, looked at in a real browser."""

import json
import shutil
from pathlib import Path

import pytest

from tests.command import program
from tests.engines.drivers.browser import browser
from wurzel.report import content, page
from wurzel.runtime.history import past_runs

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium here"),
]

EVIL = '</script><img src=x onerror="window.hacked=1"><!--<script>&amp;@DATA@\'\u2028'
FLOW = f"""
from wurzel import WZ, File, NoSettings, PydanticModel, Settings, TypedStep

EVIL = {EVIL!r}

class Word(PydanticModel):
    text: str
    more: dict[str, str] = {{}}

class Opts(Settings):
    TEXT: str = EVIL

class Words(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        print(EVIL)
        return [Word(text=self.settings.TEXT, more={{EVIL: EVIL}})] * 12

class Upper(TypedStep[NoSettings, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        raise ValueError(EVIL)

class Page(File):
    pass

class Write(TypedStep[NoSettings, list[Word], Page]):
    def run(self, inpt: list[Word]) -> Page:
        path = self.workdir / "<b>bold.txt"
        path.write_text("x")
        return Page(path)

words = WZ(Words)
flow = [words >> WZ(Upper), words >> WZ(Write)]
"""
TEXT = "document.getElementById('step').innerText"
CHOSEN = "document.querySelector('[aria-pressed=true]').getAttribute('aria-label')"


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


def run(*words, code=0):
    program(*words, code=code)


@pytest.fixture
def reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("flow.py").write_text(FLOW)
    run("run", "flow:flow", "--set", "steps.words.settings.TEXT=fine", code=1)
    run("run", "flow:flow", code=1)
    return tmp_path


def nothing_happened(chromium):
    """Nothing of the data was executed, nothing was fetched, and the page's policy had nothing to forbid."""
    assert chromium.value("window.hacked") is None
    assert chromium.value("document.querySelectorAll('img').length") == 0
    fetched = [params["request"]["url"] for _, params in chromium.events("Network.requestWillBeSent")]
    assert [url for url in fetched if not url.startswith("file:")] == []
    assert len(fetched) == 1
    assert chromium.events("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled") == []


def test_hostile_names_and_data_are_text(chromium, reported):
    run("report", "--with", "latest~1")
    chromium.open(Path("report.html").absolute().as_uri())
    assert chromium.value(CHOSEN) == "upper: failed"
    assert "ValueError: </script><img src=x" in chromium.value(TEXT)
    chromium.value("choose('words')")
    text = chromium.value(TEXT)
    assert EVIL.replace("\u2028", "") in text.replace("\u2028", "")
    assert "2 more items" in text
    assert "setting TEXT" in text
    assert "fine" in text
    chromium.value("choose('write')")
    assert "00000/<b>bold.txt" in chromium.value(TEXT)
    nothing_happened(chromium)


def test_steps_are_chosen_by_mouse_keyboard_and_link(chromium, reported):
    run("report")
    url = Path("report.html").absolute().as_uri()
    chromium.open(f"{url}#words")
    assert chromium.value(CHOSEN) == "words: ran"
    x, y = chromium.value(
        "(() => { const box = document.querySelector('[aria-label^=write]').getBoundingClientRect();"
        " return [box.x + 5, box.y + 5]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        chromium.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    assert chromium.value(CHOSEN) == "write: ran"
    chromium.key("Home")
    assert chromium.value(CHOSEN) == "words: ran"
    chromium.key("ArrowRight")
    assert chromium.value(CHOSEN) == "upper: failed"
    assert chromium.value("document.activeElement.getAttribute('aria-label')") == "upper: failed"
    assert chromium.value("document.querySelectorAll('g.step[tabindex=\"0\"]').length") == 1
    chromium.key("Tab")
    assert chromium.value("document.activeElement.getAttribute('aria-label')") != "upper: failed"
    nothing_happened(chromium)


def test_dark_and_light_and_a_phone(chromium, reported):
    run("report")
    chromium.open(Path("report.html").absolute().as_uri())
    colours = set()
    for scheme in ("dark", "light"):
        chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colours.add(chromium.value("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    chromium.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=2, mobile=True)
    assert chromium.value("document.documentElement.scrollWidth") <= 390  # what is wider scrolls within its box
    chromium.call("Emulation.clearDeviceMetricsOverride")


def test_a_thousand_steps(chromium, tmp_path):
    names = [f"step-{number}" for number in range(1000)]
    graph = {name: names[max(0, number - 12) : max(0, number - 9)] for number, name in enumerate(names)}
    steps = {
        name: {"state": "ran", "reason": "first run here", "begin": number, "end": number + 2, "tries": 1}
        for number, name in enumerate(names)
    }
    record = {"id": "a", "pipeline": "large", "started": "2026-01-01T00:00:00+00:00", "ended": "ok", "seconds": 1002}
    folder = tmp_path / "large" / "runs" / "1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**record, "steps": steps, "graph": graph, "counts": {"ran": 1000}}))
    (found,) = past_runs(tmp_path)
    (tmp_path / "large.html").write_text(page(content(found), "large"))
    seconds = chromium.open((tmp_path / "large.html").as_uri())
    print(f"1,000 steps: open after {seconds:.2f} s")
    assert chromium.value("document.querySelectorAll('g.step').length") == 1000
    assert chromium.value("document.querySelectorAll('.bar').length") == 1000
    assert chromium.value(CHOSEN) == "step-999: ran"
    nothing_happened(chromium)
