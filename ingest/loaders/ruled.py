"""Tables whose cells are parted by lines on a page: found by the lines, so that cells of several lines stay together.

Coordinates are in points and grow rightwards and downwards, as in `layout`. Lines that touch make a grid; where a line
is missing between two fields of it, they are one cell. (So does the "lattice" method of Camelot.)
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from ingest.lines import join_wrapped
from ingest.loaders.layout import Part, Piece, rows
from ingest.loaders.tables import grid_lines

if TYPE_CHECKING:
    from pypdfium2 import PdfObject, PdfPage

# Lines that are nearer, in points, are one: a border is often drawn as a box of its thickness, and once for each cell.
_SAME = 2.5
# Shorter ones are dashes, ticks and underlines of a word.
_SHORTEST = 6.0
# Drawings and maps have more; looking at them would take time and find no table.
_MOST_SEGMENTS, _MOST_LINES = 20_000, 600
# A field with more text is a part of the page's layout, not a cell.
_LONGEST_CELL = 400
# Fewer cells with text are a frame around something.
_FEWEST_CELLS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line: at `at` across its direction, from `start` to `end` along it."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The lines on a page."""

    across: tuple[Line, ...] = ()
    down: tuple[Line, ...] = ()

    def part(self, left: float, right: float, middle: float) -> bool:
        """Tell whether a vertical line stands between `left` and `right` at the height `middle`."""
        low, high = min(left, right) - _SAME / 2, max(left, right) + _SAME / 2
        return any(low <= line.at <= high and line.start <= middle <= line.end for line in self.down)


# --- The lines of a page ----------------------------------------------------------------------------------------------


def page_rules(page: PdfPage, turn: int = 0) -> Rules:
    """Return the horizontal and vertical lines that a page draws, seen with its text turned upright."""
    import pypdfium2.raw as pdfium

    across: list[Line] = []
    down: list[Line] = []
    count = 0
    for drawn in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=1):
        count += pdfium.FPDFPath_CountSegments(drawn.raw)
        if count > _MOST_SEGMENTS:
            return Rules()
        for (left, top), (right, bottom) in _strokes(drawn, turn):
            if abs(top - bottom) < _SAME / 2 and abs(right - left) > _SHORTEST:
                across.append(Line((top + bottom) / 2, min(left, right), max(left, right)))
            elif abs(left - right) < _SAME / 2 and abs(bottom - top) > _SHORTEST:
                down.append(Line((left + right) / 2, min(top, bottom), max(top, bottom)))
    joined = Rules(tuple(_joined(across)), tuple(_joined(down)))
    return joined if max(len(joined.across), len(joined.down)) <= _MOST_LINES else Rules()


Point = tuple[float, float]


def _strokes(drawn: PdfObject, turn: int) -> Iterator[tuple[Point, Point]]:
    """Yield the straight parts of a path; y grows downwards."""
    import ctypes

    import pypdfium2.raw as pdfium

    matrix = drawn.get_matrix()
    x, y = ctypes.c_float(), ctypes.c_float()
    begin = last = None
    for index in range(pdfium.FPDFPath_CountSegments(drawn.raw)):
        segment = pdfium.FPDFPath_GetPathSegment(drawn.raw, index)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        point = _upright(matrix.on_point(x.value, y.value), turn)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            begin = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO and last is not None:
            yield last, point
        last = point
        if pdfium.FPDFPathSegment_GetClose(segment) and begin is not None:
            yield last, begin
            last = begin


def _upright(point: Point, turn: int) -> Point:
    """Return a point of the page where it is once text that is turned by so many quarters stands upright."""
    x, y = point
    return ((x, -y), (-y, -x), (-x, y), (y, x))[turn]


def _joined(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield lines put together from pieces that lie on, or behind, each other."""
    levels: list[list[Line]] = []
    for line in sorted((line for line in lines if math.isfinite(line.at + line.start + line.end)), key=_at):
        if levels and line.at - levels[-1][0].at < _SAME:
            levels[-1].append(line)
        else:
            levels.append([line])
    for level in levels:
        at = median(line.at for line in level)
        start, end = math.nan, math.nan
        for line in sorted(level, key=lambda line: line.start):
            if line.start - end < _SAME:
                end = max(end, line.end)
                continue
            if not math.isnan(start):
                yield Line(at, start, end)
            start, end = line.start, line.end
        yield Line(at, start, end)


def _at(line: Line) -> float:
    return line.at


# --- Tables -----------------------------------------------------------------------------------------------------------


def with_tables(pieces: Sequence[Piece], rules: Rules) -> list[Piece]:
    """Return the pieces of a page, with those in the cells of a table put together to one piece for each row."""
    left = list(pieces)
    found: list[Piece] = []
    for across, down in _grids(rules):
        xs, ys = sorted({line.at for line in down}), sorted({line.at for line in across})
        inside = [piece for piece in left if _field(piece, xs, ys) is not None]
        made = _table(inside, Rules(tuple(across), tuple(down)), xs, ys)
        if made:
            taken = set(map(id, inside))
            left = [piece for piece in left if id(piece) not in taken]
            found += made
    return left + found


def _grids(rules: Rules) -> Iterator[tuple[list[Line], list[Line]]]:
    """Yield the lines of each grid of at least two by two fields: those that touch, directly or through others."""
    waiting = set(rules.down)
    for first in rules.down:
        if first not in waiting:
            continue
        waiting.discard(first)
        down, across, new = [first], set[Line](), [first]
        while new:
            line = new.pop()
            crossing = [other for other in rules.across if other not in across and _touch(line, other)]
            across.update(crossing)
            more = [other for other in waiting if any(_touch(other, beside) for beside in crossing)]
            waiting.difference_update(more)
            down += more
            new += more
        if len({line.at for line in down}) > 2 and len({line.at for line in across}) > 2:
            yield sorted(across, key=_at), sorted(down, key=_at)


def _touch(down: Line, across: Line) -> bool:
    return across.start - _SAME <= down.at <= across.end + _SAME and down.start - _SAME <= across.at <= down.end + _SAME


def _field(piece: Piece, xs: Sequence[float], ys: Sequence[float]) -> tuple[int, int] | None:
    """Return the row and the column of the field that the middle of a piece lies in, None where that is outside."""
    row = bisect_right(ys, piece.middle) - 1
    # Its left edge: a line of a merged cell may reach over several fields.
    column = bisect_right(xs, min(piece.left + _SAME, (piece.left + piece.right) / 2)) - 1
    return (row, column) if 0 <= row < len(ys) - 1 and 0 <= column < len(xs) - 1 else None


def _table(pieces: Sequence[Piece], rules: Rules, xs: Sequence[float], ys: Sequence[float]) -> list[Piece]:
    """Return a piece for each line that the table gives, none where the grid holds no table."""
    cells: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces:
        field = _field(piece, xs, ys)
        if field is not None:
            cells.setdefault(_cell(field, rules, xs, ys), []).append(piece)
    texts = {field: _text(inside) for field, inside in cells.items()}
    if len(texts) < _FEWEST_CELLS or max(map(len, texts.values())) > _LONGEST_CELL:
        return []
    filled_rows = sorted({row for row, _ in texts})
    if len(filled_rows) < 2 or len({column for _, column in texts}) < 2:
        return []
    grid = [[texts.get((row, column), "") for column in range(len(xs) - 1)] for row in filled_rows]
    bold = [all(p.bold for (at, _), inside in cells.items() if at == row for p in inside) for row in filled_rows]
    lines = grid_lines(grid, bold_first=bold[0] and not bold[1])
    size = median(piece.size for piece in pieces)
    # One line a row from the last row upwards: what was taken for the header stands no more.
    tops = [ys[row] for row in filled_rows][-len(lines) :]
    bottoms = [ys[row + 1] for row in filled_rows][-len(lines) :]
    return [
        Piece(xs[0], xs[-1], top, bottom, line, (Part(xs[0], xs[-1], line),), size, bold=False, is_row=True)
        for line, top, bottom in zip(lines, tops, bottoms, strict=True)
    ]


def _cell(field: tuple[int, int], rules: Rules, xs: Sequence[float], ys: Sequence[float]) -> tuple[int, int]:
    """Return the first field of the cell that `field` belongs to: leftwards and upwards while no line is between."""
    row, column = field
    while column and not _covers(rules.down, xs[column], (ys[row] + ys[row + 1]) / 2):
        column -= 1
    while row and not _covers(rules.across, ys[row], (xs[column] + xs[column + 1]) / 2):
        row -= 1
    return row, column


def _covers(lines: Iterable[Line], at: float, along: float) -> bool:
    return any(line.at == at and line.start <= along <= line.end for line in lines)


def _text(pieces: Sequence[Piece]) -> str:
    return join_wrapped([" ".join(piece.text for piece in row) for row in rows(pieces)])
