"""How accurate answers are on what nothing was trained on: python -m tests.bench.held_out [--json FILE]

Stores the documents of tests/bench/held_out/ and asks their questions: German, English and Polish, three in seven of
them without an answer anywhere, on the topic of a paragraph that is there. Prints the figures of `citycite eval` for
each language, with 95 % intervals. Six minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from ingest.pipeline import write_documents
from rag.embeddings import EmbeddingModel
from rag.evaluation import GoldQuestion, QuestionSet, Summary, as_dict, evaluate, summarise
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store
from tests.bench.training_data import read_documents

FOLDER = Path(__file__).parent / "held_out"
_SHOWN = (
    "recall@1", "recall@5", "first_quote", "any_quote", "answered_right", "refused", "false_refusals", "refused_at_5",
    "auroc", "ece", "citation_precision", "latency_p50", "latency_p95",
)  # fmt: skip


def question_set() -> QuestionSet:
    """Return the questions with the documents that they are about."""
    files = sorted(FOLDER.glob("*.jsonl"))
    documents, asked = read_documents(files)
    questions = tuple(
        GoldQuestion(
            id=str(number),
            language=item.language,
            text=item.text,
            answers=item.answers,
            relevant=((item.document_id, 1.0),) if item.answers else (),
            condition="answerable" if item.answers else "near",
            group=str(item.group),
        )
        for number, item in enumerate(asked)
    )
    return QuestionSet("held out", questions, tuple(documents))


def measure() -> Summary:
    """Answer all questions over a store of their documents."""
    questions, settings = question_set(), Settings()
    with tempfile.TemporaryDirectory() as folder:
        write_documents(list(questions.documents or ()), Store(folder), EmbeddingModel(settings))
        assistant = Assistant.open(folder, settings)
        outcomes, _ = evaluate(questions, assistant)
        assistant.close()
    return summarise(outcomes, questions)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    options = parser.parse_args()
    summary = measure()
    for name in _SHOWN:
        row = [
            f"{group} {figures[name].value:.3f} ({figures[name].low:.3f}-{figures[name].high:.3f})"
            for group, figures in summary.items()
            if name in figures
        ]
        print(f"{name:20} {'  '.join(row)}")
    if options.json:
        options.json.write_text(json.dumps(as_dict(summary), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
