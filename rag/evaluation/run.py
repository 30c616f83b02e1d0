"""Ask every question of a set and keep what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rag.access import EVERYTHING, Reader
from rag.errors import LanguageModelError, UsageError
from rag.evaluation.metrics import holds_answer, states_answer
from rag.evaluation.question_sets import GoldQuestion, QuestionSet
from rag.formulated import UnsupportedError
from rag.pipeline import Assistant, Trail
from rag.schema import Citation, Document, Filters, Mode
from rag.verification import stands_in

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote that was shown, or would have been without the threshold."""

    text: str
    document_id: str
    title: str
    start: int
    end: int
    verbatim: bool
    right_document: bool


@dataclass(frozen=True, slots=True)
class Formulation:
    """What a language model made of an answer.

    `text` is what was shown of it, None where the quote stayed the answer. `supported` and `removed` count the
    sentences that it wrote; both are 0 where it `failed` to write any.
    """

    text: str | None
    supported: int
    removed: int
    failed: bool
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question and what came of it.

    `grades` are those of the documents found, best first (0: not relevant), `ideal` those of all relevant documents.
    `quotes` come best first, also where the answer abstained. `milliseconds` is the whole time of the answer.
    """

    question: GoldQuestion
    confidence: float
    abstained: bool
    grades: tuple[float, ...]
    ideal: tuple[float, ...]
    quotes: tuple[Quote, ...]
    milliseconds: float
    formulation: Formulation | None = None
    mode: Mode = "extractive"

    @property
    def quote_right(self) -> bool:
        """Whether the first quote holds a gold answer, shown or not."""
        return bool(self.quotes) and holds_answer(self.quotes[0].text, self.question.answers)

    @property
    def right(self) -> bool:
        """Whether what is shown holds a gold answer: the first quote, or in generative mode the model's words."""
        if self.mode == "generative" and self.formulation is not None and self.formulation.text is not None:
            return states_answer(self.formulation.text, self.question.answers)
        return self.quote_right

    def in_words(self) -> Outcome:
        """Return the outcome as a reader sees it who has a language model set."""
        waited = self.formulation.milliseconds if self.formulation is not None else 0.0
        return replace(self, mode="generative", milliseconds=self.milliseconds + waited)

    @property
    def verdict(self) -> str:
        """`right`, `wrong`, `needless abstention`, `right abstention` or `needless answer`."""
        if not self.question.answerable:
            return "right abstention" if self.abstained else "needless answer"
        if self.abstained:
            return "needless abstention"
        return "right" if self.right else "wrong"

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain JSON types."""
        return {
            "id": self.question.id,
            "language": self.question.language,
            "question": self.question.text,
            "condition": self.question.condition,
            "answers": list(self.question.answers),
            "verdict": self.verdict,
            "confidence": self.confidence,
            "abstained": self.abstained,
            "grades": list(self.grades),
            "quotes": [asdict(quote) for quote in self.quotes],
            "milliseconds": self.milliseconds,
        } | ({} if self.formulation is None else {"formulation": asdict(self.formulation)})


# Told after each question how many are done.
Progress = Callable[[int], None]


def evaluate(
    questions: QuestionSet,
    assistant: Assistant,
    progress: Progress = lambda done: None,
    reader: Reader = EVERYTHING,
    *,
    formulate: bool = False,
) -> tuple[list[Outcome], bool]:
    """Ask all questions, as `reader` would; return the outcomes, and whether that were all (False after Ctrl-C).

    The documents of the set must be in the assistant's store. With `formulate`, the language model that is set
    formulates each answer as well.

    Raises:
        UsageError: a gold file names documents of which the store has none.
        StoreError, ModelError: the store or the model cannot be used.
    """
    names = {summary.document_id: Path(summary.source).name for summary in assistant.documents(reader=reader)}
    relevant = [_relevant(question, names, by_prefix=questions.by_prefix) for question in questions.questions]
    if any(question.relevant for question in questions.questions) and not any(
        set(grades) & set(names) for grades in relevant
    ):
        raise UsageError(
            f"None of the documents that {questions.name} names is in the store {assistant.store.location}: ingest "
            "them first, or name the right store with --store."
        )
    assistant.warm_up()
    outcomes: list[Outcome] = []
    texts: dict[str, Document] = {}
    try:
        for question, grades in zip(questions.questions, relevant, strict=True):
            trail = assistant.trail(question.text, filters=Filters(without=question.without), reader=reader)
            formulation = _formulation(trail, assistant) if formulate else None
            outcome = _outcome(question, grades, trail, assistant, texts)
            outcomes.append(replace(outcome, formulation=formulation))
            progress(len(outcomes))
    except KeyboardInterrupt:
        return outcomes, False
    return outcomes, True


def _relevant(question: GoldQuestion, names: dict[str, str], *, by_prefix: bool) -> dict[str, float]:
    """Return the grade of each stored document that the question names."""
    if not by_prefix:
        return dict(question.relevant)  # also those that were not stored: they count as not found
    return {
        key: grade
        for wanted, grade in question.relevant
        for key, file in names.items()
        if key.startswith(wanted) or file.startswith(wanted)
    }


def _outcome(
    question: GoldQuestion, grades: dict[str, float], trail: Trail, assistant: Assistant, texts: dict[str, Document]
) -> Outcome:
    found = list(dict.fromkeys(passage.document_id for passage in trail.passages))
    return Outcome(
        question=question,
        confidence=trail.answer.confidence,
        abstained=trail.answer.abstained,
        grades=tuple(grades.get(key, 0.0) for key in found),
        # A question whose documents are not in the store counts as one that found none of them.
        ideal=tuple(sorted(grades.values(), reverse=True)) or tuple(grade for _, grade in question.relevant),
        quotes=tuple(_quote(citation, grades, assistant, texts) for citation in trail.quotes),
        milliseconds=trail.answer.timings_ms.total,
    )


def _formulation(trail: Trail, assistant: Assistant) -> Formulation | None:
    """Have an answer formulated; None where the model is not asked."""
    if trail.basis is None or assistant.formulator is None:
        return None
    started, text, found = time.perf_counter(), None, None
    try:
        *_, whole = assistant.formulator.formulate(trail.basis.question, trail.basis.evidence)
        text, found = whole.text, whole.checked
    except UnsupportedError as error:
        found = error.checked
    except (LanguageModelError, UsageError) as error:
        logger.warning("No formulated answer: %s", error)
    return Formulation(
        text=text,
        supported=len(found.kept) if found else 0,
        removed=len(found.removed) if found else 0,
        failed=found is None,
        milliseconds=round((time.perf_counter() - started) * 1000, 2),
    )


def _quote(citation: Citation, grades: dict[str, float], assistant: Assistant, texts: dict[str, Document]) -> Quote:
    """Check a citation against the stored text itself, not against what the pipeline says of it."""
    if citation.document_id not in texts:
        texts[citation.document_id] = assistant.document(citation.document_id)
    return Quote(
        text=citation.quote,
        document_id=citation.document_id,
        title=citation.title,
        start=citation.start,
        end=citation.end,
        verbatim=stands_in(citation.quote, texts[citation.document_id].text, citation.start, citation.end),
        right_document=citation.document_id in grades,
    )
