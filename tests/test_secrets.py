"""No value of a secret is ever written: each kind is planted, everything is done, and all it produced is searched.

`docs/secrets.md` shows the table of kinds and places; the last test holds it to the two lists here.
"""

import base64
import os
import re
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wurzel.backends.registry import BUILT_IN

ROOT = Path(__file__).parents[1]
MARK = "m4rk3r"
IMAGE = "image=registry.example/pipelines:1.0"

KINDS = {
    "`SecretStr`": {"LEAK__TOKEN": f"{MARK}-one"},
    "`SecretBytes`": {"LEAK__BLOB": f"{MARK}-two"},
    "`Secret[T]`": {"LEAK__TYPED": f"{MARK}-three"},
    "union with a secret": {"LEAK__EITHER": f"{MARK}-four"},
    "entry of `dict[str, SecretStr]`": {"LEAK__KEYS__acme": f"{MARK}-five"},
    "item of `list[SecretStr]`": {"LEAK__MORE": f'["{MARK}-six"]'},
    "field of a nested model": {"LEAK__DB": f'{{"PASSWORD": "{MARK}-seven", "HOST": "h"}}'},
    "password of a DSN": {"LEAK__DSN": f"postgresql://user:{MARK}-eight@host/db"},
    "password of a URL in a text": {"LEAK__NOTE": f"see https://user:{MARK}-nine@host/x"},
    "file that a `FilePath` names": {"LEAK__KEY_FILE": "secret.key"},
    "default of a secret field": {},
    "default with a password": {},
    "variable that no setting reads": {"SHARED_VALUE": f"{MARK}-ten"},
    "variable of one step alone": {"ONLY_LEAK": f"{MARK}-eleven"},
}
PLACES = (
    "rendered files",
    "shown",
    "messages",
    "step log",
    "JSON log",
    "termination log",
    "report files",
    "state folder",
)

STEPS = f"""
import os, sys
from pathlib import Path
from pydantic import AnyUrl, BaseModel, Field, FilePath, PostgresDsn, Secret, SecretBytes, SecretStr
from wurzel import WZ, NoSettings, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str
    @classmethod
    def get_metrics(cls, obj):
        return {{f"metric {{os.environ.get('LEAK__TOKEN')}}": 1.0}}

class Db(BaseModel):
    HOST: str = "h"
    PASSWORD: SecretStr = SecretStr("")

class Opts(Settings):
    TOKEN: SecretStr
    BLOB: SecretBytes = b""
    TYPED: Secret[str] = Secret("")
    EITHER: SecretStr | int = 0
    KEYS: dict[str, SecretStr] = {{}}
    MORE: list[SecretStr] = Field(default_factory=list)
    DB: Db | None = None
    DSN: PostgresDsn = PostgresDsn("postgresql://user@host/db")
    NOTE: str = ""
    KEY_FILE: FilePath | None = None
    HIDDEN: SecretStr = SecretStr("{MARK}-default")
    CACHE: AnyUrl = AnyUrl("redis://:{MARK}-cache@host")
    FAIL: bool = False

class Source(TypedStep[NoSettings, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        assert "SHARED_VALUE" in os.environ
        others = [name for name, value in os.environ.items() if "{MARK}" in value and name != "SHARED_VALUE"]
        assert others == (["LEAK__NOTE"] if "SCRIPT" in os.environ else []), "of another step"
        return [Word(text="a")]

class Leak(TypedStep[Opts, list[Word], list[Word]]):
    def run(self, inpt: list[Word]) -> list[Word]:
        s = self.settings
        said = [s.TOKEN, s.TYPED, s.EITHER, s.KEYS["acme"], s.MORE[0], s.DB.PASSWORD, s.HIDDEN]
        said = [item.get_secret_value() for item in said] + [s.BLOB.get_secret_value().decode(), str(s.DSN), s.NOTE]
        said += [s.KEY_FILE.read_text(), str(s.CACHE), os.environ["SHARED_VALUE"], os.environ["ONLY_LEAK"]]
        print(len(said), "secrets", *said, "\\x1b[2J")
        print(*said, file=sys.stderr)
        if s.FAIL:
            raise RuntimeError(" ".join(said))
        return inpt

def pipeline():
    return WZ(Source) >> WZ(Leak)
"""
CONFIG = """
version: 1
pipelines:
  planted:
    entrypoint: planted:pipeline
    secrets: {SHARED_VALUE: {name: shared, key: value}}
    steps:
      leak:
        secrets:
          TOKEN: {name: leak, key: token}
          LEAK__KEYS__acme: {name: leak, key: acme}
          DSN: {name: leak, key: dsn}
          ONLY_LEAK: {name: leak, key: only}
"""
OURS = {"planted.py", "secret.key"}


class Planted:
    """A project full of secrets, and everything that came of it by the place where it was found."""

    def __init__(self, root):
        self.root = root
        self.found = dict.fromkeys(PLACES, b"")
        (root / "planted.py").write_text(textwrap.dedent(STEPS))
        (root / "wurzel.yaml").write_text(CONFIG)
        (root / "secret.key").write_text(f"{MARK}-in-a-file\n")

    def run(self, place, *arguments, code=0, **variables):
        environment = {**os.environ, "WURZEL_RUN_ID": "1", "WURZEL_TERMINATION_LOG": str(self.root / "reason")}
        for planted in KINDS.values():
            environment |= planted
        command = [sys.executable, "-m", "wurzel", *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=environment | variables, capture_output=True, check=False, timeout=120
        )
        assert done.returncode == code, done.stderr.decode()
        self.found[place] += done.stdout + done.stderr
        return done

    def search(self):
        """Look for the marker, also in base64, in everything that was printed or written."""
        for path in self.root.rglob("*"):
            assert MARK not in path.name
            if path.is_file() and path.name not in OURS and path.suffix != ".pyc":
                place = "state folder" if ".wurzel" in path.parts else "rendered files"
                self.found[place] += path.read_bytes()
        coded = base64.b64encode(MARK.encode()).rstrip(b"=")[:7]
        for place, text in self.found.items():
            for form in (MARK.encode(), coded):
                at = text.find(form)
                assert at < 0, (place, text[max(at - 200, 0) : at + 50])


@pytest.fixture
def planted(tmp_path):
    project = Planted(tmp_path)
    yield project
    project.search()


def test_rendering_and_showing(planted):
    for target in BUILT_IN:
        planted.run("rendered files", "render", "planted", "-t", target, "--set", IMAGE)
        planted.run("shown", "render", "planted", "-t", target, "--set", IMAGE, "--explain")
        planted.run("shown", "render", "planted", "-t", target, "--set", IMAGE, "--diff", "--set", "data_dir=x")
    for options in ([], ["--json"], ["--explain"]):
        planted.run("shown", "inspect", "planted", *options)
    for options in ([], ["--check"], ["--dotenv"]):
        planted.run("shown", "env", "planted", *options)
    planted.run("shown", "graph", "planted")
    assert planted.found["shown"].count(b"(secret)") >= 8


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_running(planted, log_format):
    place = "JSON log" if log_format == "json" else "step log"
    planted.run(place, "--log-format", log_format, "run", "planted")
    log = planted.root / ".wurzel" / "planted" / "logs" / "leak.log"
    assert b"14 secrets *** ***" in log.read_bytes()
    step = ("step", "planted:Leak", "--id", "leak", "-i", "data/source", "-o", "data/leak", "--secret", "SHARED_VALUE")
    step = ("--log-format", log_format, *step, "--secret", "ONLY_LEAK")
    planted.run(place, *step, "--report", "report.json")
    planted.run(place, *step, "--retries", "1", "--timeout", "1m")
    planted.found["report files"] += (planted.root / "report.json").read_bytes()
    assert b"metric ***" in planted.found["report files"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_failing(planted, log_format):
    place = "JSON log" if log_format == "json" else "step log"
    done = planted.run(place, "--log-format", log_format, "run", "planted", code=1, LEAK__FAIL="true")
    assert b"RuntimeError: ***" in done.stderr
    assert b"\x1b" not in done.stderr
    assert log_format == "json" or b"\\x1b[2J" in done.stderr
    planted.found["termination log"] += (planted.root / "reason").read_bytes()
    assert b"RuntimeError: ***" in planted.found["termination log"]


LITERALS = {
    **dict.fromkeys(("TOKEN", "BLOB", "TYPED", "EITHER", "KEYS__acme", "HIDDEN"), f"{MARK}-literal"),
    **dict.fromkeys(("DSN", "NOTE", "CACHE"), f"redis://:{MARK}@host"),
    "MORE": f'["{MARK}"]',
    "DB": f'{{"PASSWORD": "{MARK}"}}',
}


@pytest.mark.parametrize("name", LITERALS)
def test_literals_are_refused(planted, name):
    for key in (f"steps.leak.settings.{name}", f"steps.leak.env.LEAK__{name}", f"env.LEAK__{name}"):
        done = planted.run("messages", "render", "planted", "-t", "dvc", "--set", f"{key}={LITERALS[name]!r}", code=2)
        assert re.search(rb"secret|not shown", done.stderr)
    planted.run("messages", "run", "planted", "--param", f"leak.{name}={LITERALS[name]}", code=2)


def test_settings_that_do_not_fit(planted):
    wrong = {"LEAK__DSN": f"postgresql:/{MARK}@host", "LEAK__MORE": f"{{{MARK}", "LEAK__KEYS": MARK}
    planted.run("messages", "run", "planted", code=2, **wrong)


def test_the_state_folder_is_for_its_owner(planted):
    os.umask(os.umask(0o022))
    planted.run("step log", "run", "planted")
    for path in [planted.root / ".wurzel", *(planted.root / ".wurzel").rglob("*")]:
        if path.name != ".gitignore":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.parent.name == "planted", path
    assert stat.S_IMODE((planted.root / ".wurzel").stat().st_mode) == 0o700
    assert stat.S_IMODE((planted.root / ".wurzel" / "planted" / "logs" / "leak.log").stat().st_mode) == 0o600


def test_the_value_of_a_secret_changes_no_fingerprint(planted):
    planted.run("step log", "run", "planted")
    other = {name: value.replace(MARK, "other") for planted_ in KINDS.values() for name, value in planted_.items()}
    (planted.root / "secret.key").write_text("another\n")
    done = planted.run("step log", "run", "planted", **{**other, "LEAK__KEY_FILE": "secret.key"})
    assert b"2 unchanged" in done.stderr


def test_the_local_script_gives_each_step_its_own_secrets(planted):
    planted.run("rendered files", "render", "planted", "-t", "local")
    scripts = list(planted.root.glob("run-*.sh"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SCRIPT": "1"}  # it cannot look into values
    for kind in KINDS.values():
        environment |= kind
    done = subprocess.run(["sh", scripts[0]], cwd=planted.root, env=environment, capture_output=True, check=False)
    planted.found["step log"] += done.stdout + done.stderr
    assert done.returncode == 0, done.stderr.decode()


def test_the_only_container_of_a_cron_job_gives_each_step_its_own_secrets(planted):
    mode = ("--set", "targets.cronjob.layout=single")
    planted.run("rendered files", "render", "planted", "-t", "cronjob", "--set", IMAGE, *mode)
    manifests = list(YAML(typ="safe").load_all((planted.root / "cronjob" / "planted.yaml").read_text()))
    config = next(one for one in manifests if one["kind"] == "ConfigMap")
    job = next(one for one in manifests if "Job" in one["kind"])
    spec = job["spec"]["jobTemplate"]["spec"] if job["kind"] == "CronJob" else job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"][:3] == ["wurzel", "run", "--from-ir"]
    assert {"LEAK__TOKEN", "ONLY_LEAK", "SHARED_VALUE"} <= {one["name"] for one in container["env"]}
    (planted.root / "pipeline.json").write_text(config["data"]["pipeline.json"])
    planted.run("step log", "run", "--from-ir", "pipeline.json")  # the first step finds none of the second's


def test_the_page_shows_every_kind_and_place():
    rows = [
        line.strip("| ").split(" | ") for line in (ROOT / "docs/secrets.md").read_text().splitlines() if "| ✓" in line
    ]
    assert [row[0].strip() for row in rows] == list(KINDS)
    assert {len(row) for row in rows} == {len(PLACES) + 1}
    header = next(line for line in (ROOT / "docs/secrets.md").read_text().splitlines() if line.startswith("| secret |"))
    assert tuple(header.strip("| ").split(" | "))[1:] == PLACES
