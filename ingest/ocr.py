"""Recognition of text on pictures of pages, through Tesseract: whichever way they lie, in three languages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from ingest.limits import more_time
from ingest.metadata import detect_language
from ingest.scans import prepared, scaled
from ingest.tesseract import INSTALL, Line, Tesseract, TimeUpError, find_program, installed_languages
from rag.errors import LoadError

if TYPE_CHECKING:
    from PIL.Image import Image

# Tesseract's names of the languages. Most documents are German.
LANGUAGES = {"de": "deu", "pl": "pol", "en": "eng"}

# A dense page takes 2 to 10 seconds; one on its side three times that. What takes longer hangs.
PAGE_SECONDS = 90.0
DOCUMENT_SECONDS = 3600.0
# Pages that are recognised at once, drawn and made ready before.
_BATCH_SECONDS = 2 * PAGE_SECONDS
# A volume of council minutes; at a few seconds a page, more would keep all other documents waiting for hours.
MOST_PAGES = 500
# Each worker holds a page's picture, up to 200 MB while it is made ready.
_MOST_WORKERS = 4

# Words that Tesseract is surer of than this, in per cent, are right nine times out of ten; garbage rarely gets there.
SURE = 70
# On an upright page nearly all characters are in sure words, on one on its side or upside down hardly any.
_MOSTLY_SURE = 0.5
# Orientation cannot be detected from so few words; all directions are tried. Many unsure words are a photo or a scrawl.
_FEW_WORDS = 60
# Small letters of fewer pixels are scaled up to a size at which Tesseract errs least.
_SMALL_LETTERS = 10
_GOOD_LETTERS = 18


@dataclass(frozen=True, slots=True)
class Recognised:
    """The lines found on a picture, which is upright, straight and on white paper."""

    lines: tuple[Line, ...]
    picture: Image

    @property
    def text(self) -> str:
        """All words, parted by blanks."""
        return " ".join(word.text for line in self.lines for word in line.words)

    @property
    def sure_characters(self) -> int:
        """The number of characters in sure words of level lines."""
        level = [line for line in self.lines if not line.is_turned]
        return sum(len(word.text) for line in level for word in line.words if word.confidence >= SURE)

    @property
    def sureness(self) -> float:
        """The mean confidence of the characters, 0 to 100."""
        words = [word for line in self.lines for word in line.words]
        return sum(word.confidence * len(word.text) for word in words) / max(1, sum(len(word.text) for word in words))

    @property
    def makes_sense(self) -> bool:
        """Whether most of the words are sure."""
        total = sum(len(word.text) for line in self.lines for word in line.words)
        return total > 0 and self.sure_characters >= _MOSTLY_SURE * total


class Recogniser:
    """Recognises the pages of one document, within limits of pages and time.

    Raises:
        LoadError: Tesseract is not there, or knows none of the languages; the message names what installs it.
    """

    def __init__(self) -> None:
        self.program = find_program()
        installed = installed_languages(self.program)
        # The likeliest first: it decides where a word could be of several.
        self.languages = tuple(language for language in LANGUAGES.values() if language in installed)
        if not self.languages:
            raise LoadError(
                f"needs OCR, and Tesseract has no language that is read here; install them: {INSTALL}", "needs OCR"
            )
        self._knows_orientation = "osd" in installed
        self._ends = time.monotonic() + DOCUMENT_SECONDS

    @property
    def missing(self) -> tuple[str, ...]:
        """The languages without which all pages are read."""
        return tuple(language for language in LANGUAGES.values() if language not in self.languages)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about all pages."""
        if not self.missing:
            return ()
        packages = " ".join(f"tesseract-ocr-{language}" for language in self.missing)
        return (
            f"recognised without the languages {', '.join(self.missing)}; install them: apt-get install {packages}",
        )

    def pages(self, count: int, picture: Callable[[int], Image]) -> Iterator[Recognised | LoadError]:
        """Yield what stands on each of `count` pictures, in order, or why it could not be read.

        `picture` makes the picture of an index, or raises `LoadError`; it is not asked for more than the limits allow.
        """
        workers = max(1, min(_MOST_WORKERS, os.cpu_count() or 1))
        with ThreadPoolExecutor(workers) as pool:
            # A handful at a time: pictures are large. They are made here, since pdfium bears one thread only.
            done = 0
            while done < count:
                refused = self._refusal(done)
                if refused is not None:
                    yield from [refused] * (count - done)
                    return
                batch = range(done, min(done + workers, count, MOST_PAGES))
                more_time(_BATCH_SECONDS)
                yield from pool.map(self._page_or_error, [_made(picture, index) for index in batch])
                done = batch.stop

    def page(self, image: Image) -> Recognised:
        """Return what stands on a picture, whichever way it is turned and whichever of the languages it is in.

        Raises:
            LoadError: Tesseract failed or took too long.
        """
        tesseract = Tesseract(self.program, self.languages, min(time.monotonic() + PAGE_SECONDS, self._ends))
        found = _at_good_size(image, tesseract)
        try:
            if not found.makes_sense:
                found = self._turned(image, found, tesseract)
            return self._in_its_language(found, tesseract)
        except TimeUpError:
            return found  # What the first try found is better than nothing.

    def _turned(self, image: Image, found: Recognised, tesseract: Tesseract) -> Recognised:
        """Return the better of what was found and what is found when the picture is turned as it seems to need it."""
        turn = tesseract.turn(prepared(image)) if self._knows_orientation else None
        turns: Sequence[int] = (turn,) if turn else ()
        if turn is None and 0 < sum(len(line.words) for line in found.lines) <= _FEW_WORDS:
            turns = (180, 90, 270)
        for degrees in turns:
            turned = _at_good_size(image.rotate(degrees, expand=True), tesseract)
            found = max(found, turned, key=lambda page: page.sure_characters)
        return found

    def _in_its_language(self, found: Recognised, tesseract: Tesseract) -> Recognised:
        """Return the page read with its own language first, which the pages after it then begin with.

        Read as German, one Polish sentence in ten loses the hook or the stroke of a letter.
        """
        language = LANGUAGES.get(detect_language(found.text) or "")
        if language not in tesseract.languages or language == tesseract.languages[0]:
            return found
        order = (language, *(other for other in tesseract.languages if other != language))
        again = replace(found, lines=replace(tesseract, languages=order).lines(found.picture))
        if again.sureness < found.sureness:
            return found
        self.languages = order
        return again

    def _refusal(self, done: int) -> LoadError | None:
        if done >= MOST_PAGES:
            return LoadError(f"at most {MOST_PAGES} pages of a file are recognised; split it")
        if time.monotonic() >= self._ends:
            return LoadError(f"recognition of a file may take {DOCUMENT_SECONDS / 60:.0f} minutes; split it")
        return None

    def _page_or_error(self, image: Image | LoadError) -> Recognised | LoadError:
        if isinstance(image, LoadError):
            return image
        try:
            return self.page(image)
        except LoadError as error:
            return error


def fingerprint() -> str:
    """Return what recognition depends on, "" where there is none: what was read in part is read anew if it changes."""
    try:
        return "+".join(Recogniser().languages)
    except LoadError:
        return ""


def _made(picture: Callable[[int], Image], index: int) -> Image | LoadError:
    try:
        return picture(index)
    except LoadError as error:
        return error


def _at_good_size(image: Image, tesseract: Tesseract) -> Recognised:
    """Return what stands on a picture as it lies, scaled up if its letters turn out to be small."""
    page = prepared(image)
    found = Recognised(tesseract.lines(page), page)
    heights = [line.x_height for line in found.lines if not line.is_turned]
    if heights and median(heights) < _SMALL_LETTERS:
        larger = scaled(page, _GOOD_LETTERS / max(1.0, median(heights)))
        if larger.size != page.size:
            again = Recognised(tesseract.lines(larger), larger)
            found = max(found, again, key=lambda page: page.sure_characters)
    return found
