"""Pictures of pages: scans, photographs, screenshots."""

from __future__ import annotations

import struct
import warnings
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.loaders.base import Extract, file_kind, read_bytes
from ingest.loaders.pages import Page, assemble
from ingest.loaders.recognised import page_of, unread_notes
from ingest.metadata import find_date
from ingest.ocr import Recogniser
from ingest.scans import grey
from rag.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

# Only these: others of Pillow's formats start programs (PostScript) or are no pages.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
# An A3 page at 600 dpi, and a bound for what unpacks to gigabytes. The same as Pillow's own, which only warns.
_MOST_PIXELS = 89_000_000
_TOO_LARGE = f"has more than {_MOST_PIXELS // 10**6} million pixels; save it with fewer, 300 dpi are enough"
# A page is taken to be as high as A4, in points, since what files say of their resolution is mostly made up.
_PAGE_HEIGHT = 842
# What Pillow raises for damaged files, by format and kind of damage.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error)


def load_image(path: Path) -> Extract:
    """Read a picture of text by recognition; the pages of a TIFF file with several become page marks.

    Raises:
        LoadError: the picture is broken or too large, has no text, or Tesseract is not installed.
    """
    data = read_bytes(path)
    recogniser = Recogniser()
    with _opened(data) as image:
        frames = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
        found = list(recogniser.pages(frames, lambda index: _frame(image, index)))
    labels = [str(number) for number in range(1, frames + 1)]
    failed = {label: str(page) for label, page in zip(labels, found, strict=True) if isinstance(page, LoadError)}
    if len(failed) == frames:
        raise LoadError(failed["1"])
    pages = [Page([], []) if isinstance(page, LoadError) else page_of(page, _PAGE_HEIGHT) for page in found]
    draft, headline = assemble(pages, labels if frames > 1 else ())
    text = draft.extract().text
    if not any(character.isalnum() for character in text):
        raise LoadError(
            "no text was recognised in it; if it shows text, scan it anew, straight and at 300 dpi", "empty"
        )
    notes = (*recogniser.notes, *unread_notes(failed))
    return replace(draft.extract(headline, find_date(text)), notes=notes)


@contextmanager
def _opened(data: bytes) -> Iterator[Image]:
    from PIL import Image as Images

    kind = file_kind(data)
    Images.init()  # else some of the formats are unknown, depending on what was opened before
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Images.DecompressionBombWarning)  # refused below
            image = Images.open(BytesIO(data), formats=_FORMATS)
    except Images.DecompressionBombError:
        raise LoadError(_TOO_LARGE) from None
    except _DAMAGE:  # among them UnidentifiedImageError
        named = "is a broken image" if kind in (None, "an image") else f"is {kind} in spite of its name"
        raise LoadError(f"{named}, or of a format that is not read; save it anew as PNG or JPEG") from None
    with image:
        yield image


def _frame(image: Image, index: int) -> Image:
    """Return a page of the picture, upright as the camera says, in grey."""
    from PIL import Image as Images
    from PIL import ImageOps

    try:
        if index:
            image.seek(index)
        if image.width * image.height > _MOST_PIXELS:
            raise LoadError(_TOO_LARGE)
        return grey(ImageOps.exif_transpose(image))
    except Images.DecompressionBombError:
        raise LoadError(_TOO_LARGE) from None
    except _DAMAGE:
        raise LoadError("is a broken image: only a part of it can be read; fetch it again") from None
