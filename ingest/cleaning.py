"""Pure: from extracted text to stored text, which has one paragraph, list item or table row a line.

Nothing here drops a sentence. What goes is what a reader would not count as content: characters that only steer the
layout, hyphens of line breaks, running heads, page numbers and the menu lines of a copied web page.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from ingest.boilerplate import drop_page_labels, page_furniture, remove_web_frame
from ingest.lines import join_hyphens, join_lines, vocabulary

_WIDE_AND_FIXED_BLANKS = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_DIRECTION_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CHARACTERS = str.maketrans(
    dict.fromkeys(_WIDE_AND_FIXED_BLANKS, " ")
    | dict.fromkeys(_ZERO_WIDTH + _DIRECTION_MARKS, "")
    | dict.fromkeys("\u2010\u2011", "-")  # hyphen and non-breaking hyphen
    | dict.fromkeys("\uf0b7\uf0a7\uf0d8", "•")  # bullets of Symbol and Wingdings as word processors export them
    | dict.fromkeys("\u2028\u2029\u0085\v", "\n")
    | {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
# A soft hyphen goes together with the line break, or the blank that took its place, in front of the rest of the word.
_SOFT_HYPHEN = re.compile(r"\u00ad(?:[^\S\f]*\n[^\S\n\f]*(?=[^\W\d_])|[^\S\n\f]+(?=[^\W\d_A-ZÄÖÜ]))?")
# Control characters but tab, line feed and form feed; lone surrogates, which no UTF-8 store could hold.
_UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def normalise(text: str) -> str:
    """Return `text` in NFC with plain blanks, hyphens and line feeds; ligatures and soft hyphens are resolved."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _UNWANTED.sub("", text.translate(_CHARACTERS))
    return unicodedata.normalize("NFC", _SOFT_HYPHEN.sub("", text))


def clean(text: str, drop: Callable[[str], None] = lambda line: None) -> str:
    """Return plain text as it is stored: characters, page furniture, web frame, wrapped lines and cut words mended.

    `drop` is told each line that goes.
    """
    text = normalise(text)
    # First the labels that name their page by themselves, then what only the other pages show to be furniture.
    written = re.sub(r"\n?\f", "\n\f", text).split("\n")
    words = vocabulary(text)
    kept = remove_web_frame(_without_furniture(drop_page_labels(written)))
    for line, more in (Counter(map(str.strip, written)) - Counter(map(str.strip, kept))).items():
        for _ in range(more):
            drop(line)
    paragraphs = join_lines(kept, words)
    return "\n".join(join_hyphens(paragraph, words) for paragraph in paragraphs)


def _without_furniture(lines: list[str]) -> list[str]:
    """Return the lines with heads, feet and page numbers blanked, if form feeds divide the text into pages."""
    begins = [index for index, line in enumerate(lines) if "\f" in line]
    if not begins:
        return lines
    borders = [0, *begins, len(lines)]
    pages = [[line.strip("\f") for line in lines[start:end]] for start, end in pairwise(borders)]
    kept = list(lines)
    for start, dropped in zip(borders, page_furniture(pages), strict=False):
        for index in dropped:
            kept[start + index] = "\f" * lines[start + index].count("\f")
    return kept
