"""Characters that recognition takes for others."""

from __future__ import annotations

import pytest

from ingest.confusions import begins_paragraph, mend, overlooked_blank


@pytest.mark.parametrize(
    ("language", "line", "mended"),
    [
        ("de", "Sie priift fiir Schiiler; initiiert in Hawaii", "Sie prüft für Schüler; initiiert in Hawaii"),
        ("de", "das Land fórdert, auch Kraków", "das Land fördert, auch Kraków"),
        ("pl", "który wróci", "który wróci"),
        ("de", "nach $ 3 Abs. 2 und 8 12 Satz 1", "nach § 3 Abs. 2 und § 12 Satz 1"),
        ("de", "8 4 Steuerbefreiung", "8 4 Steuerbefreiung"),
        ("de", "mit 8 4 Personen", "mit 8 4 Personen"),
        ("de", "ist 4.150 m? groß und 3 km? lang?", "ist 4.150 m² groß und 3 km² lang?"),
        ("de", "Wie hoch ist es, 3 m? Ja.", "Wie hoch ist es, 3 m? Ja."),
        ("en", "| am pleased | Total", "I am pleased | Total"),
        ("de", "| am Markt", "| am Markt"),
    ],
)
def test_only_what_cannot_be_meant_is_changed(language: str, line: str, mended: str) -> None:
    assert mend(line.split(), language) == mended.split()


def test_a_statute_has_paragraph_signs_where_its_other_lines_have() -> None:
    assert begins_paragraph(["§", "3", "Ermäßigung"])
    assert not begins_paragraph(["§§"])
    assert mend("8 4 Steuerbefreiung".split(), "de", has_paragraphs=True) == "§ 4 Steuerbefreiung".split()
    assert mend("8 4 befreit".split(), "de", has_paragraphs=True) == "8 4 befreit".split()


@pytest.mark.parametrize(
    ("language", "word", "behind"),
    [
        ("de", "73%", 2), ("de", "1.200€", 5), ("en", "acopy", 1), ("pl", "wmieście", 1), ("de", "acht", None),
        ("en", "A4", None), ("en", "a", None), ("de", "%", None),
    ],
)  # fmt: skip
def test_where_a_blank_may_be_overlooked(language: str, word: str, behind: int | None) -> None:
    assert overlooked_blank(word, language) == behind
