"""Splits Markdown documents into chunks of limited size."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from wurzel.core import Settings, TypedStep
from wurzel.datacontract import MarkdownDataContract

if TYPE_CHECKING:
    from wurzel.steps.splitting.packing import Budget, Chunk

_SHOWN = 3


class SplitterSettings(Settings):
    """Maximum size of chunks, and how size is counted."""

    TOKEN_COUNT_MAX: int = Field(1024, gt=1, description="most tokens of a chunk")
    TOKEN_COUNT_MIN: int = Field(
        64, ge=0, description="a smaller chunk takes up the start of a section that does not fit as a whole"
    )
    TOKEN_COUNT_BUFFER: int = Field(
        32, ge=0, description="tokens at the end of a chunk that stay free rather than be filled by cutting a paragraph"
    )
    TOKENIZER_MODEL: str = Field(
        "estimate",
        min_length=1,
        description="estimate: a token for every four bytes; characters: count these instead; or the name of a model"
        " or encoding of tiktoken, such as gpt-4o (needs the extra `tokens`)",
    )


class SimpleSplitterStep(TypedStep[SplitterSettings, Iterable[MarkdownDataContract], Iterator[MarkdownDataContract]]):
    """Split Markdown documents into chunks of limited size, by their structure."""

    def run(self, inpt: Iterable[MarkdownDataContract]) -> Iterator[MarkdownDataContract]:
        """The chunks of all documents, in order, one document at a time; URL and keywords are those of the document.

        To the metadata of the document come `chunk_index` (from 0) and `chunks_count`, `headings` (what the chunk
        stands under, outermost first), `token_len` and `char_len`. A document without text gives no chunk, and a
        warning. So does a block that cannot be cut and is larger than TOKEN_COUNT_MAX, which stays whole.

        Raises:
            UsageError: when markdown-it-py, or tiktoken if it is asked for, is missing.
        """
        from wurzel.steps.splitting.counting import measure
        from wurzel.steps.splitting.packing import Budget, split

        settings = self.settings
        budget = Budget(
            measure(settings.TOKENIZER_MODEL),
            settings.TOKEN_COUNT_MAX,
            settings.TOKEN_COUNT_MIN,
            settings.TOKEN_COUNT_BUFFER,
        )
        for document in inpt:
            try:
                chunks = split(document.md, budget)
            except Exception as error:
                error.add_note(f"while splitting the document {document.url}")
                raise
            self._report(document.url, chunks, budget)
            for index in range(len(chunks)):
                yield _as_document(document, chunks, index, budget)

    def _report(self, url: str, chunks: list["Chunk"], budget: "Budget") -> None:
        from logging import getLogger

        log = getLogger(__name__)
        if not chunks:
            log.warning("%s: contains no text", url)
        large = [block for chunk in chunks for block in chunk.oversize]
        if large:
            text = ", ".join(f"{block.kind} in line {block.line} ({block.tokens})" for block in large[:_SHOWN])
            more = f" and {len(large) - _SHOWN} more" if len(large) > _SHOWN else ""
            log.warning(
                "%s: too large for chunks of %d %s and kept whole: %s%s",
                url,
                budget.maximum,
                budget.measure.unit,
                text,
                more,
            )


def _as_document(
    document: MarkdownDataContract, chunks: list["Chunk"], index: int, budget: "Budget"
) -> MarkdownDataContract:
    chunk = chunks[index]
    md = chunk.md
    about = {
        "chunk_index": index,
        "chunks_count": len(chunks),
        "headings": list(chunk.headings),
        "token_len": budget.measure.tokens(md),
        "char_len": len(md),
    }
    return MarkdownDataContract(
        md=md, keywords=document.keywords, url=document.url, metadata={**(document.metadata or {}), **about}
    )
