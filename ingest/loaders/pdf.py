"""PDF files that have a text layer."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.boilerplate import page_furniture
from ingest.cleaning import normalise
from ingest.lines import continues, is_item, is_open, join_hyphens, join_wrapped, vocabulary
from ingest.loaders.base import Draft, Extract, file_kind, read_bytes
from ingest.loaders.layout import HEADING_SIZE, Block, Part, Piece, blocks, regions, rows
from ingest.metadata import find_date, named_title
from rag.errors import LoadError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage

# What pdfium puts in place of a hyphen at the end of a line.
_LINE_HYPHENS = "\x02\ufffe"
_WORD = re.compile(rf"[^\s{_LINE_HYPHENS}]+[{_LINE_HYPHENS}]?|[{_LINE_HYPHENS}]")
# Gaps between words that may part columns, or the cells of a table, in multiples of the height of a line.
_COLUMN_GAP = 1.0
_CELL_GAP = 0.6
_BOLD = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
# Words whose middles differ by more, in multiples of that height, stand on different lines.
_LINE_TOLERANCE = 0.5
# Text that a layer hides below a scan may have no size at all.
_SMALLEST_TYPE = 1.0
# Larger or bold type with more characters is an introduction, not a heading.
_LONGEST_HEADING = 160
# Type that is larger by this factor is a headline, even with a full stop.
_HEADLINE_SIZE = 1.5
# Less is a number or an initial.
_SHORTEST_TITLE = 4
# Sizes that differ by less, in points, are those of one text.
_SAME_SIZE = 0.6
# Lines of one text are closer, in multiples of the type size, than a running head is to it.
_FURNITURE_GAP = 0.5
# Captions and the like, in smaller type, between the parts of a paragraph.
_MOST_BETWEEN = 3
# A shorter line at the foot of a column is a caption or a cell, and no sentence that goes on.
_LEAST_CONTINUED = 20


@dataclass(frozen=True, slots=True)
class _Page:
    """The pieces of text on a page: those in its main direction, and those turned away from it, by direction."""

    main: list[Piece]
    turned: list[list[Piece]]


def load_pdf(path: Path) -> Extract:
    """Read a PDF file in reading order, with up to several columns a page; each page begins with a page mark.

    The mark's label is the printed page number where the file names one, else the number of the page, from 1.
    """
    data = read_bytes(path)
    kind = file_kind(data)
    if b"%PDF-" not in data[:1024]:
        raise LoadError(f"is not a PDF file{f' but {kind}' if kind else ''}; give it the extension of its format")
    if b"%%EOF" not in data:
        raise LoadError("is a broken PDF file: its end is missing; fetch it again")
    with closing(_open(data)) as document:
        named = _metadata_title(document)
        labels = [_page_label(document, index) for index in range(len(document))]
        pages = [_read_page(document, index) for index in range(len(document))]
    body_size = _body_size(pages)
    found = _joined(_blocks(_without_furniture(pages, body_size), body_size), body_size)
    draft = Draft(labels)
    headline = _write(found, body_size, draft)
    text = draft.extract().text
    if not any(character.isalnum() for character in text):
        raise LoadError("has no text layer: it is a scan and needs OCR, which this version cannot do")
    return draft.extract(named or headline, find_date(text))


def _open(data: bytes) -> PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise LoadError("is password-protected; remove the password and add the file again") from None
        raise LoadError("is a broken PDF file; open it in a PDF viewer and save it anew, or fetch it again") from None


# --- Pieces of text ---------------------------------------------------------------------------------------------------


def _read_page(document: PdfDocument, index: int) -> _Page:
    import pypdfium2

    by_turn: dict[int, list[Piece]] = {}
    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as textpage:
            for turn, piece in _pieces(_Characters(textpage)):
                by_turn.setdefault(turn, []).append(piece)
    except pypdfium2.PdfiumError:
        return _Page([], [])  # One damaged page does not take the others with it.
    main, *others = sorted(by_turn.values(), key=_letters, reverse=True) or [[]]
    return _Page(main, others)


def _letters(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces)


class _Characters:
    """The characters of a page, by index, as pdfium sees them."""

    def __init__(self, textpage: PdfTextPage) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium: Any = pdfium
        # The bare handle: looking it up anew takes as long as the calls themselves.
        self._page: Any = textpage.raw
        self._box = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        codes = [pdfium.FPDFText_GetUnicode(textpage.raw, index) for index in range(textpage.count_chars())]
        self.text = "".join(map(chr, codes))

    def turn(self, index: int) -> int:
        """Return by how many quarters of a circle, clockwise, a character is turned."""
        angle: float = self._pdfium.FPDFText_GetCharAngle(self._page, index)
        return round(angle / (math.pi / 2)) % 4

    def box(self, first: int, last: int, turn: int) -> tuple[float, float, float, float]:
        """Return left, right, top and bottom of a run of characters, turned upright; y grows downwards."""
        lefts, lows, rights, highs = zip(self._loose_box(first), self._loose_box(last), strict=True)
        left, low, right, high = min(lefts), min(lows), max(rights), max(highs)
        match turn:
            case 0:
                return left, right, -high, -low
            case 1:
                return -high, -low, -right, -left
            case 2:
                return -right, -left, low, high
            case _:
                return low, high, left, right

    def _loose_box(self, index: int) -> tuple[float, float, float, float]:
        self._pdfium.FPDFText_GetLooseCharBox(self._page, index, self._box)
        return self._box.left, self._box.bottom, self._box.right, self._box.top

    def size(self, index: int) -> float:
        """Return the type size in points, never 0."""
        self._pdfium.FPDFText_GetMatrix(self._page, index, self._matrix)
        scale = math.hypot(self._matrix.c, self._matrix.d)
        return max(_SMALLEST_TYPE, float(self._pdfium.FPDFText_GetFontSize(self._page, index) * scale))

    def bold(self, index: int) -> bool:
        """Tell whether the name of the font says that it is bold."""
        self._pdfium.FPDFText_GetFontInfo(self._page, index, self._name, len(self._name), self._flags)
        return _BOLD.search(self._name.value) is not None


Box = tuple[float, float, float, float]


def _pieces(characters: _Characters) -> Iterator[tuple[int, Piece]]:
    """Yield the pieces of a page in the order of its content, each with its turn."""
    run: list[tuple[re.Match[str], Box]] = []
    turn = 0
    for word in _WORD.finditer(characters.text):
        word_turn = characters.turn(word.start())
        box = characters.box(word.start(), word.end() - 1, word_turn)
        if run and (word_turn != turn or not _goes_on_line(characters.text, run[-1], word, box)):
            yield turn, _piece(characters, run)
            run = []
        turn = word_turn
        run.append((word, box))
    if run:
        yield turn, _piece(characters, run)


def _goes_on_line(text: str, before: tuple[re.Match[str], Box], word: re.Match[str], box: Box) -> bool:
    """Tell whether a word stands beside the one before it, on the same line and in the same column."""
    previous, edges = before
    if "\n" in text[previous.end() : word.start()] or text[previous.end() - 1] in _LINE_HYPHENS:
        return False
    height = box[3] - box[2]
    same_line = abs(sum(edges[2:]) - sum(box[2:])) / 2 < _LINE_TOLERANCE * height
    return same_line and -height < box[0] - edges[1] < _COLUMN_GAP * height


def _piece(characters: _Characters, run: Sequence[tuple[re.Match[str], Box]]) -> Piece:
    parts: list[Part] = []
    for word, (left, right, top, bottom) in run:
        text = word.group()
        if text[-1] in _LINE_HYPHENS:
            text = text[:-1] + "-"
        if parts and left - parts[-1].right < _CELL_GAP * (bottom - top):
            parts[-1] = Part(parts[-1].left, right, f"{parts[-1].text} {text}")
        else:
            parts.append(Part(left, right, text))
    boxes = [box for _, box in run]
    first, last = run[0][0].start(), run[-1][0].start()
    return Piece(
        min(box[0] for box in boxes),
        max(box[1] for box in boxes),
        min(box[2] for box in boxes),
        max(box[3] for box in boxes),
        " ".join(part.text for part in parts),
        tuple(parts),
        characters.size(first),
        characters.bold(first) and characters.bold(last),
    )


# --- Pages to a document ----------------------------------------------------------------------------------------------


def _body_size(pages: Sequence[_Page]) -> float:
    """Return the type size of the running text: that of the character in the middle, when sorted by size."""
    sizes = sorted((piece.size, len(piece.text)) for page in pages for piece in page.main)
    half = sum(length for _, length in sizes) / 2
    for size, length in sizes:
        half -= length
        if half <= 0:
            return size
    return 0.0


def _without_furniture(pages: Sequence[_Page], body_size: float) -> list[_Page]:
    """Return the pages without running heads, feet and page numbers; a headline on the first page stays."""
    kept = []
    # Piece by piece: a head has its parts at the left and the right, and facing pages may swap them.
    ordered = [[piece for row in rows(page.main) for piece in row] for page in pages]
    furniture = page_furniture([[piece.text for piece in pieces] for pieces in ordered])
    for number, (page, pieces, found) in enumerate(zip(pages, ordered, furniture, strict=True)):
        dropped = {index for index in found if _stands_apart(pieces, index, found)}
        if number == 0:
            dropped -= {index for index in dropped if _is_headline(pieces[index], body_size)}
        kept.append(_Page([piece for index, piece in enumerate(pieces) if index not in dropped], page.turned))
    return kept


def _stands_apart(pieces: Sequence[Piece], index: int, found: frozenset[int]) -> bool:
    """Tell whether a gap, or another type size, parts the head or foot at `index` from the text of the page."""
    step = 1 if all(outer in found for outer in range(index)) else -1
    while index in found and 0 <= index + step < len(pieces):
        edge, text = pieces[index], pieces[index + step]
        gap = max(edge.top, text.top) - min(edge.bottom, text.bottom)
        if gap > _FURNITURE_GAP * text.size or abs(edge.size - text.size) > _SAME_SIZE:
            return True
        index += step
    return index in found


def _is_headline(piece: Piece, body_size: float) -> bool:
    return piece.size > HEADING_SIZE * body_size and any(map(str.isalpha, piece.text))


def _blocks(pages: Sequence[_Page], body_size: float) -> Iterator[Block]:
    """Yield the blocks of all pages in reading order; the first of each page begins with a form feed."""
    page_breaks = ""
    for page in pages:
        page_breaks += "\f"
        for pieces in (page.main, *page.turned):
            for region in regions(pieces):
                for block in blocks(region, body_size):
                    block.lines[0] = page_breaks + block.lines[0]
                    page_breaks = ""
                    yield block


def _joined(found: Iterator[Block], body_size: float) -> list[Block]:
    """Return the blocks with paragraphs put together that go on in the next column or on the next page."""
    out: list[Block] = []
    for block in found:
        at = _left_open(out, block) if block.apart and not _is_heading(block, body_size) else None
        if at is None:
            out.append(block)
            continue
        # Behind what stood in between, such as a caption at the foot of the column.
        before = out.pop(at)
        before.lines += block.lines
        before.full = block.full
        out.append(before)
    return out


def _left_open(out: Sequence[Block], block: Block) -> int | None:
    """Return the index of the block that `block` goes on with: the last, or at a new column one before small print."""
    for index in range(len(out) - 1, max(-1, len(out) - 2 - _MOST_BETWEEN), -1):
        if _goes_on(out[index], block):
            return index
        if not block.begins_column or out[index].size >= block.size:
            return None
    return None


def _goes_on(before: Block, block: Block) -> bool:
    if before.is_row or block.is_row or before.bold != block.bold or abs(before.size - block.size) > _SAME_SIZE:
        return False
    text, following = " ".join(before.lines), block.lines[0]
    if is_item(following, ()) or len(text) < _LEAST_CONTINUED:
        return False
    return continues(text, following, 0) or (block.begins_column and before.full and is_open(text))


def _is_heading(block: Block, body_size: float) -> bool:
    length = sum(map(len, block.lines))
    if length > _LONGEST_HEADING or not any(character.isalpha() for line in block.lines for character in line):
        return False
    if block.size > HEADING_SIZE * body_size:
        # An introduction in larger type has full stops, and no headline is as small as that.
        return not block.lines[-1].endswith(".") or block.size > _HEADLINE_SIZE * body_size
    return block.bold and not block.lines[-1].endswith((".", ",", ";", ":")) and not is_item(block.lines[0], ())


def _write(found: Sequence[Block], body_size: float, draft: Draft) -> str | None:
    """Write the blocks into the draft; return the headline of the first page, the largest heading on it."""
    words = vocabulary(normalise("\n".join(line for block in found for line in block.lines)))
    headings: list[tuple[float, str]] = []
    page = 0
    below_heading, after_item = True, False
    for block in found:
        text = join_hyphens(join_wrapped([normalise(line) for line in block.lines], words), words)
        page += text.count("\f")
        is_heading = _is_heading(block, body_size)
        if is_heading:
            draft.heading(text)
            if page == 1 and block.size > HEADING_SIZE * body_size:
                headings.append((block.size, text.strip("\f ")))
        elif (block.apart or below_heading) and not (after_item and is_item(block.lines[0], ())):
            draft.paragraph(text)
        else:
            draft.line(text)
        below_heading, after_item = is_heading, is_item(block.lines[0], ())
    titles = [heading for heading in headings if len(heading[1]) >= _SHORTEST_TITLE]
    return max(titles, key=lambda heading: heading[0])[1] if titles else None


def _page_label(document: PdfDocument, index: int) -> str:
    try:
        return normalise(document.get_page_label(index)).strip() or str(index + 1)
    except UnicodeDecodeError:
        return str(index + 1)


def _metadata_title(document: PdfDocument) -> str | None:
    """Return the title in the file's metadata, None where a program wrote it by itself."""
    try:
        return named_title(normalise(document.get_metadata_value("Title")))
    except UnicodeDecodeError:
        return None
