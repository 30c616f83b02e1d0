"""Passages: whole sentences, whole sections, sizes that fit."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.splitting import passage_spans

SENTENCE = "Die Stadt Krefeld nimmt an einem Programm teil, in dem Kommunen voneinander lernen. "


def passages(text: str, starts: tuple[int, ...] = (), target: int = 700, maximum: int = 1000) -> list[str]:
    return [text[start:end] for start, end in passage_spans(text, starts, target, maximum)]


def assert_holds_all(text: str, spans: list[tuple[int, int]], maximum: int) -> None:
    last = 0
    for start, end in spans:
        assert last <= start < end
        assert end - start <= maximum
        assert not text[last:start].strip()
        last = end
    assert not text[last:].strip()


def test_a_short_text_is_one_passage() -> None:
    assert passages("  Der Rat tagt.\nEr berät. ") == ["Der Rat tagt.\nEr berät."]
    assert passages(" \n") == []


def test_passages_end_with_sentences_and_have_like_sizes() -> None:
    found = passages(SENTENCE * 26)
    assert all(passage.startswith("Die Stadt") and passage.endswith("lernen.") for passage in found)
    sizes = [len(passage) for passage in found]
    assert max(sizes) - min(sizes) <= len(SENTENCE)
    assert 500 <= min(sizes) <= max(sizes) <= 900


def test_no_tail_of_a_few_characters_is_left() -> None:
    found = passages(SENTENCE * 12 + "So ist es.")
    assert min(map(len, found)) > 400


def test_paragraphs_are_broken_only_where_need_be() -> None:
    paragraph = (SENTENCE * 7).strip()
    assert passages("\n\n".join([paragraph] * 4)) == [paragraph] * 4


def test_sections_are_not_mixed() -> None:
    first = "Anlass\n\n" + (SENTENCE * 3).strip()
    second = "Verlauf\n\n" + (SENTENCE * 4).strip()
    text = f"{first}\n\n{second}"
    assert passages(text, (0, len(first) + 2)) == [first, second]


def test_a_tiny_section_goes_with_the_next_and_the_last_with_the_one_before() -> None:
    section = "Verlauf\n\n" + (SENTENCE * 4).strip()
    text = f"Rückblick\n\n{section}\n\nKontakt\nTel. 0221"
    assert passages(text, (0, 11, 13 + len(section))) == [text]


def test_a_heading_or_question_stays_with_what_follows() -> None:
    question = "Was ist das Rezept, und wie geht es weiter mit der Digitalisierung in dieser Stadt und im Land?"
    text = "\n\n".join(f"{question}\n{(SENTENCE * 17).strip()}" for _ in range(3))
    starts = tuple(index for index in range(len(text)) if text.startswith(question, index))
    with_question = [passage for passage in passages(text, starts) if question in passage]
    assert len(with_question) == 3
    assert all(passage.startswith(question) and len(passage) > 300 for passage in with_question)


def test_a_heading_stays_even_before_a_sentence_that_must_be_cut() -> None:
    text = "Anlass\n" + "Wort, und noch ein Wort " * 90
    found = passages(text, (0,))
    assert found[0].startswith("Anlass\nWort")
    assert max(map(len, found)) <= 1000


def test_the_line_before_a_list_stays_with_its_first_item() -> None:
    lead = (SENTENCE * 8).strip() + " Beteiligt sind:"
    text = lead + "\n" + "\n".join("• " + SENTENCE.strip() for _ in range(8))
    assert all(not passage.endswith(":") for passage in passages(text))


def test_a_sentence_that_is_too_long_is_cut_at_a_clause_else_a_blank() -> None:
    clauses = passages("die Stadt baut ein Haus am Rhein, " * 60)
    assert len(clauses) > 1
    assert all(passage.endswith(",") for passage in clauses)
    words = passages("wort " * 500)
    assert all(len(passage) <= 1000 and passage.split() == ["wort"] * len(passage.split()) for passage in words)
    assert [len(passage) for passage in passages("x" * 2500)] == [834, 833, 833]


def test_sizes_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="target is 0"):
        passage_spans("x", [], target=0)
    with pytest.raises(ValueError, match="maximum 500"):
        passage_spans("x", [], target=700, maximum=500)


TEXTS = st.lists(
    st.sampled_from([SENTENCE, "Kurz. ", "Ja? ", "\n", "\n\n", "• Kultur,\n", "Beteiligt:\n", "x" * 130, "am 3. "]),
    max_size=60,
).map("".join)  # fmt: skip


STARTS = st.lists(st.integers(0, 3000), max_size=8).map(sorted)


@given(TEXTS | st.text(max_size=300), STARTS, st.sampled_from([60, 200, 700]))
def test_every_character_is_in_exactly_one_passage(text: str, starts: list[int], target: int) -> None:
    maximum = target * 3 // 2
    assert_holds_all(text, passage_spans(text, starts, target, maximum), maximum)


@pytest.mark.parametrize(
    "text",
    ["." * 100_000, "x" * 1_000_000, "a\n" * 50_000, "Ein Satz. " * 20_000, "wort " * 100_000],
    ids=["dots", "one word", "tiny lines", "short sentences", "one line"],
)
def test_odd_text_is_split_in_linear_time(text: str) -> None:
    started = time.process_time()
    spans = passage_spans(text, [])
    assert time.process_time() - started < 8
    assert_holds_all(text, spans, 1000)
