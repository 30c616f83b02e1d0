"""Question sets in SQuAD JSON, read for training and benchmarks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rag.schema import Document


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """`document_id` names the paragraph that answers, `article` the number of its article."""

    id: str
    text: str
    answers: tuple[str, ...]
    document_id: str
    article: int


def read_squad(file: Path, language: str) -> tuple[list[Document], list[SquadQuestion]]:
    """Return each paragraph as a document and all questions."""
    documents: list[Document] = []
    questions: list[SquadQuestion] = []
    for number, article in enumerate(json.loads(file.read_text("utf-8"))["data"]):
        for paragraph_number, paragraph in enumerate(article["paragraphs"]):
            key = f"{number:03d}-{paragraph_number:03d}"
            # A stored text has one paragraph a line.
            text = " ".join(paragraph["context"].split())
            documents.append(
                Document(id=key, title=article["title"].replace("_", " "), source=key, text=text, language=language)
            )
            for entry in paragraph["qas"]:
                answers = tuple(" ".join(answer["text"].split()) for answer in entry["answers"])
                questions.append(SquadQuestion(entry["id"], entry["question"], answers, key, number))
    return documents, questions
