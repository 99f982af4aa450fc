"""Schedules in robfig's dialect and IANA zones: what Kubernetes takes, and nothing else."""

import pytest

from wurzel.ir.schedule import check_cron, check_zone, zone_advice, zones

TAKEN = [
    "0 4 * * *",
    "*/5 * * * MON-FRI",
    "0 0 1-5,10 jan sun",
    "5/15 * * * *",
    "0 0 ? * ?",
    "0 0 29 2 *",
    "0 0 31 2 1",
    "0 0 31 2 */2",
    "0 0 30 2,4 *",
    "0  4 * * *",
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
    "@every 1h",
    "@every 1h30m10s",
]
REFUSED = [
    ("0 0 * * 7", "Sunday is 0"),
    ("0 0 * * 5-1", "write 5-6,0-1"),
    ("0 0 * * FRI-MON", "write FRI-SAT,SUN-MON"),
    ("0 0 L * *", "not a number"),
    ("0 0 LW * *", "not a number"),
    ("0 0 * * 1#2", "not known to Kubernetes"),
    ("0 0 0 * * *", "6 fields"),
    ("* * * *", "4 fields"),
    ("", "0 fields"),
    ("@reboot", "not known"),
    (" 0 4 * * *", "space"),
    ("0 4 * * * ", "space"),
    ("CRON_TZ=UTC 0 4 * * *", "timezone:"),
    ("TZ=UTC 0 4 * * *", "timezone:"),
    ("0 0 31 2 *", "never fires"),
    ("0 0 31 2,4,6 *", "never fires"),
    ("60 * * * *", "within 0-59"),
    ("* 24 * * *", "within 0-23"),
    ("* * 0 * *", "within 1-31"),
    ("* * * 13 *", "within 1-12"),
    ("*/0 * * * *", "step of 0"),
    ("*-5 * * * *", "not a number"),
    ("1- * * * *", "not a number"),
    ("+5 * * * *", "not a number"),
    ("-5 * * * *", "not a number"),
    ("1,,2 * * * *", "not a number"),
    ("\u0661 * * * *", "not a number"),
    ("0\n4 * * *", "line break"),
    ("* * * MON *", "names: JAN"),
    ("@every", "not an interval"),
    ("@every 0s", "endlessly"),
    ("@every 1x", "not an interval"),
    ("@Daily", "not known"),
]


@pytest.mark.parametrize("text", TAKEN)
def test_taken(text):
    check_cron(text)


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        check_cron(text)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_zones(name):
    check_zone(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("CEST", "such as"),
        ("PST", "such as"),
        ("Local", "such as"),
        ("", "such as"),
        ("posix/UTC", "such as"),
        ("../UTC", "is not an IANA"),
    ],
)
def test_no_zones(name, near):
    with pytest.raises(ValueError, match=near):
        check_zone(name)


def test_every_zone_can_be_loaded():
    from zoneinfo import ZoneInfo

    assert all(ZoneInfo(name) for name in zones())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CET", "Europe/Berlin"),
        ("EST5EDT", "America/New_York"),
        ("US/Pacific", "America/Los_Angeles"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Zulu", "Etc/UTC"),
    ],
)
def test_a_legacy_name_of_a_zone_has_advice(name, meant):
    assert zone_advice(name) == f"Did you mean {meant}?"


def test_what_is_advised_is_a_zone_that_needs_no_advice():
    advised = {zone: zone_advice(zone) for zone in zones() if zone_advice(zone)}
    assert len(advised) > 100
    for zone, advice in advised.items():
        meant = advice.removeprefix("Did you mean ").removesuffix("?")
        assert zone == "Factory" or (meant in zones() and not zone_advice(meant)), zone


@pytest.mark.parametrize("name", ["UTC", "GMT", "Etc/UTC", "Etc/GMT+3", "Europe/Berlin", "Europe/Amsterdam"])
def test_a_zone_that_is_everywhere_has_none(name):
    assert zone_advice(name) == ""
