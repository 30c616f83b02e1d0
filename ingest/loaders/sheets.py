"""Tables: Excel workbooks (.xlsx) and text with separators (.csv)."""

from __future__ import annotations

import csv
import io
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cleaning import normalise
from ingest.loaders.base import Draft, Extract, decode, read_bytes
from ingest.loaders.cells import BUILT_IN, shown
from ingest.loaders.office import (
    Archive,
    document_title,
    main_part,
    open_archive,
    related,
    whole_number,
)
from ingest.loaders.tables import grid_lines
from ingest.metadata import find_date, guess_title, named_title
from rag.errors import LoadError

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # type: ignore[import-untyped]

# A larger table is a database: no answer is found in its rows, and they would fill the memory.
_MOST_CELLS = 3_000_000
_MOST_CHARACTERS = 200_000_000
_MOST_COLUMNS = 16_384
# Cells and rows that only have a format; parsing millions of them takes half a minute. Hidden rows have a meaning.
_EMPTY = re.compile(
    rb'<(?:\w+:)?row (?=[^<>]*\br=")(?![^<>]*hidden)[^<>]*'
    rb'(?:/>|(?<!/)>\s*(?:<(?:\w+:)?c r="[^<>]*/>\s*)*+</(?:\w+:)?row>)'
)
_CELL_NAME = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


# --- Workbooks --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Formats:
    codes: list[str] = field(default_factory=list)  # by the number of a cell's style
    bold: list[bool] = field(default_factory=list)
    since_1904: bool = False


@dataclass(slots=True)
class _Sheet:
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    bold: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: list[int] = field(default_factory=list)


def load_xlsx(path: Path) -> Extract:
    """Read a workbook as it is shown: each sheet is a page and a section with its name, each row a line.

    Blank rows part tables, the first row of a table names its cells where it looks like a header. Formulas count by
    the value that was saved with them; hidden sheets, rows and columns are left out.
    """
    archive = open_archive(path, ".xlsx")
    main = main_part(archive) or ""
    workbook = archive.xml(main)
    relations = archive.relations(main)
    strings = _strings(archive, related(archive, main, "sharedStrings"))
    formats = _formats(archive.optional_xml(related(archive, main, "styles")))
    properties = workbook.find("workbookPr")
    formats.since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    sheets: list[tuple[str, list[str]]] = []
    budget = _MOST_CELLS
    for entry in workbook.iterfind("sheets/sheet"):
        relation = relations.get(entry.get("r_id", ""))
        if entry.get("state", "visible") == "visible" and relation is not None and relation.kind == "worksheet":
            sheet = _read_sheet(archive, relation.target, strings, formats, budget)
            budget -= sum(map(len, sheet.rows.values()))
            name = " ".join(normalise(entry.get("name", "")).split())
            lines = _sheet_lines(sheet)
            if lines:
                sheets.append((name, lines))
    draft = Draft([name for name, _ in sheets])
    for name, lines in sheets:
        draft.heading(f"\f{name}")
        _write(lines, draft)
    spoken = next((named for name, _ in sheets if (named := named_title(name))), None)
    title = document_title(archive, path.stem) or spoken or guess_title("", path.stem)
    return draft.extract(title, find_date(draft.extract().text))


def _strings(archive: Archive, part: str | None) -> list[str]:
    """Return the texts that the cells of all sheets refer to by number."""
    if part is None or part not in archive:
        return []
    strings: list[str] = []
    length = 0
    for element in archive.stream(part, "si"):
        strings.append(_rich_text(element))
        length += len(strings[-1])
        if length > _MOST_CHARACTERS:
            raise LoadError(
                f"has more than {_MOST_CHARACTERS:,} characters; split it, or leave out its raw data", "too large"
            )
    return strings


def _rich_text(element: Element) -> str:
    """Return the text of a cell without the pronunciation that may be noted with it."""
    parts = (text for text in element.iter("{*}t") if not text.getparent().tag.endswith("}rPh"))
    # Characters that XML cannot hold are written as _x000D_.
    return re.sub(r"_x00[01][0-9A-F]_", "\n", "".join(text.text or "" for text in parts))


def _formats(root: Element | None) -> _Formats:
    formats = _Formats()
    if root is None:
        return formats
    own = {whole_number(part.get("numFmtId")): part.get("formatCode", "") for part in root.iterfind("numFmts/numFmt")}
    bold = [font.find("b") is not None and font.find("b").get("val") != "0" for font in root.iterfind("fonts/font")]
    for style in root.iterfind("cellXfs/xf"):
        number = whole_number(style.get("numFmtId"))
        formats.codes.append(own.get(number) or BUILT_IN.get(number, "General"))
        font = whole_number(style.get("fontId"))
        formats.bold.append(0 <= font < len(bold) and bold[font])
    return formats


def _read_sheet(archive: Archive, part: str, strings: Sequence[str], formats: _Formats, budget: int) -> _Sheet:
    sheet = _Sheet()
    hidden_columns: list[range] = []
    hidden_by_default = False
    number = 0
    for element in archive.stream(part, "sheetFormatPr", "col", "row", "mergeCell", drop=_EMPTY):
        tag = element.tag.rpartition("}")[2]
        hidden = element.get("hidden") in ("1", "true")
        if tag == "sheetFormatPr":
            hidden_by_default = element.get("zeroHeight") in ("1", "true")
        elif tag == "col":
            if hidden:
                columns = range(whole_number(element.get("min"), 1), whole_number(element.get("max"), 1) + 1)
                hidden_columns.append(columns)
        elif tag == "row":
            number = whole_number(element.get("r"), number + 1)
            if hidden or (hidden_by_default and element.get("hidden") is None):
                sheet.hidden_rows.append(number)
            elif len(element):
                budget -= _read_row(sheet, number, element, strings, formats, hidden_columns)
                if budget < 0:
                    raise LoadError(
                        f"has more than {_MOST_CELLS:,} filled cells; split it, or leave out its raw data", "too large"
                    )
        else:
            _merge(sheet, element.get("ref", ""))
    return sheet


def _read_row(
    sheet: _Sheet,
    number: int,
    row: Element,
    strings: Sequence[str],
    formats: _Formats,
    hidden_columns: Sequence[range],
) -> int:
    """Take in the filled cells of a row; return how many there are."""
    cells: dict[int, str] = {}
    column = 0
    for cell in row:
        name = _CELL_NAME.fullmatch(cell.get("r", ""))
        column = _column(name[1]) if name else column + 1
        # Most cells of large sheets have a style and nothing in them.
        if not len(cell) or column > _MOST_COLUMNS or any(column in hidden for hidden in hidden_columns):
            continue
        style = whole_number(cell.get("s"))
        text = " ".join(normalise(_cell_text(cell, style, strings, formats)).split())
        if text:
            cells[column] = text
            if 0 <= style < len(formats.bold) and formats.bold[style]:
                sheet.bold.add((number, column))
    if cells:
        sheet.rows[number] = cells
    return len(cells)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _cell_text(cell: Element, style: int, strings: Sequence[str], formats: _Formats) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _rich_text(cell)
    value = cell.findtext("{*}v") or ""
    code = formats.codes[style] if 0 <= style < len(formats.codes) else "General"
    if not value or kind == "e":
        return ""  # "#DIV/0!" tells nothing
    if kind == "s":
        index = whole_number(value, -1)
        return strings[index] if 0 <= index < len(strings) else ""
    if kind == "b":
        return "FALSCH" if value == "0" else "WAHR"
    if kind == "d":
        day = re.match(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d))?", value)
        return f"{day[3]}.{day[2]}.{day[1]} {day[4] or ''}" if day else value
    if kind == "str":
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return shown(number, code, since_1904=formats.since_1904) if math.isfinite(number) else ""


def _merge(sheet: _Sheet, reference: str) -> None:
    """Leave the value of merged cells in the first of them alone."""
    corners = [_CELL_NAME.fullmatch(corner) for corner in reference.split(":")]
    if len(corners) != 2 or corners[0] is None or corners[1] is None:
        return
    left, right = (_column(corner[1]) for corner in corners if corner)
    top, bottom = (int(corner[2]) for corner in corners if corner)
    rows = range(top, bottom + 1) if bottom - top < len(sheet.rows) else list(sheet.rows)
    for number in rows:
        if top <= number <= bottom and number in sheet.rows:
            cells = sheet.rows[number]
            for column in [column for column in cells if left <= column <= right and (number, column) != (top, left)]:
                del cells[column]


def _sheet_lines(sheet: _Sheet) -> list[str]:
    """Return the lines of a sheet, "" between its tables."""
    lines: list[str] = []
    block: list[int] = []
    for number in sorted(sheet.rows):
        if not sheet.rows[number]:
            continue
        if block and number - block[-1] - 1 > _between(sheet.hidden_rows, block[-1], number):
            lines += ["", *_block_lines(sheet, block)]
            block = []
        block.append(number)
    return ([*lines, "", *_block_lines(sheet, block)] if block else lines)[1:]


def _between(numbers: Sequence[int], start: int, end: int) -> int:
    """Count the numbers, which are in order, between two others."""
    return bisect_left(numbers, end) - bisect_left(numbers, start + 1)


def _block_lines(sheet: _Sheet, block: Sequence[int]) -> list[str]:
    columns = sorted({column for number in block for column in sheet.rows[number]})
    grid = [[sheet.rows[number].get(column, "") for column in columns] for number in block]
    # Above the header may stand a caption, which spans the table.
    wide = [number for number in block if len(sheet.rows[number]) > 1][:2]
    bold = [all((number, column) in sheet.bold for column in sheet.rows[number]) for number in wide]
    return grid_lines(grid, bold_first=bold == [True, False])


def _write(lines: Sequence[str], draft: Draft) -> None:
    apart = True
    for line in lines:
        if line:
            (draft.paragraph if apart else draft.line)(line)
        apart = not line


# --- Text with separators ---------------------------------------------------------------------------------------------

_SEPARATORS = ";\t|,"
# Enough rows to tell the separator.
_SAMPLE_ROWS = 200
_SAMPLE = 200_000
# A quoted cell with more lines than this began with a quotation mark that was none.
_MOST_LINES = 50


def load_csv(path: Path) -> Extract:
    """Read a table with any usual separator and encoding; blank rows part tables, as in a workbook."""
    text = normalise(decode(read_bytes(path))).replace("\f", "\n")
    named = re.match(r"sep=(.)\n", text, re.IGNORECASE)
    separator = named[1] if named else _separator(text[:_SAMPLE])
    draft = Draft()
    grid: list[list[str]] = []
    for row in [*_csv_rows(text[named.end() :] if named else text, separator), []]:
        cells = [" ".join(cell.split()) for cell in row]
        if any(cells):
            grid.append(cells)
        elif grid:
            _write(grid_lines(grid, expect_header=True), draft)
            grid = []
    return draft.extract(published=find_date(draft.extract().text))


def _csv_rows(text: str, separator: str | None) -> Iterator[list[str]]:
    """Yield the rows; quotation marks count as characters where taking them for quotes would swallow rows."""
    if separator is None:
        yield from ([line] for line in text.split("\n"))
        return
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    except csv.Error:
        rows = []
    if not rows or any(cell.count("\n") > _MOST_LINES for row in rows for cell in row):
        rows = [line.split(separator) for line in text.split("\n")]
    yield from rows


def _separator(sample: str) -> str | None:
    """Return the character that parts the rows most evenly into most cells, None where most have but one."""

    def evenness(separator: str) -> tuple[float, int]:
        rows = [row for row in _csv_rows(sample, separator) if any(row)][:_SAMPLE_ROWS]
        lengths = Counter(len(row) for row in rows if len(row) > 1)
        if lengths.total() < len(rows) / 2 or not lengths:
            return 0.0, 0
        length, times = lengths.most_common(1)[0]
        return times / len(rows), length

    best = max(_SEPARATORS, key=evenness)
    return best if evenness(best)[1] else None
