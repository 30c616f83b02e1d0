"""Two documents that state the same thing differently: the newer one answers, the older one is shown with its date."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag.answer_types import DAYS, MONTHS
from rag.evidence import Evidence, neighbour
from rag.language import WORD, fold, stems
from rag.question import Question

# A statement from elsewhere is worth a look where it is at least this share as likely to answer as the best one.
_SHARE = 0.5
# Two sentences make the same statement where, apart from what they state, at least half of their stems are shared, and
# more than the two or three that any two sentences on one topic share.
_OVERLAP = 0.5
_MIN_SHARED = 3
_SHORT_WORD = 3
_VALUE = re.compile(rf"\d+(?:[.,:]\d+)*|\b(?:{MONTHS})\b|\b(?:{DAYS})\b", re.IGNORECASE | re.VERBOSE)


_NO_MONTHS = frozenset({"may", "march"})  # small, they are English verbs


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a newer and an older document state differently, with their ISO dates."""

    newer: Evidence
    newer_date: str
    older: Evidence
    older_date: str


def contradiction(
    question: Question, ranked: Sequence[Evidence], dates_of: Callable[[list[str]], Mapping[str, str | None]]
) -> Contradiction | None:
    """Return how the best of `ranked` and a sentence of another document contradict each other, None where none does.

    `dates_of` gives the publication dates of documents; it is asked only where statements differ. Documents without a
    date, or of the same day, cannot be put in order.
    """
    if not ranked:
        return None
    best = ranked[0]
    for other in ranked[1:]:
        if other.probability < _SHARE * best.probability:
            return None
        if _document(other) == _document(best) or not _differ(question.text, _sentence(best), _sentence(other)):
            continue
        dates = dates_of([_document(best), _document(other)])
        own, its = dates.get(_document(best)), dates.get(_document(other))
        if own and its and own != its:
            return Contradiction(best, own, other, its) if own > its else Contradiction(other, its, best, own)
    return None


def without_older(ranked: Sequence[Evidence], found: Contradiction) -> list[Evidence]:
    """Return `ranked` with the newer statement first and without the older one, nor what is quoted with it."""
    apart = {id(item) for item in (found.newer, found.older, neighbour(found.older, ranked))}
    return [found.newer, *(item for item in ranked if id(item) not in apart)]


def _document(evidence: Evidence) -> str:
    return evidence.candidate.passage.document_id


def _sentence(evidence: Evidence) -> tuple[str, str | None]:
    passage = evidence.candidate.passage
    return passage.text[evidence.start - passage.start : evidence.end - passage.start], passage.language


def _differ(question: str, one: tuple[str, str | None], other: tuple[str, str | None]) -> bool:
    """Tell whether two sentences make the same statement with other numbers, months or days."""
    known = _values(question)
    values, others = _values(one[0]) - known, _values(other[0]) - known
    if values <= others or others <= values:
        return False
    words, theirs = _words(*one), _words(*other)
    shared = len(words & theirs)
    return shared >= _MIN_SHARED and shared >= _OVERLAP * len(words | theirs)


def _values(text: str) -> set[str]:
    return {fold(match.group()) for match in _VALUE.finditer(text) if match.group() not in _NO_MONTHS}


def _words(text: str, language: str | None) -> set[str]:
    bare = " ".join(word for word in WORD.findall(_VALUE.sub(" ", text)) if len(word) > _SHORT_WORD)
    return set(stems(bare, language))
