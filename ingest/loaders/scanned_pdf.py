"""Pages of a PDF file that are pictures, or whose text layer is broken: found, drawn and recognised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from ingest.loaders.pages import Page
from ingest.loaders.recognised import page_of, unread_notes
from ingest.ocr import Recogniser
from ingest.quality import is_broken
from ingest.scans import grey, shares
from rag.errors import LoadError

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage

# What Tesseract's models are made for.
_DPI = 300
# An A2 page at 300 dpi; larger plans are drawn at fewer.
_MOST_PIXELS = 35_000_000
# Enough to see whether there is ink at all.
_PREVIEW_DPI = 50
_POINTS = 72
# A page with less ink is blank: a single word covers as much.
_LEAST_INK = 0.0001
# A scan with so few letters on top of it bears a stamp or a page number that a program has added.
_STAMP_LETTERS = 100
_MOST_OF_PAGE = 0.8
# Two paragraphs on a page cover more than this with ink, and a full page leaves more of the paper free; the slide with
# a logo has less ink, and the one with a photograph less paper.
_INK_OF_TEXT = 0.01
_PAPER_OF_TEXT = 0.75
# Recognition must find that much more than the layer has, or the layer stays.
_CLEAR_GAIN = 1.5


def recognise_scans(
    document: PdfDocument, pages: Sequence[Page], labels: Sequence[str]
) -> tuple[list[Page], tuple[str, ...]]:
    """Return the pages with those recognised that have no proper text layer, and notes on what was not read.

    Raises:
        LoadError: no page can be read without recognition, and that is not possible; the message says why.
    """
    layers = ["\n".join(piece.text for pieces in (page.main, *page.turned) for piece in pieces) for page in pages]
    wanted = [index for index, layer in enumerate(layers) if _needs_recognition(document, index, layer)]
    if not wanted:
        return list(pages), ()
    out = list(pages)
    failed: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    try:
        recogniser = Recogniser()
    except LoadError as error:
        failed = {labels[index]: str(error) for index in wanted}
        for index in wanted:
            out[index] = _kept(pages[index], layers[index])
    else:
        notes = recogniser.notes
        found = recogniser.pages(len(wanted), lambda number: _drawn(document, wanted[number], _DPI))
        for index, page in zip(wanted, found, strict=True):
            if isinstance(page, LoadError):
                failed[labels[index]] = str(page)
                out[index] = _kept(pages[index], layers[index])
            else:
                out[index] = _better(page_of(page, _height(document, index)), pages[index], layers[index])
    if failed and not any(page.main or page.turned for page in out):
        raise LoadError(next(iter(failed.values())))
    return out, (*notes, *unread_notes(failed))


def _needs_recognition(document: PdfDocument, index: int, layer: str) -> bool:
    import pypdfium2

    if is_broken(layer):
        return True
    letters = _letters(layer)
    if letters >= _STAMP_LETTERS:
        return False
    try:
        with closing(document[index]) as page:
            if letters and _picture_share(page) < _MOST_OF_PAGE:
                return False
            if _shows_nothing(page):
                return False  # Drawing it to find that out would take a hundred thousand empty pages minutes.
        ink, paper = shares(_drawn(document, index, _PREVIEW_DPI))
        return (ink > _INK_OF_TEXT and paper > _PAPER_OF_TEXT) if letters else ink > _LEAST_INK
    except (LoadError, pypdfium2.PdfiumError):
        return False  # One damaged page does not take the others with it.


def _kept(page: Page, layer: str) -> Page:
    """Return what is left of a page that could not be recognised: its layer, unless that makes no sense."""
    return Page([], []) if is_broken(layer) else page


def _better(recognised: Page, page: Page, layer: str) -> Page:
    """Return what was recognised, or the layer where it is sound and has about as much."""
    found = sum(_letters(piece.text) for pieces in (recognised.main, *recognised.turned) for piece in pieces)
    return recognised if is_broken(layer) or found > _CLEAR_GAIN * _letters(layer) else page


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _shows_nothing(page: PdfPage) -> bool:
    import pypdfium2.raw as pdfium

    return not pdfium.FPDFPage_CountObjects(page.raw) and not pdfium.FPDFPage_GetAnnotCount(page.raw)


def _picture_share(page: PdfPage) -> float:
    """Return which part of the page its largest picture covers, 0 to 1."""
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    largest = 0.0
    for picture in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM], max_depth=1):
        left, bottom, right, top = picture.get_bounds()
        largest = max(largest, (right - left) * (top - bottom))
    return float(largest / max(1.0, width * height))


def _height(document: PdfDocument, index: int) -> float:
    with closing(document[index]) as page:
        return float(page.get_height())


def _drawn(document: PdfDocument, index: int, dpi: int) -> Image:
    import pypdfium2

    try:
        with closing(document[index]) as page:
            width, height = page.get_size()
            scale = min(dpi / _POINTS, math.sqrt(_MOST_PIXELS / max(1.0, width * height)))
            with closing(page.render(scale=scale, grayscale=True)) as bitmap:
                # A copy: the picture outlives the bitmap.
                return grey(bitmap.to_pil()).copy()
    except pypdfium2.PdfiumError:
        raise LoadError("it is damaged and cannot be drawn; save the file anew") from None
