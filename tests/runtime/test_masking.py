"""Secrets are masked in every form and place, however output is cut into chunks."""

import base64
import html
import io
import json
import os
import pprint
import random
import shlex
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wurzel.runtime.masking import Mask, Stream, forms
from wurzel.runtime.work_left import WorkLeft

SECRET = 'hunter2/+ä "x" \\'


def masked(text, *secrets):
    mask = Mask()
    mask.hide(form for secret in secrets for form in forms(secret))
    return mask.text(text)


WRITTEN = {
    "as it is": SECRET,
    "url": quote(SECRET),
    "whole url": quote(SECRET, safe=""),
    "form": quote_plus(SECRET),
    "json": json.dumps(SECRET)[1:-1],
    "json in utf-8": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "python": repr(SECRET)[1:-1],
    "bytes": repr(SECRET.encode())[2:-1],
    "python in ascii": ascii(SECRET)[1:-1],
    "python in json": json.dumps(repr({"password": SECRET})),
    "json in json": json.dumps(json.dumps([SECRET])),
    "html": html.escape(SECRET),
    "url of other programs": "hunter2%2f%2b%c3%a4%20%22x%22%20%5c",
    "html of jinja": str(Markup.escape(SECRET)),
    "xml": escape(SECRET, {'"': "&quot;"}),
    "html of json": html.escape(json.dumps(SECRET)),
    "url of json": quote(json.dumps(SECRET), safe=""),
    "url of url": quote_plus(quote(SECRET, safe="")),
    "url of base64": quote(base64.b64encode(SECRET.encode() + b"?>" * 9).decode(), safe=""),
    "csv": SECRET.replace('"', '""'),
    "bash's quotes": 'hunter2/+ä\\ \\"x\\"\\ \\\\',
    "in a shell's quotes": 'hunter2/+ä \\"x\\" \\\\',
    "shell": shlex.quote("it's " + SECRET)[9:-1],
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "hex": SECRET.encode().hex(),
    "capital hex": SECRET.encode().hex().upper(),
    "base64 for urls": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "basic": base64.b64encode(b"user:" + SECRET.encode() + b"!").decode(),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_forms_of_a_secret(form):
    shown = masked(f"before {WRITTEN[form]} after", SECRET)
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    assert "hunter2" not in shown
    assert WRITTEN[form][4:-4] not in shown


@pytest.mark.parametrize(
    "written",
    [
        "hunter2/+=&<b>%20'!~",
        "hunter2%2F%2B%3D%26%3Cb%3E%2520'!~",  # encodeURIComponent
        "hunter2/+=&%3Cb%3E%2520'!~",  # encodeURI
        "hunter2/+=&%3Cb%3E%20'!~",  # requests
        "hunter2%2F+=&%3Cb%3E%2520%27%21~",  # Go's paths
        "hunter2%2F+=&%3Cb%3E%2520'!~",  # a password within a URL
        r"hunter2\/+=&<b>%20'!~",  # JSON of PHP
        r"hunter2/+=\u0026\u003cb\u003e%20'!~",  # JSON of Go
    ],
)
def test_other_languages_write_a_secret_in_their_own_way(written):
    shown = masked(f"x {written} y", "hunter2/+=&<b>%20'!~")
    assert shown == "x *** y"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_secret_in_utf_16_is_masked(encoding):
    mask = Mask()
    mask.hide(forms(SECRET))
    shown = mask.whole(f"before {SECRET} after".encode(encoding))
    assert b"***" in shown
    assert b"h\0u\0n" not in shown


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(3))
def test_base64_of_a_secret_within_other_data(before, after):
    secret = "s3cr3t-p4ssw0rd"
    coded = base64.b64encode(b"x" * before + secret.encode() + b"y" * after).decode()
    shown = masked(coded, secret)
    left = shown.replace("***", "")
    assert "***" in shown
    assert len(left) <= 12


@pytest.mark.parametrize("quoted", ["it'\"'\"'s-hunter2", "it''s-hunter2", "it'\\''s-hunter2", "it&#39;s-hunter2"])
def test_an_apostrophe_hides_no_secret(quoted):
    assert masked(f"x '{quoted}' y", "it's-hunter2") == "x '***' y"


def test_what_is_left_of_a_secret_that_is_cut_is_masked():
    secret = "tok-" + "".join(map(chr, range(33, 127))).replace("'", "")
    for value in (secret, {"password": secret}, [secret[:40]] * 3):
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(int).validate_python(value)
        shown = masked(str(caught.value), secret, secret[:40])
        assert "***" in shown
        assert not any(secret[at : at + 6] in shown for at in range(len(secret) - 6))
    assert masked(f"{secret[:60]}… done ... {secret[3:]}", secret) == "***… done ... " + secret[3:]
    assert masked("wait...", secret) == "wait..."


@pytest.mark.parametrize("columns", [64, 76])
def test_base64_of_a_secret_in_lines_is_masked(columns):
    secret = "tok-" + "ab9/" * 40
    lines = wrap(base64.b64encode(secret.encode()).decode(), columns)
    assert {line.rstrip("=") for line in masked("\n".join(lines), secret).split()} == {"***"}
    assert masked(lines[1], secret) == "***"


def test_lines_of_a_key_are_masked_one_by_one():
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nab\n-----END PRIVATE KEY-----\n"
    shown = masked(f"x {key}", key)
    assert "MIIEv" not in shown
    assert shown == "x ***\n***\n***\n***\n"
    assert masked("x\nab\ny", key) == "x\nab\ny"
    assert "MIIEv" not in masked(json.dumps({"key": key}), key)


TOKEN = "tok-4f9a6d2e7b1c-8053-aa19d4c6"
PHRASE = "correct horse 'battery' staple"


@pytest.mark.parametrize("secret", [TOKEN, PHRASE])
@pytest.mark.parametrize(
    "wrapped",
    [
        textwrap.fill,
        lambda text, width: textwrap.fill(text, width + 4, initial_indent="    ", subsequent_indent="    "),
        lambda text, width: "\r\n".join(f"> {line}" for line in textwrap.wrap(text, width)),
        lambda text, width: "\n".join(f"│ {line:{width}} │" for line in textwrap.wrap(text, width)),
        lambda text, width: f"WARNING  {textwrap.fill(text, width)}".replace("\n", "   a/b.py:12\n         ", 1),
        lambda text, width: pprint.pformat([text, text], width),
        lambda text, width: "".join(
            f"\x1b[1;3{at % 8}m{text[at : at + width]}\x1b[0m" for at in range(0, len(text), width)
        ),
    ],
    ids=["filled", "indented", "quoted", "box", "place", "pprint", "colors"],
)
def test_a_secret_that_is_wrapped_or_colored_is_masked(wrapped, secret):
    mask = Mask()
    mask.hide(forms(secret))
    pieces = [secret[at : at + 3] for at in range(len(secret) - 2)]
    for width in range(3, 40):
        text = f"zz {wrapped(f'zzzz {secret} zz', width)} zz\n"
        shown = mask.text(text)
        assert not any(piece in shown for piece in pieces), shown
        assert shown.startswith("zz ")
        assert shown.endswith("zz zz\n") or "\n" in text or "\x1b" in text


def table(secret, box, **options):
    made = Table(box=box, width=60)
    made.add_column("name", width=7)
    made.add_column("key", overflow="fold", **options)
    made.add_column("notes", overflow="fold")
    made.add_row(Text("embed 12 ok"), Text(f"zz {secret} zz"), Text("beta gamma delta " * 4))
    made.add_row(Text("search"), Text("zzz"), Text("another row of it"))
    return made


BOXES = {"edges": box.ROUNDED, "ascii": box.ASCII, "spaces": box.SIMPLE, "none": None}


@pytest.mark.parametrize("style", BOXES)
@pytest.mark.parametrize("secret", [TOKEN, PHRASE])
@pytest.mark.parametrize("color", [None, "standard"])
def test_a_secret_in_cells_of_a_table_is_masked(style, secret, color):
    mask = Mask()
    mask.hide(forms(secret))
    for options in ({"width": 6}, {"width": 11, "justify": "right"}, {"width": 20, "justify": "center"}):
        console = Console(file=io.StringIO(), width=60, color_system=color, force_terminal=color is not None)
        console.print(table(secret, BOXES[style], style="red", **options))
        text = console.file.getvalue()
        for written in (text, json.dumps({"text": text}) if secret == TOKEN else text):
            shown = mask.text(written)
            assert not any(secret[at : at + 3] in shown for at in range(len(secret) - 2)), shown
            assert shown.count("beta") == written.count("beta")
    stream = Stream(mask)
    data = written.encode()
    shown_in_chunks = b"".join(stream.feed(data[at : at + 7]) for at in range(0, len(data), 7)) + stream.end()
    assert shown_in_chunks.decode() == shown


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ("| a | tok-4f9a6d | b |\n|   | 2e7b1c-805 | c |\n|   | 3-aa19d4c6 |   |\n", 3),
        ("│ the key: to ┆ b │\n│ k-4f9a6d2e7b1c-8053-aa19d4c6 ┆ c │\n", 1),
        ("a  tok-4f9a6d2e   b\n   7b1c-8053-aa  c\n   19d4c6        d\n", 3),
        (" 1  | tok-4f9a6d2e.| b\n    |.7b1c-8053-aa.|\n    |.19d4c6       |\n", 3),  # psql
        ("| a in a column as wide | tok-4f9a6d | b |\n| 2e7b1c-8053-aa19d4c6  |  |  |\n", 0),  # not below it
        ("| tok-4f9a6d |\n|------------|\n| 2e7b1c-8053-aa19d4c6 |\n", 0),
    ],
)
def test_cells_next_to_a_secret_stay(lines, shown):
    text = masked(lines, TOKEN)
    assert text.count("***") == shown
    assert shown or text == lines
    assert [cell for cell in text.split() if cell in "abcd"] == [cell for cell in lines.split() if cell in "abcd"]


DENSE = {
    "one letter": ("a" * 40, "aaa  aaa  aaa | a  a  a  a\n"),
    "a long secret of one letter": ("a" * 3999 + "b", "aaaaa\n"),
    "colors": ("a" * 40, "\x1b[31maaa\x1b[0m\n"),
}


@pytest.mark.parametrize("dense", DENSE)
def test_a_log_of_pieces_of_a_secret_is_hidden_when_a_search_would_take_too_long(monkeypatch, dense):
    monkeypatch.setattr("wurzel.runtime.work_left._AT_ONCE", 20_000)
    secret, row = DENSE[dense]
    mask = Mask()
    mask.hide(form for text in (secret, TOKEN) for form in forms(text))
    stream = Stream(mask)
    pieces = [row * 1500, f"{TOKEN[:9]}\n{TOKEN[9:18]}\n", f"{TOKEN[18:]}\n", *["as ever\n" * 2500] * 2]
    *hidden, last = [stream.feed(piece.encode()).decode() for piece in pieces]
    assert hidden[0] == "*** (1500 lines hidden: too many pieces of secrets)\n"
    assert not any(TOKEN[at : at + 3] in "".join(hidden) for at in range(len(TOKEN) - 2)), hidden
    assert last == "as ever\n" * 2500
    assert mask.text(row * 1500) == hidden[0]
    by_line = Stream(mask)
    assert by_line.feed(row.encode() * 1500).startswith(b"*** (1")
    assert [by_line.feed(b"as ever\n") for _ in range(4000)][-1] == b"as ever\n"


@pytest.mark.parametrize("secrets", ["0123456789abcdef", "0123456789"])
def test_tables_of_numbers_are_searched_for_many_secrets(secrets):
    numbers = random.Random(1)
    mask = Mask()
    mask.hide(form for _ in range(50) for form in forms("".join(numbers.choices(secrets, k=24))))
    rows = ["  ".join(f"{numbers.random() * 10**size:.3f}" for size in range(6)) for _ in range(500)]
    data = "\n".join(rows).encode()
    work = WorkLeft()
    assert mask.whole(data, work=work) == data
    assert 250_000 - work.left < len(data) * 0.7


def test_a_secret_counts_as_wrapped_only_as_a_whole():
    text = f"{TOKEN[:9]}\n{TOKEN[10:]}\n{TOKEN[:9]}\n\n{TOKEN[9:]}\n20\n26\n"
    assert masked(text, TOKEN, "202612") == text


def test_short_values_and_ordinary_text_stay():
    assert masked("12345 is five", "12345") == "12345 is five"
    assert masked("123456 is six", "123456") == "*** is six"
    assert masked("nothing here", SECRET) == "nothing here"


def test_of_two_secrets_the_longer_one_is_masked_as_a_whole():
    assert masked("token-and-more token-and", "token-and", "token-and-more") == "*** ***"


@given(
    st.lists(st.text("abc\n", min_size=6, max_size=9), min_size=1, max_size=3),
    st.lists(st.sampled_from(["a", "b", "c", "\n", "...", "…"]), max_size=60).map("".join),
    st.lists(st.integers(0, 60), max_size=8),
)
@example(["aaaaab", "aabaaa"], "aaaaabaaaa", [5, 7])
@example(["aaaaaabbbbbb"], "aaaaaa...bbbbbb", [6, 8, 9])
@example(["aaaaaabbbbbb"], "aaaaaac…bbbbbb", [6, 8, 9, 10, 12])
def test_chunks_make_no_difference_to_what_is_hidden(secrets, text, cuts):
    mask = Mask()
    mask.hide(form for secret in secrets for form in forms(secret))
    stream = Stream(mask)
    data = text.encode()
    cuts = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    out = b"".join(stream.feed(data[start:end]) for start, end in pairwise(cuts)) + stream.end()
    assert out.decode() == mask.text(text)


def test_what_cannot_begin_a_secret_is_passed_on_at_once():
    mask = Mask()
    mask.hide(forms("secret-value"))
    stream = Stream(mask)
    assert stream.feed(b"50% ") == b"50% "
    assert stream.feed(b"secret-") == b""
    assert stream.feed(b"ary\n") == b"secret-ary\n"


STEPS = """
import base64, json, logging, os, subprocess, sys, time, warnings
from pathlib import Path
from typing import NamedTuple
from pydantic import BaseModel, FilePath, PostgresDsn, Secret, SecretBytes, SecretStr
from wurzel.core import PydanticModel, Settings, TypedStep

print("at import", os.environ.get("SRC__TOKEN"), flush=True)

class Word(PydanticModel):
    text: str
    @classmethod
    def get_metrics(cls, obj):
        return {f"seen {os.environ['SRC__TOKEN']}": 1.0}

class Db(BaseModel):
    HOST: str = "h"
    PASSWORD: SecretStr = SecretStr("")

class Opts(Settings):
    TOKEN: SecretStr
    TYPED: Secret[str]
    BLOB: SecretBytes
    KEYS: dict[str, SecretStr] = {}
    MORE: list[SecretStr] = []
    DB: Db = Db()
    DSN: PostgresDsn
    KEY_FILE: FilePath
    SHOWN: str = "public-value"

class SrcStep(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        s = self.settings
        values = [s.TOKEN.get_secret_value(), s.TYPED.get_secret_value(), s.BLOB.get_secret_value().decode()]
        values += [s.KEYS["one"].get_secret_value(), s.MORE[0].get_secret_value(), s.DB.PASSWORD.get_secret_value()]
        values += [str(s.DSN), s.KEY_FILE.read_text(), os.environ["SHARED"], s.SHOWN, s.DB.HOST]
        print(*values, flush=True)
        for value in values:
            sys.stdout.write(value[:8]); sys.stdout.flush(); time.sleep(0.01); print(value[8:], flush=True)
            logging.getLogger("x").info("log %s", value, extra={"more": value})
            warnings.warn(value)
            subprocess.run(["printf", "%s\\n", value], check=True)
            os.write(2, base64.b64encode(value.encode()) + b"\\n" + json.dumps(value).encode() + b"\\n")
        if os.environ.get("FAIL"):
            raise RuntimeError(" ".join(values))
        return [Word(text="a")]
"""

MARK = "m4rk3r"
ENVIRON = {
    "SRC__TOKEN": f"{MARK}-token",
    "SRC__TYPED": f"{MARK}-typed",
    "SRC__BLOB": f"{MARK}-blob",
    "SRC__KEYS__one": f"{MARK}-entry",
    "SRC__MORE": f'["{MARK}-item"]',
    "SRCSTEP__DB__PASSWORD": f"{MARK}-nested",
    "SRC__DB__HOST": "database-host",
    "SRC__DSN": f"postgresql://user:{MARK}%2Fdsn@host/db",
    "SRC__KEY_FILE": "key.pem",
    "SHARED": f"{MARK}-shared",
}


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("options", [[], ["--retries", "1"]])
@pytest.mark.parametrize("fail", ["", "1"])
def test_no_secret_of_a_step_is_in_what_it_writes(tmp_path, monkeypatch, log_format, options, fail):
    monkeypatch.chdir(tmp_path)
    Path("masked.py").write_text(textwrap.dedent(STEPS))
    Path("key.pem").write_text(f"{MARK}-in-a-file\n")
    argv = [sys.executable, "-m", "wurzel", "--log-format", log_format, "step", "masked:SrcStep", "--id", "src"]
    argv += ["-o", "out", "--secret", "SHARED", "--report", "report.json", *options]
    env = {**os.environ, **ENVIRON, "FAIL": fail, "WURZEL_TERMINATION_LOG": str(tmp_path / "reason")}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not fail), done.stderr
    written = {"stdout": done.stdout, "stderr": done.stderr}
    for path in ("reason",) if fail else ("report.json",):
        written[path] = Path(path).read_text()
    for place, text in written.items():
        assert "***" in text, place
        for value in (MARK, base64.b64encode(MARK.encode()).decode()[:8]):
            assert value not in text, place
    assert "public-value" in done.stdout
    assert "database-host" in done.stdout
    if log_format == "json" and fail:
        assert json.loads(done.stderr.splitlines()[-1])["level"] == "error"


IN_PROCESS = """
import logging, os, sys, traceback
from pydantic import SecretStr
from wurzel import WZ, CommandStep, File, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    TOKEN: SecretStr

class Loud(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        token = self.settings.TOKEN.get_secret_value()
        logging.basicConfig()
        logging.warning("logged %s", token)
        print("printed", token[:5], end="")
        print(token[5:], "and", "in" + token[:4], flush=True)
        sys.stdout.buffer.write(b"bytes " + token.encode() + b"\\n")
        sys.stderr.writelines(["lines ", token, "\\n"])
        try:
            raise ValueError(token)
        except ValueError:
            traceback.print_exc()
        print("terminal", sys.stdout.isatty(), sys.stdout.fileno(), sys.stdout.encoding)
        return [Word(text="a")]

class Text(File):
    suffix = ".txt"

class Program(CommandStep[Opts, None, Text]):
    command = ["sh", "-c", "echo told $TOKEN >&2; printf 'printed %s' $TOKEN | tee $0 >&2", "{output}"]
    env = {"TOKEN": "{settings.TOKEN}"}

loud, program = WZ(Loud), WZ(Program)
"""


@pytest.mark.parametrize(("name", "count"), [("loud", 5), ("program", 2)])
def test_what_a_step_prints_in_this_process_is_masked(tmp_path, name, count):
    (tmp_path / "own.py").write_text(textwrap.dedent(IN_PROCESS))
    command = [sys.executable, "-m", "wurzel", "run", f"own:{name}", "--in-process"]
    env = {**os.environ, f"{name.upper()}__TOKEN": "sesame-opens"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    assert "sesame" not in printed.replace("insesa", "")
    assert printed.count("***") == count, printed
    assert "terminal False 1 utf-8" in printed or name == "program"


FAILING = """
from pydantic import SecretStr
from wurzel import WZ, PydanticModel, Settings, TypedStep

class Word(PydanticModel):
    text: str

class Opts(Settings):
    TOKEN: SecretStr

class First(TypedStep[Opts, None, list[Word]]):
    def run(self, inpt: None) -> list[Word]:
        token = self.settings.TOKEN.get_secret_value()
        raise ExceptionGroup("several", [ValueError(token + "\\x1b[2J"), KeyError(token)])

class Second(First):
    def run(self, inpt: None) -> list[Word]:
        return []

def both():
    return [WZ(First), WZ(Second)]
"""


def test_an_error_in_this_process_is_masked_wherever_it_is_told(tmp_path):
    (tmp_path / "own.py").write_text(textwrap.dedent(FAILING))
    env = {**os.environ, "FIRST__TOKEN": "sesame-opens", "SECOND__TOKEN": "something-else"}
    command = [sys.executable, "-m", "wurzel", "run", "own:both", "--in-process"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "first: failed: ValueError: ***\\x1b[2J (and 1 more)" in done.stderr
    assert "second: done" in done.stderr
    (record,) = tmp_path.glob(".wurzel/both/runs/*/run.json")
    for told in (done.stdout + done.stderr, record.read_text()):
        assert "sesame" not in told
        assert "\x1b" not in told
