"""What the evidence scorer is trained on: documents, and questions with and without an answer in them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rag.evaluation import read_squad
from rag.evidence import Evidence, in_order, neighbour
from rag.schema import Document, Mark

FOLDER = Path(__file__).parent / "training"
ENCYCLOPEDIA = ("history", "nature", "places", "culture")
FOLDS = 6
# The written documents of this fold are kept from the adapter of `rag.comprehension`; of the public ones, all are.
HELD_OUT = 0
# The files that are stored together; one file's documents are look-alikes of each other.
WRITTEN = (
    ("exchange", "planning", "services"),
    ("councils",),
    ("offices",),
    ("magazines",),
    *((name,) for name in ENCYCLOPEDIA),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `answers` are spans of document `document_id`; without any, no document answers it.

    `group` numbers what must stay together in cross-validation: an article, or one document and its questions.
    """

    text: str
    language: str
    answers: tuple[str, ...]
    document_id: str
    group: int


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents that are stored together, and what is asked about them. `article_of` groups documents by topic."""

    name: str
    documents: list[Document]
    questions: list[Asked]
    article_of: dict[str, int]
    is_city: bool = False


@dataclass
class Sample:
    """One question under one condition, with the evidence found and whether each piece holds the answer."""

    set_name: str
    is_city: bool
    is_public: bool
    condition: str
    asked: Asked
    evidence: list[Evidence]
    labels: np.ndarray

    def reordered(self, evidence: Iterable[Evidence]) -> Sample:
        """Return the sample with other odds or readings of its evidence, the best first."""
        ranked = in_order(evidence)
        labels = [holds(self.asked, item, item.start, item.end) for item in ranked]
        return replace(self, evidence=ranked, labels=np.array(labels))

    def shows_answer(self, first: Evidence, ranked: Sequence[Evidence]) -> bool:
        """Return whether the quote made of `first` holds the answer."""
        joined = neighbour(first, ranked) or first
        return holds(self.asked, first, min(first.start, joined.start), max(first.end, joined.end))


def holds(asked: Asked, evidence: Evidence, start: int, end: int) -> bool:
    """Return whether the passage of `evidence` holds an answer from `start` to `end`."""
    passage = evidence.candidate.passage
    quote = passage.text[start - passage.start : end - passage.start].lower()
    return passage.document_id == asked.document_id and any(answer.lower() in quote for answer in asked.answers)


def squad_set(documents_file: Path, documents_language: str, questions_file: Path, language: str) -> QuestionSet:
    """Return the paragraphs of one SQuAD file with the questions of another that has the same ids."""
    read = read_squad(documents_file, questions_file=questions_file)
    documents = [replace(document, language=documents_language) for document in read.documents or ()]
    questions = [
        Asked(question.text, language, question.answers, question.relevant[0][0], int(question.group))
        for question in read.questions
    ]
    articles = {document.id: int(document.id.partition("-")[0]) for document in documents}
    return QuestionSet(f"{language} over {documents_language}", documents, questions, articles)


def written_sets() -> list[QuestionSet]:
    """Return the documents in `training/`, written for this purpose, with their questions: one set for each store."""
    return [_written_set(files) for files in WRITTEN]


def _written_set(files: Sequence[str]) -> QuestionSet:
    documents, questions = read_documents([FOLDER / f"{file}.jsonl" for file in files])
    articles = {asked.document_id: asked.group for asked in questions}
    return QuestionSet(", ".join(files), documents, questions, articles, is_city=files[0] not in ENCYCLOPEDIA)


def read_documents(files: Iterable[Path]) -> tuple[list[Document], list[Asked]]:
    """Return the documents of files as those in `training/` are, and what is asked about them."""
    entries = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    questions = [
        Asked(
            item["question"],
            item["language"],
            tuple(item.get("answers", ())),
            entry["id"],
            group_of(entry),
        )
        for entry in entries
        for item in (*entry["questions"], *entry["unanswerable"])
    ]
    return [_document(entry) for entry in entries], questions


def group_of(entry: dict) -> int:
    """Return the number of a document's article: not `hash`, which differs from run to run."""
    return zlib.crc32(entry.get("article", entry["id"]).encode())


def _document(entry: dict) -> Document:
    text = entry["text"]
    starts = [(text.index(heading), heading) for heading in entry["headings"] if heading in text]
    return Document(
        id=entry["id"],
        title=entry["title"],
        source=entry["id"],
        text=text,
        language=entry["language"],
        sections=tuple(Mark(start, heading) for start, heading in sorted(starts)),
    )
