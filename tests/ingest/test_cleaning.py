"""From raw lines to stored text: characters, hyphens, wrapped lines, furniture and web frames."""

from __future__ import annotations

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.boilerplate import page_furniture, remove_web_frame
from ingest.cleaning import clean, normalise
from ingest.lines import join_hyphens, join_lines, join_wrapped, vocabulary

WRAPPED = """
Am 15. Oktober wurde Krakau offiziell als Mitglied der Eurocities aufgenommen – des größten
europäischen Netzwerks von Städten. Durch die Mitgliedschaft erhält Krakau Zugang zu Plattformen, EU-
finanzierten Projekten und der Möglichkeit, Einfluss zu nehmen. Darüber hinaus bietet sie dem
Stadtrat die Gelegenheit, Beziehungen aufzubauen.

Eurocities wurde 1986 von den Bürgermeistern von Barcelona, Birmingham, Frankfurt, Lyon, Mailand und
Rotterdam gegründet.
"""


@pytest.mark.parametrize(
    ("raw", "clean_text"),
    [
        ("ﬁnden, ﬂiegen, eﬃzient", "finden, fliegen, effizient"),
        ("Stadt\u00adrat und Wirt\u00ad\nschaft und Wirt\u00ad schaft", "Stadtrat und Wirtschaft und Wirtschaft"),
        ("20\u00a0000\u202fEuro\u200b hier\ufeff", "20 000 Euro hier"),
        ("e\u0301 a\u0308", "é ä"),
        ("IT\u2011Netz", "IT-Netz"),
        ("eins\r\nzwei\rdrei\u2028vier", "eins\nzwei\ndrei\nvier"),
        ("a\x00b\x07c\ud800d\uffff", "abcd"),
    ],
)
def test_characters_that_only_steer_the_layout_go(raw: str, clean_text: str) -> None:
    assert normalise(raw) == clean_text


@pytest.mark.parametrize(
    ("cut", "mended"),
    [
        ("des Dezer- nats", "des Dezernats"),
        ("um- gegangen und da- raus", "umgegangen und daraus"),
        ("Peer-Lear- ning-Tandems", "Peer-Learning-Tandems"),
        ("Best- practice-Beispiele", "Best-practice-Beispiele"),
        ("EU- finanzierte Projekte", "EU-finanzierte Projekte"),
        ("so- wie", "sowie"),
        ("Werk- statt und Au- to", "Werkstatt und Auto"),
        ("obej- rzeli je", "obejrzeli je"),
        ("munici- palities", "municipalities"),
    ],
)
def test_words_that_an_extraction_left_cut_are_mended(cut: str, mended: str) -> None:
    assert join_hyphens(cut) == mended


@pytest.mark.parametrize(
    "text",
    [
        "Informations- und Kommunikationstechnik",
        "Energie-, Verkehrs- und Umweltpolitik",
        "Vor- und Nachteile, Ein- oder Ausgang, Haupt- bzw. Nebenwohnsitz, Innen- sowie Außenpolitik",
        "ein- oder zweiwöchiger Besuch",
        "zwei- bis dreimal",
        "short- and long-term, three- to five-year-olds",
        "Köln - Bonn",
        "Bürger:innen",
        "Telefon 86- 1085",
        "Haus- Hof- Garten",
    ],
)
def test_suspended_hyphens_and_dashes_stay(text: str) -> None:
    assert join_hyphens(text) == text


def test_the_rest_of_the_document_tells_how_a_cut_word_is_written() -> None:
    words = vocabulary("Das Angebot ist rollstuhl-gerecht. Die Smart-City wächst. Wir kommen, wenn möglich.")
    assert join_hyphens("rollstuhl- gerecht", words) == "rollstuhl-gerecht"
    assert join_hyphens("die Smart- City", words) == "die Smart-City"
    assert join_hyphens("Wir kommen- wenn möglich", words) == "Wir kommen- wenn möglich"
    assert join_hyphens("rollstuhl- gerecht") == "rollstuhlgerecht"


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("Wirtschafts-", "dezernat", "Wirtschaftsdezernat"),
        ("EU-", "finanziert", "EU-finanziert"),
        ("E-", "Government", "E-Government"),
        ("Smart-", "City", "Smart-City"),
        ("e-", "administracji", "e-administracji"),
        ("20-", "jährig", "20-jährig"),
        ("Covid-", "19", "Covid-19"),
        ("Informations-", "und Technik", "Informations- und Technik"),
        ("Bürger/-", "innen", "Bürger/- innen"),
        ("www.stadt-", "mitte.de", "www.stadt-mitte.de"),
        ("deutsch-", "französische", "deutsch-französische"),
        ("polsko-", "niemiecki", "polsko-niemiecki"),
        ("biało-", "-czerwony", "biało-czerwony"),
        ("Ende –", "Anfang", "Ende – Anfang"),
        ("Stadtre-", "\fgierung", "Stadtre\fgierung"),
    ],
)
def test_lines_of_a_paragraph_are_joined(first: str, second: str, joined: str) -> None:
    assert join_wrapped([first, second]) == joined


def test_wrapped_paragraphs_become_one_line_each() -> None:
    first, second = clean(WRAPPED).split("\n\n")
    assert first.startswith(
        "Am 15. Oktober wurde Krakau offiziell als Mitglied der Eurocities aufgenommen – des größten eu"
    )
    assert "Plattformen, EU-finanzierten Projekten" in first
    assert first.endswith("Darüber hinaus bietet sie dem Stadtrat die Gelegenheit, Beziehungen aufzubauen.")
    assert second.endswith("Lyon, Mailand und Rotterdam gegründet.")


def test_two_wrapped_lines_alone_are_joined() -> None:
    text = "Die Stadt Köln baut am Rhein ein neues Rathaus und verlegt dorthin die\nÄmter der Innenstadt."
    assert clean(text) == text.replace("\n", " ")


@pytest.mark.parametrize(
    "text",
    [
        "STADT KREFELD\nInformationsvorlage – öffentlich\nVorgelegt vom Wirtschaftsdezernat",
        "Markus Lewitzki\nReferent Digitalisierung, CDO\nTelefon: 02151 86-1085\nmarkus.lewitzki@krefeld.de",
        "Der erste Absatz ist eine lange Zeile, " * 6 + "und endet.\nDer zweite ist eine andere.",
        "• Kultur,\n• Bildung,\n• Innovation.",
        "1. Digital Governance\n2. Smart City\n3. Datenökonomie",
        "– Ende der Mitteilung –",
        "Apfel\nBirne\nKirsche",
    ],
)
def test_lines_that_stand_for_themselves_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  - Kultur,\n  - Bildung", "• Kultur,\n• Bildung"),
        ("Beteiligt:\n– Kultur\n– Bildung", "Beteiligt:\n• Kultur\n• Bildung"),
        ("• Hamm (Deutschland) – Arezzo (Italien)", "• Hamm (Deutschland) – Arezzo (Italien)"),
        ("  a) Im Mai kamen alle. Die\n     Stadt lud ein.", "a) Im Mai kamen alle. Die Stadt lud ein."),
        ("Jahr\tReise\tAnlass\n2014\tKrakau\tBesuch", "Jahr | Reise | Anlass\n2014 | Krakau | Besuch"),
        ("Dienst      Amt      Preis", "Dienst | Amt | Preis"),
        ("1.\tAnlass", "1. Anlass"),
        ("Ein Satz  mit   Lücken.", "Ein Satz mit Lücken."),
        ("Oben\n-----------\nUnten", "Oben\n\nUnten"),
    ],
)  # fmt: skip
def test_lists_and_tables_have_a_line_an_entry(raw: str, stored: str) -> None:
    assert clean(raw) == stored


def test_an_ordinal_at_the_beginning_of_a_line_is_no_list_item() -> None:
    lines = [
        "Krakau wurde von der Versammlung aller Städte am",
        "15. Oktober aufgenommen und feierte das am",
        "3. Tag danach mit einem Fest, zu dem viele",
        "kamen.",
    ]
    assert join_lines(lines) == [" ".join(lines)]


def test_a_sentence_goes_on_behind_a_column_break() -> None:
    text = "Das betrifft vor allem in diesen Jahren die Fragen, wie\n\ndem Klimawandel begegnet werden kann."
    assert clean(text) == text.replace("\n\n", " ")


def test_heads_feet_and_page_numbers_go() -> None:
    body = ["Der Rat tagt.", "Die Stadt baut.", "Das Amt hilft.", "Der Bus fährt."]
    pages = [
        ["Amtsblatt 3/2024", "", text, "mehr Text", "", f"Seite {number} von 4"] for number, text in enumerate(body, 1)
    ]
    assert page_furniture(pages) == [{0, 5}] * 4
    assert clean("\f".join("\n".join(page) for page in pages)).replace("\f", "") == "\n\n".join(
        f"{text}\nmehr Text" for text in body
    )


@pytest.mark.parametrize("foot", ["37", "- 37 -", "P. 37", "Seite 3 von 12", "Strona 3 z 12", "[ 3 / 12 ]"])
def test_page_numbers_in_all_forms_go(foot: str) -> None:
    assert page_furniture([["Ein Text.", foot], ["Noch einer.", foot.replace("37", "38").replace("3 ", "4 ")]]) == [
        {1},
        {1},
    ]


def test_furniture_is_never_a_sentence_or_all_of_a_page() -> None:
    numbered = [[f"Dies ist die Seite Nummer {number} mit Text."] for number in range(4)]
    assert page_furniture(numbered) == [set()] * 4
    title = [["Haushaltsplan"], ["Haushaltsplan"], ["Haushaltsplan", "Text"]]
    assert page_furniture(title) == [set(), set(), {0}]
    notice = [["Diese Vorlage ist vertraulich zu behandeln.", f"Inhalt {number}"] for number in "abcd"]
    assert page_furniture(notice) == [set(), {0}, {0}, {0}]


def test_lines_that_recur_far_apart_are_content() -> None:
    pages = [[f"Kapitel {letter}", f"Text {letter}"] for letter in "abcdefghijklmnopqrstu"]
    for number in (0, 10, 20):
        pages[number][0] = "Haushalt"
    assert page_furniture(pages) == [set()] * 21


def test_a_number_that_does_not_count_the_pages_is_content() -> None:
    assert page_furniture([["Einwohner", "2016"], ["Haushalte", "512"], ["Autos", "98"]]) == [set()] * 3


def test_page_labels_of_a_magazine_viewer_go() -> None:
    body = "Smart City werden\nNeben Sofia sucht Krefeld den Dialog."
    assert clean(f"Page 37 - Insider Ausgabe 03_03\nP. 37\n\n   {body}\n 37\n\n   35   36   37   38") == body


FRAME = """Start rozwiń menu
Archiv

Besuch aus Frankfurt

Der Stadtrat war da. Er kam gern.

Impressum verstecken
Herausgeber: Otwarty na świat DE
Veröffentlichungsdatum: 2016-06-28
zurück

Siehe auch

Meldung suchen"""


def test_the_frame_of_a_copied_web_page_goes() -> None:
    assert clean(FRAME) == "Besuch aus Frankfurt\n\nDer Stadtrat war da. Er kam gern."


@pytest.mark.parametrize(
    "lines",
    [
        ["Archiv", "Das Archiv der Stadt ist geöffnet."],
        ["Der Rat tagt.", "Kontakt", "Impressum"],
        ["Der Rat tagt.", "Veröffentlichungsdatum: 2016-06-28"],
        ["Nach oben geht es mit dem Aufzug.", "Text"],
    ],
)
def test_words_of_a_frame_without_a_control_beside_them_stay(lines: list[str]) -> None:
    assert remove_web_frame(lines) == lines


WORDS = st.sampled_from(
    [
        "Stadt",
        "und",
        "der",
        "Rat",
        "Köln,",
        "zurück",
        "–",
        "EU-Mittel",
        "am 15. Mai",
        "Vor- und Nachteile",
        "„Ja“",
        "z. B.",
    ]
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(lambda words: " ".join(words) + " tagt.")
PARAGRAPHS = st.builds(
    lambda sentences, width: textwrap.fill(" ".join(sentences), width),
    st.lists(SENTENCES, min_size=1, max_size=4),
    st.integers(45, 110),
)
OTHERS = st.sampled_from(
    ["Überschrift", "1. Anlass", "  - Kultur,\n  - Bildung", "Amt\nMarkt 1\n50667 Köln", "Jahr\tOrt\n2014\tKöln", "---"]
)
TEXTS = st.lists(PARAGRAPHS | OTHERS, max_size=6).map("\n\n".join)


@given(TEXTS)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(st.text(max_size=200))
def test_any_text_can_be_cleaned_and_stored(text: str) -> None:
    clean(text).encode("utf-8")


@given(st.lists(st.sampled_from(["Stadt", "Köln", "baut", "neu", "Haus"]), min_size=1, max_size=60))
def test_no_word_is_lost(words: list[str]) -> None:
    text = "\n".join(" ".join(words[start : start + 9]) for start in range(0, len(words), 9))
    assert clean(text).split() == words


@pytest.mark.parametrize(
    "text",
    ["." * 300_000, "ab- " * 40_000, "ab-\n" * 40_000, "a-" * 200_000, "wort " * 60_000, "a\t" * 80_000, "x\f" * 5_000],
    ids=["dots", "cut words", "cut lines", "hyphens", "one line", "cells", "pages"],
)
def test_odd_text_is_cleaned_in_linear_time(text: str) -> None:
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 8
