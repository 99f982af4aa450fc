"""Steps that are programs: words with placeholders, never a line for a shell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, cast

from wurzel.core.attributes import PROGRAM_ATTRIBUTES
from wurzel.core.command_data import Ports, checked_ports_of, is_open, ports_of
from wurzel.core.parameters import bindings
from wurzel.core.placeholders import Vocabulary, Word, filled, references
from wurzel.core.typed_step import INCONTRACT, OUTCONTRACT, SETTS, TypedStep
from wurzel.datacontract.names import class_path
from wurzel.datacontract.secrets import secret_texts
from wurzel.datacontract.shape import unaliased
from wurzel.exceptions import StaticTypeError, UsageError

_SHORTEST_SECRET = 6
"""Shorter ones occur in ordinary words."""
_HIGHEST_CODE = 255


class CommandStep(TypedStep[SETTS, INCONTRACT, OUTCONTRACT], Generic[SETTS, INCONTRACT, OUTCONTRACT]):
    """A step that is a program: `CommandStep[SETTINGS, INPUT, OUTPUT]` with a `command`.

    INPUT and OUTPUT are a `File` or `Folder`, a list of them, or `Inputs` and `Outputs` of these.

        class Ocr(CommandStep[OcrSettings, Pdf, Pdf]):
            command = ["ocrmypdf", "--jobs", "{settings.JOBS}", "{input}", "{output}"]
            version = ["ocrmypdf", "--version"]

    Raises:
        StaticTypeError: when the class is made, if a word contains an unknown placeholder or a secret.
    """

    command: ClassVar[Any]
    """The program and its arguments, or a method that gives them."""
    env: ClassVar[Mapping[str, str]] = {}
    """Variables for the program; secrets may stand here: `{"TOKEN": "{settings.TOKEN}"}`."""
    exit_codes: ClassVar[Collection[int]] = ()
    """Exit codes that are fine beside 0, such as 1 for `grep`."""
    version: ClassVar[Sequence[str]] = ()
    """A command that prints the version, such as `["ocrmypdf", "--version"]`; without it the step always runs."""

    _attributes = PROGRAM_ATTRIBUTES
    _calls = 0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        try:
            _check_class(cls)
        except StaticTypeError as error:
            error.where = error.where or class_path(cls)
            raise

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A step whose types are ones that a program can take and give."""
        step = super().__new__(cls, *args, **kwargs)
        where = class_path(cls)
        if not hasattr(cls, "command"):
            hint = 'Write command = ["program", "{input}", "{output}"].'
            raise StaticTypeError(f"{cls.__name__} has no command", where=where, hint=hint)
        ports = checked_ports_of(cls)
        ports.check(where)
        try:
            _check_words_of(cls, ports)
        except StaticTypeError as error:
            error.where = where
            raise
        return step

    def run(self, inpt: INCONTRACT) -> OUTCONTRACT:
        """Run the program on the input; what it writes is the output."""
        from wurzel.core.program import run_program

        cls, ports = type(self), checked_ports_of(type(self))
        words = _parsed(cls, ports, "command", self.command() if callable(self.command) else self.command)
        env = {name: _vocabulary(cls, ports).parse(text) for name, text in cls.env.items()}
        printed = references([*words, *env.values()]).isdisjoint(ports.outputs)
        self._calls += 1
        folder = self.workdir / str(self._calls)
        folder.mkdir(parents=True)
        values = ports.paths_in(inpt) | ports.paths_out(folder, create=not printed)
        try:
            argv = [text for word in words for text in filled(word, values, self.settings)]
            variables = {name: "".join(filled(word, values, self.settings)) for name, word in env.items()}
        except ValueError as error:
            raise UsageError(str(error)) from None
        self._refuse_secrets(argv)
        run_program(argv, env=variables, output=Path(values["output"]) if printed else None, exit_codes=cls.exit_codes)
        return cast("OUTCONTRACT", ports.result(values, argv[0]))

    def _refuse_secrets(self, argv: Sequence[str]) -> None:
        """Refuse a secret that a method has put into a word; those of placeholders were refused with the class."""
        for secret in secret_texts(self.settings):
            if any(secret == word or (len(secret) >= _SHORTEST_SECRET and secret in word) for word in argv):
                raise UsageError(
                    "a word of the command contains a secret, and everyone on the machine can see the words",
                    hint='Give it to the program as a variable: env = {"TOKEN": "{settings.TOKEN}"}.',
                )


def _check_class(cls: type[CommandStep[Any, Any, Any]]) -> None:
    own = cls.__dict__
    if cls.version:
        _check_words("version", cls.version)
    if not cls.version and own.get("cache"):
        raise StaticTypeError(
            "cache is True, but nothing tells whether the program has changed",
            hint='Set the command that prints its version: version = ["ocrmypdf", "--version"].',
        )
    if "version" in own or not cls.version:
        cls.cache = bool(cls.version) and own.get("cache", True)
    for code in cls.exit_codes:
        if type(code) is not int or not 0 <= code <= _HIGHEST_CODE:
            raise StaticTypeError(f"exit_codes contains {code!r}, not a number from 0 to {_HIGHEST_CODE}")
    if hasattr(cls, "command") and not is_open(cls):
        _check_words_of(cls, ports_of(cls))


def _check_words_of(cls: type[CommandStep[Any, Any, Any]], ports: Ports) -> None:
    if cls.version and (named := references(_parsed(cls, ports, "version", cls.version))):
        raise StaticTypeError(f"version contains {{{min(named)}}}, and takes no placeholders")
    env = [_parsed(cls, ports, f"env[{name!r}]", [text], variable=True)[0] for name, text in cls.env.items()]
    if not callable(cls.command) and not isinstance(cls.command, property):
        _check_output(ports, [*_parsed(cls, ports, "command", cls.command), *env])


def _parsed(
    cls: type[CommandStep[Any, Any, Any]], ports: Ports, name: str, words: Any, *, variable: bool = False
) -> list[Word]:
    """The words with their placeholders, which are ones of this step."""
    vocabulary = _vocabulary(cls, ports)
    parsed = []
    for word in _check_words(name, words):
        try:
            parsed.append(vocabulary.parse(word))
            vocabulary.check(parsed[-1], variable=variable)
        except StaticTypeError as error:
            raise StaticTypeError(f"{name}: {error.message}", hint=error.hint) from None
    return parsed


def _check_words(name: str, words: Any) -> Sequence[str]:
    if isinstance(words, str):
        hint = f"Write a list of words, since no shell takes it apart: {name} = {words.split()}."
        raise StaticTypeError(f"{name} is the text {words!r}", hint=hint)
    if not isinstance(words, list | tuple) or not words:
        raise StaticTypeError(f"{name} is {words!r:.80}, not a list of words")
    for number, word in enumerate(words):
        if not isinstance(word, str):
            hint = f"Write {str(word)!r}." if isinstance(word, int | float | Path) else ""
            raise StaticTypeError(f"word {number} of {name} is {word!r:.80}, not a text", hint=hint)
    return words


def _vocabulary(cls: type[CommandStep[Any, Any, Any]], ports: Ports) -> Vocabulary:
    settings = unaliased(bindings(cls, TypedStep)[SETTS])
    return Vocabulary(settings, tuple(ports.inputs), tuple(ports.outputs), ports.lists)


def _check_output(ports: Ports, words: Sequence[Word]) -> None:
    """Make sure that every output is named, or that the only one can be what the program prints."""
    missing = [name for name in ports.outputs if name not in references(words)]
    if not missing or (missing == ["output"] and ports.prints):
        return
    shown = " and ".join(f"{{{name}}}" for name in missing)
    raise StaticTypeError(
        f"no word of command is {shown}",
        hint="What a program prints can be its output only where that is a single File.",
    )
