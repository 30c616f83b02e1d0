"""PDF files: the text layer, and recognition of the pages that have none or a broken one."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.cleaning import normalise
from ingest.loaders.base import Extract, file_kind, read_bytes
from ingest.loaders.footnotes import NOTE_MARK, RAISED, REFERENCE, without_references
from ingest.loaders.layout import Part, Piece
from ingest.loaders.pages import Page, assemble
from ingest.loaders.ruled import Rules, page_rules, with_tables
from ingest.loaders.scanned_pdf import recognise_scans
from ingest.metadata import find_date, iso_date, named_title
from rag.errors import LoadError

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfTextPage

# What pdfium puts in place of a hyphen at the end of a line.
_LINE_HYPHENS = "\x02\ufffe"
_WORD = re.compile(rf"[^\s{_LINE_HYPHENS}]+[{_LINE_HYPHENS}]?|[{_LINE_HYPHENS}]")
_LETTER = re.compile(r"[^\W\d_]")
# Gaps between words that may part columns, or the cells of a table, in multiples of the height of a line.
_COLUMN_GAP = 1.0
_CELL_GAP = 0.6
_BOLD = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
# Words whose middles differ by more, in multiples of that height, stand on different lines.
_LINE_TOLERANCE = 0.5
# References to footnotes are smaller than the text, and raised, by these shares of the type size.
_RAISED_SIZE = 0.85
_RAISED_BY = 0.15
# A hyphen that is nearer to a word than this share of the line's narrowest blank belongs to it.
_OWN_HYPHEN = 0.7
# Text that a layer hides below a scan may have no size at all.
_SMALLEST_TYPE = 1.0


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
        pages = _without_references([_read_page(document, index) for index in range(len(document))])
        recognised, notes = recognise_scans(document, pages, labels)
    draft, headline = assemble(recognised, labels)
    text = draft.extract().text
    if not any(character.isalnum() for character in text):
        raise LoadError(
            "has no text layer, and no text was recognised on its pages; if they show text, scan them anew", "empty"
        )
    declared = _metadata_date(data)
    extract = draft.extract(named or headline, declared or find_date(text))
    return replace(extract, notes=notes, published_from="PDF metadata" if declared else None)


def _open(data: bytes) -> PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise LoadError("is password-protected; remove the password and add the file again", "encrypted") from None
        raise LoadError("is a broken PDF file; open it in a PDF viewer and save it anew, or fetch it again") from None


# --- Pieces of text ---------------------------------------------------------------------------------------------------


def _read_page(document: PdfDocument, index: int) -> Page:
    import pypdfium2

    by_turn: dict[int, list[Piece]] = {}
    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as textpage:
            rules = cache(partial(page_rules, page))
            for turn, piece in _pieces(_Characters(textpage), rules):
                by_turn.setdefault(turn, []).append(piece)
            in_rows = [with_tables(pieces, rules(turn)) for turn, pieces in by_turn.items()]
    except pypdfium2.PdfiumError:
        return Page([], [])  # One damaged page does not take the others with it.
    main, *others = sorted(in_rows, key=_letters, reverse=True) or [[]]
    return Page(main, others)


def _without_references(pages: Sequence[Page]) -> list[Page]:
    """Return the pages without the numbers that refer to footnotes; what is turned on its side has none."""
    mains = without_references([page.main for page in pages])
    return [replace(page, main=main) for page, main in zip(pages, mains, strict=True)]


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
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
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

    def raised(self, index: int, beside: int) -> bool:
        """Tell whether a character is smaller than the one at `beside` and stands above its line."""
        size = self.size(beside)
        if self.size(index) > _RAISED_SIZE * size:
            return False
        return self._baseline(index) - self._baseline(beside) > _RAISED_BY * size

    def _baseline(self, index: int) -> float:
        self._pdfium.FPDFText_GetCharOrigin(self._page, index, self._x, self._y)
        return self._y.value

    def bold(self, index: int) -> bool:
        """Tell whether the name of the font says that it is bold."""
        self._pdfium.FPDFText_GetFontInfo(self._page, index, self._name, len(self._name), self._flags)
        return _BOLD.search(self._name.value) is not None


Box = tuple[float, float, float, float]


def _pieces(characters: _Characters, rules: Callable[[int], Rules]) -> Iterator[tuple[int, Piece]]:
    """Yield the pieces of a page in the order of its content, each with its turn; `rules` gives the lines at a turn."""
    run: list[tuple[re.Match[str], Box]] = []
    turn = 0
    for word in _WORD.finditer(characters.text):
        word_turn = characters.turn(word.start())
        box = characters.box(word.start(), word.end() - 1, word_turn)
        if run and (word_turn != turn or not _goes_on_line(characters, run[-1], word, box, rules(turn))):
            yield turn, _piece(characters, run)
            run = []
        turn = word_turn
        run.append((word, box))
    if run:
        yield turn, _piece(characters, run)


def _goes_on_line(
    characters: _Characters, before: tuple[re.Match[str], Box], word: re.Match[str], box: Box, rules: Rules
) -> bool:
    """Tell whether a word stands beside the one before it, on the same line and in the same column or cell."""
    previous, edges = before
    if previous.group()[-1] in _LINE_HYPHENS:
        return False
    if "\n" in characters.text[previous.end() : word.start()] and not _is_raised(characters, previous, word):
        return False
    height = box[3] - box[2]
    same_line = abs(sum(edges[2:]) - sum(box[2:])) / 2 < _LINE_TOLERANCE * height
    beside = same_line and -height < box[0] - edges[1] < _COLUMN_GAP * height
    return beside and not rules.part(edges[1], box[0], (box[2] + box[3]) / 2)


def _is_raised(characters: _Characters, word: re.Match[str], following: re.Match[str]) -> bool:
    """Tell whether one of two words is a number raised above the other, which pdfium takes for another line."""
    if following.group().isdigit():
        return characters.raised(following.start(), word.end() - 1)
    return word.group().isdigit() and characters.raised(word.start(), following.start())


def _piece(characters: _Characters, run: Sequence[tuple[re.Match[str], Box]]) -> Piece:
    parts: list[Part] = []
    hyphen = _has_own_hyphen(run)
    for index, (word, (left, right, top, bottom)) in enumerate(run):
        text = _word_text(characters, word)
        if hyphen and index == len(run) - 1:
            parts[-1] = Part(parts[-1].left, right, parts[-1].text + text)
        elif parts and left - parts[-1].right < _CELL_GAP * (bottom - top):
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


def _word_text(characters: _Characters, word: re.Match[str]) -> str:
    """Return a word as it is written, with `RAISED` in front of a number that may refer to a footnote."""
    text = word.group()
    if text[-1] in _LINE_HYPHENS:
        return text[:-1] + "-"
    start = word.start()
    if text[0].isdigit():
        mark = NOTE_MARK.match(text)
        if mark is None:
            return text
        # Beside the note's own text, which may begin behind a blank.
        letter = _LETTER.search(characters.text, start, start + len(mark[1]) + 3)
        return RAISED + text if letter and characters.raised(start, letter.start()) else text
    mark = REFERENCE.search(text)
    if mark and characters.raised(start + mark.start(1), start):
        return f"{text[: mark.start(1)]}{RAISED}{text[mark.start(1) :]}"
    return text


def _has_own_hyphen(run: Sequence[tuple[re.Match[str], Box]]) -> bool:
    """Tell whether the last word is a hyphen that cuts the word before it, set apart only by spacing out the line."""
    if len(run) < 2 or run[-1][0].group() not in ("-", *_LINE_HYPHENS) or not run[-2][0].group()[-1].isalpha():
        return False
    gaps = [box[0] - before[1] for (_, before), (_, box) in pairwise(run)]
    return len(gaps) == 1 or gaps[-1] < _OWN_HYPHEN * min(gaps[:-1])


# --- What the file says of itself -------------------------------------------------------------------------------------


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


# XMP, which is mostly not compressed. The dates of creation and change that every file has say when it was made or
# saved, not when it was published, and are not read.
_XMP_DATE = re.compile(
    rb"<(prism:publicationDate|dc:date)>(?:\s|<rdf:(?:Seq|Bag|li)[^>]{0,40}>){0,4}(\d{4}-\d\d-\d\d)", re.IGNORECASE
)


def _metadata_date(data: bytes) -> str | None:
    """Return the date of publication in the file's metadata; PRISM's, which is just that, before Dublin Core's."""
    found = sorted(_XMP_DATE.findall(data), key=lambda match: match[0].lower() != b"prism:publicationdate")
    return next(filter(None, (iso_date(date.decode("ascii")) for _, date in found)), None)
