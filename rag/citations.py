"""From ranges to citations (pure): markers, bounds, page and section of a quote."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from rag.schema import Citation, Document, Mark, Passage

# What a reader takes in at a glance; a longer quote would buy accuracy by showing more text.
MAX_QUOTE = 300


def label_at(marks: Sequence[Mark], offset: int) -> str | None:
    """Return the label that holds at `offset`, None before the first mark."""
    index = bisect_right([mark.start for mark in marks], offset) - 1
    return marks[index].label if index >= 0 else None


def page_at(document: Document, offset: int) -> int | None:
    """Return the page number at `offset`; None where the document has no pages or names them otherwise ("iv")."""
    label = label_at(document.pages, offset)
    return int(label) if label is not None and label.isdecimal() else None


def passage_of(document: Document, start: int, end: int, score: float) -> Passage:
    """Return the range of `document` as a passage.

    Raises:
        ValueError: the range does not lie in the document.
    """
    _check_bounds(document, start, end)
    return Passage(
        document_id=document.id,
        title=document.title,
        source=document.source,
        page=page_at(document, start),
        section=label_at(document.sections, start),
        published=document.published,
        text=document.text[start:end],
        start=start,
        end=end,
        score=score,
        type=document.type,
        department=document.department,
    )


def cite(document: Document, start: int, end: int, score: float, marker: int) -> Citation:
    """Quote `document` from `start` to `end`.

    Raises:
        ValueError: the range does not lie in the document, is blank, or is longer than `MAX_QUOTE`.
    """
    _check_bounds(document, start, end)
    quote = document.text[start:end]
    if not quote.strip() or len(quote) > MAX_QUOTE:
        raise ValueError(f"a quote has 1 to {MAX_QUOTE} characters, this one {len(quote)}")
    return Citation(
        marker=marker,
        document_id=document.id,
        title=document.title,
        source=document.source,
        page=page_at(document, start),
        section=label_at(document.sections, start),
        published=document.published,
        quote=quote,
        start=start,
        end=end,
        score=score,
        type=document.type,
        department=document.department,
    )


def _check_bounds(document: Document, start: int, end: int) -> None:
    if not 0 <= start < end <= len(document.text):
        raise ValueError(f"[{start}, {end}) lies outside the {len(document.text)} characters of {document.id}")
