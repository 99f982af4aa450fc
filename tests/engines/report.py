"""The page docs/conformance.md: one table of engines and pipelines, and what stands behind it."""

import re
from dataclasses import dataclass, field

PAGE = "docs/conformance.md"
INTRO = """# Conformance

<!-- Written by `make conformance`; do not edit. -->

Every example pipeline, rendered and run by every engine. A cell holds the verdict, the start of the SHA-256 over names
and bytes of all datasets of the run, and the time. `same`: every file of every dataset is, byte for byte, that of
`wurzel run` (first row). The pipelines are those of `tests/pipelines`.

- `shards-1`, `shards-3`, `shards-7`: one pipeline of five items, a step in as many slices; one digest for all three.
- `hostile`: names, paths and settings that break careless quoting.
- `flaky`: a step that fails at its first try and must be tried again.
- `failing`: the run must fail, with no dataset of the step that failed or of those behind it. `stopped there`: the
  datasets of the other branch are missing as well.
- `join`, `outputs`, `files`, `stream`, `program`: several inputs, named outputs, data that is files, items one by one,
  programs as steps.
- `if`, `else`: of two branches, one is skipped.
- `fan-out-0`, `fan-out-1`, `fan-out-3`: as many slices as the data has portions, at most four; there are no items, one,
  or five in three portions.
- `rag`: the example of the documentation, with three short documents and the model `words`.
- `not run yet`: the case is newer than the last run of that engine.
"""
OUTRO = """
Times are single runs on a small machine that others used as well: they tell seconds from minutes, no more. A run that
differs from this page in nothing but times leaves it as it is. A test holds verdicts and digests to those of today.
"""


@dataclass
class Result:
    """What came of all cases in one engine, or why it was not run."""

    driver: object
    outcomes: dict = field(default_factory=dict)
    verdicts: dict = field(default_factory=dict)
    missing: str = ""
    lines: list = field(default_factory=list)
    """What the two tables of an old page say of it, when not all of its cases were run now."""

    def wrong(self, is_right):
        """Labels of cases whose verdict is not right."""
        return [label for label, said in self.verdicts.items() if not is_right(said)]


def page(results, cases, old="", costs=""):
    """The whole page; lines that are kept from an old page keep its notes as well. `costs` is a further section."""
    notes = re.findall(r"^\d+\. (.+)$", old, re.MULTILINE)
    lines = ["", f"| engine | {' | '.join(case.label for case in cases)} |", "|---" * (len(cases) + 1) + "|"]
    lines += [_row(result, cases, notes) for result in results]
    if notes:
        lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]
    lines += ["", "## Engines", "", "| engine | version | retry | how it was run |", "|---|---|---|---|"]
    lines += [_legend(result) for result in results]
    return INTRO + "\n".join(lines) + "\n" + costs + OUTRO


def kept(driver, old):
    """The result of an engine as an old page has it."""
    lines = [line for line in old.splitlines() if line.startswith(f"| {_name(driver)} |")]
    return Result(driver, lines=lines, missing="" if lines else "it is newer than the last run of all engines")


def _row(result, cases, notes):
    if result.lines and not result.outcomes:
        missing = len(cases) + 2 - result.lines[0].count("|")
        return result.lines[0] + " not run yet |" * missing
    if result.missing:
        cells = [f"not run: {result.missing}", *[""] * (len(cases) - 1)]
    else:
        old = [cell.strip() for line in result.lines[:1] for cell in line.split("|")[2:-1]]
        labels = [case.label for case in cases]
        before = {} if old and old[0].startswith("not run") else dict(zip(labels, old, strict=False))
        cells = [
            _cell(result, case, notes) if case.label in result.outcomes else before.get(case.label, "not run yet")
            for case in cases
        ]
    return f"| {_name(result.driver)} | {' | '.join(cells)} |"


def _cell(result, case, notes):
    outcome = result.outcomes[case.label]
    mark = ""
    if outcome.note:
        if outcome.note not in notes:
            notes.append(outcome.note)
        mark = f" ({notes.index(outcome.note) + 1})"
    return f"{result.verdicts[case.label]}{mark} `{outcome.digest[:8]}` {max(1, round(outcome.seconds))} s"


def _name(driver):
    return f"{driver.name} (simulation)" if driver.simulated else driver.name


def _legend(result):
    if result.lines and not result.outcomes:
        return result.lines[1]
    driver = result.driver
    version = "" if result.missing else driver.version()
    support = driver.backend().support_of("retry")
    return f"| {_name(driver)} | {version} | {support.level} | {driver.how} |"


def write(path, text):
    """Write the page unless it differs in times alone; says what was done."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if _timeless(old) == _timeless(text):
        return f"{path.name} stays as it is: nothing but times would change"
    path.write_text(text, encoding="utf-8")
    return f"{path.name} written"


def _timeless(text):
    return re.sub(r"\d+ s\b", "N s", text)


def read(text):
    """What a page says: the cells of each engine by case, and of one that was not run its reason."""
    table = [line for line in text.splitlines() if line.startswith("| ")]
    labels = [cell.strip() for cell in table[0].strip("|").split("|")][1:]
    found = {}
    for line in table[1:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "engine":
            break
        if cells[1].startswith("not run: "):
            found[cells[0]] = cells[1]
        else:
            found[cells[0]] = dict(zip(labels, cells[1:], strict=True))
    return found
