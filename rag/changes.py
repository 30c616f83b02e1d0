"""Generations of a store, and which documents each change touched: indexes need not look through all records then.

Derived: without the file, or after a writer that was killed, they look through all records once.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rag.derived import open_derived, translated

_SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY, before TEXT NOT NULL, after TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS touched (change INTEGER NOT NULL, document_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS touched_by_change ON touched (change);
"""
_VERSION = "1"
# A generation begins so while a process writes, and stays so where that was killed.
_UNFINISHED = "unfinished-"
# Changes kept. Who has missed more looks through all records.
_KEPT = 1000
# A change that touched more documents is not noted: to look through all records is then about as fast.
_MOST = 20_000


def new_generation(*, finished: bool = True) -> str:
    """Return a token that no other change has."""
    return ("" if finished else _UNFINISHED) + uuid.uuid4().hex


def is_unfinished(generation: str) -> bool:
    """Whether a change has begun that is not finished, or never will be."""
    return generation.startswith(_UNFINISHED)


@dataclass(slots=True)
class Change:
    """One under way: the generation `before` it, and the ids of documents `touched`; None where that is not known."""

    before: str | None = None
    touched: set[str] | None = field(default_factory=set)

    def touch(self, ids: Iterable[str] | None) -> None:
        """Add documents; None: any may be among them."""
        if ids is None:
            self.touched = None
        elif self.touched is not None:
            self.touched.update(ids)


class Changes:
    """The file `changes.sqlite` in `folder`, which the one writer writes. Safe between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "changes.sqlite"

    def note(self, change: Change, after: str) -> None:
        """Note what a change touched that leads to the generation `after`, before readers are told of that."""
        before, ids = change.before, change.touched
        if before is None or ids is None or len(ids) > _MOST:
            return
        with translated(self._file), closing(self._open()) as connection, connection:
            number = connection.execute("INSERT INTO changes (before, after) VALUES (?, ?)", (before, after)).lastrowid
            connection.executemany("INSERT INTO touched VALUES (?, ?)", [(number, key) for key in ids])
            oldest = (number or 0) - _KEPT
            connection.execute("DELETE FROM touched WHERE change <= ?", (oldest,))
            connection.execute("DELETE FROM changes WHERE number <= ?", (oldest,))

    def between(self, before: str | None, after: str) -> set[str] | None:
        """Return the documents touched from one generation to another, None where that is not known."""
        touched: set[str] = set()
        if before is None or not self._file.is_file():
            return None
        with translated(self._file), closing(self._open()) as connection:
            while after != before:
                row = connection.execute("SELECT number, before FROM changes WHERE after = ?", (after,)).fetchone()
                if row is None:
                    return None
                found = connection.execute("SELECT document_id FROM touched WHERE change = ?", (row[0],))
                touched.update(key for (key,) in found)
                after = row[1]
        return touched

    def _open(self) -> sqlite3.Connection:
        return open_derived(self._file, _SCHEMA, _VERSION)
