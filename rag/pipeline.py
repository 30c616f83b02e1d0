"""Ask a question, get a cited answer: the one place that wires the parts together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.access import EVERYTHING, Reader
from rag.answering import Answerer, Draft, ExtractiveAnswerer, Span, abstention
from rag.citations import cite, passage_of
from rag.comprehension import Comprehension
from rag.confidence import confidence
from rag.contradiction import Contradiction, contradiction, without_older
from rag.embeddings import EmbeddingModel
from rag.errors import LanguageModelError, ModelError, NotFoundError, UsageError, missing_document
from rag.evidence import Evidence, rank_evidence
from rag.filtering import Catalogue
from rag.follow_up import continues, standalone
from rag.formulated import UnsupportedError
from rag.generation import Formulator, quoted
from rag.language import WORD, question_language
from rag.lexical import LexicalIndex, question_terms
from rag.question import Question, analyse
from rag.records import StoredPassage
from rag.reranking import RERANKED, Reranker
from rag.retrieval import ALL, POOL, Candidate, HybridRetriever, Parts
from rag.schema import Answer, Citation, Document, DocumentSummary, Filters, Language, Passage, Timings
from rag.settings import Settings, load_settings
from rag.spelling import suggestion
from rag.store import Store
from rag.token_index import TokenIndex
from rag.vector_index import VectorIndex
from rag.verification import stands_in
from rag.view import View

logger = logging.getLogger(__name__)

# A document may be replaced between retrieval and quoting; then the question is tried once more.
_TRIES = 2
# Of a document that has no record any more, so that nobody is known to see it.
_UNKNOWN = {"groups": "[]"}
MAX_TOP_K = 100
# Questions worked on at once; the others wait their turn. Most of an answer is Python, which does one thing at a time:
# a third question would take away from the first two and finish no sooner, and all would be late, not the last alone.
_AT_ONCE = 2
# A Chroma server is waited for without work.
_AT_ONCE_REMOTE = 6


@dataclass(frozen=True, slots=True)
class Trail:
    """How an answer came about: `quotes` that it shows, or would show without the threshold, and `passages` found.

    Both best first. All of it is from what `reader` sees, and so is whatever else is made of it.
    """

    answer: Answer
    quotes: tuple[Citation, ...]
    passages: tuple[StoredPassage, ...]
    basis: Basis | None = None
    reader: Reader = EVERYTHING


@dataclass(frozen=True, slots=True)
class Basis:
    """What a formulated answer may be made of: the question, and the evidence of each quote shown."""

    question: Question
    evidence: tuple[Evidence, ...]
    clock: _Clock


class Assistant:
    """Answers questions over one store. Cheap to make; models load on first use. Safe between threads."""

    def __init__(self, store: Store, settings: Settings, answerer: Answerer | None = None) -> None:
        self.store = store
        self.settings = settings
        self.model = EmbeddingModel(settings)
        self.comprehension = Comprehension(self.model)
        self.answerer = answerer or ExtractiveAnswerer(settings.max_citations)
        self.reranker = Reranker(settings.cross_encoder) if settings.cross_encoder else None
        self.formulator = Formulator(settings, self.model, self.comprehension) if settings.llm else None
        self._retriever: HybridRetriever | None = None
        self._opening = threading.Lock()
        self._turns = threading.Semaphore(_AT_ONCE_REMOTE if store.is_remote else _AT_ONCE)

    @classmethod
    def open(cls, store: str | Path | None = None, settings: Settings | None = None) -> Assistant:
        """Open the store at a path or URL; by default the one in the settings.

        An empty folder is an empty store: every question to it is answered by abstention.

        Raises:
            StoreError: the folder does not exist, or the store cannot be read.
            ModelError: the store was made with another embedding model.
        """
        settings = settings or load_settings(store=None if store is None else str(store))
        opened = cls(Store(store if store is not None else settings.store), settings)
        opened.store.require_folder()
        if opened.store.exists():
            opened.store.check_model(settings.embedding_model)
        return opened

    def ask(
        self,
        question: str,
        history: Sequence[str] = (),
        filters: Filters = ALL,
        *,
        formulate: bool = True,
        reader: Reader = EVERYTHING,
    ) -> Answer:
        """Answer `question` from the documents that pass `filters` and that `reader` sees, with citations, or abstain.

        `history` are the earlier questions of the conversation, oldest first: "Und wer hat es gegründet?" is
        understood as `rag.follow_up.standalone` puts it. Where a language model is set, it formulates the answer,
        unless `formulate` is False; what it writes is checked, and its time is limited.

        Raises:
            UsageError: the question is empty or longer than the setting `max_question` (characters).
            StoreError, ModelError: the store or the model cannot be used.
        """
        trail = self.trail(question, history, filters, reader=reader)
        if not formulate:
            return trail.answer
        return self.formulated(self.rewritten(question, history, trail, filters))

    def rewritten(self, question: str, history: Sequence[str], trail: Trail, filters: Filters = ALL) -> Trail:
        """Return the trail of a follow-up as the language model rewrites it, else `trail`, that of the rules.

        A rewrite that holds what the conversation does not, or has no answer, is not believed. It is asked for
        the reader of `trail`. Raises as `ask` does.
        """
        if self.formulator is None or not continues(question, history):
            return trail
        text = self._checked(question)
        rewrite = self.formulator.rewritten(text, history)
        if rewrite is None or rewrite in (trail.answer.question, trail.answer.understood):
            return trail
        found = self.trail(rewrite, filters=filters, reader=trail.reader)
        if found.answer.abstained:
            return trail
        return replace(found, answer=replace(found.answer, question=text, understood=rewrite))

    def formulated(self, trail: Trail, stopped: threading.Event | None = None) -> Answer:
        """Return the answer of `trail` in a language model's words; where that fails as it is, with a note.

        The language model is let go of once `stopped` is set.
        """
        return [trail.answer, *self.formulating(trail, stopped)][-1]

    def formulating(self, trail: Trail, stopped: threading.Event | None = None) -> Iterator[Answer]:
        """Yield the answer of `trail` in a language model's words as it grows, sentence by verified sentence.

        The last one is the answer: where the model fails or too little of its text is supported, the quote, with a
        note. Nothing comes where no model is set or the answer is not to be formulated.
        """
        if self.formulator is None or trail.basis is None:
            return
        basis, quotation = trail.basis, trail.answer
        try:
            for found in self.formulator.formulate(basis.question, basis.evidence, stopped):
                citations = tuple(
                    replace(quotation.citations[number - 1], marker=marker)
                    for marker, number in enumerate(found.used, start=1)
                )
                timings = basis.clock.timings()
                yield replace(quotation, answer=found.text, mode="generative", citations=citations, timings_ms=timings)
        except UnsupportedError as error:
            logger.warning("No formulated answer: %s", error)
            yield replace(quotation, note="llm_unsupported", timings_ms=basis.clock.timings())
        except (LanguageModelError, UsageError) as error:
            logger.warning("No formulated answer: %s", error)
            yield replace(quotation, note="llm_unreachable", timings_ms=basis.clock.timings())

    def trail(
        self, question: str, history: Sequence[str] = (), filters: Filters = ALL, *, reader: Reader = EVERYTHING
    ) -> Trail:
        """Answer as `ask` does, and say what the answer came from; raises the same."""
        clock = _Clock()
        text = self._checked(question)
        with self._turns:
            return self._trail(text, history, filters, reader, clock)

    def _trail(self, text: str, history: Sequence[str], filters: Filters, reader: Reader, clock: _Clock) -> Trail:
        if not self._has_documents():
            return Trail(_abstained(text, question_language(text), 0.0, clock), (), (), reader=reader)
        meant = standalone(text, history)
        analysed = analyse(meant, self.model)
        for _ in range(_TRIES):
            candidates = self._found(analysed, POOL, filters, reader)
            clock.retrieved()
            ranked = self.comprehension.rank(analysed, rank_evidence(analysed, candidates))
            differing = contradiction(analysed, ranked, self._dates_of)
            if differing is not None:
                ranked = without_older(ranked, differing)
            sure = confidence(analysed, ranked)
            draft = self.answerer.draft(analysed, ranked, differing) if ranked else Draft("", ())
            citations = self._cited(draft.spans, reader)
            if citations is None:
                continue
            passages = tuple(candidate.passage for candidate in candidates)
            understood = meant if meant != text else None
            if sure < self.settings.threshold or not citations:
                refusal = replace(_abstained(text, analysed.language, sure, clock), understood=understood)
                return Trail(refusal, citations, passages, reader=reader)
            answer = Answer(
                question=text,
                language=analysed.language,
                answer=draft.text,
                abstained=False,
                confidence=sure,
                mode=self.answerer.mode,
                timings_ms=clock.timings(),
                citations=citations,
                understood=understood,
            )
            basis = self._basis(analysed, ranked, draft, differing, clock)
            return Trail(answer, citations, passages, basis, reader)
        return Trail(_abstained(text, analysed.language, 0.0, clock), (), (), reader=reader)

    def search(
        self, query: str, top_k: int = 10, filters: Filters = ALL, *, reader: Reader = EVERYTHING
    ) -> list[Passage]:
        """Return the `top_k` passages that fit `query` best, of documents that `reader` sees, best first.

        Raises:
            UsageError: the query is empty or too long, or `top_k` is not between 1 and 100.
        """
        text = self._checked(query)
        if not 1 <= top_k <= MAX_TOP_K:
            raise UsageError(f"top_k is {top_k}; it must be between 1 and {MAX_TOP_K}.")
        if not self._has_documents():
            return []
        with self._turns:
            found = self._found(analyse(text, self.model), top_k, filters, reader)
        documents = self.store.documents(list({candidate.passage.document_id for candidate in found}))
        return [
            passage_of(document, candidate.passage.start, candidate.passage.end, _shown_score(candidate))
            for candidate in found
            if (document := documents.get(candidate.passage.document_id)) is not None
            and reader.sees(document.groups)
            and document.text[candidate.passage.start : candidate.passage.end] == candidate.passage.text
        ]

    def suggestion(self, question: str, filters: Filters = ALL, *, reader: Reader = EVERYTHING) -> str | None:
        """Return `question` with words that no document holds put right, where that gives it an answer; else None.

        Documents that `reader` does not see lend it no word.
        """
        if not self._has_documents():
            return None
        lexical = self.retriever.parts.lexical
        self.retriever.parts.view.generation()  # who may see what may have changed since the question

        def spelt(stem: str) -> str | None:
            found = self.store.passages([match.id for match in lexical.search([stem], 1, reader)]).values()
            records = self.store.records_of([passage.document_id for passage in found])
            seen = (item for item in found if reader.sees_record(records.get(item.document_id, _UNKNOWN)))
            words = (word for passage in seen for word in WORD.findall(passage.text))
            return next((word for word in words if stem in question_terms(word, "de")), None)

        suggested = suggestion(question, lexical.counts(reader), spelt)
        if suggested is None:
            return None
        answer = self.ask(suggested, filters=filters, formulate=False, reader=reader)
        return None if answer.abstained else suggested

    def documents(self, *, reader: Reader = EVERYTHING) -> list[DocumentSummary]:
        """List the documents in the store that `reader` sees, ordered by source."""
        listed = self.store.summaries() if self.store.exists() else []
        return [item for item in listed if reader.sees(item.groups)] if reader.is_restricted else listed

    def document(self, document_id: str, *, reader: Reader = EVERYTHING) -> Document:
        """Return one document with its text.

        Raises:
            NotFoundError: there is none with this id, or `reader` does not see it: nothing tells which.
        """
        if not self.store.exists():
            raise NotFoundError(f"No document {document_id!r}: the store {self.store.location} is empty.")
        # Its record first: a text that must not be seen is not even read, which would take time.
        if reader.is_restricted and not any(map(reader.sees_record, self.store.records_of([document_id]).values())):
            raise missing_document(document_id)
        return self.store.document(document_id)

    def count(self) -> int:
        """Return the number of documents."""
        return self.store.count() if self.store.exists() else 0

    def check_ready(self) -> None:
        """Raise ModelError where the model is not loaded, StoreError where the store cannot be read."""
        if not self.model.is_loaded:
            raise ModelError("The embedding model is not loaded yet. Wait a moment.")
        self.count()

    def warm_up(self) -> None:
        """Load the model and the indexes, so that the first question is as fast as the next."""
        self.model.encode_question("Wann?")
        self.comprehension.load()
        if self.formulator is not None:
            self.formulator.language_model.open()
        if self._has_documents():
            question = analyse("Wann?", self.model)
            # What a reader in no group needs who does not see everything; where all is for everybody, nothing more.
            for reader in (EVERYTHING, Reader(frozenset(), self.settings.ungrouped == "everybody")):
                self.retriever.candidates(question, 1, reader=reader)

    def close(self) -> None:
        """Close the store and the indexes."""
        with self._opening:
            if self._retriever is not None:
                self._retriever.parts.lexical.close()
                self._retriever.parts.tokens.close()
                self._retriever.parts.vectors.close()
                self._retriever = None
        self.store.close()

    @property
    def retriever(self) -> HybridRetriever:
        """The hybrid retriever over this store, which is a LangChain retriever too."""
        with self._opening:
            if self._retriever is None:
                self._retriever = HybridRetriever(parts=open_parts(self.store, self.model))
            return self._retriever

    def _basis(
        self,
        question: Question,
        ranked: Sequence[Evidence],
        draft: Draft,
        differing: Contradiction | None,
        clock: _Clock,
    ) -> Basis | None:
        """Return what may be formulated; an answer that names two differing statements stays as it is quoted."""
        evidence = quoted(draft.spans, ranked) if self.formulator and differing is None else []
        return Basis(question, tuple(evidence), clock) if evidence and len(evidence) == len(draft.spans) else None

    def _found(self, question: Question, count: int, filters: Filters, reader: Reader) -> list[Candidate]:
        if self.reranker is None:
            return self.retriever.candidates(question, count, filters, reader)
        found = self.retriever.candidates(question, max(count, RERANKED), filters, reader)
        return self.reranker.rerank(question.text, found)[:count]

    def _dates_of(self, ids: Sequence[str]) -> dict[str, str | None]:
        return {key: str(record["published"]) or None for key, record in self.store.records_of(ids).items()}

    def _has_documents(self) -> bool:
        return self.store.exists() and self.store.count() > 0

    def _checked(self, question: str) -> str:
        text = " ".join(question.split())
        if not text:
            raise UsageError("The question is empty. Ask for example: Wann trat Krakau Eurocities bei?")
        if len(text) > self.settings.max_question:
            raise UsageError(
                f"The question has {len(text)} characters; at most {self.settings.max_question} are allowed."
            )
        return text

    def _cited(self, spans: Sequence[Span], reader: Reader) -> tuple[Citation, ...] | None:
        """Quote `spans` from the stored texts; None where one no longer stands there because the document changed."""
        documents = self.store.documents(list({span.document_id for span in spans}))
        citations = []
        for marker, span in enumerate(spans, start=1):
            document = documents.get(span.document_id)
            if (
                document is None
                or not reader.sees(document.groups)
                or not stands_in(span.quote, document.text, span.start, span.end)
            ):
                return None
            citations.append(cite(document, span.start, span.end, span.score, marker))
        return tuple(citations)


def open_parts(store: Store, model: EmbeddingModel) -> Parts:
    """Return what retrieval over `store` works with."""
    lexical, vectors = LexicalIndex(store), VectorIndex(store)
    return Parts(
        store=store,
        lexical=lexical,
        tokens=TokenIndex(store, model),
        model=model,
        catalogue=Catalogue(store),
        vectors=vectors,
        view=View(store, lexical, vectors),
    )


def _shown_score(candidate: Candidate) -> float:
    return candidate.score if candidate.reranked is None else candidate.reranked


class _Clock:
    """Milliseconds of the steps of one question."""

    def __init__(self) -> None:
        self._started = self._retrieved = time.perf_counter()

    def retrieved(self) -> None:
        self._retrieved = time.perf_counter()

    def timings(self) -> Timings:
        now = time.perf_counter()
        retrieve, answer = self._retrieved - self._started, now - self._retrieved
        return Timings(
            retrieve=round(retrieve * 1000, 2),
            answer=round(answer * 1000, 2),
            total=round((now - self._started) * 1000, 2),
        )


def _abstained(text: str, language: Language, sure: float, clock: _Clock) -> Answer:
    return Answer(
        question=text,
        language=language,
        answer=abstention(language),
        abstained=True,
        confidence=sure,
        mode="extractive",
        timings_ms=clock.timings(),
        citations=(),
    )
