"""Dense, lexical and hybrid retrieval of passages, each a LangChain retriever too.

Hybrid: the nearest by vector and the best by words are put together, then each is scored by how well its tokens meet
those of the question (late interaction), with the lexical score on top.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.access import EVERYTHING, Reader
from rag.embeddings import EmbeddingModel
from rag.filtering import EXACT, Catalogue, Choice
from rag.late_interaction import matches_of
from rag.lexical import LexicalIndex, Match
from rag.question import Question, analyse
from rag.records import Found, StoredPassage, context_in, headings_in
from rag.schema import Filters
from rag.store import Store
from rag.token_index import PassageTokens, TokenIndex
from rag.vector_index import VectorIndex
from rag.view import View

ALL = Filters()
# Passages taken from each side. Scoring them costs about half a millisecond each; on 373 passages of city documents
# the right one is among the 24 nearest by vector in 85 %, among the 32 nearest in 87 %.
POOL = 24
# Weight of a BM25 point beside the mean token similarity, whose spread over passages is 0.07: a name that only one
# passage holds (about 6 points) moves it by a quarter of that. Chosen on German questions.
LEXICAL_WEIGHT = 0.003
# Where question and passage differ in language, only names and numbers match, and common ones mislead.
CROSS_LANGUAGE_WEIGHT = 0.001


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with what retrieval knows of it.

    `matches` (question tokens, passage tokens) holds token similarities, `offsets` (passage tokens, 2) where each
    token stands in the passage. `dense` is a cosine, `lexical` a BM25 score; 0 where that side did not find it.
    `headings` are the ranges of the passage that are headings, `reranked` the score of a cross-encoder, if one is set.
    """

    passage: StoredPassage
    title: str
    dense: float
    lexical: float
    score: float
    matches: np.ndarray
    offsets: np.ndarray
    headings: tuple[tuple[int, int], ...] = ()
    reranked: float | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What retrieval works with."""

    store: Store
    lexical: LexicalIndex
    tokens: TokenIndex
    model: EmbeddingModel
    catalogue: Catalogue
    vectors: VectorIndex
    view: View


class PassageRetriever(BaseRetriever):
    """Base of the three: an implementer writes `candidates`, LangChain's `invoke` comes with it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    parts: Parts
    top_k: int = 10

    @abstractmethod
    def candidates(
        self, question: Question, count: int, filters: Filters = ALL, reader: Reader = EVERYTHING
    ) -> list[Candidate]:
        """Return up to `count` visible passages that `filters` let through and `reader` sees, best first."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        found = self.candidates(analyse(query, self.parts.model), self.top_k)
        return [
            LangChainDocument(
                id=candidate.passage.id,
                page_content=candidate.passage.text,
                metadata={
                    "document_id": candidate.passage.document_id,
                    "title": candidate.title,
                    "start": candidate.passage.start,
                    "end": candidate.passage.end,
                    "score": candidate.score,
                },
            )
            for candidate in found
        ]


class DenseRetriever(PassageRetriever):
    """Nearest passages by vector."""

    def candidates(
        self, question: Question, count: int, filters: Filters = ALL, reader: Reader = EVERYTHING
    ) -> list[Candidate]:
        """Return up to `count` visible passages by cosine."""
        dense, _ = found_by_each(self.parts, question, count, filters, reader, lexical=False)
        return _ranked(self.parts, question, dense, {}, reader, lambda candidate: candidate.dense)[:count]


class LexicalRetriever(PassageRetriever):
    """Best passages by words."""

    def candidates(
        self, question: Question, count: int, filters: Filters = ALL, reader: Reader = EVERYTHING
    ) -> list[Candidate]:
        """Return up to `count` visible passages by BM25."""
        _, lexical = found_by_each(self.parts, question, count, filters, reader, dense=False)
        return _ranked(self.parts, question, {}, lexical, reader, lambda candidate: candidate.lexical)[:count]


class HybridRetriever(PassageRetriever):
    """Both, put in order by late interaction."""

    def candidates(
        self, question: Question, count: int, filters: Filters = ALL, reader: Reader = EVERYTHING
    ) -> list[Candidate]:
        """Return up to `count` visible passages by token similarity and words."""
        dense, lexical = found_by_each(self.parts, question, max(count, POOL), filters, reader)
        return _ranked(self.parts, question, dense, lexical, reader, _late_score(question))[:count]


def found_by_each(
    parts: Parts,
    question: Question,
    count: int,
    filters: Filters,
    reader: Reader = EVERYTHING,
    *,
    dense: bool = True,
    lexical: bool = True,
) -> tuple[dict[str, tuple[StoredPassage, float]], dict[str, float]]:
    """Return what each side finds of what `reader` sees: passage id -> (passage, cosine), passage id -> BM25."""
    generation = parts.view.generation()
    choice = None if filters == ALL else parts.catalogue.choose(filters, generation, reader)
    if parts.lexical.seen(reader) is None:
        reader = EVERYTHING
    else:
        parts.vectors.update(generation)
    by_vector = _nearest(parts, question, count, choice, reader) if dense else []
    by_words = []
    if lexical:

        def search(asked: int) -> list[Match]:
            return parts.lexical.search(question.terms, asked, reader)

        by_words = search(count) if choice is None else choice.search(search, lambda match: match.document_id, count)
    return (
        {found.passage.id: (found.passage, found.similarity) for found in by_vector},
        {match.id: match.score for match in by_words},
    )


def _nearest(parts: Parts, question: Question, count: int, choice: Choice | None, reader: Reader) -> list[Found]:
    def search(asked: int) -> list[Found]:
        if reader.is_restricted:
            return parts.vectors.nearest(question.vector, asked, reader)
        return parts.store.nearest(question.vector, asked)

    if choice is None:
        return search(count)
    if choice.passages <= EXACT < choice.total:
        return parts.store.nearest_of(choice.passage_ids(), question.vector, count)
    return choice.search(search, lambda found: found.passage.document_id, count)


def _ranked(
    parts: Parts,
    question: Question,
    dense: dict[str, tuple[StoredPassage, float]],
    lexical: dict[str, float],
    reader: Reader,
    score: Callable[[Candidate], float],
) -> list[Candidate]:
    passages = {key: passage for key, (passage, _) in dense.items()}
    passages |= parts.store.passages([key for key in lexical if key not in passages])
    records = parts.store.records_of(list({passage.document_id for passage in passages.values()}))
    visible = [
        passage
        for passage in passages.values()
        if records.get(passage.document_id, {}).get("version") == passage.version
        # What the indexes say may be older than the record.
        and reader.sees_record(records[passage.document_id])
    ]
    tokens = tokens_of(parts, visible, records)
    matched = matches_of(question.tokens, [tokens[passage.id].vectors for passage in visible])
    candidates = []
    for passage, met in zip(visible, matched, strict=True):
        candidate = Candidate(
            passage=passage,
            title=str(records[passage.document_id]["title"]),
            dense=dense[passage.id][1] if passage.id in dense else 0.0,
            lexical=lexical.get(passage.id, 0.0),
            score=0.0,
            matches=met,
            offsets=tokens[passage.id].offsets,
            headings=headings_in(passage, records[passage.document_id]),
        )
        candidates.append(replace(candidate, score=score(candidate)))
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.passage.id))


def tokens_of(
    parts: Parts, passages: Iterable[StoredPassage], records: dict[str, dict[str, Any]]
) -> dict[str, PassageTokens]:
    """Return the token vectors of `passages`; those that the index lacks are computed and kept."""
    wanted = {passage.id: passage for passage in passages}
    found = parts.tokens.get(list(wanted))
    missing = [passage for key, passage in wanted.items() if key not in found]
    if missing:
        contexts = [context_in(passage, records[passage.document_id]) for passage in missing]
        encoded = parts.model.encode_passages([passage.text for passage in missing], contexts)
        parts.tokens.add((p.id, p.language, text) for p, text in zip(missing, encoded, strict=True))
        found |= parts.tokens.get([passage.id for passage in missing])
    return found


def _late_score(question: Question) -> Callable[[Candidate], float]:
    def score(candidate: Candidate) -> float:
        met = candidate.matches.max(axis=1) @ question.weights if candidate.matches.size else 0.0
        same = candidate.passage.language in (question.language, None)
        return float(met) + (LEXICAL_WEIGHT if same else CROSS_LANGUAGE_WEIGHT) * candidate.lexical

    return score
