"""Every broken manifest is refused, each for its own reason, and sound ones are not."""

import pytest

from tests.validation.faults import BASES, FAULTS
from wurzel.validation import check_files


@pytest.mark.parametrize("kind", BASES)
def test_a_sound_manifest_passes(kind):
    assert check_files({"rag.yaml": BASES[kind]}) == []


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{fault.kind}: {fault.name}" for fault in FAULTS])
def test_a_fault_is_refused_for_its_own_reason(fault):
    found = [str(problem) for problem in check_files({"rag.yaml": fault.text()})]
    assert any(fault.says in problem for problem in found), found
    assert all(problem.startswith("rag.yaml: ") for problem in found)
