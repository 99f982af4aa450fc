"""What policies see of a YAML file is what platforms read."""

import pytest

from wurzel.render.documents import parsed, unfold
from wurzel.render.values import NotAValue


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kind: !!binary U2VjcmV0", {"kind": "Secret"}),
        ("!!binary a2luZA==: Secret", {"kind": "Secret"}),
        ("kind: !!binary not-base64", {"kind": "not-base64"}),
        ("kind: !!binary /w==", {"kind": "/w=="}),
        ("a: &x {b: 1}\nc: {<<: *x}", {"a": {"b": 1}, "c": {"b": 1}}),
        ("c: {!!merge <<: {b: 1}, d: 2}", {"c": {"d": 2, "b": 1}}),
        ("c: {'<<': {b: 1}}", {"c": {"<<": {"b": 1}}}),
        ("a: !!str 5", {"a": "5"}),
        ('a: !!int "5"', {"a": 5}),
        ("a: !own x", {"a": "x"}),
    ],
)
def test_tags_and_merges(text, found):
    assert parsed(text) == [found]


def test_only_objects_of_kubernetes_have_text_that_is_yaml():
    job = {"job": {"variables": {"patch": "a: [1", "manifest": "b: {c"}}}
    assert unfold([job]) == [{"job": {"variables": {"patch": "a: [1", "manifest": "b: {c"}}}]
    with pytest.raises(NotAValue, match="patch is not YAML, so no policy can check it"):
        unfold([{"kind": "Kustomization", "patches": [{"patch": "a: [1"}]}])
