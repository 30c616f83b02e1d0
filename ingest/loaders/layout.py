"""Pure: from pieces of text with positions on a page to lines and paragraphs in reading order.

Coordinates are in points, `top` and `bottom` grow downwards. Columns are found by cutting the page at the gaps between
its pieces (the recursive XY-cut of Nagy and Seth, 1984), with one change: what spans a gap, such as a headline over two
columns, does not hide it but divides the page into bands, each read column by column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from ingest.lines import continues, is_item


@dataclass(frozen=True, slots=True)
class Part:
    """Words of a piece that no gap parts which might be one between cells."""

    left: float
    right: float
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stand side by side without a gap as wide as one between columns. `size` is the type's, in points.

    `is_row` tells that they are a whole row of a table, which lines on the page made known.
    """

    left: float
    right: float
    top: float
    bottom: float
    text: str
    parts: tuple[Part, ...]
    size: float
    bold: bool
    is_row: bool = False

    @property
    def middle(self) -> float:
        """Vertical middle."""
        return (self.top + self.bottom) / 2


@dataclass(slots=True)
class Block:
    """Lines that belong together: a heading, a paragraph, a list item or a table row.

    `apart` tells whether more than the usual space is above it, `begins_column` whether nothing at all is; `full` tells
    whether its last line reaches the right edge of the column, so that the text may go on in the next one.
    """

    lines: list[str]
    size: float
    bold: bool
    apart: bool
    begins_column: bool = False
    full: bool = False
    is_row: bool = False


def rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces that stand on one line, across all columns, from top to bottom and left to right."""
    found: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        # Half of the smaller type: exponents and larger first letters stay on their line.
        if found and piece.middle - found[-1][0].middle < 0.5 * min(piece.size, found[-1][0].size):
            found[-1].append(piece)
        else:
            found.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in found]


# --- Columns ----------------------------------------------------------------------------------------------------------

# Narrower gaps are spaces between words that happen to stand below each other, in multiples of the type size.
_NARROWEST_GUTTER = 0.8
# The widest page that the PDF format allows, in points; more is a damaged position.
_WIDEST_PAGE = 14_400
# A column has at least this many lines; fewer beside each other are a head, a foot or a caption.
_FEWEST_LINES = 3
# At most this share of the lines may span a gutter.
_MOST_SPANNING = 0.34
# Cells stand on the height of those beside them; columns of text do so by chance, or throughout on a grid.
_ALIGNED = 0.5
# Of the lines of running text, at least this share goes on in lower case or behind a hyphen; cells begin anew.
_RUNNING = 0.15
# Characters of a line in the narrowest column beside another.
_SHORTEST_COLUMN = 12
# Lines as close as those of the text beside them are a list or an address; labels of a table have gaps between them.
_DENSE = 0.6


def regions(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces of each column, or of each band that no column divides, in reading order."""
    gutter = _gutter(pieces)
    if gutter is None:
        if pieces:
            yield list(pieces)
        return
    band: list[Piece] = []
    spanning: list[Piece] = []
    for row in rows(pieces):
        if any(piece.left < gutter < piece.right for piece in row) or _ends_spanning(row, spanning, gutter):
            yield from _columns(band, gutter)
            band = []
            spanning += row
        else:
            if spanning:
                yield spanning
                spanning = []
            band += row
    yield from _columns(band, gutter)
    if spanning:
        yield spanning


def _ends_spanning(row: Sequence[Piece], spanning: Sequence[Piece], gutter: float) -> bool:
    """Tell whether a row is the short last line of a headline or paragraph that spans the columns."""
    if not spanning or row[-1].right > gutter:
        return False
    same_type = abs(row[0].size - spanning[-1].size) < _OTHER_SIZE * row[0].size
    return same_type and row[0].middle - spanning[-1].middle < _LEADING * row[0].size


def _columns(band: Sequence[Piece], gutter: float) -> Iterator[list[Piece]]:
    yield from regions([piece for piece in band if piece.right <= gutter])
    yield from regions([piece for piece in band if piece.left >= gutter])


def _gutter(pieces: Sequence[Piece]) -> float | None:
    """Return the middle of the clearest vertical gap between two columns, None where there are no columns."""
    if len(pieces) < 2 * _FEWEST_LINES:
        return None
    size = median(piece.size for piece in pieces)
    start = min(piece.left for piece in pieces)
    width = max(piece.right for piece in pieces) - start
    if not width < _WIDEST_PAGE:
        return None
    # How many pieces cover each point of the width.
    steps = [0] * (int(width) + 2)
    for piece in pieces:
        steps[int(piece.left - start)] += 1
        steps[int(piece.right - start) + 1] -= 1
    coverage = list(accumulate(steps[:-1]))
    for level in sorted(set(coverage)):
        if level > _MOST_SPANNING * len(pieces):
            break
        gaps = [gap for gap in _runs_at_most(coverage, level) if gap[1] - gap[0] >= _NARROWEST_GUTTER * size]
        for begin, end in sorted(gaps, key=lambda gap: gap[0] - gap[1]):
            gutter = start + (begin + end) / 2
            if _divides(pieces, gutter):
                return gutter
    return None


def _runs_at_most(coverage: Sequence[int], level: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    begin: int | None = None
    for point, count in enumerate([*coverage, level + 1]):
        if count <= level:
            begin = point if begin is None else begin
        elif begin is not None:
            runs.append((begin, point))
            begin = None
    return runs


def _divides(pieces: Sequence[Piece], gutter: float) -> bool:
    """Tell whether columns of text, not cells of a table, stand on both sides of the gutter."""
    left = rows([piece for piece in pieces if piece.right <= gutter])
    right = rows([piece for piece in pieces if piece.left >= gutter])
    sparser, denser = sorted((left, right), key=len)
    if len(sparser) < _FEWEST_LINES:
        return False
    heights = [row[0].middle for row in denser]
    tolerance = 0.25 * median(row[0].size for row in denser)
    aligned = sum(any(abs(row[0].middle - height) <= tolerance for height in heights) for row in sparser)
    if aligned < _ALIGNED * len(sparser):
        return True
    # Last words of lines that were spaced out to fill a column, one below the other, are no column.
    if median(sum(len(piece.text) for piece in row) for row in sparser) < _SHORTEST_COLUMN:
        return False
    return _runs_on(denser) and (_runs_on(sparser) or _is_dense(sparser, denser))


def _runs_on(column: Sequence[Sequence[Piece]]) -> bool:
    """Tell whether the lines of a column are running text."""
    on = sum(above[-1].text.endswith("-") or below[0].text[0].islower() for above, below in pairwise(column))
    return on >= _RUNNING * len(column)


def _is_dense(column: Sequence[Sequence[Piece]], beside: Sequence[Sequence[Piece]]) -> bool:
    """Tell whether most lines of a column follow each other as closely as those of the text beside it."""
    usual = median(below[0].middle - above[0].middle for above, below in pairwise(beside))
    close = sum(below[0].middle - above[0].middle < _SPACED * usual for above, below in pairwise(column))
    return close >= _DENSE * (len(column) - 1)


# --- Lines and paragraphs ---------------------------------------------------------------------------------------------

# A gap within a line that is wider than this, in multiples of the type size, parts the cells of a table row.
_CELL_GAP = 2.5
# A narrower one does so if the next line has a gap at the same place, this wide, and text set flush with it.
_SHARED_GAP = 0.5
# Gaps, and edges, that differ by less, in multiples of the type size, are the same.
_SAME_GAP = 0.15
_CELL_BAR = " | "
# Space above a line, in multiples of the usual distance of lines, that begins a new paragraph.
_SPACED = 1.3
# The closest that lines are ever set, in multiples of the type size.
_TIGHT = 1.0
# Lines further apart than this multiple of the type size do not belong to one paragraph.
_LEADING = 1.6
# An indent of the first line, in multiples of the type size.
_INDENT = 0.7
# Type that differs by more than this is another kind of text.
_OTHER_SIZE = 0.12
# Type that is larger than running text by this factor is a heading.
HEADING_SIZE = 1.15
# A line that ends this near the right edge, as a share of the width, is full.
_NEARLY_FULL = 0.12
# No address is as wide, in multiples of the type size: a line that reaches the edge of such a column was wrapped there.
_WIDE_COLUMN = 25
# A line that fills less of the column was ended on purpose, however long the next word: an e-mail address, say.
_SHORTEST_WRAPPED = 0.6
# A word of wide letters is longer than its number of characters tells, by up to this factor.
_WIDE_LETTERS = 1.15


@dataclass(frozen=True, slots=True)
class _Line:
    left: float
    right: float
    bottom: float
    text: str
    size: float
    bold: bool
    is_row: bool


def blocks(region: Sequence[Piece], body_size: float) -> list[Block]:
    """Return the paragraphs, headings, list items and table rows of one column, from top to bottom.

    `body_size` is the type size of the document's running text.
    """
    lines = _lines(rows(region))
    left, right = min(line.left for line in lines), _right_edge(lines)
    # Distances of lines in multiples of the type size, so that headlines and small print go by the same measure.
    leadings = sorted(
        (below.bottom - above.bottom) / below.size for above, below in pairwise(lines) if not _differs(above, below)
    )
    # The lower middle one: in a list of short paragraphs, half of them are wider.
    usual = leadings[(len(leadings) - 1) // 2] if leadings else 0.0
    found: list[Block] = []
    first = previous = lines[0]
    for line in lines:
        spaced = line.bottom - previous.bottom > _SPACED * max(usual, _TIGHT) * line.size
        in_table = bool(found) and line.is_row and found[-1].is_row
        # However close the text is set to a table, it is apart from it.
        edge = bool(found) and line.is_row != found[-1].is_row
        apart = not found or edge or _differs(previous, line) or (spaced and not in_table)
        if (
            not apart
            and _joins(found[-1], first, previous, line)
            and (
                line.size > HEADING_SIZE * body_size  # lines of a headline are broken where it looks well
                or continues(previous.text, line.text, 0)
                or (right is not None and _wrapped(previous, line, left, right))
            )
        ):
            found[-1].lines.append(line.text)
        else:
            found.append(Block([line.text], line.size, line.bold, apart, not found, is_row=line.is_row))
            first = line
        found[-1].full = right is not None and right - line.right < line.size
        previous = line
    return found


def _right_edge(lines: Sequence[_Line]) -> float | None:
    """Return where full lines end, None where the lines are those of an address or a list, which none fills."""
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    full = sum(right - line.right < _NEARLY_FULL * (right - left) for line in lines)
    wide = right - left > _WIDE_COLUMN * lines[0].size
    return right if wide or full >= _FEWEST_LINES else None


def _joins(block: Block, first: _Line, previous: _Line, line: _Line) -> bool:
    """Tell whether `line` may belong to `block`, which begins with `first`, by its kind and its indent."""
    if block.is_row or line.is_row or is_item(line.text, block.lines):
        return False
    hanging = is_item(first.text, ()) and line.left > first.left
    return hanging or line.left <= max(first.left, previous.left) + _INDENT * line.size


def _lines(found: Sequence[Sequence[Piece]]) -> list[_Line]:
    """Return each row of pieces as one line; the cells of a table row are parted by bars."""
    left, right = min(row[0].left for row in found), max(row[-1].right for row in found)
    rows_of_parts = [[part for piece in row for part in piece.parts] for row in found]
    sizes = [max(row, key=lambda piece: len(piece.text)).size for row in found]
    stretched = [_is_stretched(parts, size, left, right) for parts, size in zip(rows_of_parts, sizes, strict=True)]
    lines = []
    for index, (row, parts, size) in enumerate(zip(found, rows_of_parts, sizes, strict=True)):
        beside = [near for near in (index - 1, index + 1) if 0 <= near < len(found) and not stretched[near]]
        neighbours = [rows_of_parts[near] for near in beside]
        text = parts[0].text
        is_row = any(piece.is_row for piece in row)
        for part, following in pairwise(parts):
            parted = not stretched[index] and _parts_cells(part, following, neighbours, size)
            is_row = is_row or parted
            # "Telefon:" and its number read well without a bar.
            text += (_CELL_BAR if parted and not part.text.endswith(":") else " ") + following.text
        bold = all(piece.bold for piece in row)
        lines.append(_Line(row[0].left, row[-1].right, row[0].bottom, text, size, bold, is_row))
    return lines


def _is_stretched(parts: Sequence[Part], size: float, left: float, right: float) -> bool:
    """Tell whether a line was spaced out to fill the column: gaps alike, between single words, edge to edge."""
    if any(" " in part.text for part in parts) or parts[0].left - left > size or right - parts[-1].right > size:
        return False
    gaps = [following.left - part.right for part, following in pairwise(parts)]
    return bool(gaps) and max(gaps) - min(gaps) < _SAME_GAP * size


def _parts_cells(part: Part, following: Part, neighbours: Sequence[Sequence[Part]], size: float) -> bool:
    """Tell whether the gap between two parts is wide, or goes on in the line above or below, with text flush to it."""
    if is_item(f"{part.text} x", ()):
        return False
    if following.left - part.right > _CELL_GAP * size:
        return True
    return any(
        min(following.left, second.left) - max(part.right, first.right) > _SHARED_GAP * size
        and min(abs(following.left - second.left), abs(following.right - second.right)) < _SAME_GAP * size
        for row in neighbours
        for first, second in pairwise(row)
    )


def _differs(above: _Line, below: _Line) -> bool:
    return abs(above.size - below.size) > _OTHER_SIZE * min(above.size, below.size) or above.bold != below.bold


def _wrapped(previous: _Line, line: _Line, left: float, right: float) -> bool:
    """Tell whether the first word of `line` would not have fitted behind `previous`: the break is no choice."""
    if previous.right - left < _SHORTEST_WRAPPED * (right - left):
        return False
    per_character = (line.right - line.left) / max(1, len(line.text))
    word = line.text.split(" ", 1)[0]
    return right - previous.right < _WIDE_LETTERS * (len(word) + 1) * per_character
