"""Quotes are ranges of the stored text, or there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import MAX_QUOTE, cite, label_at, page_at, passage_of
from rag.schema import Document, Mark
from rag.verification import stands_in

DOCUMENT = Document(
    id="d", title="Titel", source="/d.pdf", text="Eins zwei drei. Vier fünf sechs. Sieben.", published="2024-03-12",
    pages=(Mark(0, "36"), Mark(16, "37"), Mark(33, "iv")), sections=(Mark(16, "Zahlen"),),
)  # fmt: skip


def test_a_citation_carries_its_place() -> None:
    citation = cite(DOCUMENT, 16, 32, 0.75, 1)
    assert citation.quote == "Vier fünf sechs."
    assert (citation.page, citation.section, citation.published) == (37, "Zahlen", "2024-03-12")
    assert (citation.start, citation.end, citation.score, citation.marker) == (16, 32, 0.75, 1)


def test_what_is_not_known_is_none() -> None:
    assert cite(DOCUMENT, 0, 15, 0.5, 1).section is None
    assert page_at(DOCUMENT, 34) is None  # "iv" is a page, but no number
    assert page_at(Document("e", "E", "/e", "Text"), 0) is None


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (5, 2), (0, 41), (15, 16)])
def test_ranges_outside_or_blank_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match=r"outside|characters"):
        cite(DOCUMENT, start, end, 0.5, 1)


def test_a_quote_is_not_longer_than_a_reader_takes_in() -> None:
    long = Document("l", "L", "/l", "a" * (MAX_QUOTE + 1))
    cite(long, 0, MAX_QUOTE, 0.5, 1)
    with pytest.raises(ValueError, match="301"):
        cite(long, 0, MAX_QUOTE + 1, 0.5, 1)
    assert len(passage_of(long, 0, MAX_QUOTE + 1, 0.5).text) == MAX_QUOTE + 1


@given(st.text(min_size=1, max_size=60), st.data())
def test_every_quote_stands_in_its_text(text: str, data: st.DataObject) -> None:
    document = Document("d", "D", "/d", text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if text[start:end].strip():
        citation = cite(document, start, end, 0.5, 1)
        assert stands_in(citation.quote, text, citation.start, citation.end)
    assert not stands_in(text[start:end] + "x", text, start, end)


def test_labels() -> None:
    marks = (Mark(3, "a"), Mark(7, "b"))
    assert [label_at(marks, offset) for offset in (0, 3, 6, 7, 99)] == [None, "a", "a", "b", "b"]
