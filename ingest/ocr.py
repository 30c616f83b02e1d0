"""Text recognition by the program Tesseract, which is looked for when it is needed: pictures of pages to lines.

Tesseract is run as a program of its own, not through a wrapper: a subprocess can be given a limit of time and killed,
its crash leaves the ingest alive, and what the wrappers add (temporary files, tables of results) is not needed. It gets
the pixels alone, through a pipe: no file from outside reaches its image readers.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from ingest.scans import prepared, scaled
from rag.errors import LoadError

if TYPE_CHECKING:
    from PIL.Image import Image

# German first: the first language decides where a word could be of several.
LANGUAGES = ("deu", "pol", "eng")
# The package of English comes with the program.
_PACKAGES = {"deu": "tesseract-ocr-deu", "pol": "tesseract-ocr-pol", "eng": "tesseract-ocr-eng"}
INSTALL = "apt-get install tesseract-ocr tesseract-ocr-deu tesseract-ocr-pol"

# A dense page takes 2 to 10 seconds; one on its side three times that. What takes longer hangs.
PAGE_SECONDS = 90.0
DOCUMENT_SECONDS = 3600.0
# A volume of council minutes; at a few seconds a page, more would keep all other documents waiting for hours.
MOST_PAGES = 500
_LIST_SECONDS = 20.0
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
# A line at least this many times as high as wide runs up or down the page.
_UPRIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Word:
    """A word as recognised, with its box in pixels; `confidence` is Tesseract's, 0 to 100."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one line. `x_height` is the height of its small letters, `baseline` where they stand, in pixels."""

    words: tuple[Word, ...]
    x_height: float
    baseline: float

    @property
    def is_turned(self) -> bool:
        """Tell whether the line runs up or down the page."""
        width = max(word.right for word in self.words) - min(word.left for word in self.words)
        height = max(word.bottom for word in self.words) - min(word.top for word in self.words)
        return sum(len(word.text) for word in self.words) > 2 and height > _UPRIGHT * width


@dataclass(frozen=True, slots=True)
class Recognised:
    """The lines of a page in the order in which Tesseract found them, and the size of the picture that they lie on."""

    lines: tuple[Line, ...]
    width: int
    height: int


class Recogniser:
    """Recognises the pages of one document, within limits of pages and time.

    Raises:
        LoadError: Tesseract is not there, or knows none of the languages; the message names what installs it.
    """

    def __init__(self) -> None:
        self.program = _program()
        installed = installed_languages(self.program)
        self.languages = tuple(language for language in LANGUAGES if language in installed)
        if not self.languages:
            raise LoadError(f"needs OCR, and Tesseract has no language that is read here; install them: {INSTALL}")
        self._knows_orientation = "osd" in installed
        self._ends = time.monotonic() + DOCUMENT_SECONDS

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about all pages: languages without which they were read."""
        missing = [language for language in LANGUAGES if language not in self.languages]
        if not missing:
            return ()
        packages = " ".join(_PACKAGES[language] for language in missing)
        return (f"recognised without the language data {', '.join(missing)}; install it: apt-get install {packages}",)

    def pages(self, count: int, picture: Callable[[int], Image]) -> Iterator[Recognised | LoadError]:
        """Yield what stands on each of `count` pictures, in order, or why it could not be read.

        `picture` makes the picture of an index, or raises `LoadError`; it is not asked for more than the limits allow.
        """
        workers = max(1, min(_MOST_WORKERS, os.cpu_count() or 1))
        with ThreadPoolExecutor(workers) as pool:
            # A handful at a time: pictures are large. They are made here, since pdfium bears one thread only.
            for first in range(0, count, workers):
                refused = self._refusal(first)
                if refused is not None:
                    yield from [refused] * (count - first)
                    return
                batch = [_made(picture, index) for index in range(first, min(first + workers, count))]
                yield from pool.map(self._page_or_error, batch)

    def page(self, image: Image) -> Recognised:
        """Return what stands on a picture, whichever way it is turned.

        Raises:
            LoadError: Tesseract failed or took too long.
        """
        deadline = min(time.monotonic() + PAGE_SECONDS, self._ends)
        run = partial(_run, self.program, "+".join(self.languages), deadline)
        return _upright(image, run, knows_orientation=self._knows_orientation)

    def _refusal(self, first: int) -> LoadError | None:
        if first >= MOST_PAGES:
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


def _made(picture: Callable[[int], Image], index: int) -> Image | LoadError:
    try:
        return picture(index)
    except LoadError as error:
        return error


# --- What is installed ------------------------------------------------------------------------------------------------


def _program() -> str:
    program = shutil.which("tesseract")
    if program is None:
        raise LoadError(f"needs OCR, and Tesseract is not installed; install it: {INSTALL}")
    return program


def installed_languages(program: str) -> frozenset[str]:
    """Return the names of the language data that Tesseract finds, "osd" (orientation) among them."""
    listed = _output([program, "--list-langs"], b"", time.monotonic() + _LIST_SECONDS).decode("utf-8", "replace")
    return frozenset(line.strip() for line in listed.splitlines()[1:])


def fingerprint() -> str:
    """Return what recognition depends on, "" where there is none: what was read in part is read anew if it changes."""
    try:
        return "+".join(Recogniser().languages)
    except LoadError:
        return ""


# --- A page -----------------------------------------------------------------------------------------------------------


class _TimeUpError(LoadError):
    """Tesseract was stopped because it took too long."""


def _upright(image: Image, run: partial[bytes], *, knows_orientation: bool) -> Recognised:
    """Recognise a page as it lies; where that makes no sense, turned as it seems to be, or in all directions."""
    best = _at_good_size(image, run)
    try:
        if _makes_sense(best):
            return best
        turn = _detected_turn(image, run) if knows_orientation else None
        turns: Sequence[int] = (turn,) if turn else ()
        if turn is None and 0 < sum(len(line.words) for line in best.lines) <= _FEW_WORDS:
            turns = (180, 90, 270)
        for degrees in turns:
            turned = _at_good_size(image.rotate(degrees, expand=True), run)
            best = max(best, turned, key=_sure_characters)
    except _TimeUpError:
        pass  # What the first try found is better than nothing.
    return best


def _at_good_size(image: Image, run: partial[bytes]) -> Recognised:
    page = prepared(image)
    found = _lines_of(page, run)
    heights = [line.x_height for line in found.lines if not line.is_turned]
    if heights and median(heights) < _SMALL_LETTERS:
        larger = scaled(page, _GOOD_LETTERS / max(1.0, median(heights)))
        if larger.size != page.size:
            found = max(found, _lines_of(larger, run), key=_sure_characters)
    return found


def _makes_sense(found: Recognised) -> bool:
    total = sum(len(word.text) for line in found.lines for word in line.words)
    return total > 0 and _sure_characters(found) >= _MOSTLY_SURE * total


def _sure_characters(found: Recognised) -> int:
    """Count the characters in sure words of level lines."""
    level = [line for line in found.lines if not line.is_turned]
    return sum(len(word.text) for line in level for word in line.words if word.confidence >= SURE)


def _detected_turn(image: Image, run: partial[bytes]) -> int | None:
    """Return by how many degrees to turn the page against the clock; None where Tesseract cannot tell."""
    try:
        report = run(prepared(image), "0").decode("utf-8", "replace")
    except _TimeUpError:
        raise
    except LoadError:
        return None  # "Too few characters"
    # It says how far to turn clockwise.
    found = re.search(r"^Rotate: (\d+)$", report, re.MULTILINE)
    return -int(found[1]) % 360 if found else None


# --- Tesseract --------------------------------------------------------------------------------------------------------


def _run(program: str, languages: str, deadline: float, image: Image, mode: str) -> bytes:
    """Return what Tesseract writes: hOCR, or in page segmentation mode 0 a report on the orientation."""
    pixels = b"P5 %d %d 255\n" % image.size + image.tobytes()
    what = [] if mode == "0" else ["-l", languages, "hocr"]
    return _output([program, "stdin", "stdout", "--dpi", "300", "--psm", mode, *what], pixels, deadline)


def _output(command: Sequence[str], data: bytes, deadline: float) -> bytes:
    """Run a command and return its output; whatever happens, nothing of it is left running.

    Raises:
        LoadError: it cannot be started, takes too long or fails.
    """
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}  # several threads a page are slower than one, and hog the CPU
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        reason = error.strerror or error
        raise LoadError(f"needs OCR, and Tesseract cannot be started ({reason}); install it: {INSTALL}") from None
    try:
        output, complaint = process.communicate(data, timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _kill(process)
        raise _TimeUpError("recognition took too long and was stopped; scan it anew, in black and white") from None
    except BaseException:
        _kill(process)
        raise
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise LoadError(f"recognition failed: Tesseract was killed ({name}); is there enough memory?")
    if process.returncode:
        said = complaint.decode("utf-8", "replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise LoadError(f"recognition failed: Tesseract says: {said[-1][:200]}")
    return output


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the program with all that it may have started, such as the real program behind a script."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()


_BOX = re.compile(r"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)")
_CONFIDENCE = re.compile(r"x_wconf (-?[\d.]+)")
_METRICS = {name: re.compile(rf"{name} (-?[\d.]+)") for name in ("x_size", "x_descenders", "x_ascenders")}
_BASELINE = re.compile(r"baseline (-?[\d.e-]+) (-?[\d.]+)")
_LINE_CLASSES = "ocr_line ocr_header ocr_caption ocr_textfloat".split()


def _lines_of(page: Image, run: partial[bytes]) -> Recognised:
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True)
    root = etree.fromstring(run(page, "3"), parser=parser)
    lines: list[Line] = []
    for element in root.iter("span") if root is not None else ():
        if element.get("class") in _LINE_CLASSES:
            words = tuple(
                _word(child) for child in element.iter("span") if child.get("class") == "ocrx_word" and _text(child)
            )
            if words:
                lines.append(_line(element.get("title", ""), words))
    return Recognised(tuple(lines), page.width, page.height)


def _text(element: object) -> str:
    return "".join("".join(element.itertext()).split())  # type: ignore[attr-defined]


def _word(element: object) -> Word:
    title = element.get("title", "")  # type: ignore[attr-defined]
    left, top, right, bottom = _box(title)
    confidence = _CONFIDENCE.search(title)
    return Word(_text(element), left, top, right, bottom, float(confidence[1]) if confidence else 0.0)


def _line(title: str, words: tuple[Word, ...]) -> Line:
    left, top, right, bottom = _box(title)
    size, below, above = (float(found[1]) if (found := metric.search(title)) else 0.0 for metric in _METRICS.values())
    x_height = size - below - above if size > below + above else (bottom - top) / 2
    baseline = bottom
    if found := _BASELINE.search(title):
        # Slope and offset at the left edge; in the middle of the line it is right for all of it.
        baseline = bottom + float(found[2]) + float(found[1]) * (right - left) / 2
    return Line(words, x_height, baseline)


def _box(title: str) -> tuple[float, float, float, float]:
    found = _BOX.search(title)
    return tuple(map(float, found.groups())) if found else (0.0, 0.0, 0.0, 0.0)  # type: ignore[return-value]
