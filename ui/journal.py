"""What is kept of the use of the pages: feedback, the question log, evaluation runs. No names, times by the hour.

One SQLite file, made with the first entry. Unlike the indexes beside a store it cannot be rebuilt, so a file that is
damaged or from a newer version is left alone, and said to be so.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from rag.errors import StoreError
from rag.schema import Answer
from rag.settings import Settings
from ui.places import data_folder

logger = logging.getLogger(__name__)

Reason = Literal["wrong_answer", "wrong_document", "outdated", "not_understandable", "other"]
State = Literal["open", "gold", "dismissed"]

FILE: Final = "journal.sqlite"
# What is over its time goes at the next entry, and at least this often while a server runs.
SWEEP_SECONDS: Final = 3600.0
# Runs that a trend is drawn from; older ones say little about today's documents.
MAX_RUNS: Final = 200
# Seconds to wait for another process that writes; its transactions are short.
_BUSY_TIMEOUT: Final = 10.0
# A migration for each version that a file may have: `PRAGMA user_version` counts those that it has seen.
_MIGRATIONS: Final = (
    """
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, key TEXT NOT NULL, question TEXT NOT NULL, language TEXT NOT NULL,
        helpful INTEGER NOT NULL, reason TEXT NOT NULL, document TEXT NOT NULL, comment TEXT NOT NULL,
        answered INTEGER, cited TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open');
    CREATE TABLE questions (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, key TEXT NOT NULL, question TEXT NOT NULL, language TEXT NOT NULL,
        answered INTEGER NOT NULL, confidence REAL NOT NULL, milliseconds INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'open');
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, questions INTEGER NOT NULL, threshold REAL NOT NULL,
        figures TEXT NOT NULL, verdicts TEXT NOT NULL);
    CREATE INDEX feedback_key ON feedback (key);
    CREATE INDEX questions_key ON questions (key);
    """,
)


@dataclass(frozen=True, slots=True)
class Rating:
    """What a reader says of a reply. `cited` are the ids of the documents it cited, the best first."""

    question: str
    language: str
    helpful: bool
    reason: str = ""
    document: str = ""
    comment: str = ""
    answered: bool | None = None
    cited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with all that is kept under it: how often, when last, why it was rated badly."""

    question: str
    language: str
    times: int
    last: str
    answered: bool | None
    confidence: float | None = None
    milliseconds: int | None = None
    reasons: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()
    state: str = "open"


@dataclass(frozen=True, slots=True)
class Run:
    """An evaluation: when, over how many questions, figures as `rag.evaluation.as_dict` gives them, verdicts by id."""

    id: int
    at: str
    questions: int
    threshold: float
    figures: dict[str, Any]
    verdicts: dict[str, str]


def key_of(question: str) -> str:
    """Return what tells whether two questions are the same."""
    return " ".join(question.split()).casefold().rstrip("?!. ")


class Journal:
    """The file, opened anew for each use; safe between threads and processes."""

    def __init__(self, folder: Path, *, feedback_days: int, question_log_days: int) -> None:
        self.file = folder / FILE
        self.feedback_days = feedback_days
        self.question_log_days = question_log_days
        self._lock = threading.Lock()
        self._swept = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Journal | None:
        """Return the journal that the settings name, None where there is no folder for one."""
        folder = data_folder(settings)
        if folder is None:
            return None
        return cls(folder, feedback_days=settings.feedback_days, question_log_days=settings.question_log_days)

    # -- writing ----------------------------------------------------------------------------------------------

    def rate(self, rating: Rating) -> None:
        """Keep a rating; nothing where feedback is off.

        Raises:
            StoreError: the file cannot be written.
        """
        if not self.feedback_days:
            return
        with self._written() as file:
            file.execute(
                "INSERT INTO feedback"
                " (at, key, question, language, helpful, reason, document, comment, answered, cited)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_hour(), key_of(rating.question), rating.question, rating.language, rating.helpful, rating.reason,
                 rating.document, rating.comment, rating.answered, json.dumps(rating.cited)),
            )  # fmt: skip

    def note(self, answer: Answer) -> None:
        """Keep what was asked and whether it was answered; nothing where the log is off. Raises as `rate` does."""
        if not self.question_log_days:
            return
        with self._written() as file:
            file.execute(
                "INSERT INTO questions (at, key, question, language, answered, confidence, milliseconds)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_hour(), key_of(answer.question), answer.question, answer.language, not answer.abstained,
                 round(answer.confidence, 2), round(answer.timings_ms.total)),
            )  # fmt: skip

    def settle(self, question: str, state: State) -> None:
        """Say what became of a question, wherever it is kept. Raises as `rate` does."""
        with self._written() as file:
            for table in ("feedback", "questions"):
                file.execute(f"UPDATE {table} SET state = ? WHERE key = ?", (state, key_of(question)))

    def add_run(self, questions: int, threshold: float, figures: dict[str, Any], verdicts: dict[str, str]) -> int:
        """Keep an evaluation; return its id. Raises as `rate` does."""
        with self._written() as file:
            added = file.execute(
                "INSERT INTO runs (at, questions, threshold, figures, verdicts) VALUES (?, ?, ?, ?, ?)",
                (datetime.now(UTC).isoformat(timespec="seconds"), questions, threshold, json.dumps(figures),
                 json.dumps(verdicts, ensure_ascii=False)),
            )  # fmt: skip
            return int(added.lastrowid or 0)

    def sweep(self, *, force: bool = True) -> None:
        """Erase what has been kept for longer than the settings allow; without `force`, at most once an hour."""
        if not self.file.is_file() or (not force and time.monotonic() - self._swept < SWEEP_SECONDS):
            return
        with self._written(force=True):
            pass

    def sweep_quietly(self) -> None:
        """Sweep; where that fails, say so in the log, because no reader is there to be told."""
        try:
            self.sweep()
        except StoreError as error:
            logger.error("What is over its time could not be erased: %s", error)

    # -- reading ----------------------------------------------------------------------------------------------

    def badly_rated(self, count: int = 200) -> list[Entry]:
        """Return the questions whose replies did not help and that nobody has dealt with, the latest first."""
        rows = self._read(
            "SELECT question, language, at, answered, reason, document, comment, cited, key FROM feedback"
            " WHERE state = 'open' AND NOT helpful ORDER BY id DESC LIMIT ?",
            (10 * count,),
        )
        grouped: dict[str, list[Any]] = {}
        for row in rows:
            grouped.setdefault(row["key"], []).append(row)
        return [_complaint(own) for own in list(grouped.values())[:count]]

    def asked(self, *, unanswered: bool = False, count: int = 200) -> list[Entry]:
        """Return the questions in the log, the latest first; with `unanswered`, those that nobody has dealt with."""
        chosen = "WHERE NOT answered AND state = 'open'" if unanswered else ""
        # Of a group, SQLite takes the other columns from the row that has the maximum.
        rows = self._read(
            "SELECT question, language, COUNT(*) AS times, at, MAX(id) AS last, answered, confidence, milliseconds,"
            f" state FROM questions {chosen} GROUP BY key ORDER BY last DESC LIMIT ?",
            (count,),
        )
        return [
            Entry(
                row["question"], row["language"], row["times"], row["at"], bool(row["answered"]), row["confidence"],
                row["milliseconds"], state=row["state"],
            )
            for row in rows
        ]  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Return how many replies helped and did not, and how many questions the log holds, answered and not."""
        rated = {bool(row["helpful"]): row["n"] for row in self._read(
            "SELECT helpful, COUNT(*) AS n FROM feedback GROUP BY helpful")}  # fmt: skip
        asked = {bool(row["answered"]): row["n"] for row in self._read(
            "SELECT answered, COUNT(*) AS n FROM questions GROUP BY answered")}  # fmt: skip
        return {
            "helpful": rated.get(True, 0),
            "not_helpful": rated.get(False, 0),
            "answered": asked.get(True, 0),
            "unanswered": asked.get(False, 0),
        }

    def runs(self) -> list[Run]:
        """Return the evaluations, the oldest first."""
        rows = self._read("SELECT * FROM (SELECT * FROM runs ORDER BY id DESC LIMIT ?) ORDER BY id", (MAX_RUNS,))
        return [
            Run(row["id"], row["at"], row["questions"], row["threshold"], json.loads(row["figures"]),
                json.loads(row["verdicts"]))
            for row in rows
        ]  # fmt: skip

    def holding(self, about: str) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of ratings and logged questions that hold `about` in any field, case apart."""
        return {
            table: [dict(row) for row in self._read(f"SELECT * FROM {table} ORDER BY id") if _holds(row, about)]
            for table in ("feedback", "questions")
        }

    def erase(self, about: str) -> dict[str, int]:
        """Erase what `holding` returns, so that the file holds it no more; return how many of each."""
        found = self.holding(about)
        if any(found.values()):
            with self._written() as file:
                for table, rows in found.items():
                    file.executemany(f"DELETE FROM {table} WHERE id = ?", [(row["id"],) for row in rows])
            with self._opened() as file:
                file.execute("VACUUM")
        return {table: len(rows) for table, rows in found.items()}

    # -- the file ---------------------------------------------------------------------------------------------

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        if not self.file.is_file():
            return []
        self.sweep(force=False)
        with self._opened() as file:
            return file.execute(query, values).fetchall()

    @contextmanager
    def _written(self, *, force: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the file in a transaction, without what is over its time."""
        with self._lock, self._opened() as file, file:
            if force or time.monotonic() - self._swept >= SWEEP_SECONDS or not self._swept:
                for table, days in (("feedback", self.feedback_days), ("questions", self.question_log_days)):
                    file.execute(f"DELETE FROM {table} WHERE at < ? OR ?", (_hour(days), not days))
                self._swept = time.monotonic()
            yield file

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(self.file, timeout=_BUSY_TIMEOUT)
            try:
                file.row_factory = sqlite3.Row
                file.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten
                self._migrate(file)
                yield file
            finally:
                file.close()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self.file} cannot be used: {error}. If it is damaged, restore a backup or move it away; it holds "
                "feedback and evaluation runs, which cannot be rebuilt."
            ) from error

    def _migrate(self, file: sqlite3.Connection) -> None:
        if _version(file) == len(_MIGRATIONS):
            return
        with file:
            file.execute("BEGIN IMMEDIATE")  # another process may be at it: look again once it has finished
            version = _version(file)
            if version > len(_MIGRATIONS):
                raise StoreError(
                    f"{self.file} was written by a newer citycite; start that one, or name another folder with "
                    "CITYCITE_DATA."
                )
            for step in _MIGRATIONS[version:]:
                for statement in filter(str.strip, step.split(";")):
                    file.execute(statement)
            file.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def note_question(journal: Journal | None, answer: Answer) -> None:
    """Count an answer; keep what was asked, where that is wanted. An answer must not fail because of either."""
    from ui.metrics import observe_answer

    observe_answer(answer)
    if journal is None:
        return
    try:
        journal.note(answer)
    except StoreError as error:
        logger.error("A question could not be noted: %s", error)


def _holds(row: sqlite3.Row, about: str) -> bool:
    wanted = " ".join(about.split()).casefold()
    return any(wanted in " ".join(str(value).split()).casefold() for value in row)


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


def _hour(days_ago: int = 0) -> str:
    """Return the full hour, UTC; a finer time would help to find out who asked."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return at.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")


def _complaint(rows: list[Any]) -> Entry:
    latest = rows[0]

    def all_of(column: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row[column] for row in rows if row[column]))

    answered = None if latest["answered"] is None else bool(latest["answered"])
    return Entry(
        latest["question"], latest["language"], len(rows), latest["at"], answered, reasons=all_of("reason"),
        documents=all_of("document"), comments=all_of("comment"), cited=tuple(json.loads(latest["cited"])),
    )  # fmt: skip
