"""What all loaders share: their result, how it is put together, and how bytes become text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import LoadError
from rag.schema import Mark


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file, with the name that it has there: any string, or none.

    `problem` says, as the message of a LoadError, why there are no bytes.
    """

    name: str
    data: bytes
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """What a loader found in a file.

    `text` is cleaned and becomes the stored text; `title` and `published` (ISO date) are None where the file does not
    say them itself; `pages` and `sections` are in order of their starts, which count code points of `text`.
    `attachments` become documents of their own. `language` is set where the loader knows it better than a look at the
    whole text would tell, because it wrote some of the text itself. `notes` says what of the file was not
    read, and why. `dropped` counts the characters that were left out as boilerplate, `dropped_sample` shows some of
    them. `published_from` names the rule that gave the date; None stands for the dateline in the text.
    """

    text: str
    title: str | None
    published: str | None
    pages: tuple[Mark, ...] = ()
    sections: tuple[Mark, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    language: str | None = None
    notes: tuple[str, ...] = ()
    dropped: int = 0
    dropped_sample: str = ""
    published_from: str | None = None


# Reads one file; raises `LoadError` where it holds no text that can be read.
Loader = Callable[[Path], Extract]


# Enough to see whether a menu was left out or a paragraph, and little beside the text itself.
_SAMPLE_LENGTH, _SAMPLE_LINE = 500, 120


class Draft:
    """Puts a document together, piece by piece, and keeps count of where its pages and sections begin.

    `page_labels` are the labels of the pages in order; each form feed in a piece begins the next one.
    """

    def __init__(self, page_labels: Sequence[str] = ()) -> None:
        self._labels = list(page_labels)
        self._pieces: list[str] = []
        self._length = 0
        self._pages: dict[int, Mark] = {}
        self._page = 0
        self._sections: list[Mark] = []
        self._dropped = 0
        self._sample: dict[str, None] = {}

    def drop(self, text: str) -> None:
        """Keep count of a line that is left out as boilerplate, and a sample of such lines, each once."""
        bare = " ".join(text.split())
        self._dropped += len(bare)
        if bare and sum(map(len, self._sample)) < _SAMPLE_LENGTH:
            self._sample[bare[:_SAMPLE_LINE]] = None

    def drop_more(self, part: Extract) -> None:
        """Keep count of what was left out of a part that was read by itself."""
        self._dropped += part.dropped
        self._sample |= dict.fromkeys(part.dropped_sample.splitlines())

    def paragraph(self, text: str) -> None:
        """Add a paragraph, with a blank line before it."""
        self._add(text, "\n\n")

    def line(self, text: str) -> None:
        """Add a list item, table row or address line, directly below what is there."""
        self._add(text, "\n")

    def heading(self, text: str, *, close: bool = False) -> None:
        """Add a heading: what follows, up to the next one, is its section. `close`: no blank line before it."""
        bare = text.strip("\f ")
        if bare:
            start = self._add(text, "\n" if close else "\n\n")
            self._sections.append(Mark(start, bare))

    def extract(self, title: str | None = None, published: str | None = None) -> Extract:
        """Return what was added as one text with its marks."""
        return Extract(
            "".join(self._pieces),
            title,
            published,
            tuple(self._pages.values()),
            tuple(self._sections),
            dropped=self._dropped,
            dropped_sample="\n".join(self._sample),
        )

    def _add(self, text: str, separator: str) -> int:
        """Append `text` and return its start."""
        before, *pages = text.strip(" \n").split("\f")
        if self._length and any(piece.strip() for piece in (before, *pages)):
            self._append(separator)
        start = self._length
        self._append(before)
        for page in pages:
            if self._page < len(self._labels):
                self._pages[self._length] = Mark(self._length, self._labels[self._page])
            self._page += 1
            self._append(page)
        return start

    def _append(self, piece: str) -> None:
        self._pieces.append(piece)
        self._length += len(piece)


def table_lines(rows: Sequence[Sequence[str]], *, header: bool) -> list[str]:
    """Return one line a row, so that a row quoted alone can be understood.

    With a header each cell is named, "Jahr: 2014 | Reise: Frankfurt → Krakau", and the header itself is left out. Two
    columns without one are a list of names and values, "Wann: 3. Oktober 2025"; more are set side by side, "a | b | c".
    """
    filled = [[" ".join(cell.split()) for cell in row] for row in rows]
    names = filled[0] if header and filled else []
    if any(names):
        lines = [_named_cells(names, row) for row in filled[1:]] or [" | ".join(filter(None, names))]
    elif all(len(row) == 2 for row in filled):
        lines = [f"{row[0].rstrip(':')}: {row[1]}" if all(row) else "".join(row) for row in filled]
    else:
        lines = [" | ".join(filter(None, row)) for row in filled]
    return [line for line in lines if line]


def _named_cells(names: Sequence[str], row: Sequence[str]) -> str:
    padded = [*names, *[""] * (len(row) - len(names))]
    cells = [f"{name.rstrip(':')}: {cell}" if name else cell for name, cell in zip(padded, row, strict=False) if cell]
    return " | ".join(cells)


# --- Bytes ------------------------------------------------------------------------------------------------------------

_MAGIC = {
    b"%PDF-": "a PDF file",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x1f\x8b": "a compressed archive",
    b"{\\rtf": "an RTF document",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Enough to tell an encoding, and quick for a file of any size.
_SAMPLE = 65_536
# In UTF-16, half of the bytes of Western text are zero; other encodings have none.
_UTF16_ZEROS = 0.3
# Text has no control characters but tab, line feed, carriage return, form feed and escape; a stray one is forgiven.
_CONTROL_SHARE = 0.01
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b") | {127}
_EIGHT_BIT = ("cp1252", "cp1250", "iso8859_2")
_POUNDS = re.compile(rb"\xa3(?=\s?\d)")
_EXPECTED = frozenset("äöüßÄÖÜéèàáóíçñąćęłńóśźżĄĆĘŁŃÓŚŹŻ„“”‚‘’–—…•")
_NEUTRAL = frozenset("\u00a0\u00ad€§°²³·½¼«»")


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; raise `LoadError` where it cannot be read or is empty."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise LoadError("does not exist; check the name") from None
    except IsADirectoryError:
        raise LoadError("is a folder, not a file; name the files in it") from None
    except PermissionError:
        raise LoadError("cannot be read: permission denied; give this user the right to read it") from None
    except OSError as error:
        raise LoadError(f"cannot be read: {error.strerror or error}; check the disk or the network share") from None
    if not data.strip(b"\x00 \t\r\n\f\v"):
        raise LoadError(f"is empty ({len(data)} bytes without a letter); check where it was copied from", "empty")
    return data


def file_kind(data: bytes) -> str | None:
    """Return in words what the first bytes say that a file is, None where they may be text."""
    head = data[:1024].lstrip(codecs.BOM_UTF8 + b" \t\r\n")
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def known_encoding(name: str) -> str | None:
    """Return Python's name of an encoding that a file declares, None where it says nothing or there is none.

    What Unicode is, the bytes show. As in browsers, what calls itself Latin-1 is Windows-1252, which adds quotes and
    dashes to it.
    """
    try:
        found = codecs.lookup(name).name
        b"a".decode(found, errors="ignore")  # refuses what is no encoding of text, such as "hex"
    except (LookupError, ValueError):
        return None
    return {"iso8859-1": "cp1252", "ascii": "cp1252", "utf-8": None, "utf-16": None}.get(found, found)


def decode(data: bytes, declared: str | None = None) -> str:
    """Return the text of `data`, whatever its encoding; raise `LoadError` where it is no text at all.

    `declared` is the encoding that the file names itself; it counts where the bytes are no Unicode.
    """
    kind = file_kind(data)
    if kind is not None:
        raise LoadError(f"is {kind} in spite of its name; give it the file name extension of its format")
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    utf16 = _utf16_without_mark(data[:_SAMPLE])
    if utf16 is not None:
        return data.decode(utf16, errors="replace")
    if sum(byte in _CONTROLS for byte in data[:_SAMPLE]) > _CONTROL_SHARE * len(data[:_SAMPLE]):
        raise LoadError("is binary, not text; give it the file name extension of its format, or convert it to text")
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    # A damaged byte or two do not make a UTF-8 file something else: its other umlauts are right.
    if damaged and sum(character > "\x7f" for character in text) <= 2 * damaged:
        return data.decode(declared or _eight_bit_encoding(data), errors="replace")
    return text


def _utf16_without_mark(sample: bytes) -> str | None:
    even, odd = sample[::2], sample[1::2]
    if odd.count(0) > _UTF16_ZEROS * len(odd) > even.count(0):
        return "utf-16-le"
    if even.count(0) > _UTF16_ZEROS * len(even) > odd.count(0):
        return "utf-16-be"
    return None


def _eight_bit_encoding(data: bytes) -> str:
    """Return the encoding in which the letters beyond ASCII make most sense.

    Windows-1252 comes first (German and English), then the two Polish ones; where none of the three fits, a general
    detector decides. It alone mistakes short German texts for Windows-1250 and Polish ones for Baltic.
    """
    sample = data[: 16 * _SAMPLE]
    # In front of a number it is no Polish letter.
    without_pounds = _POUNDS.sub(b"", sample)
    beyond_ascii = bytes(byte for byte in without_pounds if byte > 127)
    if not beyond_ascii and len(without_pounds) < len(sample):
        return _EIGHT_BIT[0]
    scores = {encoding: _plausibility(beyond_ascii.decode(encoding, errors="replace")) for encoding in _EIGHT_BIT}
    best = max(_EIGHT_BIT, key=lambda encoding: scores[encoding])
    if scores[best] > 0:
        return best
    from charset_normalizer import from_bytes

    match = from_bytes(data[:_SAMPLE]).best()
    return match.encoding if match is not None else best


def _plausibility(characters: str) -> int:
    """Count the characters that German, Polish and English texts have, less those that they do not."""
    expected = sum(character in _EXPECTED for character in characters)
    neutral = sum(character in _NEUTRAL for character in characters)
    return 2 * expected - (len(characters) - neutral)
