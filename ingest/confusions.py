"""Pure: characters that recognition takes for others, put right where the text beside them leaves no doubt.

Only what cannot be meant is changed: "priift" is no German word, and no area is measured in "m?".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# "| am pleased": a bar in front of a small letter, in English, where the word "I" is common.
_BAR = "|"
# "8 4 Steuerbefreiung", "nach $ 3 Abs. 2": the paragraph sign of statutes.
_PARAGRAPH_SIGNS = frozenset({"8", "$", "&"})
_PARAGRAPH_NUMBER = re.compile(r"\d{1,3}[a-z]?")
_WITHIN_PARAGRAPH = re.compile(r"(?:Abs\.?|Absatz|Satz|Nr\.?)[,;]?")
# "4.150 m? groß".
_SQUARE = re.compile(r"(k?m)\?")
_AMOUNT = re.compile(r"\d[\d.,]*")
# "priift", "fiir"; not "variieren", "initiiert" and the like, nor Hawaii.
_DOUBLE_I = re.compile(r"ii(?!er)(?=[a-zäöüß])")
# "73 %", "acopy", "wmieście".
_PERCENT = re.compile(r"\d[\d.,]*[%‰€]")
_SINGLE_LETTERS = {"en": frozenset("aA"), "pl": frozenset("aiouwzAIOUWZ")}
# "gehórlos"; names such as Kraków begin with a capital.
_POLISH_O = re.compile(r"[a-zäöüß]*ó[a-zäöüßó]*")


def mend(words: Sequence[str], language: str | None, *, has_paragraphs: bool = False) -> list[str]:
    """Return the words of a line with such characters put right; their number stays.

    `has_paragraphs` tells that other lines of the page begin with a paragraph sign and a number.
    """
    mended = list(words)
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        after = words[index + 1] if index + 1 < len(words) else ""
        further = words[index + 2] if index + 2 < len(words) else ""
        if language == "en" and word == _BAR and after[:1].islower():
            mended[index] = "I"
        elif (square := _SQUARE.fullmatch(word)) and _AMOUNT.fullmatch(before) and after[:1].islower():
            mended[index] = f"{square[1]}²"
        elif language == "de" and word in _PARAGRAPH_SIGNS and _PARAGRAPH_NUMBER.fullmatch(after):
            heads = has_paragraphs and not index and further[:1].isupper()
            if heads or _WITHIN_PARAGRAPH.fullmatch(further):
                mended[index] = "§"
        elif language == "de":
            is_german = _POLISH_O.fullmatch(word.strip('.,;:!?„“"()')) is not None
            mended[index] = _DOUBLE_I.sub("ü", word.replace("ó", "ö") if is_german else word)
    return mended


def overlooked_blank(word: str, language: str | None) -> int | None:
    """Return behind how many characters of a word a blank may be; whether one is there, the gap between them shows."""
    if _PERCENT.fullmatch(word):
        return len(word) - 1
    return 1 if word[:1] in _SINGLE_LETTERS.get(language or "", ()) and word[1:].isalpha() else None


def begins_paragraph(words: Sequence[str]) -> bool:
    """Tell whether a line begins as one of a statute: "§ 4 Steuerbefreiung"."""
    return len(words) > 1 and words[0] == "§" and _PARAGRAPH_NUMBER.fullmatch(words[1]) is not None
