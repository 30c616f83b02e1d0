"""A question spelt as the documents spell: words that no document holds give way to near ones that some do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rag.language import WORD, fold, is_function_word, question_language, stems
from rag.names import city_keys

# Shorter words have neighbours by chance; from 8 letters on, two slips still leave one word in sight.
_SHORTEST, _LONG = 5, 8


def suggestion(question: str, counts: Mapping[str, int], spelt: Callable[[str], str | None]) -> str | None:
    """Return `question` with its misspelt words put right, None where none is or no near word is known.

    `counts` holds, for every stem in the documents, how many passages have it; `spelt` gives a word of the documents
    with a stem. A word is misspelt where none of its stems is in the documents.
    """
    language = question_language(question)
    parts, position = [], 0
    for match in WORD.finditer(question):
        word = match.group()
        if is_function_word(word.lower(), language) or city_keys(word):
            continue
        near = _nearest(word, counts)
        right = spelt(near) if near else None
        if right is not None:
            parts += [question[position : match.start()], _like(word, right)]
            position = match.end()
    return "".join(parts) + question[position:] if parts else None


def _nearest(word: str, counts: Mapping[str, int]) -> str | None:
    """Return the stem in `counts` that is nearest to a misspelt word, the more frequent of equally near ones."""
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    if len(word) < _SHORTEST or not word.isalpha():
        return None
    readings = dict.fromkeys(stem for language in ("de", "en", "pl") for stem in (*stems(word, language), fold(word)))
    if any(reading in counts for reading in readings):
        return None
    most = 1 if len(word) < _LONG else 2
    # A slip changes the first letter least often; words that differ there are other words.
    near = [
        (distance, -counts[stem], stem)
        for reading in readings
        for stem, distance, _ in process.extract(
            reading,
            [stem for stem in counts if stem[0] == reading[0] and abs(len(stem) - len(reading)) <= most],
            scorer=DamerauLevenshtein.distance,
            score_cutoff=most,
        )
    ]
    return min(near)[2] if near else None


def _like(word: str, right: str) -> str:
    """Return `right` with a capital where `word` has one; a word with capitals inside stays as it is."""
    return right[0].upper() + right[1:] if word[0].isupper() else right
