"""Milliseconds to find passages for readers who see a part: python -m tests.bench.access [--passages 100000]

Made vectors in clusters, made words in Zipf's shares, ten passages a document, 50 groups. Prints for readers who see
all, half, a tenth and a fiftieth: p50 and p95 of vectors alone and of words alone, and which share of the nearest 24
(compared one by one) is found. And how long words take that only hidden passages hold, beside words that none holds.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable

import numpy as np

from rag.access import EVERYTHING, Reader
from rag.lexical import LexicalIndex
from rag.records import NewVersion, StoredPassage, passage_id
from rag.schema import Document
from rag.store import Store
from rag.vector_index import VectorIndex

DIMENSIONS, PASSAGES_EACH, GROUPS, COUNT, QUESTIONS = 384, 10, 50, 24, 100
READERS = {
    "everything": EVERYTHING,
    "half": Reader(frozenset(f"g{number}" for number in range(GROUPS // 2)), ungrouped=False),
    "a tenth": Reader(frozenset(f"g{number}" for number in range(GROUPS // 10)), ungrouped=False),
    "a fiftieth": Reader(frozenset({"g0"}), ungrouped=False),
}


def fill(store: Store, passages: int, rng: np.random.Generator) -> np.ndarray:
    """Store made documents, document n for group n modulo 50; return the vectors."""
    centres = rng.normal(size=(max(1, passages // 200), DIMENSIONS)).astype(np.float32)
    vectors = centres[rng.integers(len(centres), size=passages)]
    vectors = vectors + 0.8 * rng.normal(size=vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = rng.zipf(1.3, size=(passages, 120)) % 50_000
    with store.writing():
        store.create("made", DIMENSIONS)
        batch = []
        for number in range(passages // PASSAGES_EACH):
            batch.append(_version(number, vectors, words))
            if len(batch) == 100:
                store.write(batch)
                batch = []
        if batch:
            store.write(batch)
    return vectors


def _version(number: int, vectors: np.ndarray, words: np.ndarray) -> NewVersion:
    key, group = f"doc-{number}", f"g{number % GROUPS}"
    rows = range(number * PASSAGES_EACH, (number + 1) * PASSAGES_EACH)
    texts = [" ".join(f"wort{word}" for word in words[row]) + f" nur{group}" for row in rows]
    passages = [
        StoredPassage(passage_id(key, "v", n), key, "v", 0, len(text), text, "de", vectors[number * PASSAGES_EACH + n])
        for n, text in enumerate(texts)
    ]
    document = Document(key, f"Titel {number}", f"/{key}", "\n".join(texts), "de", groups=(group,))
    return NewVersion(document, key, passages)


def times(run: Callable[[int], object]) -> str:
    """Return p50 and p95 of `run`, given the number of the question."""
    taken = []
    for number in range(QUESTIONS):
        started = time.perf_counter()
        run(number)
        taken.append((time.perf_counter() - started) * 1000)
    return f"p50 {np.percentile(taken, 50):6.1f} ms  p95 {np.percentile(taken, 95):6.1f} ms"


def main() -> None:
    """Fill a store, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000)
    passages = parser.parse_args().passages
    rng, deal = np.random.default_rng(0), random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        started = time.perf_counter()
        vectors = fill(store, passages, rng)
        print(f"{passages} passages stored in {time.perf_counter() - started:.0f} s")
        codes, words = VectorIndex(store), LexicalIndex(store)
        for name, index in (("codes", codes), ("words", words)):
            started = time.perf_counter()
            index.update(store.refresh())
            print(f"{name} indexed in {time.perf_counter() - started:.0f} s")
        asked = vectors[rng.integers(len(vectors), size=QUESTIONS)]
        asked = asked + 0.04 * rng.normal(size=asked.shape).astype(np.float32)
        terms = [[f"wort{deal.choice((1, 7, 30, 200, 3000))}" for _ in range(6)] for _ in range(QUESTIONS)]
        group_of = np.arange(passages) // PASSAGES_EACH % GROUPS
        for name, reader in READERS.items():
            _report(name, reader, store, codes, words, vectors, asked, terms, group_of)
        hidden, none = ["wort7", "nurg49"], ["wort7", "nichtda"]
        one = READERS["a fiftieth"]
        print("a word that only hidden passages hold:", times(lambda _: words.search(hidden, COUNT, one)))
        print("a word that none holds:               ", times(lambda _: words.search(none, COUNT, one)))
        codes.close()
        words.close()
        store.close()


def _report(
    name: str, reader: Reader, store: Store, codes: VectorIndex, words: LexicalIndex, vectors: np.ndarray,
    asked: np.ndarray, terms: list[list[str]], group_of: np.ndarray,
) -> None:  # fmt: skip
    def near(number: int) -> list[str]:
        found = (
            codes.nearest(asked[number], COUNT, reader) if reader.is_restricted else store.nearest(asked[number], COUNT)
        )
        return [item.passage.id for item in found]

    seen = [reader.sees((f"g{group}",)) for group in range(GROUPS)]
    rows = np.flatnonzero(np.array(seen)[group_of])
    right = 0
    for number in range(QUESTIONS):
        best = rows[np.argsort(-(vectors[rows] @ asked[number]))[:COUNT]].tolist()
        ids = {passage_id(f"doc-{row // PASSAGES_EACH}", "v", row % PASSAGES_EACH) for row in best}
        right += len(ids & set(near(number)))
    print(f"{name:11} vectors {times(near)}  found {right / COUNT / QUESTIONS:.3f}")
    print(f"{name:11} words   {times(lambda number: words.search(terms[number], COUNT, reader))}")


if __name__ == "__main__":
    main()
