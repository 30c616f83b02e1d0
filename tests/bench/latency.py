"""Milliseconds an answer over a store of many passages: python -m tests.bench.latency [--passages 10000]

The documents are those of tests/bench/training/, told again and again with their sentences dealt out anew, so that
the passages differ and are as alike as a city's are. Prints p50 and p95 of warm questions: to the nearest passages by
vector and by words alone, to `search`, and to `ask`. Single-threaded questions, one after the other.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ingest.pipeline import write_documents
from ingest.splitting import passage_spans
from rag.pipeline import Assistant
from rag.question import analyse
from rag.retrieval import ALL, POOL, found_by_each
from rag.schema import Document
from rag.sentences import sentence_spans
from rag.settings import Settings
from rag.store import Store
from tests.bench.training_data import written_sets

QUESTIONS = 300


def documents(passages: int, originals: Sequence[Document]) -> Iterator[Document]:
    """Yield documents of at least `passages` passages in all."""
    deal = random.Random(0)
    made = round_number = 0
    while made < passages:
        by_language: dict[str | None, list[str]] = {}
        for document in originals:
            by_language.setdefault(document.language, []).extend(
                document.text[start:end] for start, end in sentence_spans(document.text)
            )
        for document in originals:
            count = len(sentence_spans(document.text))
            text = document.text
            if round_number:
                text = " ".join(deal.sample(by_language[document.language], count))
            made += len(passage_spans(text, []))
            yield replace(document, id=f"{document.id}-{round_number}", text=text, sections=())
            if made >= passages:
                return
        round_number += 1


def times(ask: Callable[[str], object], questions: Sequence[str]) -> np.ndarray:
    """Return the milliseconds that each question took."""
    taken = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        taken.append((time.perf_counter() - started) * 1000)
    return np.array(taken)


def main() -> None:
    """Fill a store, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    wanted = parser.parse_args().passages
    sets = written_sets()
    questions = [asked.text for item in sets for asked in item.questions]
    random.Random(1).shuffle(questions)
    with tempfile.TemporaryDirectory() as folder:
        assistant = Assistant(Store(folder), Settings())
        started = time.perf_counter()
        made = list(documents(wanted, [document for item in sets for document in item.documents]))
        write_documents(made, assistant.store, assistant.model)
        passages = sum(summary.passages for summary in assistant.documents())
        print(f"{passages} passages in {len(made)} documents, ingested in {time.perf_counter() - started:.0f} s")
        assistant.warm_up()
        parts = assistant.retriever.parts
        kinds: dict[str, Callable[[str], object]] = {
            "vectors and words alone": lambda text: found_by_each(parts, analyse(text, assistant.model), POOL, ALL),
            "search (late interaction)": assistant.search,
            "ask": assistant.ask,
        }
        for name, ask in kinds.items():
            for question in questions[-20:]:
                ask(question)
            taken = times(ask, questions[:QUESTIONS])
            print(f"{name:28} p50 {np.percentile(taken, 50):6.1f} ms   p95 {np.percentile(taken, 95):6.1f} ms")
        assistant.close()


if __name__ == "__main__":
    main()
