"""When a pipeline starts: schedules as Kubernetes and Argo read them, and other triggers.

Schedules are cron expressions in robfig's dialect (https://pkg.go.dev/github.com/robfig/cron/v3: standard parser, five
fields and descriptors), in IANA time zones.
"""

import re
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field

from wurzel.ir.marks import Feature
from wurzel.ir.names import Branch, FreeText, OtherPipeline
from wurzel.ir.types import Duration
from wurzel.models import Before, Model
from wurzel.patterns import pattern

_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = pattern(r"@every (?=\d)(\d+h)?(\d+m)?(\d+s)?", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_MEANT = {
    "CET": "Europe/Berlin",  # a link to Brussels, which few people mean
    "MET": "Europe/Berlin",
    "EST5EDT": "America/New_York",
    "CST6CDT": "America/Chicago",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
}
_ITEM = pattern(r"(?:(?P<all>[*?])|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)


def check_cron(text: Any) -> str:
    """The schedule, as Kubernetes and Argo accept it. Raises `ValueError` that says what to write instead."""
    if not isinstance(text, str):
        raise ValueError(f'{text!r} is not a cron expression; write for example "0 4 * * *"')
    if text != text.strip():
        raise ValueError(f"{text!r} starts or ends with a space")
    if re.match(r"(CRON_)?TZ=", text):
        raise ValueError(f"{text!r} contains a time zone; set `timezone:` instead, for example Europe/Berlin")
    if text.startswith("@"):
        _check_descriptor(text)
        return text
    if not text.isprintable():
        raise ValueError(f"{text!r} contains a line break or another control character")
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"{text!r} has {len(fields)} fields; write five: minute, hour, day of month, month, day of week"
        )
    for field, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        for item in field.split(","):
            _check_item(item, f"{text!r}: {name} {item!r}", (low, high), names)
    _check_it_fires(text, fields)
    return text


def check_zone(name: Any) -> str:
    """A time zone of IANA's database in its exact spelling. Raises `ValueError` with the nearest one."""
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is not an IANA time zone; write for example Europe/Berlin")
    if name in zones():
        return name
    from wurzel.suggestion import closest

    folded = {zone.lower(): zone for zone in sorted(zones())}
    cities = {zone.rpartition("/")[2]: zone for zone in folded}
    key = name.strip().lower().replace(" ", "_")
    # PST is nearly MST, and another zone: of abbreviations, only those of no place are advised.
    near = [zone for zone in folded if "/" in zone or zone in {"utc", "gmt"}]
    close = key if key in folded else cities[key] if key in cities else closest(key, near)
    advice = f"did you mean {folded[close]}?" if close else "write one such as Europe/Berlin or UTC"
    raise ValueError(f"{name!r} is not an IANA time zone; {advice}")


@cache
def zones() -> frozenset[str]:
    """All IANA zone names, from the `tzdata` package: the same on every machine."""
    return frozenset(_tzdata("zones").split())


@cache
def zone_advice(name: str) -> str:
    """What to write instead of a legacy name such as `CET` or `US/Pacific`; an empty text for all other names.

    Slim images of Debian and Ubuntu ship legacy names in a package that they leave out. A controller without the zone
    then refuses the schedule; Argo's was reported to start nothing at all
    (https://github.com/argoproj/argo-workflows/issues/15653).
    """
    if name in {"UTC", "GMT"} or name.startswith("Etc/"):
        return ""
    lines = _tzdata("zoneinfo/zone.tab").splitlines()
    if any(line[:1] != "#" and line.split("\t")[2] == name for line in lines if name in line):  # a city
        return ""
    links = dict(_MEANT)
    for line in _tzdata("zoneinfo/tzdata.zi").splitlines():
        if line.startswith("L "):
            _, target, link = line.split()
            links.setdefault(link, target)
    meant = links.get(name, "")
    return f"Did you mean {meant}?" if meant else "Write the zone of a city, such as Europe/Berlin."


def _tzdata(path: str) -> str:
    from importlib import import_module
    from pathlib import Path

    return (Path(str(import_module("tzdata").__file__)).parent / path).read_text(encoding="utf-8")


def _check_descriptor(text: str) -> None:
    if text in _DESCRIPTORS:
        return
    if _EVERY.fullmatch(text):
        if not any(int(count) for count in re.findall(r"\d+", text)):
            raise ValueError(f"{text!r} would start endlessly; write at least @every 1s")
        return
    if text.startswith("@every"):
        raise ValueError(f"{text!r} is not an interval; write for example @every 1h30m")
    raise ValueError(f"{text!r} is not known; write one of {', '.join(_DESCRIPTORS)} or @every 1h")


def _check_item(item: str, where: str, bounds: tuple[int, int], names: tuple[str, ...]) -> None:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"{where} is not a number, a range, a step or *; L, W and # are not known to Kubernetes")
    if match["step"] is not None and int(match["step"]) == 0:
        raise ValueError(f"{where} has a step of 0")
    if match["all"]:
        return
    low, high = bounds
    first = _number(match["low"], where, low, names)
    last = _number(match["high"], where, low, names) if match["high"] else first
    if not (low <= first <= high and low <= last <= high):
        sunday = "; Sunday is 0" if names is _DAYS and 7 in {first, last} else ""  # noqa: PLR2004 - other crons' Sunday
        raise ValueError(f"{where} is not within {low}-{high}{sunday}")
    if first > last:
        ends = (names[-1], names[0]) if match["low"].isalpha() else (high, low)
        raise ValueError(f"{where} ends before it starts; write {match['low']}-{ends[0]},{ends[1]}-{match['high']}")


def _number(text: str, where: str, offset: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + offset
    if not text.isdigit():
        known = f"; names: {', '.join(names)}" if names else ""
        raise ValueError(f"{where} is not a number{known}")
    return int(text)


def _check_it_fires(text: str, fields: list[str]) -> None:
    """A day that no month has is a schedule that never starts; cronsim knows the calendar."""
    if not re.search(r"29|3[01]", fields[2]):
        return
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    # robfig takes both days together only when one of them is a plain star; cronsim also when it is a star with a step.
    plain = [re.sub(r"^[*?](/1)?$", "*", field) for field in fields]
    spelled = [
        re.sub(r"[*?](?=/)", f"{low}-{high}", field) for field, (_, low, high, _) in zip(plain, _FIELDS, strict=True)
    ]
    try:
        next(CronSim(" ".join(field.replace("?", "*") for field in spelled), datetime(2000, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        raise ValueError(f"{text!r} never fires: that day does not exist in those months") from None


Cron = Annotated[
    str,
    Before(
        check_cron,
        {"type": "string", "pattern": rf"^({'|'.join(_DESCRIPTORS)}|@every \S+|[^\s=@]+( +[^\s=]+){{4}})$"},
    ),
]
"""Five fields or a descriptor, as Kubernetes and Argo read them."""

TimeZone = Annotated[
    str,
    Before(check_zone, {"type": "string", "pattern": r"^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$"}),
]
"""The exact name of a zone in the IANA database."""


class Schedule(Model):
    """When the pipeline starts by itself."""

    cron: Annotated[Cron, Feature("schedule")] = Field(description="five fields, as Kubernetes reads them")
    timezone: Annotated[TimeZone, Feature("timezone")] = Field("UTC", description="IANA name")
    concurrency: Annotated[Literal["allow", "forbid", "replace"], Feature("concurrency")] = Field(
        "forbid", description="what happens when the previous run is still in progress"
    )
    deadline: Annotated[Duration | None, Feature("deadline")] = Field(
        None, description="a run that cannot start within this many seconds of its time is skipped"
    )
    catch_up: Annotated[bool, Feature("catch_up")] = Field(
        False, description="all missed runs are made up for, one after the other, not only the last one"
    )


class Triggers(Model):
    """What starts the pipeline besides its schedule and people."""

    push: Annotated[tuple[Branch, ...], Feature("push")] = Field((), description="commits to these branches")
    after: Annotated[tuple[OtherPipeline, ...], Feature("after")] = Field(
        (), description="other pipelines that have succeeded: `NAME`, or `NAME/STEP` for the step whose data is there"
    )
    data: Annotated[tuple[FreeText, ...], Feature("data_arrival")] = Field(
        (), description="data that has arrived, by the name that the platform gives it, such as s3://acme/docs"
    )
    webhook: Annotated[bool, Feature("webhook")] = Field(False, description="a request to the platform")
