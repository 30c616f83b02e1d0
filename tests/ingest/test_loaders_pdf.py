"""PDF files as word processors and magazines make them: columns, hyphens, heads, tables, scans, locks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, FrameBreak, PageTemplate, Paragraph

from ingest.loaders import Extract, load
from rag.errors import LoadError

WIDTH, HEIGHT = A4
MARGIN, GUTTER = 50, 14
HEADLINE = "Smart City werden: Kopenhagen mit Vorbildfunktion für Krefeld"
FIRST = (
    "Auf Initiative des Wirtschaftsdezernats ist eine Krefelder Delegation für drei Tage nach Kopenhagen gereist. Auch "
    "die Fachkollegen waren dabei, um Beispiele einer Smart City kennenzulernen. Denn die dänische Hauptstadt hat "
    "Standards gesetzt, was die Bereiche „Energetische Transformation, Nachhaltigkeit und Klimaschutz“ angeht."
)
SECOND = (
    "Damit das gegenseitige Verstehen und voneinander Lernen Formen annimmt, tauschten sich die sechs sogenannten "
    "„Peer-Learning-Tandems“ bereits im Mai 2022 virtuell aus. Hier lernten die Akteure aus Krefeld und Sofia die "
    "anderen Teilnehmenden der Informations- und Kommunikationstechnik kennen. Gleichzeitig erfuhren sie mehr."
)
BODY = ParagraphStyle(
    "body", fontSize=9, leading=11, alignment=TA_JUSTIFY, spaceAfter=4,
    hyphenationLang="de_DE", embeddedHyphenation=1, hyphenationMinWordLength=5,
)  # fmt: skip
HEADING = ParagraphStyle("heading", fontName="Helvetica-Bold", fontSize=9, leading=11, spaceBefore=6)
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=22, leading=26)


def magazine(path: Path, columns: int, sections: int, headline: bool = True) -> Path:
    """Make a justified, hyphenated magazine with running heads, page numbers and a headline over all columns."""
    column = (WIDTH - 2 * MARGIN - GUTTER * (columns - 1)) / columns

    def furniture(canvas: Canvas, _: object) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(MARGIN, HEIGHT - 30, "InsiderKrefeld Ausgabe 03")
        canvas.drawRightString(WIDTH - MARGIN, 25, str(canvas.getPageNumber()))

    def frames(top: float) -> list[Frame]:
        lefts = [MARGIN + index * (column + GUTTER) for index in range(columns)]
        return [Frame(left, 50, column, HEIGHT - 110 - top, 0, 0, 0, 0) for left in lefts]

    above = [Frame(MARGIN, HEIGHT - 110, WIDTH - 2 * MARGIN, 60, 0, 0, 0, 0)] if headline else []
    document = BaseDocTemplate(str(path), pagesize=A4)
    document.addPageTemplates(
        [
            PageTemplate("first", above + frames(60 if headline else 0), onPage=furniture, autoNextPageTemplate="next"),
            PageTemplate("next", frames(0), onPage=furniture),
        ]
    )
    story = [Paragraph(HEADLINE, TITLE), FrameBreak()] if headline else []
    for number in range(1, sections + 1):
        story += [Paragraph(f"Abschnitt {number}", HEADING), Paragraph(FIRST, BODY), Paragraph(SECOND, BODY)]
    document.build(story)
    return path


def drawn(path: Path, draw: Callable[[Canvas], None], **options: object) -> Extract:
    canvas = Canvas(str(path), pagesize=A4, **options)
    draw(canvas)
    canvas.save()
    return load(path)


def write_lines(canvas: Canvas, left: float, top: float, lines: Iterable[str], leading: float = 12.5) -> None:
    for number, line in enumerate(lines):
        canvas.drawString(left, top - leading * number, line)


# --- Columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_paragraphs_are_whole_over_lines_columns_and_pages(tmp_path: Path, columns: int) -> None:
    extract = load(magazine(tmp_path / "a.pdf", columns, sections=14))
    expected = [HEADLINE]
    for number in range(1, 15):
        expected += [f"Abschnitt {number}", FIRST, SECOND]
    assert extract.text.split() == " ".join(expected).split()
    # Where a column ends with a sentence, nothing tells whether the paragraph goes on in the next.
    assert len(set(expected) - set(extract.text.split("\n\n"))) == 0
    assert extract.text.count("\n\n") <= len(expected) + len(extract.pages) * columns
    assert [mark.label for mark in extract.sections] == [HEADLINE, *(f"Abschnitt {number}" for number in range(1, 15))]
    assert [mark.label for mark in extract.pages] == [str(number) for number in range(1, len(extract.pages) + 1)]
    assert len(extract.pages) > 1
    assert extract.pages[0].start == 0
    assert extract.title == HEADLINE
    assert extract.published is None


def test_columns_are_found_whatever_the_order_of_drawing(tmp_path: Path) -> None:
    left, right = (simpleSplit(text, "Times-Roman", 10, 235) for text in (FIRST, SECOND))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Times-Roman", 10)
        for number, (one, two) in enumerate(zip(left, right, strict=False)):
            canvas.drawString(310, 690 - 12.5 * number, two)
            canvas.drawString(50, 690 - 12.5 * number, one)

    shown = min(len(left), len(right))
    text = drawn(tmp_path / "a.pdf", draw).text
    assert text.startswith(" ".join(left[:shown]).strip())
    assert text.endswith(" ".join(right[:shown]).strip())


def test_a_box_of_short_lines_beside_a_column_stays_together(tmp_path: Path) -> None:
    box = [
        "Ansprechpartner",
        "Markus Lewitzki",
        "Referent Digitalisierung, CDO",
        "Telefon: 02151 86-1085",
        "lewitzki@krefeld.de",
    ]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Times-Roman", 10)
        write_lines(canvas, 50, 700, simpleSplit(f"{FIRST} {SECOND}", "Times-Roman", 10, 300))
        write_lines(canvas, 400, 700, box)

    text = drawn(tmp_path / "a.pdf", draw).text
    assert text == f"{FIRST} {SECOND}\n\n" + "\n".join(box)


def test_cells_of_a_table_are_read_row_by_row(tmp_path: Path) -> None:
    rows = [
        ("Dienst", "Zuständige Stelle", "Preis"),
        ("Personalausweis für Erwachsene", "Bürgeramt Mitte am Rathausplatz", "37,00 Euro"),
        ("Reisepass mit 32 Seiten", "Bürgeramt Nord an der Hauptstraße", "70,00 Euro"),
        ("Führungszeugnis", "Ordnungsamt, zweiter Stock", "13,00 Euro"),
    ]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for left, column in zip((50, 230, 450), zip(*rows, strict=True), strict=True):
            write_lines(canvas, left, 780, column, leading=16)
        write_lines(canvas, 50, 640, ["Name:", "Raum:"])
        write_lines(canvas, 150, 640, ["Markus Lewitzki", "3.14"])

    lines = drawn(tmp_path / "a.pdf", draw).text.split("\n")
    assert [line for line in lines if line] == [" | ".join(row) for row in rows] + [
        "Name: Markus Lewitzki",
        "Raum: 3.14",
    ]


def test_lists_have_a_line_an_item(tmp_path: Path) -> None:
    items = ["• Hamm (Deutschland) – Arezzo (Italien)", "• Pirna (Deutschland) – Boleslawiec (Polen)"]
    lines = [*simpleSplit(FIRST, "Helvetica", 12, 480), *items, *simpleSplit(SECOND, "Helvetica", 12, 480)]
    text = drawn(tmp_path / "a.pdf", lambda canvas: write_lines(canvas, 50, 780, lines, 15)).text
    assert text == "\n".join([FIRST, *items, SECOND])


def test_pages_on_their_side_and_turned_lines_are_read(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(90)
        canvas.rotate(90)
        write_lines(canvas, 60, -60, simpleSplit(FIRST, "Helvetica", 12, 600), 14)
        canvas.rotate(-90)
        canvas.drawString(100, 800, "Foto: Stadt Krefeld")

    assert drawn(tmp_path / "a.pdf", draw).text == f"{FIRST}\n\nFoto: Stadt Krefeld"


# --- Title, date, pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "title"),
    [
        ("Haushaltsplan 2024", "Haushaltsplan 2024"),
        ("Microsoft Word - vorlage.doc", "Die Überschrift"),
        ("vorlage_12.pdf", "Die Überschrift"),
        ("untitled", "Die Überschrift"),
        ("Dokument1", "Die Überschrift"),
        ("", "Die Überschrift"),
    ],
)
def test_the_title_is_that_of_the_file_unless_a_program_made_it_up(tmp_path: Path, named: str, title: str) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setTitle(named)
        canvas.setFont("Helvetica", 20)
        canvas.drawString(50, 780, "Die Überschrift")
        canvas.setFont("Helvetica", 11)
        write_lines(canvas, 50, 740, ["Krefeld, 12. März 2024", "", *simpleSplit(FIRST, "Helvetica", 11, 480)], 14)

    extract = drawn(tmp_path / "a.pdf", draw)
    assert extract.title == title
    assert extract.published == "2024-03-12"


def test_pages_of_alike_text_and_empty_ones_are_kept_apart(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number in (1, 2, 4):
            if number == 4:
                canvas.showPage()
            canvas.drawString(100, 700, f"Dies ist Seite {number} mit wenigen Worten.")
            canvas.showPage()

    extract = drawn(tmp_path / "a.pdf", draw)
    assert [(extract.text[mark.start :][:16], mark.label) for mark in extract.pages] == [
        ("Dies ist Seite 1", "1"),
        ("Dies ist Seite 2", "2"),
        ("Dies ist Seite 4", "4"),
    ]


def test_printed_page_numbers_are_the_labels(tmp_path: Path) -> None:
    import pypdfium2

    path = tmp_path / "a.pdf"
    drawn(path, lambda canvas: (canvas.drawString(100, 700, "Text der Seite."), canvas.showPage())[0])
    raw = path.read_bytes()
    # Page 1 is labelled 37; the cross-reference table that this shifts is rebuilt on reading.
    labelled = raw.replace(b"/Type /Catalog", b"/PageLabels <</Nums [0 <</S /D /St 37>>]>> /Type /Catalog")
    assert labelled != raw
    path.write_bytes(labelled)
    assert pypdfium2.PdfDocument(labelled).get_page_label(0) == "37"
    assert [mark.label for mark in load(path).pages] == ["37"]


# --- What cannot be read ----------------------------------------------------------------------------------------------


def test_a_locked_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="is password-protected; remove the password"):
        drawn(
            tmp_path / "a.pdf",
            lambda canvas: canvas.drawString(100, 700, "Geheim"),
            encrypt=StandardEncryption("geheim", ownerPassword="amt"),
        )


def test_a_file_that_only_forbids_printing_is_read(tmp_path: Path) -> None:
    lock = StandardEncryption("", ownerPassword="amt", canPrint=0)
    assert drawn(tmp_path / "a.pdf", lambda canvas: canvas.drawString(100, 700, "Offen"), encrypt=lock).text == "Offen"


@pytest.mark.parametrize("content", [b"%PDF-1.4\ngarbage", b"%PDF-1.4\ngarbage\n%%EOF", b"%PDF-1.7"])
def test_a_broken_file_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    with pytest.raises(LoadError, match="is a broken PDF file"):
        load(path)


def test_half_a_file_says_so(tmp_path: Path) -> None:
    path = magazine(tmp_path / "a.pdf", columns=2, sections=2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LoadError, match="its end is missing"):
        load(path)


def test_two_hundred_pages_are_read_soon(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    lines = simpleSplit(f"{FIRST} {SECOND} " * 3, "Helvetica", 11, 480)

    def draw(canvas: Canvas) -> None:
        for number in range(200):
            canvas.setFont("Helvetica", 11)
            canvas.drawString(50, 810, "Haushaltsplan der Stadt")
            write_lines(canvas, 50, 770, [f"Kapitel {number}", *lines], 14)
            canvas.drawString(280, 25, f"– {number + 1} –")
            canvas.showPage()

    canvas = Canvas(str(path), pagesize=A4)
    draw(canvas)
    canvas.save()
    started = time.process_time()
    extract = load(path)
    assert time.process_time() - started < 20
    assert len(extract.pages) == 200
    assert extract.text.count(FIRST) == extract.text.count(SECOND) == 600
    assert "Haushaltsplan" not in extract.text
    assert "– 17 –" not in extract.text
