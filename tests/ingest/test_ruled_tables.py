"""Tables on PDF pages whose cells are parted by lines, references to footnotes, and hyphens that spacing sets apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from ingest.loaders import load

CELL = ParagraphStyle("cell", fontName="Helvetica", fontSize=10, leading=12)
NAME = ParagraphStyle("name", parent=CELL, fontName="Helvetica-Bold")
TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=11, leading=14)
GRID = [("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "TOP")]
ROWS = [
    ("Leistung", "Zuständig", "Gebühr"),
    ("Personalausweis", "Bürgeramt", "37,00"),
    ("Zuschlag für einen Reisepass im Expressverfahren bei Antrag bis 11 Uhr", "Bürgeramt am Markt", "32,00"),
    ("Urkunde", "Standesamt im Schloss", "12,00"),
]
NAMED = [" | ".join(f"{name}: {cell}" for name, cell in zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]


def page(path: Path, *story: object) -> list[str]:
    """Make a page of the story and return the lines that were read from it."""
    SimpleDocTemplate(str(path), pagesize=A4).build(list(story))
    return [line for line in load(path).text.split("\n") if line]


def table(rows: list[tuple[str, ...]], *commands: object, widths: tuple[int, ...] = (150, 75, 60)) -> Table:
    cells = [[Paragraph(cell, CELL if number else NAME) for cell in row] for number, row in enumerate(rows)]
    return Table(cells, colWidths=widths, style=TableStyle([*GRID, *commands]))


def test_cells_of_several_lines_stay_in_their_row_and_get_their_name(tmp_path: Path) -> None:
    above, below = "Der Rat hat die Gebühren festgesetzt.", "Auskünfte sind frei."
    lines = page(tmp_path / "a.pdf", Paragraph(above, TEXT), table(ROWS), Paragraph(below, TEXT))
    assert lines == [above, *NAMED, below]


def test_a_table_drawn_on_a_page_that_lies_on_its_side_is_read(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setPageRotation(90)
    canvas.rotate(90)
    made = table(ROWS)
    made.wrapOn(canvas, 500, 500)
    made.drawOn(canvas, 100, -300)
    canvas.save()
    assert load(tmp_path / "a.pdf").text.split("\n") == NAMED


def test_merged_cells_give_their_text_once(tmp_path: Path) -> None:
    rows = [("Ausweise", "", ""), *ROWS]
    lines = page(tmp_path / "a.pdf", table(rows, ("SPAN", (0, 0), (2, 0))))
    assert lines == ["Ausweise", *NAMED]


def test_frames_and_long_fields_are_no_table(tmp_path: Path) -> None:
    text = "Die Stadt lädt zur Versammlung in den Saal ein und bittet um Anmeldung bis Freitag. " * 6
    assert page(tmp_path / "a.pdf", table([("Hinweis",), (text,)], widths=(400,)))[0] == "Hinweis"
    lines = page(tmp_path / "b.pdf", table([("Links", "Rechts"), (text, text)], widths=(220, 220)))
    assert not any("Links: " in line for line in lines)
    assert sum(line.count("bittet um Anmeldung") for line in lines) == 12


def test_thousands_of_lines_are_a_drawing(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    for number in range(700):
        canvas.line(50, 100 + number, 500, 100 + number) if number % 4 == 0 else None
        canvas.line(50 + number * 0.6, 100, 50 + number * 0.6, 800)
    canvas.drawString(60, 820, "Lageplan des Gewerbegebiets")
    canvas.save()
    assert load(tmp_path / "a.pdf").text == "Lageplan des Gewerbegebiets"


# --- Footnotes and hyphens --------------------------------------------------------------------------------------------


def test_references_to_footnotes_leave_the_sentence_and_exponents_stay(tmp_path: Path) -> None:
    body = (
        "Die Anlage deckt den Bedarf.<super>1</super> Sie ist 40 km<super>2</super> groß, wie das Amt"
        "<super>2</super> mitteilt, und gilt seit Mai.<super>3</super> Mehr ist nicht bekannt."
    )
    note = ParagraphStyle("note", parent=TEXT, fontSize=8)
    notes = [Paragraph(f"{mark} {text}", note) for mark, text in ((1, "Nach DIN."), ("<super>2</super>", "Bauamt."))]
    lines = page(tmp_path / "a.pdf", Paragraph(body, TEXT), *notes)
    assert " ".join(lines) == (
        "Die Anlage deckt den Bedarf. Sie ist 40 km2 groß, wie das Amt mitteilt, und gilt seit Mai.3 "
        "Mehr ist nicht bekannt. 1 Nach DIN. 2 Bauamt."
    )


@pytest.mark.parametrize(("gap", "expected"), [(1.2, "den Energiebedarf der"), (3.6, "den Energie - bedarf der")])
def test_a_hyphen_that_spacing_sets_apart_still_cuts_its_word(tmp_path: Path, gap: float, expected: str) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setFont("Times-Roman", 11)
    left, words = (
        50.0,
        "Eine Wärmepumpe und eine Anlage auf dem Dach decken mehr als die Hälfte von den Energie".split(),
    )
    for word in words:
        canvas.drawString(left, 700, word)
        left += canvas.stringWidth(word) + 3.5
    canvas.drawString(left - 3.5 + gap, 700, "-")
    for number, line in enumerate(
        simpleSplit("bedarf der Schule, und das an fast allen Tagen.", "Times-Roman", 11, 400)
    ):
        canvas.drawString(50, 686 - 14 * number, line)
    canvas.save()
    assert expected in load(tmp_path / "a.pdf").text
