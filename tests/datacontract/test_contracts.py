import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from wurzel.datacontract import DataModel, MarkdownDataContract, PydanticModel
from wurzel.exceptions import ContractFailedException, MarkdownException


class Doc(PydanticModel):
    text: str
    number: float = 1
    more: Any = None


def test_items_are_equal_when_their_fields_are():
    assert Doc(text="a") == Doc(text="a", number=1.0)
    assert Doc(text="a") == {"text": "a", "number": 1, "more": None}
    assert Doc(text="a") != {"text": "a"}
    assert Doc(text="a") != Doc(text="b")
    assert Doc(text="a") != "a"
    assert hash(Doc(text="a")) == hash(Doc(text="a", number=1.0))
    assert hash(Doc(text="a", more=1)) == hash(Doc(text="a", more=True)) == hash(Doc(text="a", more=1.0))
    assert {Doc(text="a", more={"k": []}), Doc(text="a", more={"k": []})} == {Doc(text="a", more={"k": []})}
    assert len({Doc(text="a"), Doc(text="b"), Doc(text="a")}) == 2


def test_items_with_fields_of_any_kind_can_be_in_a_set():
    class Inner(BaseModel):
        text: str

    class Open(PydanticModel):
        model_config = {"extra": "allow"}
        inner: Inner | None = None

    same = [Open(inner=Inner(text="a")), Open(inner=Inner(text="a"))]
    assert len({*same, Open(inner=Inner(text="b")), Open(), Open(extra=1), Open(extra=2)}) == 5
    assert hash(Doc(text="a", number=float("nan"))) == hash(Doc(text="a", number=float("nan")))


def test_items_have_an_order():
    docs = [Doc(text="b"), Doc(text="a", number=2), Doc(text="a")]
    assert sorted(docs) == sorted([docs[2], docs[0], docs[1]])


def test_the_hash_is_the_same_in_every_process():
    code = "from wurzel.datacontract import MarkdownDataContract as M; print(hash(M(md='a', keywords='b', url='c')))"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1] == b"%d\n" % hash(MarkdownDataContract(md="a", keywords="b", url="c"))


def test_metrics_are_summed_over_items():
    class Counted(PydanticModel):
        words: int

        def metrics(self):
            return {"words": self.words, "even": self.words % 2 == 0, "note": "no number"}

    assert Counted.get_metrics([Counted(words=2), Counted(words=3)]) == {"words": 5.0, "even": 1.0}
    assert Counted.get_metrics([]) == {}
    assert Counted.get_metrics(None) == {}
    assert Doc.get_metrics(Doc(text="a")) == {}
    doc = MarkdownDataContract(md="# A\nb", keywords="a, b,,", url="u")
    assert MarkdownDataContract.get_metrics([doc]) == {"md_char_len": 5.0, "md_line_count": 2.0, "keywords_count": 2.0}


def test_single_files_as_authors_of_tests_use_them(tmp_path):
    docs = [Doc(text="a"), Doc(text="b")]
    path = Doc.save_to_path(tmp_path / "docs", docs)
    assert path == tmp_path / "docs.json"
    assert Doc.load_from_path(path, list[Doc]) == docs
    assert Doc.load_from_path(Doc.save_to_path(tmp_path / "doc", docs[0])) == docs[0]
    for text, problem in {"": "has 0", '{"text": "a"},{"text": "b"}': "has 2"}.items():
        path.write_text(text)
        with pytest.raises(ContractFailedException, match=rf"docs\.json: one item was expected, it {problem}"):
            Doc.load_from_path(path)
    assert Doc.kt_file_extension() == ".json"
    with pytest.raises(NotImplementedError):
        DataModel.kt_file_extension()


# --- Markdown files ---------------------------------------------------------------------------------------------------


def document(tmp_path, data, name="page.one.md"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return MarkdownDataContract.from_file(path)


FRONT = '---\nkeywords: "bread,butter"\nurl: some/page\nmetadata:\n  tokens: 3\n  day: 2024-01-02\n---\n'


def test_front_matter_is_taken_out(tmp_path):
    doc = document(tmp_path, FRONT + "# Title\n\ntext")
    assert doc.md == "# Title\n\ntext"
    assert (doc.keywords, doc.url, doc.metadata) == ("bread,butter", "some/page", {"tokens": 3, "day": "2024-01-02"})


def test_without_front_matter_name_and_path_stand_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    path = Path("docs/page.one.md")
    path.write_text("# Title")
    doc = MarkdownDataContract.from_file(path, url_prefix="Manual/")
    assert (doc.md, doc.keywords, doc.url, doc.metadata) == ("# Title", "page", "Manual/docs/page.one.md", None)
    assert MarkdownDataContract.from_file(tmp_path / path).url == (tmp_path / path).as_posix()


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_and_byte_order_mark(tmp_path, newline):
    text = (FRONT + "# Title\n\ntext\n").replace("\n", newline)
    doc = document(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert (doc.md, doc.url) == ("# Title\n\ntext\n", "some/page")


@pytest.mark.parametrize(
    ("text", "body", "keywords"),
    [
        ("", "", "page"),
        ("no newline", "no newline", "page"),
        ("---\nkeywords: k\n---", "", "k"),
        ("---\nkeywords: k\n---\n\n\n  code\n", "  code\n", "k"),
        ("---\nkeywords: k\n---\na\n---\nb", "a\n---\nb", "k"),
        ("---\nkeywords: |\n  a\n  ---\n  b\n---\nbody", "body", "a\n---\nb"),
        ("---  \nkeywords: k\n---\t\nbody", "body", "k"),
        ("---\n---\nbody", "body", "page"),
        ("---\n# only a comment\n---\nbody", "body", "page"),
        ("---\nkeywords:\nurl: ~\n---\nbody", "body", "page"),
        ("---\nkeywords: [a, b c]\n---\nbody", "body", "a,b c"),
        ("---\ntitle: other keys are ignored\ntags: [x]\n---\nbody", "body", "page"),
        ("---\n\n# A rule, not front matter\n", "---\n\n# A rule, not front matter\n", "page"),
        ("----\nkeywords: k\n---\n", "----\nkeywords: k\n---\n", "page"),
        ("text\n---\nkeywords: k\n---\n", "text\n---\nkeywords: k\n---\n", "page"),
        ("---\n{keywords: a:b, url: x?y}\n---\nbody", "body", "a:b"),
    ],
)
def test_what_is_front_matter_and_what_is_text(tmp_path, text, body, keywords):
    doc = document(tmp_path, text)
    assert (doc.md, doc.keywords) == (body, keywords)


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        ("---\nkeywords: a: b\n---\n", 2, "the front matter is not YAML: mapping values are not allowed"),
        ("---\nurl: a\nkeywords: [a\n---\n", 3, "the front matter is not YAML"),
        ("---\na: 1\na: 2\n---\n", 3, 'the front matter is not YAML: found duplicate key "a"'),
        ("---\n- a\n- b\n---\n", 2, "the front matter is not a mapping but a list"),
        ("---\njust a line between two rules\n---\n", 2, "the front matter is not a mapping but a str"),
        ("---\nkeywords: 5\n---\n", 2, "keywords must be text, not 5"),
        ("---\ntitle: x\nurl: [a]\n---\n", 3, "url must be text, not ['a']"),
        ("---\nmetadata: text\n---\n", 2, "metadata must be a mapping, not 'text'"),
        ("---\nmetadata: {1: a}\n---\n", 2, "the keys of metadata must be text"),
        ("---\na: !!python/object:os.system x\n---\n", 2, "the front matter is not YAML"),
        ("---\na: " + "[" * 5000 + "\n---\n", 2, "the front matter is not YAML"),
        (b"a\nb\xff\n", 2, "is not UTF-8 text: it contains the byte 0xff"),
        (b"\x89PNG\r\n\x1a\n\0\0", 1, "is not UTF-8 text"),
        (b"a\n\nb\0c", 3, "contains a NUL character"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path, data, line, message):
    with pytest.raises(MarkdownException) as caught:
        document(tmp_path, data)
    assert message in str(caught.value)
    assert str(tmp_path / "page.one.md") in caught.value.where
    assert caught.value.where.endswith(f":{line}")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(MarkdownException, match="cannot be read: No such file"):
        MarkdownDataContract.from_file(tmp_path / "nothing.md")
    with pytest.raises(MarkdownException, match="cannot be read: Is a directory"):
        MarkdownDataContract.from_file(tmp_path)


def test_a_document_from_a_mapping():
    about = {"url": "u", "keywords": "k"}
    doc = MarkdownDataContract.from_dict_w_function({"text": "a", "metadata": about}, str.upper)
    assert (doc.md, doc.url, doc.keywords, doc.metadata) == ("A", "u", "k", None)


def test_topics_are_ignored_with_a_warning_that_names_the_line(tmp_path):
    with pytest.warns(DeprecationWarning, match=r"page\.one\.md:3: the `topics` metadata field is deprecated"):
        doc = document(tmp_path, "---\nurl: u\ntopics: foo\n---\nText")
    assert (doc.md, doc.keywords, doc.url) == ("Text", "page", "u")
