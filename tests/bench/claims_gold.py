"""The gold set of the claim check: sentences, the passages they cite, and whether they are supported.

`pairs.jsonl` has sentences about the short passages of `passages.jsonl`; `documents.jsonl` has sentences about whole
documents of the training set, title in front.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.bench.training_data import FOLDER as TRAINING
from tests.bench.training_data import FOLDS, HELD_OUT, WRITTEN, group_of

FOLDER = Path(__file__).parent / "claim_pairs"


@dataclass(frozen=True, slots=True)
class GoldClaim:
    """A sentence about passages. `change` names what is wrong with an unsupported one; `split` is one of four.

    `learnt`: the adapter of `rag.comprehension` was taught questions about the document.
    """

    id: str
    split: str
    language: str
    sentence: str
    passages: tuple[str, ...]
    passage_language: str
    supported: bool
    change: str
    learnt: bool = False


def gold_claims(split: str | None = None) -> list[GoldClaim]:
    """Return the pairs of one part, or all."""
    return [claim for claim in [*_about_topics(), *_about_documents()] if split in (None, claim.split)]


def _about_topics() -> list[GoldClaim]:
    topics = {row["topic"]: row for row in _rows(FOLDER / "passages.jsonl")}
    return [
        GoldClaim(
            id=row["id"],
            split=topics[row["topic"]]["split"],
            language=row["language"],
            sentence=row["sentence"],
            passages=tuple(topics[row["topic"]]["passages"]),
            passage_language=topics[row["topic"]]["language"],
            supported=row["verdict"] == "supported",
            change=row.get("change", ""),
        )
        for row in _rows(FOLDER / "pairs.jsonl")
    ]


def _about_documents() -> list[GoldClaim]:
    """Return the sentences about whole documents, whose text is the title and what it says."""
    files = [TRAINING / f"{name}.jsonl" for names in WRITTEN for name in names]
    documents = {row["id"]: row for file in files for row in _rows(file)}
    return [
        GoldClaim(
            id=row["id"],
            split="documents",
            language=row["language"],
            sentence=row["sentence"],
            passages=(f"{document['title']}\n{document['text']}",),
            passage_language=document["language"],
            supported=row["verdict"] == "supported",
            change=row.get("change", ""),
            learnt=group_of(document) % FOLDS != HELD_OUT,
        )
        for row in _rows(FOLDER / "documents.jsonl")
        for document in [documents[row["document"]]]
    ]


def _rows(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
