"""Patches of packs and projects add up, in either of their forms."""

import pytest

from wurzel.project.nodes import Findings, json_data, overlay_targets
from wurzel.project.parse import parse

MAPPING, LIST = "{metadata: {a: 1}}", "[{file: x.yaml, merge: {b: 2}}]"


def merged(*patches):
    layers = [parse(f"argo: {{patch: {patch}}}\n".encode(), "wurzel.yaml", Findings()) for patch in patches]
    return json_data(overlay_targets(layers).fields["argo"].fields["patch"])


@pytest.mark.parametrize(
    ("patches", "result"),
    [
        ((MAPPING, "{metadata: {b: 2}}"), {"metadata": {"a": 1, "b": 2}}),
        ((MAPPING, LIST), [{"merge": {"metadata": {"a": 1}}}, {"file": "x.yaml", "merge": {"b": 2}}]),
        ((LIST, MAPPING), [{"file": "x.yaml", "merge": {"b": 2}}, {"merge": {"metadata": {"a": 1}}}]),
        ((LIST, LIST), [{"file": "x.yaml", "merge": {"b": 2}}] * 2),
        ((MAPPING, "null", LIST), [{"file": "x.yaml", "merge": {"b": 2}}]),
        ((MAPPING, "{metadata: {a: [1]}}"), {"metadata": {"a": [1]}}),
    ],
)
def test_patches_of_layers(patches, result):
    assert merged(*patches) == result
