"""Every error wurzel raises on purpose, and the exit code each one ends a command with.

The command line turns a `WurzelError` into its message and exits with its `exit_code`: `USAGE` when the user must act
(usage, configuration, settings, pipeline, template), `BROKEN_CONTRACT` when data or types break a contract, `FAILED`
for the rest, which a retry may fix. Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wurzel.named_tuples import NamedTuple

FAILED = 1
USAGE = 2
BROKEN_CONTRACT = 3
INTERRUPTED = 130
"""After Ctrl-C, as of a shell's command that the signal ended."""

FINAL = frozenset({USAGE, BROKEN_CONTRACT})
"""Exit codes of errors that a retry cannot fix."""

_OBVIOUS = frozenset({"int_parsing", "float_parsing", "bool_parsing", "int_from_float"})


def mismatch(kind: str, message: str, value: str) -> str:
    """Pydantic's message for an invalid value, as one sentence that shows the value.

    Args:
        kind: pydantic's type of the error.
        message: pydantic's text, which for some types is a sentence with a reason: "…, input is too short".
        value: the value as text that may be shown.
    """
    message = message.removeprefix("Value error, ")
    if kind == "missing":  # the value is all that has no such field
        return message
    if kind in _OBVIOUS:
        return f"{message.partition(',')[0]}, not {value}"
    if kind.endswith("_parsing"):
        head, _, why = message.partition(", ")
        return f"{head}, not {value}" + (f" ({why})" if why else "")
    return f"{message}, not {value}"


class WurzelError(Exception):
    """An error with its place (`where`), what is wrong (`message`) and how to fix it (`hint`)."""

    exit_code = USAGE

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


def first_line(error: WurzelError) -> str:
    """What is wrong, on one line."""
    return getattr(error, "reason", "") or error.message.partition("\n")[0]


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, for messages; the last one says that there are more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class WurzelWarning(UserWarning):
    """Something that works, but that its author should change."""


class Problem(NamedTuple):
    """One finding among several: place, what is wrong, what to do."""

    message: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return str(WurzelError(self.message, where=self.where, hint=self.hint))


class Problems(WurzelError):
    """Several problems found in one pass and shown together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(WurzelError):
    """The command was called in a way that cannot work."""


class ConfigError(Problems):
    """`wurzel.yaml` or `--set` contains something invalid."""


class PipelineError(WurzelError):
    """The pipeline cannot be found, imported or introspected."""


class PreflightError(Problems):
    """The pipeline cannot run on this target; found before any template is rendered."""


class BackendError(WurzelError):
    """A backend is unknown or breaks its contract."""


class TemplateError(WurzelError):
    """A template cannot be found, parsed or rendered; `where` is `template:line`."""


class PolicyError(Problems):
    """A policy of a pack or of the project rejects the rendered files; nothing is written."""


class TemplateProblems(Problems):
    """Templates of a project or its packs have errors; found before anything is rendered."""


class QuotingError(TemplateError):
    """A value is at a place where no quoting makes it read back unchanged."""


class VerifyError(TemplateError):
    """Rendered text does not parse to the expected values."""


class ValidationFailed(Problems):
    """The platform's own linters reject rendered files."""

    exit_code = FAILED


class WriteError(WurzelError):
    """Output cannot be written, or would overwrite a file that wurzel did not write."""

    exit_code = FAILED


class CheckFailed(WurzelError):
    """`--check`, or a job, found files that are not those that were rendered."""

    exit_code = FAILED


class MissingPackage(WurzelError, ImportError):
    """Something needs a package that is not installed; the hint is the command that installs it."""


class DatasetError(WurzelError):
    """A dataset is missing, empty, incomplete or damaged."""

    exit_code = FAILED


class NotOurs(DatasetError):
    """Where a dataset should be written is something else, which is never replaced."""

    exit_code = USAGE


class WrongDataset(DatasetError):
    """A dataset has a different contract, or another number of items, than the step expects."""

    exit_code = BROKEN_CONTRACT


class StoreError(WurzelError):
    """The store cannot be reached, or what it holds is damaged or gone; another try may help."""

    exit_code = FAILED


class StoreDamaged(StoreError):
    """Something in the store is not as it was written, or names something else."""


class StoreSetupError(StoreError):
    """The store is configured wrongly: its URL, region, endpoint, credentials or rights."""

    exit_code = USAGE


class EnvSettingsError(WurzelError, ValueError):
    """Settings of a step are missing, unknown or of the wrong type."""


class ContractFailedException(WurzelError):
    """Data or types break a contract."""

    exit_code = BROKEN_CONTRACT


class StaticTypeError(ContractFailedException, TypeError):
    """A step's type parameters or annotations are wrong, or two steps do not fit together."""


class StepFailed(WurzelError):
    """A step failed; raise it in `run` with a message for the reader of the log."""

    exit_code = FAILED


class MarkdownException(StepFailed):
    """A Markdown document cannot be read."""


class SplittException(StepFailed):
    """A document cannot be split."""


# Steps written for telekom/wurzel import these names; nothing in this package raises them.


class LoggedCustomException(StepFailed):
    """A step failed in its own way."""


class UnrecoverableFatalException(StepFailed):
    """An error that cannot be recovered from."""


class BadResponse(StepFailed):
    """A service answered with an error."""


class ConvertFailed(StepFailed):
    """Something cannot be turned into text."""


class MarkdownConvertFailed(ConvertFailed):
    """Something cannot be turned into Markdown."""


class EmbeddingException(StepFailed):
    """An embedding cannot be used."""


class EmbeddingAPIException(StepFailed):
    """The service that makes embeddings answered with an error."""


class CustomQdrantException(StepFailed):
    """Qdrant answered with an error."""


class NoPreviousCollection(StepFailed):
    """There is no earlier collection."""


class InvalidCountryCodeException(StepFailed):
    """A country code is not in ISO 3166."""
