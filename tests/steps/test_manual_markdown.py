"""A folder of Markdown: which files, in which order, and what is said of those that cannot be read."""

import os

import pytest

from wurzel.exceptions import StepFailed
from wurzel.steps import ManualMarkdownSettings, ManualMarkdownStep
from wurzel.utils import WZ


@pytest.fixture
def write(tmp_path):
    def write(name, content="text\n"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(folder, **settings):
    step = WZ(ManualMarkdownStep)
    step.settings = ManualMarkdownSettings(FOLDER_PATH=folder, **settings)
    return list(step.run(None))


def urls(folder, **settings):
    return [document.url for document in read(folder, **settings)]


def test_front_matter_says_keywords_url_and_metadata(tmp_path, write):
    write("a.md", '---\nkeywords: "bread,butter"\nurl: https://x.org/a\nmetadata: {lang: de}\n---\n# A\n')
    (document,) = read(tmp_path)
    assert document.model_dump() == {
        "md": "# A\n",
        "keywords": "bread,butter",
        "url": "https://x.org/a",
        "metadata": {"lang": "de"},
    }


def test_without_front_matter_name_and_relative_path_are_used(tmp_path, write):
    write("guides/set.up.md", "# A")
    (document,) = read(tmp_path, URL_PREFIX="https://x.org/")
    assert (document.md, document.keywords, document.url) == ("# A", "set", "https://x.org/guides/set.up.md")


def test_order_is_that_of_bytes(tmp_path, write):
    names = ["a-b.md", "a.md", "a/z.md", "a0.md", "B.md", "é.md", "z.md", "日.md", "a/b/c.md"]
    for name in names:
        write(name)
    assert urls(tmp_path) == sorted(names, key=str.encode)


def test_the_url_does_not_tell_where_the_folder_is(tmp_path, write, monkeypatch):
    write("docs/a.md")
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path / "docs", "docs", "./docs/", "docs/../docs"):
        assert urls(folder) == ["a.md"]


def test_only_wanted_files_are_read(tmp_path, write):
    for name in ("a.md", "b.txt", "c.MD", "d.markdown", "sub/e.md", "sub/deep/f.md", ".hidden.md", ".git/g.md"):
        write(name)
    assert urls(tmp_path) == ["a.md", "sub/deep/f.md", "sub/e.md"]
    assert urls(tmp_path, INCLUDE=["*.m*", "b.txt"]) == ["a.md", "b.txt", "d.markdown", "sub/deep/f.md", "sub/e.md"]
    assert urls(tmp_path, EXCLUDE=["sub/*"]) == ["a.md"]
    assert urls(tmp_path, EXCLUDE=["e.md", "a.*"]) == ["sub/deep/f.md"]
    assert urls(tmp_path, INCLUDE=["sub/*.md"]) == ["sub/deep/f.md", "sub/e.md"]


def test_links_in_a_circle_are_read_once(tmp_path, write):
    write("real/a.md")
    (tmp_path / "real/up").symlink_to(tmp_path)
    (tmp_path / "a-link").symlink_to(tmp_path / "real")
    assert urls(tmp_path) == ["real/a.md"]


def test_links_out_of_the_folder_are_followed(tmp_path, write):
    write("outside/deep/a.md")
    write("README.md")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/there").symlink_to(tmp_path / "outside")
    (tmp_path / "docs/index.md").symlink_to(tmp_path / "README.md")
    assert urls(tmp_path / "docs") == ["index.md", "there/deep/a.md"]


def test_line_ends_and_byte_order_mark_leave_no_trace(tmp_path, write):
    write("a.md", "\ufeff---\r\nkeywords: k\r\n---\r\n# A\r\n\r\nno end")
    (document,) = read(tmp_path)
    assert (document.md, document.keywords) == ("# A\n\nno end", "k")


def test_an_empty_file_is_an_empty_document(tmp_path, write):
    write("a.md", "")
    (document,) = read(tmp_path)
    assert (document.md, document.keywords, document.url) == ("", "a", "a.md")


def test_a_large_file_is_read(tmp_path, write):
    write("a.md", b"---\nkeywords: k\n---\n" + b"some words in a line\n" * 2_500_000)
    (document,) = read(tmp_path)
    assert len(document.md) == 52_500_000


def test_every_bad_file_is_named(tmp_path, write):
    write("good.md")
    write("binary.md", b"\x89PNG\r\n\x1a\n\xff\xfe")
    write("nul.md", b"text\0text")
    write("latin.md", "Grüße".encode("latin-1"))
    write("yaml.md", "---\nkeywords: [a\n---\n")
    write("list.md", "---\n- a\n---\n")
    write("types.md", "---\nkeywords: {a: 1}\n---\n")
    (tmp_path / "self.md").symlink_to("self.md")
    (tmp_path / "gone.md").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(StepFailed) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert "9 of 10 files cannot be read" in message
    for name in ("binary", "nul", "latin", "yaml", "list", "types", "self", "gone", "pipe"):
        assert f"{tmp_path}/{name}.md" in message
    assert "good.md" not in message
    assert caught.value.exit_code == 1


def test_many_bad_files_are_counted(tmp_path, write):
    for number in range(30):
        write(f"{number:02}.md", b"\xff")
    with pytest.raises(StepFailed, match="30 of 30 files cannot be read") as caught:
        read(tmp_path)
    assert "and 10 more" in str(caught.value)


def test_a_name_that_is_no_text_is_refused(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.md")).touch()
    with pytest.raises(StepFailed, match="its name is not UTF-8"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nowhere", "the folder does not exist"),
        (lambda folder: folder / "file", "this is a file, not a folder"),
        (lambda folder: folder, r"no file in it matches \*\.md"),
        (lambda folder: folder / "loop", "the folder cannot be read"),
    ],
)
def test_a_folder_that_is_none(tmp_path, write, make, message):
    write("file", "")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StepFailed, match=message) as caught:
        read(make(tmp_path))
    assert f"FOLDER_PATH={tmp_path}" in str(caught.value)
    assert caught.value.exit_code == 1
