"""Programs as steps: what words may say, and what becomes of the program's end."""

import sys
from types import new_class

import pytest
from pydantic import SecretStr

from wurzel import WZ, CommandStep, File, Folder, Inputs, NoSettings, Outputs, PydanticModel, Settings
from wurzel.core.settings import SettingsLeaf, providing
from wurzel.exceptions import StaticTypeError, StepFailed, UsageError


class Text(File):
    suffix = ".txt"


class Doc(PydanticModel):
    text: str


class Both(Inputs):
    docs: list["Text"]
    head: Text
    more: Text | None


class Halves(Outputs):
    train: Text
    rest: "list[Text]"


class Db(SettingsLeaf):
    HOST: str = "db.example"
    PASSWORD: SecretStr = SecretStr("hunter22")


class Opts(Settings):
    JOBS: int = 2
    RATIO: float = 0.5
    FAST: bool = True
    NAMES: list[str] = ["a", "b c", "$HOME"]
    TAGS: set[str] = {"z", "y", "x"}
    VOICE: str | None = None
    TOKEN: SecretStr = SecretStr("sesame-opens")
    DB: Db = Db()


def step(command, input_type=None, output_type=Text, settings=Opts, **attributes):
    """A class of step with this command."""
    bases = (CommandStep[settings, input_type, output_type],)
    body = {"__module__": __name__, "command": command, **attributes}
    return new_class("Tool", bases, exec_body=lambda space: space.update(body))


@pytest.fixture
def run(tmp_path):
    """Run a class of step in a workdir of its own."""

    def call(cls, inpt=None, **settings):
        with providing(cls, Opts(**settings)):
            made = cls()
        made.workdir = tmp_path / "work"
        made.workdir.mkdir()
        return made.run(inpt)

    return call


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "in put.txt"
    path.write_text("one two\nthree\n")
    return Text(path)


def printed(cls, run, *args, **settings):
    return run(cls, *args, **settings).path.read_text()


def test_what_a_program_writes_is_the_output(run, text):
    found = run(step(["cp", "{input}", "{output}"], Text), text)
    assert type(found) is Text
    assert found.path.name == "output.txt"
    assert found.path.read_text() == "one two\nthree\n"


def test_what_a_program_prints_is_the_output_if_no_word_names_it(run, text):
    assert printed(step(["awk", "{print $1}", "{input}"], Text), run, text) == "one\nthree\n"


def test_a_program_that_names_its_output_prints_to_the_log(run, text, capfd):
    cls = step(["sh", "-c", 'echo hello; cp "$1" "$2"', "sh", "{input}", "{output}"], Text)
    assert printed(cls, run, text) == "one two\nthree\n"
    assert capfd.readouterr().out == "hello\n"


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("{settings.JOBS}", ["2"]),
        ("--jobs={settings.JOBS}", ["--jobs=2"]),
        ("{settings.RATIO}:{settings.FAST}", ["0.5:true"]),
        ("{settings.NAMES}", ["a", "b c", "$HOME"]),
        ("{settings.TAGS}", ["x", "y", "z"]),
        ("{settings.DB.HOST}", ["db.example"]),
        ("{{input}}", ["{input}"]),
        ("{{settings.JOBS}}", ["{settings.JOBS}"]),
        ("{{{settings.JOBS}}}", ["{{settings.JOBS}}"]),
        ("{{foo.bar}}", ["{foo.bar}"]),
        ("{print}", ["{print}"]),
        ("{{print}}", ["{{print}}"]),
        ("BEGIN {x=1} {print $1}", ["BEGIN {x=1} {print $1}"]),
        ('{"a": .b, c}', ['{"a": .b, c}']),
        ("{.Names}", ["{.Names}"]),
        ("{{.Names}}", ["{{.Names}}"]),
        ("{} { input } {0}", ["{} { input } {0}"]),
        ("; rm -rf $(x) `y` \\ ' \"", ["; rm -rf $(x) `y` \\ ' \""]),
        ("", [""]),
    ],
)
def test_words_reach_the_program_as_they_are_written(run, text, word, words):
    show = "import sys; print(sys.argv[1:])"
    assert printed(step([sys.executable, "-c", show, word], Text), run, text) == f"{words}\n"


def test_an_empty_list_is_no_word(run):
    assert printed(step(["printf", "%s|", "x", "{settings.NAMES}"]), run, NAMES=[]) == "x|"


def test_a_list_of_files_becomes_several_words(run, text):
    assert printed(step(["cat", "{input}"], list[Text]), run, [text, text]) == "one two\nthree\n" * 2


def test_a_folder_for_several_files_is_there_and_gives_them_by_name(run):
    found = run(
        step(["sh", "-c", 'cd "$1"; echo 2 >b.txt; echo 1 >a.txt; echo 3 >Z.txt', "sh", "{output}"], None, list[Text])
    )
    assert [(item.path.name, item.path.read_text()) for item in found] == [
        ("Z.txt", "3\n"),
        ("a.txt", "1\n"),
        ("b.txt", "2\n"),
    ]


def test_a_folder_is_there_when_the_program_starts(run):
    class Site(Folder):
        pass

    found = run(step(["touch", "{output}/index.html"], None, Site))
    assert type(found) is Site
    assert [path.name for path in found.path.iterdir()] == ["index.html"]


def test_each_call_has_a_folder_of_its_own(tmp_path, text):
    cls = step(["cp", "{input}", "{output}"], Text, settings=NoSettings)
    made = WZ(cls)
    made.settings, made.workdir = None, tmp_path / "work"
    assert made.run(text).path != made.run(text).path


def test_inputs_and_outputs_have_names(run, text):
    script = 'cat "$3" "$4" >"$1"; echo more >"$2/more.txt"'
    command = ["sh", "-c", script, "sh", "{outputs.train}", "{outputs.rest}", "{inputs.head}", "{inputs.docs}"]
    found = run(step(command, Both, Halves), Both(docs=[text], head=text, more=None))
    assert type(found) is Halves
    assert (found.train.path.name, found.train.path.read_text()) == ("train.txt", "one two\nthree\n" * 2)
    assert [item.path.name for item in found.rest] == ["more.txt"]


def test_an_input_that_is_absent_is_no_word(run, text):
    with pytest.raises(UsageError, match=r"{inputs.more} is None"):
        run(step(["cat", "{inputs.more}"], Both), Both(docs=[], head=text, more=None))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{input}"], r"{input} is not a placeholder.*Did you mean {inputs.docs}\?"),
        (["{inputs.dcos}"], r"Did you mean {inputs.docs}\?"),
        (["{outputs.train}"], r"no word of command is {outputs.rest}"),
        (["ls"], r"no word of command is {outputs.train} and {outputs.rest}"),
    ],
)
def test_names_of_inputs_and_outputs_are_checked_with_the_class(words, message):
    with pytest.raises(StaticTypeError, match=f"(?s){message}"):
        step(words, Both, Halves)


def test_a_list_in_a_field_stands_alone_in_its_word():
    with pytest.raises(StaticTypeError, match=r"{inputs.docs} is a list"):
        step(["cat", "-x{inputs.docs}"], Both)


def test_an_output_that_is_not_written_fails_the_step(run):
    with pytest.raises(StepFailed, match=r"true exited 0, but did not write .*output.txt"):
        run(step(["true", "{output}"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{inptu}"], r"command: {inptu} is not a placeholder of this step.*Did you mean {input}\?"),
        (["{Output}"], r"Did you mean {output}\?"),
        (["{settings.JOB}"], r"{settings.JOB} is not a placeholder.*Did you mean {settings.JOBS}\?"),
        (["{settings.DB.HOTS}"], "{settings.DB.HOTS} is not a placeholder"),
        (["{setting.JOBS}"], r"Did you mean {settings.JOBS}\?"),
        (["{settings}"], "{settings} is not a placeholder"),
        (["{foo.bar}"], "{foo.bar} is not a placeholder.*For the text itself, write {{foo.bar}}"),
        (["{inputs.docs}"], "{inputs.docs} is not a placeholder.*It has {input}, {output}"),
        (["{input[0]}"], r"{input\[0\]} is not a placeholder"),
        (["x", "a{settings.NAMES}"], "{settings.NAMES} is a list.*stand alone"),
        (["{settings.TOKEN}"], r'{settings.TOKEN} is a secret.*env = {"TOKEN": "{settings.TOKEN}"}'),
        (["{settings.DB}"], "{settings.DB} is a secret"),
        ("ls {input}", r"command is the text 'ls {input}'.*no shell.*\['ls', '{input}'\]"),
        ([], r"command is \[\], not a list of words"),
        (["head", "-n", 3], "word 2 of command is 3, not a text.*Write '3'"),
        ({"ls"}, "not a list of words"),
    ],
)
def test_a_wrong_word_is_an_error_when_the_class_is_made(words, message):
    with pytest.raises(StaticTypeError, match=f"(?s){__name__}:Tool: .*{message}"):
        step(words, Text)


def test_a_list_of_files_stands_alone_in_its_word():
    with pytest.raises(StaticTypeError, match=r"{input} is a list"):
        step(["cat", "--in={input}"], list[Text])


@pytest.mark.parametrize("output_type", [list[Text], Folder])
def test_only_a_file_can_be_what_a_program_prints(output_type):
    with pytest.raises(StaticTypeError, match=r"no word of command is {output}"):
        step(["ls"], None, output_type)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"exit_codes": {"1"}}, "exit_codes contains '1'"),
        ({"exit_codes": {256}}, "exit_codes contains 256"),
        ({"version": "ls --version"}, "version is the text 'ls --version'"),
        ({"version": ["ls", "{settings.JOBS}"]}, r"version contains {settings.JOBS}, and takes no placeholders"),
        ({"version": ["ls", 1]}, "word 1 of version is 1"),
        ({"cache": True}, "cache is True, but nothing tells whether the program has changed"),
        ({"env": {"A": "{settings.X}"}}, r"env\['A'\]: {settings.X} is not a placeholder"),
        ({"env": {"A": "{settings.NAMES}"}}, r"env\['A'\]: {settings.NAMES} is a list, which no variable can be"),
    ],
)
def test_what_else_a_class_says_is_checked_with_it(attributes, message):
    with pytest.raises(StaticTypeError, match=message):
        step(["ls"], **attributes)


@pytest.mark.parametrize(("input_type", "output_type", "name"), [(list[Doc], Text, "input"), (None, Doc, "output")])
def test_a_program_takes_and_gives_files(input_type, output_type, name):
    with pytest.raises(StaticTypeError, match=f"the {name} of a program is .*Doc.*, not a File or Folder"):
        WZ(step(["cp", "{output}"], input_type, output_type))


def test_a_class_without_a_command_may_only_be_a_base():
    class Base(CommandStep[Opts, None, Text]):
        pass

    class Echo(Base):
        command = ["echo", "hi"]

    with pytest.raises(StaticTypeError, match="Base has no command"):
        WZ(Base)
    assert WZ(Echo).step_id == "echo"


def test_secrets_reach_a_program_as_variables(run):
    cls = step(["sh", "-c", "echo $KEY $HOST"], env={"KEY": "{settings.TOKEN}", "HOST": "{settings.DB.HOST}:5432"})
    assert printed(cls, run) == "sesame-opens db.example:5432\n"


def test_a_method_may_give_the_words(run):
    class Lang(CommandStep[Opts, None, Text]):
        def command(self):
            return ["echo", *(["-l", "{settings.VOICE}"] if self.settings.VOICE else [])]

    assert printed(Lang, run) == "\n"


def test_a_method_may_give_placeholders(run):
    class Lang(CommandStep[Opts, None, Text]):
        def command(self):
            return ["echo", "{settings.VOICE}"]

    assert printed(Lang, run, VOICE="de") == "de\n"


@pytest.mark.parametrize("word", ["sesame-opens", "x=sesame-opens", "hunter22"])
def test_a_secret_in_a_word_of_a_method_is_refused(run, word):
    class Leak(CommandStep[Opts, None, Text]):
        def command(self):
            return ["echo", word]

    with pytest.raises(UsageError, match="contains a secret") as caught:
        run(Leak)
    assert word not in str(caught.value)


def test_none_is_no_word(run):
    with pytest.raises(UsageError, match=r"{settings.VOICE} is None"):
        run(step(["echo", "{settings.VOICE}"]))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 2", "sh ended with exit code 2"),
        ("exit 3", "sh ended with exit code 3"),
        ("exit 143", "sh ended with exit code 143"),
        ("kill -9 $$", "sh was ended by signal SIGKILL"),
    ],
)
def test_a_program_that_fails_may_be_tried_again(run, script, message):
    with pytest.raises(StepFailed, match=message) as caught:
        run(step(["sh", "-c", script]))
    assert caught.value.exit_code == 1


def test_exit_codes_may_be_fine(run):
    assert printed(step(["grep", "no such line", "/dev/null"], exit_codes={1}), run) == ""


def test_other_exit_codes_are_not(run):
    with pytest.raises(StepFailed, match="grep ended with exit code 2"):
        run(step(["grep", "x", "/no/such/file"], exit_codes={1}))


def test_a_missing_program_is_not_tried_again(run):
    with pytest.raises(UsageError, match="the program 'no-such-program' was not found") as caught:
        run(step(["no-such-program"]))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("#!/no/such/interpreter\n", 0o755, "the interpreter in its first line is missing"),
        ("#!/bin/sh\n", 0o644, "Permission denied"),
        ("hello\n", 0o755, "Exec format error"),
    ],
)
def test_a_program_that_cannot_be_started(run, tmp_path, content, mode, message):
    path = tmp_path / "tool"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UsageError, match=message):
        run(step([str(path)]))


@pytest.mark.parametrize("words", [["x" * 131_073], ["y" * 1000] * 3000])
def test_words_that_are_too_long_are_told(run, words):
    with pytest.raises(UsageError, match=r"the system does not take its \d+ words"):
        run(step(["echo", *words]))


def test_null_bytes_are_told_without_the_value(run):
    with pytest.raises(UsageError, match="null byte") as caught:
        run(step(["sh"], env={"KEY": "{settings.TOKEN}"}), TOKEN="se\0same")
    assert "same" not in str(caught.value).replace("null byte", "")


def test_a_program_reads_nothing(run):
    assert printed(step(["cat"]), run) == ""


def test_without_a_version_nothing_is_cached():
    assert step(["ls"]).cache is False
    versioned = step(["ls"], version=["ls", "--version"])
    assert versioned.cache is True
    assert step(["ls"], version=["ls", "--version"], cache=False).cache is False
    assert type("Child", (versioned,), {"__module__": __name__}).cache is True
    assert type("Child", (versioned,), {"__module__": __name__, "version": ()}).cache is False
