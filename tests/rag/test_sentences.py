"""Where sentences end: what a quote begins and stops at."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


# Each case is written with " / " where a sentence ends.
CASES = [
    # Abbreviations.
    "Wir laden z. B. Die Grünen ein. / Das ist gut.",
    "Das gilt, d. h. Die Stadt zahlt. / Dr. Meier kam nach St. Pölten.",
    "Beteiligt waren Köln u. a. / Der Rat nahm Kenntnis.",
    "Die KGSt, DIN-Gremien, Gaia-X u.a. pflegen wir weiter. / So bleibt es.",
    "Es kostet ca. 3,5 Mio. Euro bzw. 4 Mrd. Euro. / Das sind 15 Mio. / Die Stadt zahlt.",
    "Busse, Bahnen usw. / Köln hat sie. / Das sog. Projekt (vgl. Nr. 5 Abs. 2) läuft.",
    "Der Verein e. V. Krefeld tagt. / Prof. Dr. Schmidt i. R. spricht.",
    "Etwas dieser Art. / Kopenhagen ist groß. / Nach Art. 5 GG gilt das.",
    "Das ist so. / Köln ist so. / Geöffnet Mo. 8 Uhr, Di. 9 Uhr.",
    "Die Formate (z. B. Hackathon) sind neu.",
    # Ordinals, dates, numbers.
    "Am 15. Oktober wurde Krakau Mitglied. / Die Gäste kamen vom 21. – 23. Juni 2016. / Es war gut.",
    "Am 3. Oktober 2025 empfing die Stadt Gäste. / Im 19. Jahrhundert nicht.",
    "Heinrich III. wurde König. / Unter Ludwig XIV. / Der Hof wuchs.",
    "Es kostet 1.250 Euro. / Der Wert liegt bei 3.5 und am 03.05.2024. / Die Feier folgt.",
    "Das Netzwerk besteht seit 1986. / Frankfurt war dabei. / 2015 folgte Krakau.",
    "Sie liegt auf Platz 2. / Krefeld folgt.",
    "Er besteht aus drei Teilen: 1. Digital Governance, 2. Smart City und 3. Datenökonomie. / Der erste ist fertig.",
    "1. Die Stadt ist da. / 2. Das Dorf auch.",
    # Initials and names.
    "J. K. Meier sprach. / A. Müller schwieg.",
    "Die App mObywatel ist neu. / mObywatel zählt 10 Millionen.",
    "Mehr auf www.krefeld.de. / Die Seite ist neu.",
    # Other end marks, quotes, brackets.
    "Was ist das? / Ein Haus! / Er ging… / Sie kam.",
    "„Wie geht es?“ fragte er. / „Gut.“ / Danach ging er.",
    "»Los!« / Er lief. / Er sagte: \"Ja.\" / Sie ging. / ‚So.‘ / Dann nichts.",
    "(Wie können Ideen „ausgerollt“ werden?) spielt eine Rolle. / Wie verwalten wir Daten?",
    "Und dann … Krakau. / Das Zitat […] Ende. / (So der Rat.) / Neuer Satz.",
    "Das Ende. / – Krakau ruft. / Satz eins.[1] / Satz zwei.² / Satz drei.",
    # Polish.
    "W 2015 r. Kraków przystąpił. / Nasi pracownicy widzieli je we Frankfurcie w 2015 r. / Rozwiązanie jest dobre.",
    "Urząd przy ul. Floriańskiej 5, m.in. Wydział IT, wydał 5 tys. zł. / To dużo. / Np. Kraków ma św. Floriana.",
    # English.
    "Mr. Smith, e.g. Cologne, has it. / It has 15. / The city is in the U.S. / The end.",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_sentences_end_where_a_reader_ends_them(case: str) -> None:
    assert sentences(case.replace(" / ", " ")) == case.split(" / ")


def test_each_line_is_a_sentence_of_its_own() -> None:
    text = "Beteiligt waren:\n• Kultur,\n• Bildung.\n\nJahr: 2014 | Reise: Krakau\n  Ansprechpartner \nMarkus Lewitzki"
    assert sentences(text) == [
        "Beteiligt waren:",
        "• Kultur,",
        "• Bildung.",
        "Jahr: 2014 | Reise: Krakau",
        "Ansprechpartner",
        "Markus Lewitzki",
    ]


def test_two_sentences_on_one_line_of_a_list_are_two() -> None:
    assert sentences("• Sie sind neu. Alle kommen.") == ["• Sie sind neu.", "Alle kommen."]


@pytest.mark.parametrize("text", ["", " \n\t\u00a0"])
def test_blank_text_has_no_sentences(text: str) -> None:
    assert sentence_spans(text) == []


@given(st.text(alphabet='aB1.!?…"„“) (-\n\u00a0ß:', max_size=80) | st.text(max_size=80))
def test_the_ranges_hold_all_text_in_order_and_trimmed(text: str) -> None:
    last = 0
    for start, end in sentence_spans(text):
        assert last <= start < end
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        last = end
    assert not text[last:].strip()


@pytest.mark.parametrize(
    "text",
    ["." * 100_000, ". " * 50_000, '?"' * 50_000, "a." + " " * 100_000 + "B", "a. " + "(" * 100_000, "A. " * 30_000],
    ids=["dots", "dots and blanks", "quotes", "blanks", "brackets", "initials"],
)
def test_odd_text_takes_no_longer_than_plain_text(text: str) -> None:
    started = time.process_time()
    sentence_spans(text)
    # Plain text takes 0.01 s; what is quadratic would take minutes.
    assert time.process_time() - started < 5
