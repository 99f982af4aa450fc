"""What is refused for both CI platforms."""

from tests.backends.small import pipeline, setting, step
from wurzel.backends import ci
from wurzel.backends.ci.preflight import check
from wurzel.ir.model import SecretRef, Store
from wurzel.ir.schedule import Schedule


def problems(subject, scheduled=False, **options):
    found = check(subject, ci.CiOptions(**options), scheduled=scheduled, reserved="CI_")
    return "\n".join(str(problem) for problem in found)


def test_required_settings_must_come_from_somewhere():
    needed = step(settings=(setting(required=True),))
    assert "'embed' needs the setting SIZE" in problems(pipeline(needed))
    provided = (
        {"env": {"EMBED__SIZE": "1"}},
        {"secrets": {"EMBED__SIZE": SecretRef(name="a", key="b")}},
        {"settings": (setting(required=True, given=True, value=1),)},
        {"settings": (setting(required=True, parameter=True),)},
    )
    for given in provided:
        assert not problems(pipeline(step(**({"settings": (setting(required=True),)} | given))))
    parameter = step(settings=(setting(required=True, parameter=True),))
    assert "needs the setting SIZE" in problems(pipeline(parameter), scheduled=True)


def test_colliding_and_impossible_secret_names():
    both = {"A": SecretRef(name="a", key="b-c"), "B": SecretRef(name="a-b", key="c")}
    assert "a/b-c and a-b/c would both be called A_B_C" in problems(pipeline(secrets=both))
    assert not problems(pipeline(secrets=both), secret_names={"a/b-c": "OTHER"})
    assert "would be called '1_X'" in problems(pipeline(secrets={"A": SecretRef(name="1", key="x")}))
    assert "would be called 'CI_TOKEN'" in problems(pipeline(secrets={"A": SecretRef(name="ci", key="token")}))
    assert not problems(pipeline(secrets={"A": SecretRef(name="cider", key="token")}))
    assert "Did you mean a/b-c?" in problems(pipeline(secrets=both), secret_names={"a/b-d": "X", "a/b-c": "Y"})


def test_names_of_the_platform_cannot_be_set():
    assert "env.CI_X cannot be set" in problems(pipeline(env={"CI_X": "1"}))
    one_id = pipeline(env={"WURZEL_RUN_ID": "1"})
    assert not problems(one_id)
    stored = one_id.model_copy(update={"store": Store(url="s3://acme/rag")})
    assert "env sets WURZEL_RUN_ID, by which the jobs of a run" in problems(stored)
    assert "steps.embed.env.ci_x cannot be set" in problems(pipeline(step(env={"ci_x": "1", "CITY": "x"})))


def test_what_no_input_can_hold():
    null = setting(parameter=True, type="str | None", text=True, given=True, value=None)
    assert "is null" in problems(pipeline(step(settings=(null,))))
    secret = setting(parameter=True, secret=True, text=True)
    assert "everyone could see its value" in problems(pipeline(step(settings=(secret,))))
    assert "is an interval" in problems(pipeline(schedule=Schedule(cron="@every 1h")))
