"""How citycite grows: python -m tests.bench.scale --passages 100000 [--store FOLDER]

Fills a store with that many passages without waiting for the model, and prints what that took and what questions take
then: seconds, p50 and p95 in milliseconds, memory, disk. With --store the filled store is kept, and measured again
where it holds enough.

The documents are those of tests/bench/latency.py: sentences of tests/bench/training/ dealt out anew. Each sentence is
encoded once, and a passage's vectors are put together from its sentences': all but that is what an ingest does. A kept
store that holds fewer is filled up, so that a large one can be made in several sittings.
Document n belongs to group n modulo 50; questions are asked by who sees all, half, and one group.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from ingest.encoding import Encoding
from ingest.pipeline import write_documents
from rag.access import EVERYTHING, Reader
from rag.embeddings import BLOCK, EmbeddingModel, Encoded
from rag.pipeline import Assistant
from rag.question import analyse
from rag.retrieval import ALL, POOL, found_by_each
from rag.schema import Document
from rag.sentences import sentence_spans
from rag.settings import Settings
from rag.store import PASSAGES, Store
from tests.bench.latency import documents, times
from tests.bench.training_data import written_sets

GROUPS, QUESTIONS, WARM = 50, 100, 20
READERS = {
    "all": EVERYTHING,
    "half": Reader(frozenset(f"g{number}" for number in range(GROUPS // 2)), ungrouped=False),
    "one group of 50": Reader(frozenset({"g0"}), ungrouped=False),
}
# Documents written in one go, of which the speed is printed. As after any ingest, the list of documents is made anew at
# its end, from all records: many small rounds would measure that.
_ROUND = 50_000


class Dealt:
    """An `Encoding` that puts passages together from sentences that it has encoded before.

    Where a sentence of a passage ends elsewhere than the one it was made of, one of like length stands in.
    """

    ahead = 1

    def __init__(self, model: EmbeddingModel, sentences: Sequence[str]) -> None:
        sentences = sorted(set(sentences), key=len)
        self._lengths = [len(sentence) for sentence in sentences]
        self._encoded = [
            replace(encoded, tokens=encoded.tokens.astype(np.float16))
            for at in range(0, len(sentences), BLOCK)
            for encoded in model.encode_passages(sentences[at : at + BLOCK])
        ]
        self._places = {sentence: place for place, sentence in enumerate(sentences)}

    def submit(self, texts: Sequence[str], contexts: Sequence[str]) -> Callable[[], list[Encoded]]:
        """Put passages together."""
        return lambda: [self._together(text) for text in texts]

    def _together(self, text: str) -> Encoded:
        known = [(self._of(text[start:end]), start) for start, end in sentence_spans(text)]
        vector = np.mean([encoded.vector for encoded, _ in known], axis=0)
        return Encoded(
            vector / np.linalg.norm(vector),
            np.concatenate([encoded.tokens for encoded, _ in known]).astype(np.float32),
            np.concatenate([encoded.offsets + start for encoded, start in known]),
        )

    def _of(self, sentence: str) -> Encoded:
        place = self._places.get(sentence, max(bisect_right(self._lengths, len(sentence)) - 1, 0))
        return self._encoded[place]

    def close(self) -> None:
        """Keep what was encoded: the next round needs it."""


def fill(store: Store, model: EmbeddingModel, passages: int) -> None:
    """Store documents until there are `passages`; print how fast."""
    originals = [document for item in written_sets() for document in item.documents]
    begun = time.perf_counter()
    sentences = [item.text[start:end] for item in originals for start, end in sentence_spans(item.text)]
    encoding: Encoding = Dealt(model, sentences)
    print(f"{len(sentences)} sentences encoded in {time.perf_counter() - begun:.0f} s", flush=True)
    known = store.records() if store.exists() else {}
    made = (document for document in _grouped(passages, originals) if document.id not in known)
    began, done = 0.0, sum(record["passages"] for record in known.values())
    begun = time.perf_counter()
    while batch := list(islice(made, _ROUND)):
        write_documents(batch, store, model, encoding=encoding)
        with store._using(PASSAGES) as collection:
            count = collection.count()
        took, before = time.perf_counter() - begun, began
        print(f"{count:9} passages after {took:6.0f} s, {(count - done) / (took - before):6.0f} a second", flush=True)
        began, done = took, count


def _grouped(passages: int, originals: Sequence[Document]) -> Iterator[Document]:
    for number, document in enumerate(documents(passages, originals)):
        yield replace(document, groups=(f"g{number % GROUPS}",))


def ask_all(assistant: Assistant) -> None:
    """Print what questions take, by what is asked for and who asks."""
    questions = [asked.text for item in written_sets() for asked in item.questions]
    random.Random(1).shuffle(questions)
    parts = assistant.retriever.parts
    for name, reader in READERS.items():
        kinds = {
            "vectors and words alone": lambda text, by=reader: found_by_each(
                parts, analyse(text, assistant.model), POOL, ALL, by
            ),
            "vectors alone": lambda text, by=reader: found_by_each(
                parts, analyse(text, assistant.model), POOL, ALL, by, lexical=False
            ),
            "words alone": lambda text, by=reader: found_by_each(
                parts, analyse(text, assistant.model), POOL, ALL, by, dense=False
            ),
            "search": lambda text, by=reader: assistant.search(text, reader=by),
            "ask": lambda text, by=reader: assistant.ask(text, reader=by),
        }
        for kind, ask in kinds.items():
            for question in questions[-WARM:]:
                ask(question)
            taken = times(ask, questions[:QUESTIONS])
            print(
                f"{name:16} {kind:24} p50 {np.percentile(taken, 50):6.0f} ms   p95 {np.percentile(taken, 95):6.0f} ms",
                flush=True,
            )


def memory() -> str:
    """Return what this process holds, of itself and of files mapped into it, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own, files = (int(lines[name].split()[0]) // 1024 for name in ("RssAnon", "RssFile"))
    return f"{own} MB of its own, {files} MB of files"


def disk(folder: Path) -> str:
    """Return what a store takes on disk, in MB: Chroma's part, and what is derived from it."""
    sizes = {file: file.stat().st_size // 1_000_000 for file in folder.rglob("*") if file.is_file()}
    derived = {file.name: size for file, size in sizes.items() if file.suffix == ".sqlite" and size}
    return f"Chroma {sum(sizes.values()) - sum(derived.values())} MB, {derived} MB"


def main() -> None:
    """Fill a store, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--store", type=Path, help="Keep the store in this folder.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.store or Path(temporary)
        store, settings = Store(folder), Settings()
        held = sum(summary.passages for summary in store.summaries()) if store.exists() else 0
        if held < options.passages:
            fill(store, EmbeddingModel(settings), options.passages)
        store.close()
        assistant = Assistant.open(folder, settings)
        began = time.perf_counter()
        assistant.warm_up()
        print(f"opened and indexed in {time.perf_counter() - began:.0f} s; memory {memory()}; disk {disk(folder)}")
        ask_all(assistant)
        print(f"memory {memory()}")
        assistant.close()


if __name__ == "__main__":
    main()
