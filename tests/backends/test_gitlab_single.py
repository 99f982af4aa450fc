import pytest

from wurzel.backends.gitlab.single import joined

BASE = "# What all jobs of this pipeline have in common.\n.rag:\n  stage: test\n  artifacts:\n    when: always\n\n"
JOB = "# Words.\nrag:\n  extends: .rag\n  script:\n    - wurzel run rag\n  artifacts:\n    paths: [data]\n"


def test_the_only_job_has_what_it_would_extend():
    text, lines = joined(f"spec:\n---\n{BASE}{JOB}\n# end\n", ".rag", "rag")
    assert text == (
        "spec:\n---\n# Words.\nrag:\n  stage: test\n  script:\n    - wurzel run rag\n"
        "  artifacts:\n    when: always\n    paths: [data]\n\n# end\n"
    )
    assert lines == [0, 1, 8, 9, 4, 11, 12, 5, 6, 14, 15, 16]


@pytest.mark.parametrize(
    "text",
    [
        f"{BASE}{JOB}other:\n  extends: .rag\n",
        f"{BASE}{JOB}other:\n  script: !reference [.rag, script]\n",
        BASE + JOB.replace("    paths", "    when: never\n    paths"),
        BASE.replace("stage: test", "tags: [a]") + JOB.replace("script", "tags: [b]\n  script"),
        BASE.replace("artifacts:\n    when", "artifacts: {when: always}\n  rules:\n    when") + JOB,
        JOB,
        BASE,
    ],
)
def test_files_stay_as_they_are_where_a_value_would_be_lost_or_is_read_elsewhere(text):
    assert joined(text, ".rag", "rag") == (text, list(range(text.count("\n"))))


def test_comments_and_long_texts_stay_with_their_key():
    base = BASE.replace("  stage", "  variables:\n    A: |\n      one\n\n      two\n  # why\n  stage")
    text, _ = joined(base + JOB, ".rag", "rag")
    assert "rag:\n  variables:\n    A: |\n      one\n\n      two\n  # why\n  stage: test\n  script:" in text
