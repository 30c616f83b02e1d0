"""How the sample corpus's questions are answered: python -m tests.bench.corpus_figures

None of these questions or documents was used to fit the evidence scorer; the threshold was chosen on them.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.pipeline import ingest
from rag.pipeline import Assistant
from rag.schema import Answer
from rag.settings import Settings
from rag.store import Store

CORPUS = Path(__file__).parents[2] / "corpus"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's verdict. `best_is_right`: whether the best quote holds an answer, shown or not."""

    answerable: bool
    shown: bool
    best_is_right: bool
    milliseconds: float


def ask(assistant: Assistant, unsure: Assistant, entry: dict) -> Asked:
    """Ask once as shipped, once with a threshold of 0."""
    shipped, best = assistant.ask(entry["question"]), unsure.ask(entry["question"])
    return Asked(entry["answerable"], not shipped.abstained, _is_right(best, entry), shipped.timings_ms.total)


def _is_right(answer: Answer, entry: dict) -> bool:
    return bool(answer.citations) and any(text in answer.citations[0].quote for text in entry["answers"])


def row(name: str, asked: list[Asked]) -> str:
    """Return one line of the table, in per cent."""
    answerable = [item for item in asked if item.answerable]
    figures = (
        np.mean([item.best_is_right for item in answerable]),
        np.mean([item.best_is_right and item.shown for item in answerable]),
        np.mean([item.shown and not item.best_is_right for item in answerable]),
        np.mean([not item.shown for item in asked if not item.answerable]),
    )
    cells = "".join(f"{100 * figure:14.0f}" for figure in figures)
    return f"{name:10}{len(asked):10}{cells}{np.percentile([item.milliseconds for item in asked], 50):14.0f}"


def main() -> None:
    """Ingest the corpus into a temporary store, ask everything, print a table."""
    entries = [json.loads(line) for line in (CORPUS / "questions.jsonl").read_text("utf-8").splitlines()]
    by_language: dict[str, list[Asked]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        ingest([str(CORPUS)], Store(folder), Settings())
        assistant = Assistant.open(folder)
        unsure = Assistant(assistant.store, assistant.settings.model_copy(update={"threshold": 0.0}))
        unsure.model = assistant.model
        assistant.warm_up()
        for entry in entries:
            by_language[entry["language"]].append(ask(assistant, unsure, entry))
        assistant.close()
        unsure.close()
    heads = ("best right", "shown right", "shown wrong", "refused", "ms (p50)")
    print(f"{'':10}{'questions':>10}" + "".join(f"{head:>14}" for head in heads))
    for language, asked in by_language.items():
        print(row(language, asked))
    print(row("all", [item for asked in by_language.values() for item in asked]))
    print("best right, shown right, shown wrong: % of the answerable; refused: % of the unanswerable")


if __name__ == "__main__":
    main()
