"""From the pieces of text on the pages of a document to its paragraphs, headings and page marks.

The pieces come from a text layer or from recognition; what happens to them is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ingest.boilerplate import page_furniture
from ingest.cleaning import normalise
from ingest.lines import continues, is_item, is_open, join_hyphens, join_wrapped, vocabulary
from ingest.loaders.base import Draft
from ingest.loaders.layout import HEADING_SIZE, Block, Piece, blocks, regions, rows

# Larger or bold type with more characters is an introduction, not a heading.
_LONGEST_HEADING = 160
# Type that is larger by this factor is a headline, even with a full stop.
_HEADLINE_SIZE = 1.5
# Less is a number or an initial.
SHORTEST_TITLE = 4
# Sizes that differ by less, in points, are those of one text.
_SAME_SIZE = 0.6
# Lines of one text are closer, in multiples of the type size, than a running head is to it.
_FURNITURE_GAP = 0.5
# Captions and the like, in smaller type, between the parts of a paragraph.
_MOST_BETWEEN = 3
# A shorter line at the foot of a column is a caption or a cell, and no sentence that goes on.
_LEAST_CONTINUED = 20


@dataclass(frozen=True, slots=True)
class Page:
    """The pieces of text on a page: those in its main direction, and those turned away from it, by direction."""

    main: list[Piece]
    turned: list[list[Piece]]


def assemble(pages: Sequence[Page], labels: Sequence[str] = ()) -> tuple[Draft, str | None]:
    """Return the document that the pages make, in reading order, and the headline of the first page if it has one.

    `labels` are those of the page marks; without them the document has no marks.
    """
    body_size = _body_size(pages)
    draft = Draft(labels)
    found = _joined(_blocks(_without_furniture(pages, body_size, draft.drop), body_size), body_size)
    return draft, _write(found, body_size, draft)


def _body_size(pages: Sequence[Page]) -> float:
    """Return the type size of the running text: that of the character in the middle, when sorted by size."""
    sizes = sorted((piece.size, len(piece.text)) for page in pages for piece in page.main)
    half = sum(length for _, length in sizes) / 2
    for size, length in sizes:
        half -= length
        if half <= 0:
            return size
    return 0.0


def _without_furniture(pages: Sequence[Page], body_size: float, drop: Callable[[str], None]) -> list[Page]:
    """Return the pages without running heads, feet and page numbers; a headline on the first page stays.

    `drop` is told each piece that goes.
    """
    kept = []
    # Piece by piece: a head has its parts at the left and the right, and facing pages may swap them.
    ordered = [[piece for row in rows(page.main) for piece in row] for page in pages]
    furniture = page_furniture([[piece.text for piece in pieces] for pieces in ordered])
    for number, (page, pieces, found) in enumerate(zip(pages, ordered, furniture, strict=True)):
        dropped = {index for index in found if _stands_apart(pieces, index, found)}
        if number == 0:
            dropped -= {index for index in dropped if _is_headline(pieces[index], body_size)}
        for index in sorted(dropped):
            drop(pieces[index].text)
        kept.append(Page([piece for index, piece in enumerate(pieces) if index not in dropped], page.turned))
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


def _blocks(pages: Sequence[Page], body_size: float) -> Iterator[Block]:
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
    titles = [heading for heading in headings if len(heading[1]) >= SHORTEST_TITLE]
    return max(titles, key=lambda heading: heading[0])[1] if titles else None
