"""What chunks look like, one rule at a time; sizes are characters."""

import pytest

from wurzel.steps.splitting.counting import measure
from wurzel.steps.splitting.packing import Budget, Oversize, split


def chunks(text, maximum, minimum=0, buffer=0):
    return [chunk.md for chunk in split(text, Budget(measure("characters"), maximum, minimum, buffer))]


def oversize(text, maximum):
    return [block for chunk in split(text, Budget(measure("characters"), maximum)) for block in chunk.oversize]


@pytest.mark.parametrize("text", ["", "\n", " \t\n \n", "\r\n\r\n"])
def test_no_text_no_chunk(text):
    assert chunks(text, 100) == []


def test_a_text_that_fits_is_one_chunk_without_blanks_around():
    assert chunks("\n\n# A\n\ntext\n\n\n\n## B\n\nmore  \n\n", 100) == ["# A\n\ntext\n\n## B\n\nmore"]


def test_line_ends_become_line_feeds():
    assert chunks("# A\r\n\r\ntext\rmore\r\n", 100) == ["# A\n\ntext\nmore"]


def test_sections_that_do_not_fit_start_a_chunk_under_the_headings_above():
    text = "# A\n\nintro\n\n## B\n\nbbb bbb\n\n### C\n\nccc ccc\n\n## D\n\nddd ddd"
    assert chunks(text, 32) == [
        "# A\n\nintro",
        "# A\n\n## B\n\nbbb bbb",
        "# A\n\n## B\n\n### C\n\nccc ccc",
        "# A\n\n## D\n\nddd ddd",
    ]


def test_sections_that_fit_share_a_chunk():
    text = "# A\n\n## B\n\nbbb\n\n## C\n\nccc\n\n## D\n\nddd"
    assert chunks(text, 30) == ["# A\n\n## B\n\nbbb\n\n## C\n\nccc", "# A\n\n## D\n\nddd"]


def test_a_chunk_below_the_minimum_takes_up_what_fits():
    text = "# A\n\nx\n\n## B\n\nbbb bbb bbb\n\nccc ccc ccc"
    assert chunks(text, 36) == ["# A\n\nx", "# A\n\n## B\n\nbbb bbb bbb\n\nccc ccc ccc"]
    assert chunks(text, 36, minimum=10) == ["# A\n\nx\n\n## B\n\nbbb bbb bbb", "# A\n\n## B\n\nccc ccc ccc"]


def test_the_same_headings_are_repeated_for_each_chunk_of_a_section():
    assert chunks("Title\n=====\n\n## B #\n\none one one\n\ntwo two two", 32) == [
        "Title\n=====\n\n## B #\n\none one one",
        "# Title\n\n## B\n\ntwo two two",
    ]


def test_headings_take_at_most_half_of_a_chunk_and_inner_ones_go_first():
    text = f"# {'A' * 30}\n\n## B\n\n### C\n\n{'one ' * 20}"
    assert chunks(text, 60)[-1].startswith("## B\n\n### C\n\none")


def test_a_heading_goes_with_the_text_after_it():
    text = "aaa aaa\n\n# B\n\n## C\n\nccc ccc ccc"
    assert chunks(text, 25) == ["aaa aaa", "# B\n\n## C\n\nccc ccc ccc"]


def test_a_heading_stays_with_a_paragraph_that_must_be_cut_for_it():
    assert chunks("# Heading\n\nOne two. Three four. Five", 31) == [
        "# Heading\n\nOne two. Three four.",
        "# Heading\n\nFive",
    ]


def test_headings_without_text_at_the_end_stay_in_the_last_chunk():
    assert chunks("aaa\n\n# B\n\n## C", 20) == ["aaa\n\n# B\n\n## C"]


def test_headings_only():
    assert chunks("# A\n# B\n# C\n# D", 8) == ["# A\n# B", "# C\n# D"]


def test_a_fence_is_never_cut():
    fence = "```py\n# no heading\n\nprint()\n```"
    assert chunks(f"# A\n\ntext\n\n{fence}\n\nmore", 45) == [f"# A\n\ntext\n\n{fence}", "# A\n\nmore"]
    assert chunks(f"# A\n\ntext\n\n{fence}\n\nmore", 20) == ["# A\n\ntext", f"# A\n\n{fence}", "# A\n\nmore"]
    assert oversize(f"# A\n\ntext\n\n{fence}\n\nmore", 20) == [Oversize("fence", 5, len(fence))]


def test_an_unclosed_fence_reaches_to_the_end():
    assert chunks("text\n\n```\n# A\n\n# B\n", 8) == ["text", "```\n# A\n\n# B"]


def test_code_by_indentation_and_html_stay_whole():
    text = "    code\n\n    more\n\n<div>\none two\n</div>\n\ntext"
    assert chunks(text, 12) == ["    code\n\n    more", "<div>\none two\n</div>", "text"]


def test_a_table_is_cut_between_rows_and_its_header_is_repeated():
    text = "# A\n\n| a | b |\n|---|---|\n| 111 | 2 |\n| 333 | 4 |\n| 555 | 6 |\n\nend"
    header = "# A\n\n| a | b |\n|---|---|\n"
    assert chunks(text, 53) == [header + "| 111 | 2 |\n| 333 | 4 |", header + "| 555 | 6 |\n\nend"]
    assert chunks(text, 47)[0] == header + "| 111 | 2 |"
    assert chunks(text, 41)[1] == "| a | b |\n|---|---|\n| 333 | 4 |"


def test_a_row_is_never_cut():
    text = "| a |\n|---|\n| one two three four |\n| x |"
    assert chunks(text, 24) == ["| a |\n|---|\n| one two three four |", "| a |\n|---|\n| x |"]
    assert oversize(text, 24) == [Oversize("row", 1, 34)]


def test_the_header_of_a_table_in_an_item_is_repeated_without_its_marks():
    text = "- > | a |\n  > |---|\n  > | 1111111 |\n  > | 2222222 |"
    assert chunks(text, 36) == [text[: text.index("\n  > | 2")], "> | a |\n> |---|\n> | 2222222 |"]


def test_a_list_is_cut_between_items():
    assert chunks("intro:\n\n1. one\n2. two\n   - deep\n3. three", 24) == [
        "intro:\n\n1. one",
        "2. two\n   - deep\n3. three"[:16],
        "3. three",
    ]


def test_an_item_that_is_cut_loses_its_indentation():
    text = "1.  one\n\n    two two two\n\n        code\n    ```\n      code\n    ```\n2.  four"
    assert chunks(text, 24) == [
        "1.  one\n\n    two two two",
        "    code",
        "```\n  code\n```\n\n2.  four",
    ]


def test_items_after_a_cut_one_stay_items():
    assert chunks("1. one\n\n   two\n2. three", 14) == ["1. one\n\n   two", "2. three"]
    assert chunks("1. one one one\n\n   two\n2. three", 14) == ["1. one one one", "two\n\n2. three"]


def test_items_after_a_cut_one_stay_in_their_quote():
    assert chunks("> 1. one one one\n>\n>    two\n> 2. three", 18) == ["> 1. one one one\n>", "> two\n>\n> 2. three"]


def test_what_an_item_closes_ends_the_chunk():
    text = "- one one one\n\n  ```\n  code\n\ntext"
    assert chunks(text, 14) == ["- one one one", "```\ncode", "text"]


def test_a_quote_keeps_its_marks():
    text = "> One two. Three four. Five six.\n> seven\n>\n> > eight nine ten eleven"
    assert chunks(text, 24) == [
        "> One two. Three four.",
        "> Five six.\n> seven\n>",
        "> > eight nine ten",
        "> > eleven",
    ]


def test_a_paragraph_is_cut_at_sentences_then_words():
    text = "One two three. Four five six seven eight nine. Ten"
    assert chunks(text, 20) == ["One two three.", "Four five six seven", "eight nine. Ten"]


def test_a_paragraph_too_large_for_any_chunk_fills_the_one_before():
    text = "Intro.\n\nOne two. Three four five. Six seven eight nine ten."
    assert chunks(text, 30) == ["Intro.\n\nOne two.", "Three four five.", "Six seven eight nine ten."]
    assert chunks(text, 30, buffer=25) == ["Intro.", "One two. Three four five.", "Six seven eight nine ten."]


def test_a_word_larger_than_a_chunk_stays_whole():
    text = f"One two. {'x' * 50} three"
    assert chunks(text, 20) == ["One two.", "x" * 50, "three"]
    assert oversize(text, 20) == [Oversize("paragraph", 1, 50)]


def test_link_definitions_are_kept():
    assert chunks("see [a]\n\n[a]: /one\n[b]: /two\n\nend", 18) == ["see [a]\n\n[a]: /one", "[b]: /two\n\nend"]


def test_headings_are_those_of_the_first_text():
    text = "# A\n\n## B `x`\n\none\n\n## C\n\ntwo two two\n\nthree"
    found = split(text, Budget(measure("characters"), 33))
    assert [chunk.headings for chunk in found] == [("A", "B `x`"), ("A", "C")]
    assert [chunk.headings for chunk in split("text\n\n# A", Budget(measure("characters"), 33))] == [()]
    assert [chunk.headings for chunk in split("# A\n\n## B", Budget(measure("characters"), 33))] == [("A", "B")]


def test_start_and_end_are_places_in_the_text():
    text = "# A\n\nOne two. Three.\n\n# B\n\nend\n"
    found = split(text, Budget(measure("characters"), 14))
    assert [(text[chunk.start : chunk.end], chunk.body) for chunk in found] == [
        (body, body) for body in ["# A\n\nOne two.", "Three.", "# B\n\nend"]
    ]
