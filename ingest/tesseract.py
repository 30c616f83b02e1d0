"""The program Tesseract: found when it is needed, run within a limit of time, its output as lines with positions.

It is run as a program of its own, not through a wrapper: a subprocess can be given a limit of time and killed, its
crash leaves the ingest alive, and what the wrappers add (temporary files, tables of results) is not needed. It gets the
pixels alone, through a pipe: no file from outside reaches its image readers.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError

if TYPE_CHECKING:
    from PIL.Image import Image

INSTALL = "apt-get install tesseract-ocr tesseract-ocr-deu tesseract-ocr-pol"
_LIST_SECONDS = 20.0
_LETTER_BOXES = ("-c", "hocr_char_boxes=1")
# A line at least this many times as high as wide runs up or down the page.
_UPRIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Word:
    """A word as recognised, with its box in pixels; `confidence` is Tesseract's, 0 to 100.

    `letters` has the left and right edge of each character, roughly; it may be empty.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float
    letters: tuple[tuple[float, float], ...] = ()


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


class TimeUpError(LoadError):
    """Tesseract was stopped because it took too long."""


@dataclass(frozen=True, slots=True)
class Tesseract:
    """A way to call the program: with these languages, the likeliest first, and until this time (monotonic, seconds).

    What its methods raise: `TimeUpError` when the time is up, `LoadError` where the program cannot be started or fails.
    """

    program: str
    languages: tuple[str, ...]
    deadline: float

    def lines(self, page: Image) -> tuple[Line, ...]:
        """Return the lines on an 8-bit grey picture, in the order in which Tesseract finds them."""
        return _parsed(self._run(page, "--psm", "3", "-l", "+".join(self.languages), *_LETTER_BOXES, "hocr"))

    def turn(self, page: Image) -> int | None:
        """Return by how many degrees to turn a picture against the clock until it is upright; None if not clear."""
        try:
            report = self._run(page, "--psm", "0").decode("utf-8", "replace")
        except TimeUpError:
            raise
        except LoadError:
            return None  # "Too few characters"
        clockwise = re.search(r"^Rotate: (\d+)$", report, re.MULTILINE)
        return -int(clockwise[1]) % 360 if clockwise else None

    def _run(self, page: Image, *arguments: str) -> bytes:
        pixels = b"P5 %d %d 255\n" % page.size + page.tobytes()
        return _output([self.program, "stdin", "stdout", "--dpi", "300", *arguments], pixels, self.deadline)


# --- The program ------------------------------------------------------------------------------------------------------


def find_program() -> str:
    """Return the path of Tesseract; raise `LoadError` where it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        raise LoadError(f"needs OCR, and Tesseract is not installed; install it: {INSTALL}", "needs OCR")
    return program


def installed_languages(program: str) -> frozenset[str]:
    """Return the names of the language data that Tesseract finds, "osd" (orientation) among them."""
    listed = _output([program, "--list-langs"], b"", time.monotonic() + _LIST_SECONDS).decode("utf-8", "replace")
    return frozenset(line.strip() for line in listed.splitlines()[1:])


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
            process_group=0,  # to be killed with its children, yet of the session of who reads files
        )
    except OSError as error:
        reason = error.strerror or error
        raise LoadError(
            f"needs OCR, and Tesseract cannot be started ({reason}); install it: {INSTALL}", "needs OCR"
        ) from None
    try:
        output, complaint = process.communicate(data, timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeUpError("recognition took too long and was stopped; scan it anew, in black and white") from None
    finally:
        if process.returncode is None:
            _kill(process)
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
        with suppress(ProcessLookupError):  # it ended in this moment
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()


# --- Its output -------------------------------------------------------------------------------------------------------

_BOX = re.compile(r"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)")
_CONFIDENCE = re.compile(r"x_wconf (-?[\d.]+)")
_LETTER_BOX = re.compile(r"x_bboxes (-?\d+) -?\d+ (-?\d+)")
_METRICS = {name: re.compile(rf"{name} (-?[\d.]+)") for name in ("x_size", "x_descenders", "x_ascenders")}
_BASELINE = re.compile(r"baseline (-?[\d.e-]+) (-?[\d.]+)")
_LINE_CLASSES = "ocr_line ocr_header ocr_caption ocr_textfloat".split()


def _parsed(hocr: bytes) -> tuple[Line, ...]:
    from lxml import etree  # type: ignore[import-untyped]

    root = etree.fromstring(hocr or b"<html/>", parser=etree.HTMLParser(encoding="utf-8", huge_tree=True))
    lines = []
    for element in root.iter("span"):
        if element.get("class") in _LINE_CLASSES:
            words = tuple(_word(child) for child in element.iter("span") if child.get("class") == "ocrx_word")
            if words := tuple(word for word in words if word.text):
                lines.append(_line(element.get("title", ""), words))
    return tuple(lines)


def _word(element: Any) -> Word:  # noqa: ANN401 - lxml ships no types
    title = element.get("title", "")
    confidence = _CONFIDENCE.search(title)
    text = "".join("".join(element.itertext()).split())
    found = [_LETTER_BOX.search(child.get("title", "")) for child in element.iter("span")]
    letters = tuple((float(box[1]), float(box[2])) for box in found if box is not None)
    sureness = float(confidence[1]) if confidence else 0.0
    return Word(text, *_box(title), sureness, letters if len(letters) == len(text) else ())


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
