"""Whole templates at random: what is rendered reads as its places say, in every reader that is here.

`make fuzz` tries other templates each time, for as long as asked, with the readers of Go, npm and Ruby as well.
"""

import pytest

from tests.hostility import places, readers
from tests.hostility.grammar import generate
from tests.hostility.search import Search

PER_LANGUAGE = 40


def test_generated_templates_are_read_as_they_say():
    search = Search()
    problems = list(search.problems(range(PER_LANGUAGE * 3)))
    assert not problems, "\n".join(problems[:3])
    for language in places.NESTS:
        read, refused = (search.counts[f"{language}, {what}"] for what in ("read", "refused"))
        assert read > refused, language  # a grammar of which all is refused would prove nothing


def test_a_seed_gives_the_same_template_and_other_values_for_each_draw():
    (one, _), (two, _), (again, _) = generate(7, 0), generate(7, 1), generate(7, 0)
    assert one.files == two.files == again.files
    assert one.context == again.context != two.context


@pytest.mark.parametrize(
    ("text", "wanted"), [("a: 1\n", {"a": "1"}), ("a: yes\n", {"a": "yes"}), ("a: 1\nb: 2\n", {"a": 1}), ("a: [\n", {})]
)
def test_a_reader_notices_what_is_wrong(text, wanted):
    assert any(readers.yaml_problems([text], [wanted]))


@pytest.mark.skipif(not readers.SHELLS, reason="no shell on this machine")
def test_a_shell_notices_what_is_wrong():
    texts = ["printf 'a\\000b\\000'\n", "exit\n", "p() {\n", "printf 'c\\000'\n"]
    assert not any(readers.shell_problems(texts, [["a", "b"], [], [], ["c"]]))
    assert all(readers.shell_problems(texts, [["a b"], [""], [""], []]))
