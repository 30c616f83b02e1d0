"""From recognised lines with their positions to pieces of text, as the assembly of pages takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest.confusions import begins_paragraph, mend, overlooked_blank
from ingest.loaders.layout import Part, Piece
from ingest.loaders.pages import Page
from ingest.metadata import detect_language
from ingest.ocr import SURE, Recognised
from ingest.tesseract import Line, Word

# Small letters are about half as high as the type size says: 0.46 of it in Times, 0.52 in Arial.
_SIZE_OF_X_HEIGHT = 2.0
# Measured heights of one type vary; within this factor they are those of the same.
_SAME_TYPE = 1.17
# Tesseract parts columns by itself; a gap this wide, in multiples of the type size, it has overlooked.
_COLUMN_GAP = 1.5
# As in text layers, where the height of a line is 1.15 times the type size.
_CELL_GAP = 0.7
# A piece whose words are on average less sure is a stain, a stamp or a part of a picture. Words within a line stay even
# so: a sentence that lacks a word would be quoted as if it did not.
_HOPELESS = 45
# Alone, three characters must be surer, and one surer still: stains look like letters, edges of pictures like I and l.
_HOPELESS_SHORT = 65
_HOPELESS_SINGLE = 92
# From a word of this many letters on, one that is sure is no accident; pictures without one have no text.
_REAL_WORD = 3
# What bullets are taken for at the beginning of a line, alone.
_BULLETS = frozenset("•*+«»°·©®>►¢¥")
# A hyphen that is nearer to a word than this share of a blank belongs to it.
_OWN_HYPHEN = 0.7
# The narrowest blank, in multiples of the type size; between letters there is a tenth of that.
_BLANK = 0.2
# Behind a letter more is asked for, because the edges of letters are found less exactly than those of figures.
_WIDE_BLANK = 0.27
# Parts of a circle's quarter that pieces may be turned by; see `Page.turned`.
_UP, _DOWN = 0, 1


def page_of(found: Recognised, points: float) -> Page:
    """Return the page that was recognised; `points` is the height of its picture in points.

    A picture without one sure word gives an empty page.
    """
    if not _has_text(found):
        return Page([], [])
    scale = points / found.picture.height
    found = _mended(found)
    level = [line for line in found.lines if not line.is_turned]
    sizes = _smoothed([_SIZE_OF_X_HEIGHT * scale * line.x_height for line in level], [_length(line) for line in level])
    main = [piece for line, size in zip(level, sizes, strict=True) for piece in _pieces(line, size, scale)]
    turned: tuple[list[Piece], list[Piece]] = [], []
    for line in found.lines:
        if line.is_turned:
            reads_down = line.words[0].top < line.words[-1].top
            upright = _turned_back(line, reads_down=reads_down)
            size = _SIZE_OF_X_HEIGHT * scale * upright.x_height
            turned[_DOWN if reads_down else _UP].extend(_pieces(upright, size, scale))
    return Page(main, [pieces for pieces in turned if pieces])


def unread_notes(reasons: Mapping[str, str]) -> tuple[str, ...]:
    """Return a note for each reason why pages, given by label, were not read."""
    labels: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        labels.setdefault(reason, []).append(label)
    return tuple(
        f"page{'s' if len(pages) > 1 else ''} {_listed(pages)} not read: {reason}" for reason, pages in labels.items()
    )


def _listed(labels: Sequence[str]) -> str:
    """Return page labels in short: "3, 7-12"."""
    runs: list[list[str]] = []
    for label in labels:
        if runs and label.isdigit() and runs[-1][-1].isdigit() and int(label) == int(runs[-1][-1]) + 1:
            runs[-1].append(label)
        else:
            runs.append([label])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _has_text(found: Recognised) -> bool:
    return any(
        word.confidence >= SURE and sum(map(str.isalpha, word.text)) >= _REAL_WORD
        for line in found.lines
        for word in line.words
    )


def _mended(found: Recognised) -> Recognised:
    """Return the page with those characters put right that recognition is known to confuse."""
    language = detect_language(found.text)
    texts = [[word.text for word in line.words] for line in found.lines]
    has_paragraphs = any(map(begins_paragraph, texts))
    lines = []
    for line, words in zip(found.lines, texts, strict=True):
        right = mend(words, language, has_paragraphs=has_paragraphs)
        put = [replace(word, text=text) for word, text in zip(line.words, right, strict=True)]
        parted = (half for word in put for half in _parted(word, _SIZE_OF_X_HEIGHT * line.x_height, language))
        lines.append(replace(line, words=_with_hyphen(tuple(parted))))
    return replace(found, lines=tuple(lines))


def _parted(word: Word, size: float, language: str | None) -> tuple[Word, ...]:
    """Return a word in two where recognition has overlooked a blank that its letters show: "5 %", "a copy"."""
    at = overlooked_blank(word.text, language)
    if at is None or len(word.letters) != len(word.text):
        return (word,)
    end, begin = word.letters[at - 1][1], word.letters[at][0]
    if begin - end < (_BLANK if word.text[0].isdigit() else _WIDE_BLANK) * size:
        return (word,)
    return (
        replace(word, text=word.text[:at], right=end, letters=word.letters[:at]),
        replace(word, text=word.text[at:], left=begin, letters=word.letters[at:]),
    )


def _with_hyphen(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the words of a line; a hyphen at its end goes to the word that it cuts, where spacing alone parts them."""
    if len(words) < 3 or words[-1].text != "-" or not words[-2].text[-1].isalpha():
        return words
    gaps = [word.left - before.right for before, word in pairwise(words)]
    if gaps[-1] >= _OWN_HYPHEN * median(gaps[:-1]):
        return words
    cut, hyphen = words[-2:]
    return (*words[:-2], replace(cut, text=f"{cut.text}-", right=hyphen.right))


def _length(line: Line) -> int:
    return sum(len(word.text) for word in line.words)


def _smoothed(sizes: Sequence[float], weights: Sequence[int]) -> list[float]:
    """Return the sizes with those of one type made equal, the most frequent type first."""
    smoothed = list(sizes)
    left = set(range(len(sizes)))
    while left:
        usual = median([size for index in left for size in [sizes[index]] * weights[index]])
        alike = {index for index in left if usual / _SAME_TYPE < sizes[index] < usual * _SAME_TYPE}
        for index in alike:
            smoothed[index] = usual
        # In two groups of equal weight the middle may lie between both.
        left -= alike or {min(left)}
    return smoothed


def _pieces(line: Line, size: float, scale: float) -> Iterator[Piece]:
    run: list[Word] = []
    for word in _with_bullet(sorted(line.words, key=lambda word: word.left)):
        if run and (word.left - run[-1].right) * scale > _COLUMN_GAP * size:
            yield from _piece(run, line, size, scale)
            run = []
        run.append(word)
    yield from _piece(run, line, size, scale)


def _with_bullet(words: Sequence[Word]) -> Sequence[Word]:
    first, *others = words
    return [replace(first, text="•"), *others] if others and first.text in _BULLETS else words


def _piece(run: Sequence[Word], line: Line, size: float, scale: float) -> Iterator[Piece]:
    """Yield the piece that the words make, unless it is hopeless."""
    total = sum(len(word.text) for word in run)
    sureness = sum(word.confidence * len(word.text) for word in run) / total
    readable = any(character.isalnum() for word in run for character in word.text)
    least = _HOPELESS_SINGLE if total == 1 else _HOPELESS_SHORT if total <= _REAL_WORD else _HOPELESS
    if not readable or sureness < least:
        return
    parts = [Part(run[0].left * scale, run[0].right * scale, run[0].text)]
    for before, word in pairwise(run):
        if (word.left - before.right) * scale < _CELL_GAP * size:
            parts[-1] = Part(parts[-1].left, word.right * scale, f"{parts[-1].text} {word.text}")
        else:
            parts.append(Part(word.left * scale, word.right * scale, word.text))
    # As tall as the type, not as the letters that happen to stand there: 0.9 above and 0.25 below the baseline.
    top, bottom = line.baseline * scale - 0.9 * size, line.baseline * scale + 0.25 * size
    text = " ".join(part.text for part in parts)
    yield Piece(parts[0].left, parts[-1].right, top, bottom, text, tuple(parts), size, bold=False)


def _turned_back(line: Line, *, reads_down: bool) -> Line:
    """Return a line that runs up or down the page as it reads when the page is turned."""
    words = tuple(
        Word(word.text, word.top, -word.right, word.bottom, -word.left, word.confidence)
        if reads_down
        else Word(word.text, -word.bottom, word.left, -word.top, word.right, word.confidence)
        for word in line.words
    )
    return Line(words, line.x_height, max(word.bottom for word in words))
