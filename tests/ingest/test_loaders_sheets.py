"""Workbooks and text with separators: tables, headers, values as they are shown, what is hidden."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from ingest.loaders import Extract, load
from ingest.loaders.cells import shown
from tests.ingest.office_files import changed, pages, sections


def workbook(folder: Path, *fills: Callable[[Worksheet], None], names: tuple[str, ...] = ("Haushalt",)) -> Extract:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, fill in zip(names, fills, strict=True):
        fill(book.create_sheet(name))
    book.save(folder / "zahlen_der_stadt.xlsx")
    return load(folder / "zahlen_der_stadt.xlsx")


def rows(*values: tuple[object, ...]) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        for value in values:
            sheet.append(value)

    return fill


def test_a_sheet_is_a_page_and_its_rows_are_named_by_the_header(tmp_path: Path) -> None:
    def budget(sheet: Worksheet) -> None:
        sheet["A1"] = "Haushalt der Stadt Krefeld"
        sheet.merge_cells("A1:D1")
        rows(("Amt", "Stand", "Betrag", "Anteil"))(sheet)
        for amount, share in ((1234.56, 0.125), (1000, 0.5)):
            sheet.append(("Bauamt", datetime.date(2024, 3, 12), amount, share))
            sheet.cell(sheet.max_row, 2).number_format = "dd/mm/yyyy"
            sheet.cell(sheet.max_row, 3).number_format = '#,##0.00 "€"'
            sheet.cell(sheet.max_row, 4).number_format = "0.0%"
        rows(("Quelle: Kämmerei",), (), ("Telefon", "02151 86-0"), ("Ort", "Rathaus"))(sheet)

    extract = workbook(tmp_path, budget, rows(("Jahr", "Zahl"), (2024, 12)), rows(), names=("Plan", "Stellen", "Leer"))
    assert extract.text == (
        "Plan\n\nHaushalt der Stadt Krefeld\n"
        "Amt: Bauamt | Stand: 12.03.2024 | Betrag: 1.234,56 € | Anteil: 12,5%\n"
        "Amt: Bauamt | Stand: 12.03.2024 | Betrag: 1.000,00 € | Anteil: 50,0%\nQuelle: Kämmerei\n\n"
        "Telefon: 02151 86-0\nOrt: Rathaus\n\nStellen\n\nJahr: 2024 | Zahl: 12"
    )
    assert sections(extract) == ["Plan", "Stellen"]
    assert pages(extract) == [("Plan", "Plan"), ("Stellen", "Stellen")]
    assert extract.title == "Plan"


def test_a_sheet_without_a_name_of_its_own_gives_no_title(tmp_path: Path) -> None:
    assert workbook(tmp_path, rows(("Jahr", "Ort"), (1, "x")), names=("Tabelle1",)).title == "zahlen der stadt"


def test_what_is_hidden_is_left_out(tmp_path: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        rows(("Amt", "GEHEIM", "Ort"), ("Bau", "x", "Markt"), ("GEHEIM", "x", "y"), ("Schule", "x", "Ring"))(sheet)
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["B"].hidden = True

    def secret(sheet: Worksheet) -> None:
        sheet["A1"] = "GEHEIM"
        sheet.sheet_state = "veryHidden"

    text = workbook(tmp_path, hide, secret, names=("Ämter", "Geheim")).text
    # A hidden row does not part the table.
    assert text == "Ämter\n\nAmt: Ort\nBau: Markt\nSchule: Ring"


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ([("Amt", "Leitung", "Ort"), ("Bau", "Nowak", "Markt")], ["Amt: Bau | Leitung: Nowak | Ort: Markt"]),
        ([("", 2019, 2020), ("Altstadt", 5, 6)], ["Altstadt | 2019: 5 | 2020: 6"]),
        ([(1, 2, 3), (4, 5, 6)], ["1 | 2 | 3", "4 | 5 | 6"]),
        ([("Wann", "heute"), ("Wo", "Rathaus")], ["Wann: heute", "Wo: Rathaus"]),
        ([(None, "Jahr", None, "Zahl"), (None, 2014, None, True)], ["Jahr: 2014 | Zahl: WAHR"]),
        ([("Amt", "a", "b"), ("Nord",), ("x", "y", "z")], ["Nord", "Amt: x | a: y | b: z"]),
        ([("Nur eine Spalte",), ("zwei Zeilen",)], ["Nur eine Spalte", "zwei Zeilen"]),
        ([("Jahr", "Zahl"), (2014, 1), (), ("Ort", "m"), ("x", 5)], ["Jahr: 2014 | Zahl: 1", "", "Ort: x | m: 5"]),
    ],
)  # fmt: skip
def test_tables_are_parted_and_named(tmp_path: Path, table: list[tuple[object, ...]], lines: list[str]) -> None:
    assert workbook(tmp_path, rows(*table)).text.split("\n")[2:] == lines


def test_a_bold_first_row_is_a_header(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        rows(("Amt", "Leitung"), ("Bau", "Nowak"))(sheet)
        for cell in sheet[1]:
            cell.font = Font(bold=True)

    assert workbook(tmp_path, fill).text == "Haushalt\n\nAmt: Bau | Leitung: Nowak"


def test_merged_cells_give_their_value_once(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        rows(("Amt", "Jahr", "Zahl"), ("Bau", 2014, 1), ("Bau", 2015, 2))(sheet)

    workbook(tmp_path, fill)
    path = tmp_path / "zahlen_der_stadt.xlsx"
    merged = b'</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells>'
    changed(path, {"xl/worksheets/sheet1.xml": lambda data: data.replace(b"</sheetData>", merged)})
    assert load(path).text == "Haushalt\n\nAmt: Bau | Jahr: 2014 | Zahl: 1\nJahr: 2015 | Zahl: 2"


def test_formulas_errors_dates_and_inline_texts_count_by_what_was_saved(tmp_path: Path) -> None:
    workbook(tmp_path, rows(("x",)))
    path = tmp_path / "zahlen_der_stadt.xlsx"
    cells = (
        b'<sheetData><row><c><f>1+1</f><v>2</v></c><c t="str"><f>A1</f><v>Text</v></c><c t="e"><v>#DIV/0!</v></c>'
        b'<c t="inlineStr"><is><r><t>in</t></r><r><t>nen</t></r><rPh><t>WEG</t></rPh></is></c>'
        b'<c t="d"><v>2024-03-12T08:30:00</v></c><c><f>NOW()</f></c><c t="s"><v>99</v></c></row></sheetData>'
    )

    def change(data: bytes) -> bytes:
        return data[: data.index(b"<sheetData>")] + cells + data[data.index(b"</sheetData>") + 12 :]

    changed(path, {"xl/worksheets/sheet1.xml": change})
    assert load(path).text == "Haushalt\n\n2 | Text | innen | 12.03.2024 08:30"


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (1000.0, "General", "1000"),
        (0.1 + 0.2, "General", "0,3"),
        (1234.565, "#,##0.00", "1.234,57"),
        (-1234.5, '#,##0.00 "€"', "-1.234,50 €"),
        (1234.5, "#,##0.00\\ [$€-407]", "1.234,50 €"),
        (-5, '#,##0" €";[Red]-#,##0" €"', "-5 €"),
        (-5, "0;(0)", "(5)"),
        (0, '0;-0;"–"', "–"),
        (5, ";;;", ""),
        (0.125, "0%", "13%"),
        (0.125, "0.0\\ %", "12,5 %"),
        (1_234_567, '#,##0,"T€"', "1.235T€"),
        (1067, "00000", "01067"),
        (3.0, "0.##", "3"),
        (0.5, "#.00", "0,50"),
        (1e20, "0.00", "1e+20"),
        (0.5, "# ?/?", "0,5"),
        (45363, "dd.mm.yyyy", "12.03.2024"),
        (45363, "yyyy-mm-dd;@", "12.03.2024"),
        (45363.5, "d/m/yy h:mm", "12.03.2024 12:00"),
        (45363, "[$-407]d. mmmm yyyy", "12. März 2024"),
        (45363, "[$-F800]dddd, mmmm dd, yyyy", "Dienstag, 12. März 2024"),
        (45363, "mmm yy", "März 2024"),
        (45363, "yyyy", "2024"),
        (45363, "mm/yyyy", "03/2024"),
        (0.604166667, "h:mm AM/PM", "14:30"),
        (0.604166667, 'hh:mm" Uhr"', "14:30"),
        (1.520833333, "[h]:mm", "36:30"),
        (59, "d.m.yyyy", "28.02.1900"),
        (5, '0 "Tage"', "5 Tage"),
        (5, "Standard", "5"),
        (1e9, "dd.mm.yyyy", "1000000000"),
    ],
)
def test_numbers_are_written_as_their_cells_show_them(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_workbooks_may_count_from_1904() -> None:
    assert shown(45363 - 1462, "dd.mm.yyyy", since_1904=True) == "12.03.2024"


def test_a_million_empty_rows_take_no_time(tmp_path: Path) -> None:
    workbook(tmp_path, rows(("Jahr", "Zahl"), (2014, 7)))
    path = tmp_path / "zahlen_der_stadt.xlsx"
    empty = "".join(f'<row r="{n}" spans="1:3" s="1"><c r="A{n}" s="0"/></row>' for n in range(3, 1_000_000))

    def change(data: bytes) -> bytes:
        return data.replace(b"</sheetData>", f"{empty}</sheetData>".encode()).replace(b"A1:B2", b"A1:XFD1048576")

    changed(path, {"xl/worksheets/sheet1.xml": change})
    started = time.process_time()
    assert load(path).text == "Haushalt\n\nJahr: 2014 | Zahl: 7"
    assert time.process_time() - started < 10


# --- Text with separators ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", ";,\t|")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_with_any_separator_and_encoding(tmp_path: Path, separator: str, encoding: str) -> None:
    lines = ("Straße|Länge", '"Große, lange|Allee; West"|"1,5"', "Ring|2", '"zwei\nZeilen"|3')
    path = tmp_path / "straßen.csv"
    path.write_bytes("\r\n".join(line.replace("|", separator) for line in lines).encode(encoding))
    name = "Große, lange|Allee; West".replace("|", separator).replace("\t", " ")
    assert load(path).text == f"Straße: {name} | Länge: 1,5\nStraße: Ring | Länge: 2\nStraße: zwei Zeilen | Länge: 3"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Amt;Leitung\nBau;Nowak\n", "Amt: Bau | Leitung: Nowak"),
        ("Einwohner nach Jahr;;\nJahr;Zahl;Art\n2014;5;x\n", "Einwohner nach Jahr\nJahr: 2014 | Zahl: 5 | Art: x"),
        ("a;b\n1;2;mehr\n3\n\nc;d\n5;6\n", "a: 1 | b: 2 | mehr\n3\n\nc: 5 | d: 6"),
        ("nur\neine\nSpalte, mit Komma\n", "nur\neine\nSpalte, mit Komma"),
        ("sep=,\nJahr,Betrag\n2014,5\n", "Jahr: 2014 | Betrag: 5"),
        ("Jahr;Zahl\n2014;1.234,5\n2015;2.345,6\n", "Jahr: 2014 | Zahl: 1.234,5\nJahr: 2015 | Zahl: 2.345,6"),
        ("1;2\n3;4\n", "1: 2\n3: 4"),
        ('Amt;Ort\n"Bau;Markt\n' + "Schule;Ring\n" * 60, 'Amt: "Bau | Ort: Markt\n' + "Amt: Schule | Ort: Ring\n" * 60),
    ],
)  # fmt: skip
def test_csv_in_poor_shape_is_still_read(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, "utf-8")
    assert load(path).text == text.strip()
