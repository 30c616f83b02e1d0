"""Nearest passages among those that a reader sees, whatever else is stored.

Chroma searches all passages, and its filters take seconds on a large store. So the signs of all vectors are kept in
memory, 48 bytes a passage of 384 dimensions and 12 to know whose it is. Those that a reader sees are
compared by the number of differing signs, and the best of them exactly. What a reader does not see is not looked at:
it can change neither what is found nor how long that takes.

Derived from the store, as the lexical index is: `codes.sqlite` may be deleted. Made when a reader first asks who does
not see everything.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from rag.access import Reader, access_class
from rag.derived import fact, open_derived, set_fact, translated
from rag.records import Found, passage_id
from rag.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents
    (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, version TEXT NOT NULL, access TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS codes
    (number INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL, passage INTEGER NOT NULL, code BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS codes_by_document ON codes (document);
"""
_VERSION = "1"
# Documents read in one transaction.
_BATCH = 200
# Passages compared exactly, in times of those wanted, and at least; tests/bench/access.py prints which share of the
# nearest is among them, and what it costs.
_EXACT, _LEAST_EXACT = 16, 400


class VectorIndex:
    """Safe between threads and processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._file = store.derived_folder / "codes.sqlite"
        self._connection = open_derived(self._file, _SCHEMA, _VERSION)
        self._memory: _Codes | None = None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def update(self, generation: str) -> None:
        """Take in what the store has gained, drop what it has lost, and note what is seen by others now."""
        if self._is_at(generation):
            return
        with self._lock:
            if self._is_at(generation):
                return
            with translated(self._file):
                if fact(self._connection, "generation") != generation:
                    self._take_changes(generation)
                self._memory = self._read(self._memory, generation)

    @property
    def is_read(self) -> bool:
        """Whether a reader has asked who does not see everything."""
        return self._memory is not None

    def _is_at(self, generation: str) -> bool:
        return self._memory is not None and self._memory.generation == generation

    def nearest(self, vector: np.ndarray, count: int, reader: Reader) -> list[Found]:
        """Return up to `count` passages nearest to `vector`, best first, of those that `reader` sees.

        Call `update` first.
        """
        memory = self._memory
        if memory is None:
            return []
        ids = memory.nearest(vector, max(count * _EXACT, _LEAST_EXACT), reader)
        return self._store.nearest_of(ids, vector, count) if ids else []

    def _take_changes(self, generation: str) -> None:
        touched = self._store.touched(fact(self._connection, "generation"), generation)
        records = self._store.records() if touched is None else self._store.records_of(list(touched))
        found = self._connection.execute("SELECT id, version, access, number FROM documents")
        rows = [row for row in found if touched is None or row[0] in touched]
        known = {key: (version, access) for key, version, access, _ in rows}
        gone = [(number,) for key, version, _, number in rows if records.get(key, {}).get("version") != version]
        moved = [
            (access_class(record), key)
            for key, record in records.items()
            if key in known and known[key][0] == record["version"] and known[key][1] != access_class(record)
        ]
        # First what fewer may see now: an update that is cut off must not leave it open.
        with self._connection as connection:
            connection.executemany("UPDATE documents SET access = ? WHERE id = ?", moved)
            connection.executemany("DELETE FROM codes WHERE document = ?", gone)
            connection.executemany("DELETE FROM documents WHERE number = ?", gone)
        new = [key for key, record in records.items() if known.get(key, ("",))[0] != record["version"]]
        for at in range(0, len(new), _BATCH):
            self._add({key: records[key] for key in new[at : at + _BATCH]})
        with self._connection:
            set_fact(self._connection, "generation", generation)

    def _add(self, records: Mapping[str, dict[str, object]]) -> None:
        with self._connection as connection:
            owner: dict[str, tuple[int | None, int]] = {}
            for key, record in records.items():
                # Another process may be at it as well.
                connection.execute(
                    "DELETE FROM codes WHERE document = (SELECT number FROM documents WHERE id = ?)", (key,)
                )
                connection.execute("DELETE FROM documents WHERE id = ?", (key,))
                ids = [passage_id(key, str(record["version"]), n) for n in range(int(str(record["passages"])))]
                added = connection.execute(
                    "INSERT INTO documents (id, version, access) VALUES (?, ?, ?)",
                    (key, str(record["version"]), access_class(record)),
                )
                owner |= {one: (added.lastrowid, number) for number, one in enumerate(ids)}
            for found, vectors in self._store.vectors(list(owner)):
                connection.executemany(
                    "INSERT INTO codes (document, passage, code) VALUES (?, ?, ?)",
                    [(*owner[key], code.tobytes()) for key, code in zip(found, signs(vectors), strict=True)],
                )

    def _read(self, before: _Codes | None, generation: str) -> _Codes:
        """Return the file's content, of which `before` has the older part."""
        last = before.last if before is not None else 0
        documents = self._connection.execute("SELECT number, id, version, access FROM documents").fetchall()
        rows = self._connection.execute(
            "SELECT number, document, passage, code FROM codes WHERE number > ? ORDER BY number", (last,)
        ).fetchall()
        codes = np.array([np.frombuffer(row[3], np.uint64) for row in rows], np.uint64)
        owners = np.array([row[1] for row in rows], np.int32)
        passages = np.array([row[2] for row in rows], np.int32)
        last = rows[-1][0] if rows else last
        if before is not None and len(before.codes):
            codes = np.concatenate([before.codes, codes.reshape(len(rows), before.codes.shape[1])])
            owners, passages = np.concatenate([before.owners, owners]), np.concatenate([before.passages, passages])
        stays = np.isin(owners, np.array([row[0] for row in documents], np.int32))
        if not stays.all():
            codes, owners, passages = codes[stays], owners[stays], passages[stays]
        return _Codes(generation, last, codes, owners, passages, documents)


class _Codes:
    """The signs of all vectors: `codes` (n, d / 64), `owners` (n,) numbers of documents, `passages` (n,) theirs."""

    def __init__(
        self,
        generation: str,
        last: int,
        codes: np.ndarray,
        owners: np.ndarray,
        passages: np.ndarray,
        documents: Sequence[tuple[int, str, str, str]],
    ) -> None:
        self.generation = generation
        self.last = last
        self.codes = codes
        self.owners = owners
        self.passages = passages
        self._names = {number: (key, version) for number, key, version, _ in documents}
        self._classes = list(dict.fromkeys(access for *_, access in documents))
        numbers = {access: number for number, access in enumerate(self._classes)}
        class_of = np.zeros(max(self._names, default=0) + 1, np.int32)
        for number, _, _, access in documents:
            class_of[number] = numbers[access]
        self._class_of_row = class_of[owners]

    def nearest(self, vector: np.ndarray, count: int, reader: Reader) -> list[str]:
        """Return the ids of the `count` passages that `reader` sees whose signs differ least from those of `vector`."""
        seen = np.array([reader.sees_class(access) for access in self._classes], bool)
        rows = np.flatnonzero(seen[self._class_of_row]) if len(self.codes) else np.zeros(0, np.int64)
        if len(rows) > count:
            differing = np.bitwise_count(self.codes[rows] ^ signs(vector[np.newaxis])).sum(axis=1, dtype=np.uint16)
            rows = rows[np.argpartition(differing, count)[:count]]
        return [self._id(row) for row in rows.tolist()]

    def _id(self, row: int) -> str:
        key, version = self._names[int(self.owners[row])]
        return passage_id(key, version, int(self.passages[row]))


def signs(vectors: np.ndarray) -> np.ndarray:
    """Return the signs of `vectors` (n, d) as bits, (n, d / 64 rounded up) of 64 each."""
    missing = -vectors.shape[1] % 64
    bits = np.pad(vectors > 0, ((0, 0), (0, missing)))
    return np.packbits(bits, axis=1).view(np.uint64)
