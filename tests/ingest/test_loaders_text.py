"""Text and Markdown files, and what every loader refuses."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingest.loaders import LOADERS, Extract, load
from ingest.loaders.base import Draft, table_lines
from rag.errors import LoadError

GERMAN = "Die Bürger der Stadt Köln müssen für Straßen zahlen – „so geht es nicht“, sagte Frau Müller."
POLISH = "Rada Miasta Krakowa przyjęła uchwałę w sprawie współpracy. Żółte źdźbła i śnieżne łąki."


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def labels(extract: Extract) -> list[str]:
    for mark in extract.sections:
        assert extract.text.startswith(mark.label, mark.start)
    return [mark.label for mark in extract.sections]


# --- Encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_german_text_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    assert load(written(tmp_path, "a.txt", GERMAN.encode(encoding))).text == GERMAN


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1250", "iso8859_2"])
def test_polish_text_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    assert load(written(tmp_path, "a.txt", POLISH.encode(encoding))).text == POLISH


@pytest.mark.parametrize("text", ["The stall costs £18.50 a day, or £ 90 a week.", "Der „Pfund“-Kurs: £5 für 6 Euro."])
def test_a_pound_sign_is_no_polish_letter(tmp_path: Path, text: str) -> None:
    assert load(written(tmp_path, "a.txt", text.encode("cp1252"))).text == text


def test_an_encoding_of_neither_is_detected(tmp_path: Path) -> None:
    russian = "Привет, это городской совет и его документы о цифровом городе."
    assert load(written(tmp_path, "a.txt", russian.encode("cp1251"))).text == russian


def test_one_damaged_byte_does_not_spoil_the_umlauts(tmp_path: Path) -> None:
    text = load(written(tmp_path, "a.txt", GERMAN.encode() + b" \xff Ende")).text
    assert text.startswith(GERMAN)
    assert text.endswith("Ende")


def test_lone_surrogates_cannot_reach_the_store(tmp_path: Path) -> None:
    data = f"{GERMAN} ".encode() + b"\xed\xa0\x80 Ende"
    load(written(tmp_path, "a.txt", data)).text.encode("utf-8")


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xyz", b"Text", r"extension \.xyz, which is not supported; supported are .*\.txt"),
        ("README", b"Text", "no extension"),
        ("a.txt", b"", "is empty"),
        ("a.md", b" \n\t\r\n ", "is empty"),
        ("a.txt", b"\x00" * 500, "is empty"),
        ("a.txt", "\u00a0\u200b\n".encode(), "has no text"),
        ("a.txt", b"... --- !!!", "has no text"),
        ("a.txt", bytes(range(256)) * 20, "is binary"),
        ("a.txt", b"%PDF-1.7\n1 0 obj", "is a PDF file in spite of its name"),
        ("a.md", b"PK\x03\x04rest", "ZIP archive or an office document"),
        ("a.html", b"\n%PDF-1.4 text", "is a PDF file in spite of its name"),
        ("a.pdf", b"<html><body>Text</body></html>", "is not a PDF file"),
    ],
)
def test_what_cannot_be_read_says_why_on_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message) as raised:
        load(written(tmp_path, name, content))
    assert "\n" not in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(LoadError, match="is a folder"):
        load(tmp_path / "a.txt")
    with pytest.raises(LoadError, match="does not exist"):
        load(tmp_path / "b.txt")


def test_a_file_without_the_right_to_read_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.txt", "Text")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read anything

        def refuse(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LoadError, match="permission denied; give"):
        load(path)


def test_suffixes_are_read_in_upper_case_too(tmp_path: Path) -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in LOADERS)
    assert load(written(tmp_path, "A.TXT", "Der Rat tagt.")).text == "Der Rat tagt."


# --- Plain text -------------------------------------------------------------------------------------------------------


def test_headings_and_questions_are_sections(tmp_path: Path) -> None:
    answer = "Die Stadt nennt drei Zutaten: eine Strategie, Fachleute und den Willen, das alles auch zu tun."
    text = f"Der Masterplan in Kürze\n\n{answer}\n\n1. Anlass\n\nDer Rat tagt.\n\nWas ist das Rezept?\n{answer}"
    extract = load(written(tmp_path, "plan.txt", text))
    assert extract.text == text
    assert labels(extract) == ["Der Masterplan in Kürze", "1. Anlass", "Was ist das Rezept?"]
    assert extract.title == "Der Masterplan in Kürze"


def test_lists_addresses_and_sentences_are_no_headings(tmp_path: Path) -> None:
    text = "Es nahmen teil:\n\n• Anna Nowak\n• Jan Meier\n\nStadt Köln\nRathausplatz 1\n\nDer Rat tagt.\n\nEnde"
    assert labels(load(written(tmp_path, "a.txt", text))) == []


def test_the_date_of_a_web_copy_is_read_before_its_frame_goes(tmp_path: Path) -> None:
    text = (
        "Archiv\n\nBesuch aus Frankfurt\n\nEr kam.\n\nImpressum verstecken\nVeröffentlichungsdatum: 2016-06-28\nzurück"
    )
    extract = load(written(tmp_path, "a.txt", text))
    assert extract.published == "2016-06-28"
    assert extract.text == "Archiv\n\nBesuch aus Frankfurt\n\nEr kam."


def test_form_feeds_begin_pages(tmp_path: Path) -> None:
    extract = load(
        written(tmp_path, "a.txt", "Erste Seite.\n\f\fDritte Seite, mit einem Wort, das zer-\n\frissen ist.")
    )
    assert extract.text == "Erste Seite.\n\nDritte Seite, mit einem Wort, das zerrissen ist."
    assert [(extract.text[mark.start :][:6], mark.label) for mark in extract.pages] == [
        ("Erste ", "1"),
        ("Dritte", "3"),
        ("rissen", "4"),
    ]


def test_a_viewer_s_page_heads_name_the_pages(tmp_path: Path) -> None:
    text = "Page 37 - Insider\nP. 37\nErster Text hier.\nPage 38 - Insider\nP. 38\nZweiter Text hier.\n 38\n"
    extract = load(written(tmp_path, "a.txt", text))
    assert extract.text.split() == "Erster Text hier. Zweiter Text hier.".split()
    assert [(extract.text[mark.start :][:4], mark.label) for mark in extract.pages] == [("Erst", "37"), ("Zwei", "38")]


def test_a_megabyte_on_one_line_is_read_soon(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "Das ist ein Satz mit Inhalt. " * 35_000)
    started = time.process_time()
    assert len(load(path).text) > 1_000_000
    assert time.process_time() - started < 10


# --- Markdown ---------------------------------------------------------------------------------------------------------

MARKDOWN = """---
title: "Wiener Abend"
date: 2025-10-03
kind: Hinweis
---

# Der Abend

Ein *kurzer* Text mit **Betonung**, [einem Link](https://example.org) und
Zeilenumbruch in der Verwal-
tung. ![Bild](x.png)

- Kultur
- Bildung
  - Schule
  - Hochschule

3. drei
4. vier

| Jahr | Reise |
|---|---|
| 2014 | nach **Krakau** |

| | |
|---|---|
| **Wann** | 3. Oktober |

> Ein Zitat.

Stadt Köln\\
Rathausplatz 1

    Quelltext
"""


def test_markdown_becomes_plain_text(tmp_path: Path) -> None:
    extract = load(written(tmp_path, "a.md", MARKDOWN))
    assert extract.text.split("\n") == [
        "Der Abend", "",
        "Ein kurzer Text mit Betonung, einem Link und Zeilenumbruch in der Verwaltung.", "",
        "• Kultur", "• Bildung", "• Schule", "• Hochschule", "",
        "3. drei", "4. vier", "",
        "Jahr: 2014 | Reise: nach Krakau", "",
        "Wann: 3. Oktober", "",
        "Ein Zitat.", "",
        "Stadt Köln", "Rathausplatz 1", "",
        "Quelltext",
    ]  # fmt: skip
    assert (extract.title, extract.published) == ("Wiener Abend", "2025-10-03")
    assert labels(extract) == ["Der Abend"]


def test_a_question_in_bold_is_a_section_of_its_own(tmp_path: Path) -> None:
    text = "# Interview\n\n**Was ist neu?**\nVieles.\n\n**Und sonst?** Nichts.\n\n**Ende.** Das war es."
    extract = load(written(tmp_path, "a.md", text))
    assert extract.text.split("\n\n") == [
        "Interview", "Was ist neu?", "Vieles.", "Und sonst?", "Nichts.", "Ende. Das war es.",
    ]  # fmt: skip
    assert labels(extract) == ["Interview", "Was ist neu?", "Und sonst?"]
    assert extract.title == "Interview"
    assert extract.published is None


def test_markdown_without_front_matter_is_dated_by_its_dateline(tmp_path: Path) -> None:
    extract = load(written(tmp_path, "a.md", "# Titel\n\nKöln, 3. Mai 2024 – Der Rat tagt.\n\n---\n\nEnde"))
    assert extract.published == "2024-05-03"
    assert load(written(tmp_path, "b.md", "---\nkein Kopf\n\n# Titel\n\nText")).title == "Titel"


# --- What loaders share -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "header", "lines"),
    [
        ([["Jahr", "Reise"], ["2014", "Krakau"]], True, ["Jahr: 2014 | Reise: Krakau"]),
        ([["Jahr", ""], ["2014", "Krakau"], ["2015", ""]], True, ["Jahr: 2014 | Krakau", "Jahr: 2015"]),
        ([["Jahr:"], ["2014", "mehr"]], True, ["Jahr: 2014 | mehr"]),
        ([["Nur", "Kopf"]], True, ["Nur | Kopf"]),
        ([["Telefon:", "0221"], ["", "abends"]], False, ["Telefon: 0221", "abends"]),
        ([["a", "b", "c"], ["", "", ""]], False, ["a | b | c"]),
        ([], True, []),
    ],
)
def test_each_table_row_can_be_understood_alone(rows: list[list[str]], header: bool, lines: list[str]) -> None:
    assert table_lines(rows, header=header) == lines


def test_a_draft_counts_where_pages_and_sections_begin() -> None:
    draft = Draft(["i", "ii", "iii"])
    draft.heading("\fTitel")
    draft.paragraph("Ein Wort, das zer\frissen ist")
    draft.paragraph(" ")
    draft.line("\fEnde")
    extract = draft.extract("Titel", None)
    assert extract.text == "Titel\n\nEin Wort, das zerrissen ist\nEnde"
    assert [(mark.start, mark.label) for mark in extract.pages] == [(0, "i"), (24, "ii"), (35, "iii")]
    assert [(mark.start, mark.label) for mark in extract.sections] == [(0, "Titel")]
