"""The lexical index: words analysed by the language of each passage, BM25 by SQLite's FTS5.

Derived from the store: `update` brings it to the store's generation, whatever it held before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from rag.derived import fact, open_derived, set_fact, translated
from rag.language import WORD, fold, is_function_word, stems
from rag.names import city_keys
from rag.records import StoredPassage, passage_ids
from rag.schema import Language
from rag.store import Store

# Raise when the analysis of words changes: indexes made before are then built anew.
ANALYSIS_VERSION = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS passages (number INTEGER PRIMARY KEY, id TEXT NOT NULL, document_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_by_document ON passages (document_id);
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, version TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS terms USING fts5 (body, heading, tokenize = "unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (terms, row);
"""
# A word of the title or section counts less than one of the passage itself: all passages of a document share it.
_HEADING_WEIGHT = 0.3
# Documents indexed in one transaction.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Match:
    """A passage with its BM25 score (higher is better)."""

    id: str
    document_id: str
    score: float


class LexicalIndex:
    """Finds passages by words. Safe between threads and processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._file = store.derived_folder / "lexical.sqlite"
        self._connection = open_derived(self._file, _SCHEMA, ANALYSIS_VERSION)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def is_current(self, generation: str) -> bool:
        """Whether the index holds what the store held at `generation`."""
        with self._lock:
            return fact(self._connection, "generation") == generation

    def update(self, generation: str) -> None:
        """Index what the store has gained and drop what it has lost since the last update."""
        if self.is_current(generation):
            return
        records = self._store.records()
        with self._lock:
            indexed = dict(self._connection.execute("SELECT id, version FROM documents"))
        gone = [key for key in indexed if key not in records]
        changed = [key for key, record in records.items() if indexed.get(key) != record["version"]]
        for at in range(0, len(gone), _BATCH):
            self._replace(gone[at : at + _BATCH], {}, [])
        for at in range(0, len(changed), _BATCH):
            batch = {key: records[key] for key in changed[at : at + _BATCH]}
            self._replace(list(batch), batch, self._store.passages(passage_ids(batch)).values())
        with self._lock, translated(self._file), self._connection:
            set_fact(self._connection, "generation", generation)

    def _replace(
        self, ids: list[str], records: dict[str, dict[str, object]], passages: Iterable[StoredPassage]
    ) -> None:
        rows = [
            (passage.id, passage.document_id, *_analysed(passage, str(records[passage.document_id]["title"])))
            for passage in passages
        ]
        with self._lock, translated(self._file), self._connection as connection:
            for key in ids:
                numbers = connection.execute("SELECT number FROM passages WHERE document_id = ?", (key,)).fetchall()
                connection.executemany("DELETE FROM terms WHERE rowid = ?", numbers)
                connection.execute("DELETE FROM passages WHERE document_id = ?", (key,))
                connection.execute("DELETE FROM documents WHERE id = ?", (key,))
            for passage_id, document_id, body, heading in rows:
                cursor = connection.execute(
                    "INSERT INTO passages (id, document_id) VALUES (?, ?)", (passage_id, document_id)
                )
                connection.execute(
                    "INSERT INTO terms (rowid, body, heading) VALUES (?, ?, ?)", (cursor.lastrowid, body, heading)
                )
            connection.executemany(
                "INSERT INTO documents VALUES (?, ?)", [(key, record["version"]) for key, record in records.items()]
            )

    def search(self, terms: Iterable[str], count: int) -> list[Match]:
        """Return up to `count` passages that hold any of `terms`, best first."""
        query = " OR ".join(f'"{term}"' for term in terms)
        if not query:
            return []
        with self._lock:
            rows = self._connection.execute(
                "SELECT passages.id, document_id, -bm25(terms, 1.0, ?) AS score "
                "FROM terms JOIN passages ON number = terms.rowid WHERE terms MATCH ? ORDER BY score DESC LIMIT ?",
                (_HEADING_WEIGHT, query, count),
            ).fetchall()
        return [Match(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return for every term how many passages hold it."""
        with self._lock:
            return dict(self._connection.execute("SELECT term, doc FROM vocabulary"))


def question_terms(question: str, language: Language) -> list[str]:
    """Return what to look up for a question: its content words, analysed as any of the languages would, and cities.

    A name keeps its form across languages but not its stem, so each language's stem of a word is looked up.
    """
    words = [match.group() for match in WORD.finditer(question)]
    content = [word for word in words if not is_function_word(word.lower(), language)] or words
    terms = [term for word in content for reading in ("de", "en", "pl") for term in stems(word, reading)]
    terms += [fold(word) for word in content if "-" not in word] + city_keys(question)
    return list(dict.fromkeys(term for term in terms if term))


def _analysed(passage: StoredPassage, title: str) -> tuple[str, str]:
    body = stems(passage.text, passage.language) + city_keys(passage.text)
    return " ".join(body), " ".join(stems(title, passage.language) + city_keys(title))
