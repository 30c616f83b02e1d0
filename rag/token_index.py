"""Packed token vectors of passages, kept at ingest and computed on demand where they are missing.

Derived: any process that has the model can make them again from the passages' texts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.derived import open_derived, translated
from rag.embeddings import EmbeddingModel, Encoded
from rag.late_interaction import centred, packed, unpacked
from rag.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS tokens (id TEXT PRIMARY KEY, bits BLOB NOT NULL, offsets BLOB NOT NULL)"
# SQLite takes up to 999 variables a statement on the oldest versions in use.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class PassageTokens:
    """`vectors` (n, d), unit length; token i stands in the passage from `offsets[i, 0]` to `offsets[i, 1]`."""

    vectors: np.ndarray
    offsets: np.ndarray


class TokenIndex:
    """Keeps d / 2 + 8 bytes a token, about 30 kB a passage. Safe between threads and processes."""

    def __init__(self, store: Store, model: EmbeddingModel) -> None:
        self._model = model
        self._dimensions = model.dimensions
        self._lock = threading.Lock()
        fingerprint = f"1 {model.name} {float(np.abs(model.mean('passage_token', 'de')).sum()):.4f}"
        self._file = store.derived_folder / "tokens.sqlite"
        self._connection = open_derived(self._file, _SCHEMA, fingerprint)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def add(self, encoded: Iterable[tuple[str, str | None, Encoded]]) -> None:
        """Keep the token vectors of passages, given as passage id, language and encoding."""
        rows = [
            (
                key,
                packed(centred(text.tokens, self._model.mean("passage_token", language))),
                text.offsets.astype("<i4").tobytes(),
            )
            for key, language, text in encoded
        ]
        with self._lock, translated(self._file), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", rows)

    def get(self, ids: Sequence[str]) -> dict[str, PassageTokens]:
        """Return the token vectors of those passages among `ids` that have been added."""
        found: dict[str, PassageTokens] = {}
        for at in range(0, len(ids), _BATCH):
            batch = ids[at : at + _BATCH]
            marks = ",".join("?" * len(batch))
            with self._lock:
                rows = self._connection.execute(
                    f"SELECT id, bits, offsets FROM tokens WHERE id IN ({marks})",
                    batch,
                ).fetchall()
            for key, bits, offsets in rows:
                found[key] = PassageTokens(
                    unpacked(bits, self._dimensions), np.frombuffer(offsets, "<i4").reshape(-1, 2)
                )
        return found

    def drop(self, ids: Iterable[str]) -> None:
        """Drop the token vectors of passages that are gone."""
        with self._lock, translated(self._file), self._connection:
            self._connection.executemany("DELETE FROM tokens WHERE id = ?", ((key,) for key in ids))
