"""Pure: from the cells of a table, in whatever program it was made, to lines that can be understood alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.loaders.base import table_lines

# Names of columns are short; more characters make a sentence.
_LONGEST_NAME = 80
# In a table of two columns, a row with the left cell alone is a remark if it is longer than this.
_LONGEST_LABEL = 40
_LONGEST_VALUE = 40
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_VALUE = re.compile(
    r"[<>~±+–-]?\s*(?:[€$£]|EUR\s|ca\.\s)?\s*\d[\d., '/:-]*\s*"
    r"(?:%|‰|€|\$|£|T€|Tsd\.(?: €)?|(?:Mio|Mrd)\.(?: €| Euro)?|[a-zA-Złµ²³°]{1,4})?"
    r"|\d{1,2}\.\s?[A-Za-zäöü]{3,9}\.?\s\d{4}|WAHR|FALSCH|x|–|-",
    re.IGNORECASE,
)

Rows = Sequence[Sequence[str]]


def grid_lines(rows: Rows, *, header_rows: int = 0, bold_first: bool = False, expect_header: bool = False) -> list[str]:
    """Return one line a row: cells are named by the header, remarks and captions that stand alone are left so.

    Args:
        rows: the texts of the cells; empty rows and columns are left out.
        header_rows: how many rows the file itself marks as header; 0 where it marks none.
        bold_first: the first row is bold and the second is not.
        expect_header: there is a header unless the first row speaks against it.
    """
    grid = _without_empty([[" ".join(cell.split()) for cell in row] for row in rows])
    lines: list[str] = []
    while len(grid) > 1 and not header_rows and len(grid[0]) > 1 and _is_alone(grid[0]):
        lines.append("".join(grid[0]))
        grid = _without_empty(grid[1:])
    if grid and 0 < header_rows < len(grid):
        names, body = _joined(grid[:header_rows]), grid[header_rows:]
    elif has_header(grid, bold_first=bold_first or header_rows > 0, expected=expect_header):
        names, body = grid[0], grid[1:]
    else:
        names, body = [], grid
    return lines + _rows(names, body)


def has_header(grid: Rows, *, bold_first: bool = False, expected: bool = False) -> bool:
    """Tell whether the first row of a table without empty columns names what stands below it."""
    if len(grid) < 2 or len(grid[0]) < 2:
        return False
    names = grid[0]
    filled = [name for name in names if name]
    if len(filled) < 2 or len(filled) < len(names) / 2 or any(len(name) > _LONGEST_NAME for name in filled):
        return False
    told_apart = False
    for column, name in enumerate(names):
        below = [row[column] for row in grid[1:] if row[column]]
        values = sum(_is_value(cell) for cell in below)
        if name and _is_value(name):
            # Years name columns, unless the column itself holds years.
            if not _YEAR.fullmatch(name) or any(_YEAR.fullmatch(cell) for cell in below):
                return False
            told_apart = told_apart or values > 0
        elif name and values > len(below) / 2:
            told_apart = True
    if told_apart or bold_first or expected:
        return True
    # Words over words: in two columns they may be names and values, in more they are names of columns.
    short = all(not name.endswith((":", ",", "!", "?")) for name in filled)
    return len(names) > 2 and len(filled) >= len(names) - 1 and len(set(filled)) == len(filled) and short


def _rows(names: Sequence[str], body: Rows) -> list[str]:
    lines: list[str] = []
    together: list[Sequence[str]] = []

    def finish() -> None:
        if together:
            lines.extend(table_lines([names, *together] if names else together, header=bool(names)))
            together.clear()

    for row in body:
        if names and _is_alone(row) and row[0] and (len(row) > 2 or len(row[0]) > _LONGEST_LABEL):
            finish()
            lines.append(row[0])
        else:
            together.append(row)
    finish()
    return lines


def _is_value(cell: str) -> bool:
    return len(cell) <= _LONGEST_VALUE and _VALUE.fullmatch(cell) is not None


def _is_alone(row: Sequence[str]) -> bool:
    return sum(map(bool, row)) == 1


def _joined(header: Rows) -> list[str]:
    """Return the names of columns whose header has several rows: "Einwohner männlich"."""
    width = max(map(len, header))
    columns = ([row[column] for row in header if column < len(row)] for column in range(width))
    return [" ".join(dict.fromkeys(filter(None, column))) for column in columns]


def _without_empty(rows: Rows) -> list[list[str]]:
    """Return rows of one length without those rows and columns that hold nothing."""
    filled = [row for row in rows if any(row)]
    width = max(map(len, filled), default=0)
    padded = [[*row, *[""] * (width - len(row))] for row in filled]
    used = [column for column in range(width) if any(row[column] for row in padded)]
    return [[row[column] for column in used] for row in padded]
