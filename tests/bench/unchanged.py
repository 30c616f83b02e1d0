"""How long it takes to see that 10,000 files have not changed: python -m tests.bench.unchanged [FILES]

The store is filled with vectors by chance, because embedding would take an hour.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ingest.pipeline import ingest
from ingest.reading import Reader, Report
from ingest.side_files import SideFiles
from ingest.workers import Workers
from rag.embeddings import EmbeddingModel
from rag.records import StoredPassage, document_metadata, passage_id, passage_metadata
from rag.settings import Settings
from rag.snapshot import snapshot
from rag.store import BATCH, DOCUMENTS, PASSAGES, Store

# multilingual-e5-small's.
DIMENSIONS = 384


def make(folder: Path, store: Store, settings: Settings, count: int) -> None:
    """Write `count` small files, and store them as an ingest would, but a thousand records at a time."""
    store.create(EmbeddingModel(settings).name, DIMENSIONS)
    random = np.random.default_rng(1)
    documents: list[tuple[str, str, dict[str, Any]]] = []
    passages: list[StoredPassage] = []
    files = []
    for number in range(count):
        files.append(folder / f"{number // 100:03}" / f"akte-{number:05}.txt")
        files[-1].parent.mkdir(exist_ok=True)
        words = " ".join(f"Wort{number}x{place}" for place in range(60))
        files[-1].write_text(f"Vorgang {number}. Der Rat hat über {words} beschlossen.\n", "utf-8")
    with Workers(settings) as workers:
        reader = Reader({}, SideFiles(), settings, Report(), workers)
        for item in (item for read in reader.read_all(files) for item in read):
            key, version = item.document.id, item.content_hash[:16]
            record = document_metadata(item.document, item.content_hash, version, len(item.spans), (), item.reading)
            documents.append((key, item.document.text, record))
            for place, (start, end) in enumerate(item.spans):
                text = item.document.text[start:end]
                passages.append(StoredPassage(passage_id(key, version, place), key, version, start, end, text, "de"))
    with store.writing(), store.client() as client:
        for at in range(0, len(passages), BATCH):
            batch = passages[at : at + BATCH]
            client.get_collection(PASSAGES, embedding_function=None).upsert(
                ids=[passage.id for passage in batch],
                embeddings=random.normal(size=(len(batch), DIMENSIONS)).astype(np.float32),
                documents=[passage.text for passage in batch],
                metadatas=[passage_metadata(passage) for passage in batch],
            )
        for at in range(0, len(documents), BATCH):
            keys, texts, records = zip(*documents[at : at + BATCH], strict=True)
            client.get_collection(DOCUMENTS, embedding_function=None).upsert(
                ids=list(keys),
                embeddings=random.normal(size=(len(keys), DIMENSIONS)).astype(np.float32),
                documents=list(texts),
                metadatas=list(records),
            )


def main(count: int) -> None:
    """Print seconds for an ingest, a dry run and the coverage of `count` unchanged files."""
    from ingest.coverage import coverage

    with tempfile.TemporaryDirectory() as place:
        folder, settings = Path(place).resolve() / "akten", Settings()
        folder.mkdir()
        store = Store(Path(place) / "store")
        started = time.perf_counter()
        make(folder, store, settings, count)
        store.close()
        print(f"made {count} files and their store in {time.perf_counter() - started:.0f} s")
        runs = (("ingest again", {}), ("ingest --prune", {"prune": True}), ("--dry-run", {"dry_run": True}))
        for name, options in runs:
            started = time.perf_counter()
            report = ingest([str(folder)], store, settings, **options)
            store.close()
            print(f"{name}: {time.perf_counter() - started:.1f} s, {report.line()}")
        started = time.perf_counter()
        with snapshot(store) as view:
            totals = coverage(view).totals
        print(f"coverage: {time.perf_counter() - started:.1f} s, {totals['states']}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
