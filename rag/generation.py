"""The optional formulated answer: a language model writes, every sentence is checked, the quotes stay.

The extractive answer comes first and is never lost: where the model is slow, absent or wrong, it is the answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.answering import Span
from rag.claims import Verdict, check_claim
from rag.embeddings import EmbeddingModel
from rag.errors import LanguageModelError, UsageError
from rag.evidence import Evidence
from rag.formulated import Checked, checked, written_out
from rag.language_model import LanguageModel
from rag.prompting import Excerpt, render
from rag.question import Question
from rag.settings import Settings
from rag.support import SupportModel

logger = logging.getLogger(__name__)

# Less than this share of a text supported, and what is left may well be an accident.
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Formulated:
    """An answer in the model's words. `used` are the numbers (from 1) of the quotes it cites, and the first.

    `text` has their new marks: [1] is the first of `used`.
    """

    text: str
    used: tuple[int, ...]
    checked: Checked


class Formulator:
    """Formulates answers. Cheap to make; the model is reached at the first question."""

    def __init__(self, settings: Settings, model: EmbeddingModel) -> None:
        self.language_model = LanguageModel(settings)
        self._budget = settings.llm_context - settings.llm_max_tokens
        self._support = SupportModel(model)

    def formulate(
        self, question: Question, evidence: Sequence[Evidence], stopped: threading.Event | None = None
    ) -> Formulated | None:
        """Answer `question` from the passages of `evidence`, one for each quote shown, best first.

        Returns None where the model is of no help: it fails, it gives up, or too little of its text is supported. Why
        is in the log.
        """
        excerpts = [
            Excerpt(marker, item.candidate.title, item.candidate.passage.text)
            for marker, item in enumerate(evidence, start=1)
        ]
        try:
            prompt = render(question.text, question.language, excerpts, self._budget)
            written = self.language_model.complete(prompt, stopped)
        except (LanguageModelError, UsageError) as error:
            logger.warning("No formulated answer: %s", error)
            return None
        return self.verified(written, question, evidence)

    def verified(self, written: str, question: Question, evidence: Sequence[Evidence]) -> Formulated | None:
        """Return what is supported of `written`, None where that is too little."""
        passages = {
            marker: f"{item.candidate.title}\n{item.candidate.passage.text}"
            for marker, item in enumerate(evidence, start=1)
        }
        languages = {marker: item.candidate.passage.language for marker, item in enumerate(evidence, start=1)}
        found = checked(written, passages, self._verifier(question, passages, languages))
        for sentence, reason in found.removed:
            logger.info("Removed from a formulated answer (%s): %s", reason, sentence)
        if not found.kept or len(found.kept) < _LEAST_SHARE * (len(found.kept) + len(found.removed)):
            logger.warning(
                "No formulated answer: %d of %d sentences are supported.",
                len(found.kept),
                len(found.kept) + len(found.removed),
            )
            return None
        used = tuple(sorted({1} | {marker for sentence in found.kept for marker in sentence.markers}))
        numbers = {marker: number for number, marker in enumerate(used, start=1)}
        return Formulated(written_out(found, numbers, question.language), used, found)

    def _verifier(
        self, question: Question, passages: Mapping[int, str], languages: Mapping[int, str | None]
    ) -> _Verifier:
        return _Verifier(self._support, question.language, passages, languages)


@dataclass(frozen=True, slots=True)
class _Verifier:
    support: SupportModel
    language: str
    passages: Mapping[int, str]
    languages: Mapping[int, str | None]

    def __call__(self, sentence: str, markers: tuple[int, ...]) -> Verdict:
        return check_claim(
            sentence,
            [self.passages[marker] for marker in markers],
            language=self.language,
            passage_language=self.languages[markers[0]] or "de",
            similarity=self.support.similarity,
        )


def quoted(spans: Sequence[Span], ranked: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence that each of `spans` was quoted from, in their order."""
    found = []
    for span in spans:
        for item in ranked:
            passage = item.candidate.passage
            if passage.document_id == span.document_id and span.start <= item.start and item.end <= span.end:
                found.append(item)
                break
    return found
