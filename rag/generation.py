"""The optional formulated answer: a language model writes, every sentence is checked, the quotes stay.

The extractive answer comes first and is never lost: where the model is slow, absent or wrong, it is the answer.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.answering import Span
from rag.claims import Verdict, check_claim
from rag.comprehension import Comprehension
from rag.embeddings import EmbeddingModel
from rag.errors import LanguageModelError
from rag.evidence import Evidence
from rag.formulated import Checked, UnsupportedError, checked, written_out
from rag.language import question_language
from rag.language_model import LanguageModel
from rag.prompting import Excerpt, render, render_rewrite
from rag.question import Question
from rag.rewriting import trusted_rewrite
from rag.schema import Language
from rag.settings import Settings
from rag.support import SupportModel

logger = logging.getLogger(__name__)

# Less than this share of a text supported, and what is left may well be an accident.
_LEAST_SHARE = 0.5
# A question has a tenth of an answer's words, and the reader waits for both.
_REWRITING_SHARE = 1 / 3
# With one of these a sentence, or its mark, may have come to its end.
_ENDING = re.compile(r"[.!?…\]\n]")


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

    def __init__(self, settings: Settings, model: EmbeddingModel, comprehension: Comprehension) -> None:
        self.language_model = LanguageModel(settings)
        self._budget = settings.llm_context - settings.llm_max_tokens
        self._rewriting_seconds = settings.llm_timeout * _REWRITING_SHARE
        self._support = SupportModel(model, comprehension)

    def formulate(
        self, question: Question, evidence: Sequence[Evidence], stopped: threading.Event | None = None
    ) -> Iterator[Formulated]:
        """Answer `question` from the passages of `evidence`, one for each quote shown, best first.

        Yields what is supported of the text so far, whenever that is another sentence, and at the end the whole.

        Raises:
            LanguageModelError: the model fails, takes too long, or `stopped` was set meanwhile.
            UnsupportedError: too little of what it wrote is supported; what was yielded before is to be forgotten.
        """
        excerpts = [
            Excerpt(marker, item.candidate.title, item.candidate.passage.text)
            for marker, item in enumerate(evidence, start=1)
        ]
        prompt = render(question.text, question.language, excerpts, self._budget)
        verify = self._verifier(question, evidence)
        written, shown = "", ""
        for piece in self.language_model.stream(prompt, stopped=stopped):
            written += piece
            if not _ENDING.search(piece):
                continue
            found = verify.checked(written, whole=False)
            if found.kept and (text := self._formulated(found, question).text) != shown:
                shown = text
                yield self._formulated(found, question)
        yield self._believed(verify.checked(written), question)

    def rewritten(self, question: str, history: Sequence[str]) -> str | None:
        """Return the follow-up `question` put so that it stands alone; None where the model fails or adds to it."""
        prompt = render_rewrite(question, question_language(question), history, self._budget)
        try:
            written = self.language_model.complete(prompt, self._rewriting_seconds)
        except LanguageModelError as error:
            logger.warning("A follow-up question was not rewritten: %s", error)
            return None
        rewrite = trusted_rewrite(written, question, history)
        if rewrite is None:
            logger.info("Not believed as a rewrite of %r: %r", question, written)
        return rewrite

    def verified(self, written: str, question: Question, evidence: Sequence[Evidence]) -> Formulated:
        """Return what is supported of `written`; an UnsupportedError where that is too little."""
        return self._believed(self._verifier(question, evidence).checked(written), question)

    def _believed(self, found: Checked, question: Question) -> Formulated:
        for sentence, reason in found.removed:
            logger.info("Removed from a formulated answer (%s): %s", reason, sentence)
        written = len(found.kept) + len(found.removed)
        if not found.kept or len(found.kept) < _LEAST_SHARE * written:
            raise UnsupportedError(found)
        return self._formulated(found, question)

    def _formulated(self, found: Checked, question: Question) -> Formulated:
        used = tuple(sorted({1} | {marker for sentence in found.kept for marker in sentence.markers}))
        numbers = {marker: number for number, marker in enumerate(used, start=1)}
        return Formulated(written_out(found, numbers, question.language), used, found)

    def _verifier(self, question: Question, evidence: Sequence[Evidence]) -> _Verifier:
        passages = {
            marker: f"{item.candidate.title}\n{item.candidate.passage.text}"
            for marker, item in enumerate(evidence, start=1)
        }
        languages = {marker: item.candidate.passage.language for marker, item in enumerate(evidence, start=1)}
        return _Verifier(self._support, question.language, passages, languages)


@dataclass(frozen=True, slots=True)
class _Verifier:
    """Checks sentences against the passages of one question; each once, however often the text has grown since."""

    support: SupportModel
    language: Language
    passages: Mapping[int, str]
    languages: Mapping[int, str | None]
    known: dict[tuple[str, tuple[int, ...]], Verdict] = field(default_factory=dict)

    def checked(self, written: str, *, whole: bool = True) -> Checked:
        """Return what is left of `written`; where it is not `whole`, its last sentence is left out of account."""
        return checked(written, self.passages, self, whole=whole)

    def __call__(self, sentence: str, markers: tuple[int, ...]) -> Verdict:
        """Check one sentence against the passages with these markers."""
        key = (sentence, markers)
        if key not in self.known:
            self.known[key] = check_claim(
                sentence,
                [self.passages[marker] for marker in markers],
                language=self.language,
                passage_language=self.languages[markers[0]] or "de",
                similarity=self.support.similarity,
                reading=self.support.reading,
            )
        return self.known[key]


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
