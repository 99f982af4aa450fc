"""Contracts that many steps share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from wurzel.datacontract.datacontract import MetricMap, PydanticModel


class MarkdownDataContract(PydanticModel):
    """A Markdown document: its body, comma-separated keywords, where it comes from, and anything else about it."""

    md: str
    keywords: str
    url: str
    metadata: dict[str, Any] | None = None

    @classmethod
    def from_file(cls, path: Path, url_prefix: str = "") -> Self:
        """The document in a Markdown file.

        YAML front matter between two lines `---` may give `keywords` (text or a list), `url` and `metadata`; other keys
        are ignored. Otherwise `keywords` is the file's name up to the first dot, and `url` is `url_prefix` and the path
        as given. A byte order mark is dropped, every line end becomes a line feed, dates stay text. Raises
        `MarkdownException` when the file is not UTF-8 text, or its front matter is not a YAML mapping of that kind; the
        message names file and line.
        """
        from wurzel.datacontract.markdown import read_markdown

        return cls(**read_markdown(path, url_prefix + path.as_posix()))

    @classmethod
    def from_dict_w_function(cls, doc: dict[str, Any], func: Callable[[str], str]) -> Self:
        """The document in `{"text": …, "metadata": {"url": …, "keywords": …}}`, its text passed through `func`."""
        about = doc["metadata"]
        return cls(md=func(doc["text"]), url=about["url"], keywords=about["keywords"], metadata=about.get("metadata"))

    def metrics(self) -> MetricMap:
        """Characters, lines and keywords."""
        return {
            "md_char_len": float(len(self.md)),
            "md_line_count": float(len(self.md.splitlines())),
            "keywords_count": float(sum(bool(word.strip()) for word in self.keywords.split(","))),
        }
