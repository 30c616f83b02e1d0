"""Office documents as a list of blocks, and how such a list is written as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from ingest.cleaning import normalise
from ingest.lines import join_hyphens, vocabulary
from ingest.loaders.base import Draft
from ingest.loaders.tables import grid_lines

# A heading fits on a line or two; a paragraph that carries the style of one by mistake does not.
_LONGEST_HEADING = 250
# Bold type with more characters is emphasis.
_LONGEST_BOLD_HEADING = 110
# A cell with more text is no cell: the table lays out the page.
_LONGEST_CELL = 400


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; it may span columns, and may go on with the cell above it."""

    blocks: tuple[Block, ...] = ()
    columns: int = 1
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table, in the order of the text.

    `text` holds "\\n" where a line break was forced; that of an item begins with its bullet or number. `late` blocks,
    such as footnotes and text boxes, are written at the end of their section. `page` begins a page with that label.
    """

    kind: Literal["paragraph", "heading", "item", "table"]
    text: str = ""
    rows: tuple[tuple[Cell, ...], ...] = ()
    header_rows: int = 0
    bold: bool = False
    late: bool = False
    page: str | None = None


@dataclass(slots=True)
class Line:
    """The text of a paragraph while it is being read, and how much of it is bold."""

    pieces: list[str] = field(default_factory=list)
    letters: int = 0
    bold_letters: int = 0

    def add(self, text: str, *, bold: bool = False) -> None:
        """Add a piece of text."""
        self.pieces.append(text)
        letters = sum(map(str.isalnum, text))
        self.letters += letters
        self.bold_letters += letters if bold else 0

    @property
    def text(self) -> str:
        """All that was added."""
        return "".join(self.pieces)

    @property
    def bold(self) -> bool:
        """Whether all letters are bold."""
        return 0 < self.letters == self.bold_letters


def as_late(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks that are written at the end of the section; their headings begin none."""
    return [
        replace(block, late=True, kind="paragraph" if block.kind == "heading" else block.kind)
        for block in blocks
        if block.text.strip() or block.rows
    ]


def first_heading(blocks: Iterable[Block]) -> str | None:
    """Return the text of the first heading."""
    found = (" ".join(normalise(block.text).split()) for block in blocks if block.kind == "heading" and not block.late)
    return next(filter(None, found), None)


def with_bold_headings(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks of a document that has no headings of its own with its short bold lines as headings."""
    if any(block.kind == "heading" for block in blocks):
        return list(blocks)
    spoken = [block for block in blocks if not block.late and (block.text.strip() or block.rows)]
    above = {id(block) for block, below in pairwise(spoken) if _heads(block, below)}
    return [replace(block, kind="heading") if id(block) in above else block for block in blocks]


def _heads(block: Block, below: Block) -> bool:
    text = block.text.strip()
    return (
        block.kind == "paragraph"
        and block.bold
        and len(text) <= _LONGEST_BOLD_HEADING
        and "\n" not in text
        and not text.endswith((".", ",", ";", ":", "!"))
        # Of a title and the lines below it in bold, each may be a heading, but the last line of a text is none.
        and (not below.bold or below.kind != "paragraph" or len(below.text) <= _LONGEST_BOLD_HEADING)
    )


def write_blocks(blocks: Sequence[Block], draft: Draft) -> None:
    """Write blocks into a draft."""
    _Writer(draft, vocabulary(normalise(" ".join(_texts(blocks))))).write(blocks)


def _texts(blocks: Iterable[Block]) -> Iterable[str]:
    for block in blocks:
        yield block.text
        for row in block.rows:
            for cell in row:
                yield from _texts(cell.blocks)


class _Writer:
    def __init__(self, draft: Draft, words: frozenset[str]) -> None:
        self._draft = draft
        self._words = words
        self._late: list[Block] = []
        self._in_list = False
        self._page = ""

    def write(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if block.page is not None:
                self._finish_section()
                self._page = "\f"
            if block.late:
                self._late.append(block)
            else:
                self._block(block)
        self._finish_section()

    def _finish_section(self) -> None:
        late, self._late = self._late, []
        for block in late:
            self._block(block)
        self._in_list = False

    def _block(self, block: Block) -> None:
        if block.kind == "table":
            self._table(block)
            return
        lines = [line for line in map(self._clean, block.text.split("\n")) if line]
        if not lines:
            return
        is_heading = block.kind == "heading" and not block.late
        if is_heading and sum(map(len, lines)) <= _LONGEST_HEADING:
            self._finish_section()
            self._draft.heading(self._begin(" ".join(lines)))
        else:
            self._lines(lines, below=block.kind == "item" and self._in_list)
            self._in_list = block.kind == "item"

    def _table(self, block: Block) -> None:
        self._in_list = False
        cells = [cell for row in block.rows for cell in row]
        widest = max((len(row) for row in block.rows), default=0)
        if widest == 1 or any(_lays_out(cell) for cell in cells):
            for cell in cells:
                for inner in cell.blocks:
                    self._block(inner)
        else:
            bold_first = [_is_bold(row) for row in block.rows[:2]] == [True, False]
            lines = grid_lines(self._grid(block), header_rows=block.header_rows, bold_first=bold_first)
            self._lines(lines, below=False)
        self._in_list = False

    def _grid(self, block: Block) -> list[list[str]]:
        """Return the texts of a table's cells; a cell that goes on over several rows stands in each of them."""
        grid: list[list[str]] = []
        for number, row in enumerate(block.rows):
            texts: list[str] = []
            for cell in row:
                above = grid[-1] if grid else []
                text = self._cell(cell)
                if cell.goes_on and not text and len(texts) < len(above):
                    text = above[len(texts)]
                # The name of several columns names each of them; a value is written once.
                texts += [text] + [text if number < block.header_rows else ""] * (cell.columns - 1)
            grid.append(texts)
        return grid

    def _cell(self, cell: Cell) -> str:
        """Return the paragraphs of a cell on one line; a comma parts those that no punctuation ends."""
        text = ""
        for block in cell.blocks:
            for line in filter(None, map(self._clean, block.text.split("\n"))):
                bare = line.removeprefix("• ")
                text += (" " if text.endswith((".", ",", ":", ";", "!", "?")) else ", " if text else "") + bare
        return text

    def _lines(self, lines: Sequence[str], *, below: bool) -> None:
        for index, line in enumerate(lines):
            (self._draft.line if index or below else self._draft.paragraph)(self._begin(line))

    def _begin(self, text: str) -> str:
        page, self._page = self._page, ""
        return page + text

    def _clean(self, text: str) -> str:
        return join_hyphens(" ".join(normalise(text).split()), self._words)


def _is_bold(row: Sequence[Cell]) -> bool:
    bold = [block.bold for cell in row for block in cell.blocks if block.text.strip()]
    return bool(bold) and all(bold)


def _lays_out(cell: Cell) -> bool:
    return (
        any(block.kind in ("table", "heading") for block in cell.blocks)
        or sum(len(block.text) for block in cell.blocks) > _LONGEST_CELL
    )
