"""The lexical index: words analysed by the language of each passage, BM25 by SQLite's FTS5.

Derived from the store: `update` brings it to the store's generation, whatever it held before.

Passages are kept with the access class of their document, and how many hold a word is kept for each class: what a
reader may not see is neither found nor counted.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.access import EVERYTHING, Reader, access_class
from rag.bm25 import Statistics, score
from rag.derived import fact, open_derived, set_fact, translated
from rag.language import WORD, fold, is_function_word, stems
from rag.names import city_keys
from rag.records import StoredPassage, passage_ids
from rag.schema import Language
from rag.store import Store

# Raise when the analysis of words changes: indexes made before are then built anew.
ANALYSIS_VERSION = "3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS passages
    (number INTEGER PRIMARY KEY, id TEXT NOT NULL, document_id TEXT NOT NULL, class INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS passages_by_document ON passages (document_id);
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, version TEXT NOT NULL, access TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS classes
    (number INTEGER PRIMARY KEY, access TEXT NOT NULL UNIQUE, passages INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS frequencies
    (term TEXT, class INTEGER, passages INTEGER NOT NULL, PRIMARY KEY (term, class)) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS terms USING fts5 (body, heading, tokenize = "unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (terms, row);
"""
# A word of the title or section counts less than one of the passage itself: all passages of a document share it.
_HEADING_WEIGHT = 0.3
# For a reader who does not see all, so many times the passages wanted are scored anew with what that reader sees: the
# rarity of words there may put them in another order.
_SCORED_ANEW = 4
# SQLite takes two microseconds for each passage that holds a word of the question. Where more passages than this hold
# one, those are looked up that hold the rarest words, and scored by all.
_POSTINGS = 50_000
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
        with self._lock:
            touched = self._store.touched(fact(self._connection, "generation"), generation)
            rows = self._connection.execute("SELECT id, version, access FROM documents")
            indexed = {key: state for key, *state in rows if touched is None or key in touched}
        records = self._store.records() if touched is None else self._store.records_of(list(touched))
        gone = [key for key in indexed if key not in records]
        changed = [key for key, record in records.items() if indexed.get(key) != [*_state(record)]]
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
            counted = _Counts()
            for key in ids:
                self._forget(connection, key, counted)
            classes = self._classes_for(connection, records.values())
            for passage_id, document_id, body, heading in rows:
                number = classes[access_class(records[document_id])]
                cursor = connection.execute(
                    "INSERT INTO passages (id, document_id, class) VALUES (?, ?, ?)", (passage_id, document_id, number)
                )
                connection.execute(
                    "INSERT INTO terms (rowid, body, heading) VALUES (?, ?, ?)", (cursor.lastrowid, body, heading)
                )
                counted.add(number, body, heading, 1)
            counted.write(connection)
            connection.executemany(
                "INSERT INTO documents VALUES (?, ?, ?)", [(key, *_state(record)) for key, record in records.items()]
            )

    @staticmethod
    def _forget(connection: sqlite3.Connection, key: str, counted: _Counts) -> None:
        rows = connection.execute(
            "SELECT number, class, body, heading FROM passages JOIN terms ON number = terms.rowid "
            "WHERE document_id = ?",
            (key,),
        ).fetchall()
        for _, number, body, heading in rows:
            counted.add(number, body, heading, -1)
        connection.executemany("DELETE FROM terms WHERE rowid = ?", [(row[0],) for row in rows])
        connection.execute("DELETE FROM passages WHERE document_id = ?", (key,))
        connection.execute("DELETE FROM documents WHERE id = ?", (key,))

    @staticmethod
    def _classes_for(connection: sqlite3.Connection, records: Iterable[Mapping[str, object]]) -> dict[str, int]:
        """Return the number of each access class, new ones included."""
        wanted = {access_class(record) for record in records}
        connection.executemany(
            "INSERT OR IGNORE INTO classes (access, passages, tokens) VALUES (?, 0, 0)", [(item,) for item in wanted]
        )
        return dict(connection.execute("SELECT access, number FROM classes"))

    def seen(self, reader: Reader) -> frozenset[int] | None:
        """Return the numbers of the access classes that `reader` sees, None where that are all that there are."""
        if not reader.is_restricted:
            return None
        with self._lock:
            rows = self._connection.execute("SELECT number, access FROM classes WHERE passages > 0").fetchall()
        seen = frozenset(number for number, access in rows if reader.sees_class(access))
        return None if len(seen) == len(rows) else seen

    def search(self, terms: Iterable[str], count: int, reader: Reader = EVERYTHING) -> list[Match]:
        """Return up to `count` passages that hold any of `terms` and that `reader` sees, best first."""
        terms = list(terms)
        if not terms:
            return []
        seen = self.seen(reader)
        of, everything = self._statistics(terms, seen)
        looked_up = _affordable(terms, of, everything)
        if seen is not None or len(looked_up) < len(terms):
            return self._search_among(terms, looked_up, count, seen, of)
        with self._lock:
            rows = self._connection.execute(
                "SELECT passages.id, document_id, -bm25(terms, 1.0, ?) AS score "
                "FROM terms JOIN passages ON number = terms.rowid WHERE terms MATCH ? ORDER BY score DESC LIMIT ?",
                (_HEADING_WEIGHT, _any_of(terms), count),
            ).fetchall()
        return [Match(*row) for row in rows]

    def _search_among(
        self, terms: Sequence[str], looked_up: Sequence[str], count: int, seen: Collection[int] | None, of: Statistics
    ) -> list[Match]:
        """Return the best for `terms` of those that hold any of `looked_up` and are of the classes `seen`."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT passages.id, document_id, body, heading FROM terms JOIN passages ON number = terms.rowid "
                f"WHERE terms MATCH ? AND {_among('class', seen)} ORDER BY bm25(terms, 1.0, ?), number LIMIT ?",
                (_any_of(looked_up), _HEADING_WEIGHT, count * _SCORED_ANEW),
            ).fetchall()
        found = [
            Match(key, document_id, score(terms, _tokens(body), _tokens(heading), _HEADING_WEIGHT, of))
            for key, document_id, body, heading in rows
        ]
        return sorted(found, key=lambda match: -match.score)[:count]

    def _statistics(self, terms: Sequence[str], seen: Collection[int] | None) -> tuple[Statistics, int]:
        """Return those of the classes `seen`, None for all, and how many passages there are in all."""
        with self._lock:
            passages, tokens, everything = self._connection.execute(
                "SELECT COALESCE(SUM(passages * held), 0), COALESCE(SUM(tokens * held), 0), COALESCE(SUM(passages), 0)"
                f" FROM (SELECT passages, tokens, {_among('number', seen)} AS held FROM classes)"
            ).fetchone()
            holding = dict(
                self._connection.execute(
                    f"SELECT term, SUM(passages) FROM frequencies WHERE term IN ({','.join('?' * len(terms))}) "
                    f"AND {_among('class', seen)} GROUP BY term",
                    terms,
                )
            )
        return Statistics(passages, tokens, holding), everything

    def counts(self, reader: Reader = EVERYTHING) -> dict[str, int]:
        """Return for every term how many passages hold it, of those that `reader` sees."""
        seen = self.seen(reader)
        with self._lock:
            if seen is None:
                return dict(self._connection.execute("SELECT term, doc FROM vocabulary"))
            return dict(
                self._connection.execute(
                    f"SELECT term, SUM(passages) FROM frequencies WHERE passages > 0 AND {_among('class', seen)} "
                    "GROUP BY term"
                )
            )


class _Counts:
    """What is added to, and taken from, the numbers of passages and tokens of each access class."""

    def __init__(self) -> None:
        self._passages: Counter[int] = Counter()
        self._tokens: Counter[int] = Counter()
        self._holding: Counter[tuple[str, int]] = Counter()

    def add(self, number: int, body: str, heading: str, count: int) -> None:
        """Count a passage of class `number`, -1 times where it goes."""
        tokens = _tokens(body) + _tokens(heading)
        self._passages[number] += count
        self._tokens[number] += count * len(tokens)
        for token in set(tokens):
            self._holding[token, number] += count

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the changes; the caller commits."""
        connection.executemany(
            "UPDATE classes SET passages = passages + ?, tokens = tokens + ? WHERE number = ?",
            [(count, self._tokens[number], number) for number, count in self._passages.items()],
        )
        connection.executemany(
            "INSERT INTO frequencies VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET passages = passages + excluded.passages",
            [(*key, count) for key, count in self._holding.items() if count],
        )


def question_terms(question: str, language: Language) -> list[str]:
    """Return what to look up for a question: its content words, analysed as any of the languages would, and cities.

    A name keeps its form across languages but not its stem, so each language's stem of a word is looked up.
    """
    words = [match.group() for match in WORD.finditer(question)]
    content = [word for word in words if not is_function_word(word.lower(), language)] or words
    terms = [term for word in content for reading in ("de", "en", "pl") for term in stems(word, reading)]
    terms += [fold(word) for word in content if "-" not in word] + city_keys(question)
    return list(dict.fromkeys(term for term in terms if term))


def _any_of(terms: Sequence[str]) -> str:
    return " OR ".join(f'"{term}"' for term in terms)


def _among(column: str, seen: Collection[int] | None) -> str:
    """Return a condition; the classes are numbers of our own, and may be more than SQLite takes as parameters."""
    return "1" if seen is None else f"{column} IN ({','.join(map(str, seen))})"


def _affordable(terms: Sequence[str], of: Statistics, everything: int) -> list[str]:
    """Return the rarest of `terms`, as many as `_POSTINGS` allow: one that is held at least, all in a smaller store.

    For who sees a part, what is held there stands for the whole: of the rest, nothing but its size is looked at.
    """
    most = _POSTINGS * of.passages / everything if everything else 0.0
    taken = 0
    chosen: list[str] = []
    for term in sorted(terms, key=lambda term: of.holding.get(term, 0)):
        holding = of.holding.get(term, 0)
        if taken and taken + holding > most:
            break
        taken += holding
        chosen.append(term)
    return chosen


def _state(record: Mapping[str, object]) -> tuple[str, str]:
    return str(record["version"]), access_class(record)


def _tokens(analysed: str) -> list[str]:
    """Return analysed words as FTS5 takes them apart."""
    return analysed.replace("_", " ").split()


def _analysed(passage: StoredPassage, title: str) -> tuple[str, str]:
    body = stems(passage.text, passage.language) + city_keys(passage.text)
    return " ".join(body), " ".join(stems(title, passage.language) + city_keys(title))
