"""Titles, dates and languages that a text itself gives away."""

from __future__ import annotations

import pytest

from ingest.metadata import detect_language, find_date, guess_title, iso_date, named_title, published_label


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "Krakau gehört nun zu Eurocities\n\nSeit dem 15. Oktober zählt Krakau dazu.",
            "Krakau gehört nun zu Eurocities",
        ),
        (
            "PRESSEMITTEILUNG\n\nWien zu Gast: Zwei Städte\n\nKrakau, 3. Oktober 2025 – Gäste.",
            "Wien zu Gast: Zwei Städte",
        ),
        ("STADT KREFELD\nVorlage – öffentlich\n\nBetreff: Lernpartnerschaft\n\n1. Anlass", "Lernpartnerschaft"),
        ("NOTATKA ROBOCZA\n\nTemat: Wizyta z czerwca 2016 r.\n\n1. Tło", "Wizyta z czerwca 2016 r."),
        ("DIGITALE STADT KÖLN\n\nDie Stadt Köln baut aus. Sie baut.", "DIGITALE STADT KÖLN"),
        ("Dienst | Preis\nAusweis | 37 Euro", "gebühren der stadt"),
        ("1. Anlass\n\nDer Rat tagt.", "gebühren der stadt"),
    ],
)
def test_the_title_is_the_subject_or_the_first_heading(text: str, title: str) -> None:
    assert guess_title(text, "gebühren-der_stadt") == title


def test_without_a_heading_the_file_name_or_the_first_words_stand_in() -> None:
    text = "Am 3. Oktober 2025 empfing das Stadtamt Krakau eine Delegation aus Wien unter Barbara Novak. Sie blieb."
    assert guess_title(text, "delegation-aus-wien") == "delegation aus wien"
    assert guess_title(text, "000_3412825872249fb4") == (
        "Am 3. Oktober 2025 empfing das Stadtamt Krakau eine Delegation aus Wien unter…"
    )
    assert guess_title("Die Stadt tagt. Sie berät.", "scan0001") == "Die Stadt tagt"
    assert guess_title("", "scan0001") == "scan0001"


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("Krefeld, 12. März 2024", "2024-03-12"),
        ("Krakau, 17. Oktober 2025 – Eine Abordnung war da.", "2025-10-17"),
        ("Wien/Krakau, 3. Oktober 2025. Wie geht es?", "2025-10-03"),
        ("Frankfurt am Main, den 12.03.2024", "2024-03-12"),
        ("Frankfurt (Oder), Dienstag, 12. März 2024", "2024-03-12"),
        ("(Krefeld, 12.03.2024) Die Stadt baut.", "2024-03-12"),
        ("Kraków, dnia 17 października 2025 r. – Miasto", "2025-10-17"),
        ("Kraków, 1 maja 2024 r.", "2024-05-01"),
        ("Cologne, 12 March 2024 – The city", "2024-03-12"),
        ("Cologne, March 12, 2024", "2024-03-12"),
        ("Veröffentlichungsdatum: 2016-06-28", "2016-06-28"),
        ("Veröffentlicht am 28. Juni 2016 um 12:30 Uhr", "2016-06-28"),
        ("Published: 2024-05-06T12:30:00+02:00", "2024-05-06"),
        ("Data publikacji: 06.05.2024", "2024-05-06"),
        ("Stand: 03.05.2024", "2024-05-03"),
        ("Datum: 3. Mai 2024", "2024-05-03"),
        ("Pressemitteilung Nr. 12/2024 vom 3. Mai 2024", "2024-05-03"),
        # A date in a sentence, of an event, or one that does not exist.
        ("Am 15. Oktober 2025 wurde Krakau aufgenommen.", None),
        ("In Köln, 12. März 2024 fand es statt.", None),
        ("Köln, 12. März 2024, Rathaus: Fest", None),
        ("Dienstag, 12. März 2024 – Fest im Rathaus", None),
        ("Heute, 12. März 2024. Was geschieht?", None),
        ("Krefeld, 31. Februar 2024", None),
        ("Krefeld, 12. März 0024", None),
        ("Aktualisierungsdatum: 2016-07-22", None),
        ("Die Sitzung in Krefeld, 12. März 2024, ist öffentlich.", None),
    ],
)
def test_only_datelines_and_imprints_date_a_document(line: str, date: str | None) -> None:
    assert find_date(f"Eine Überschrift\n\n{line}\n\nUnd Text.") == date


def test_the_date_of_an_event_is_not_a_date_of_publication() -> None:
    assert find_date("Stadtfest\nDatum: 3. Mai 2024\nUhrzeit: 12 Uhr\nOrt: Rathaus") is None


def test_the_date_of_publication_goes_before_others() -> None:
    assert find_date("Stand: 01.02.2020\nKöln, 3. Mai 2021\nVeröffentlicht: 04.05.2022") == "2022-05-04"


def test_in_the_middle_of_a_long_text_there_is_no_dateline() -> None:
    filler = "\n".join(f"Absatz {number}." for number in range(20))
    assert find_date(f"{filler}\nKöln, 3. Mai 2021\n{filler}") is None
    assert find_date(f"{filler}\n{filler}\nKöln, 3. Mai 2021") == "2021-05-03"


def test_dates_of_metadata_are_read_in_any_usual_form() -> None:
    assert [iso_date(written) for written in ("2024-05-03T10:00", "3.5.2024", "3 May 2024", "bald", "")] == [
        "2024-05-03",
        "2024-05-03",
        "2024-05-03",
        None,
        None,
    ]
    assert published_label("Stand: 03.05.2024") is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Die Stadt Köln hat einen Masterplan zur Digitalisierung beschlossen.", "de"),
        ("Rada Miasta Krakowa przyjęła uchwałę w sprawie współpracy.", "pl"),
        ("The city council decided on a digital master plan last year.", "en"),
        ("Le conseil municipal de la ville de Lyon a adopté un plan.", "fr"),
        ("Köln", None),
        ("1234 5678 " * 20, None),
        ("xxxx yyyy zzzz wwww vvvv uuuu", None),
    ],
)
def test_the_language_is_named_or_left_open(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("written", "stem", "title"),
    [
        ("  Masterplan\nDigitale Stadt ", "plan", "Masterplan Digitale Stadt"),
        ("PowerPoint-Präsentation", "plan", None),
        ("Microsoft Word - plan.doc", "plan", None),
        ("Tabelle1", "plan", None),
        ("Präsentation der Ergebnisse", "plan", "Präsentation der Ergebnisse"),
        ("Plan 2024", "plan_2024", None),
        ("Abc", "", None),
    ],
)
def test_titles_that_a_program_wrote_are_none(written: str, stem: str, title: str | None) -> None:
    assert named_title(written, stem) == title
