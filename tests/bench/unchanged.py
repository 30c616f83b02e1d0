"""How long it takes to see that 10,000 files have not changed: python -m tests.bench.unchanged [FILES]

The store is made through its public interface with vectors by chance, because embedding would take an hour.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ingest.pipeline import ingest
from ingest.reading import Reader, Report
from ingest.side_files import SideFiles
from rag.embeddings import EmbeddingModel
from rag.records import StoredPassage, passage_id
from rag.settings import Settings
from rag.snapshot import snapshot
from rag.store import Store

# multilingual-e5-small's.
DIMENSIONS = 384


def make(folder: Path, store: Store, settings: Settings, count: int) -> None:
    """Write `count` small files, and store them as an ingest would."""
    store.create(EmbeddingModel(settings).name, DIMENSIONS)
    random = np.random.default_rng(1)
    reader = Reader({}, SideFiles(), settings, Report())
    with store.writing():
        for number in range(count):
            file = folder / f"{number // 100:03}" / f"akte-{number:05}.txt"
            file.parent.mkdir(exist_ok=True)
            words = " ".join(f"Wort{number}x{place}" for place in range(60))
            file.write_text(f"Vorgang {number}. Der Rat hat über {words} beschlossen.\n", "utf-8")
            for item in reader.read(file):
                version = item.content_hash[:16]
                passages = [
                    StoredPassage(
                        passage_id(item.document.id, version, place), item.document.id, version, start, end,
                        item.document.text[start:end], "de", random.normal(size=DIMENSIONS).astype(np.float32),
                    )
                    for place, (start, end) in enumerate(item.spans)
                ]  # fmt: skip
                store.write(item.document, item.content_hash, passages, reading=item.reading)


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
        for name, options in (
            ("ingest again", {}),
            ("ingest --prune", {"prune": True}),
            ("--dry-run", {"dry_run": True}),
        ):
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
