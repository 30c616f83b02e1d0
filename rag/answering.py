"""From evidence to an answer: the `Answerer` protocol and the extractive default, which quotes and adds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.contradiction import Contradiction
from rag.evidence import Evidence, neighbour
from rag.language import local_date
from rag.question import Question
from rag.schema import Language, Mode

# A further quote is shown where it is at least half as likely to answer as the first.
_FURTHER_SHARE = 0.5
_SEE_ALSO: dict[Language, str] = {"de": "Siehe auch", "en": "See also", "pl": "Zobacz też"}
# Two statements that differ: date and mark of the newer one, date and mark of the older one.
_CONTRADICTION: dict[Language, str] = {
    "de": "Die Dokumente sagen dazu Verschiedenes; die Antwort ist vom {} [1], eine ältere Angabe vom {} [2].",
    "en": "The documents differ on this; the answer is of {} [1], an older statement of {} [2].",
    "pl": "Dokumenty podają różne informacje; odpowiedź pochodzi z {} [1], starsza informacja z {} [2].",
}
_ABSTENTION: dict[Language, str] = {
    "de": "Dazu finde ich in den vorliegenden Dokumenten keine belegte Antwort.",
    "en": "I find no answer to this in the documents that I have.",
    "pl": "Nie znajduję na to pytanie odpowiedzi popartej dokumentami, które mam.",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a document to be quoted, what stands there, and the probability that it answers."""

    document_id: str
    start: int
    end: int
    quote: str
    score: float


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before its quotes are checked against the store: text with marks [1], [2], ..., one for each span."""

    text: str
    spans: tuple[Span, ...]


class Answerer(Protocol):
    """Makes an answer of evidence that has passed the threshold."""

    mode: Mode

    def draft(self, question: Question, ranked: Sequence[Evidence], differing: Contradiction | None = None) -> Draft:
        """Answer `question` from `ranked` (best first, never empty); `differing` is what an older document says."""


class ExtractiveAnswerer:
    """Quotes the sentence or two that answer; further passages that say the same are marked behind it."""

    mode: Mode = "extractive"

    def __init__(self, max_citations: int) -> None:
        self._max_citations = max_citations

    def draft(self, question: Question, ranked: Sequence[Evidence], differing: Contradiction | None = None) -> Draft:
        """Quote the best evidence; refer to the older statement, and to the best of each further passage."""
        spans = [_span(ranked[0], ranked)]
        passages = {ranked[0].candidate.passage.id}
        text = f"{spans[0].quote} [1]"
        if differing is not None and self._max_citations > 1:
            spans.append(_span(differing.older, [differing.older]))
            passages.add(differing.older.candidate.passage.id)
            dates = (local_date(date, question.language) for date in (differing.newer_date, differing.older_date))
            text += f"\n\n{_CONTRADICTION[question.language].format(*dates)}"
        further = len(spans)
        for evidence in ranked[1:]:
            if len(spans) >= self._max_citations or evidence.probability < _FURTHER_SHARE * ranked[0].probability:
                break
            if evidence.candidate.passage.id not in passages:
                passages.add(evidence.candidate.passage.id)
                spans.append(_span(evidence, ranked))
        if len(spans) > further:
            marks = " ".join(f"[{number}]" for number in range(further + 1, len(spans) + 1))
            text += f"\n\n{_SEE_ALSO[question.language]}: {marks}"
        return Draft(text, tuple(spans))


def abstention(language: Language) -> str:
    """Return the polite sentence that says there is no evidence."""
    return _ABSTENTION[language]


def _span(evidence: Evidence, ranked: Sequence[Evidence]) -> Span:
    """Return what is quoted of `evidence`: its sentence, with the one beside it that may hold the answer too."""
    passage, joined = evidence.candidate.passage, neighbour(evidence, ranked) or evidence
    start, end = min(evidence.start, joined.start), max(evidence.end, joined.end)
    quote = passage.text[start - passage.start : end - passage.start]
    return Span(passage.document_id, start, end, quote, evidence.probability)
