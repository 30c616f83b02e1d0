"""Pure: what of a text can be trusted, by the statistics of its characters, and what is noted of how it was read."""

from __future__ import annotations

import re
import unicodedata

from ingest.loaders.base import Extract
from ingest.resemblance import sketch
from rag.records import Reading

# Letters that a text must have before its letters can be judged; fewer may be a list of abbreviations.
_ENOUGH_LETTERS = 150
# These make up 50 to 65 % of any text in a European language; shifted or shuffled codes bring it down to 10 to 35 %.
_COMMON_LETTERS = frozenset("eanirsto")
_LEAST_COMMON = 0.38
# More damaged characters than this are no single odd symbols.
_MOST_DAMAGED = 0.15
_CODE = re.compile(r"\(cid:\d+\)")
# Words of one letter are a tenth of a text at most; spaced-out type makes nearly all words such.
_MOST_SINGLE = 0.4
# In running text, a word has 5 to 7 letters; where blanks were lost, or in lists of links, it has many more.
_LONGEST_MEAN = 20

_NO_MEANING, _NO_LANGUAGE = "many characters mean nothing", "letters in shares that no language has"


def text_problem(text: str) -> str:
    """Return what is wrong with a text in a few words, "" where nothing is.

    Signs are characters that mean nothing, letters in shares that no European language has, words that fell apart or
    ran together. Other scripts are not judged by their letters.
    """
    characters = "".join(text.split())
    codes = sum(len(code) for code in _CODE.findall(characters))
    damaged = codes + sum(unicodedata.category(character) in ("Co", "Cn", "Cc") for character in characters)
    damaged += characters.count("\ufffd")
    if damaged > _MOST_DAMAGED * len(characters):
        return _NO_MEANING
    plain = unicodedata.normalize("NFD", text.casefold())
    latin = [character for character in plain if "a" <= character <= "z"]
    letters = sum(map(str.isalpha, text))
    if len(latin) < max(_ENOUGH_LETTERS, letters / 2):
        return ""
    if sum(character in _COMMON_LETTERS for character in latin) < _LEAST_COMMON * len(latin):
        return _NO_LANGUAGE
    words = [word for word in re.findall(r"\S+", text) if any(map(str.isalpha, word))]
    if sum(len(word) == 1 for word in words) > _MOST_SINGLE * len(words):
        return "words fell apart into letters"
    if letters > _LONGEST_MEAN * len(words):
        return "words ran together"
    return ""


def is_broken(layer: str) -> bool:
    """Tell whether a page's text layer is not what the page shows, as when a font lacks its table of characters."""
    return text_problem(layer) in (_NO_MEANING, _NO_LANGUAGE)


def reading_of(extract: Extract) -> Reading:
    """Return what is kept of how a document was read."""
    return Reading(
        extract.dropped, extract.dropped_sample, extract.notes, text_problem(extract.text), sketch(extract.text)
    )
