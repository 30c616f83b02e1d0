"""SQLite files beside the store that can be rebuilt from it: opened safely, thrown away when damaged or outdated."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.disk import full_disk, is_full
from rag.errors import StoreError

log = logging.getLogger(__name__)

# What SQLite says of a file that is none of its own, or of another shape: it is thrown away and built anew. Where the
# disk is full, or another process has the file, it is sound.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT})
# Seconds to wait for another process that writes; its transactions are short.
_BUSY_TIMEOUT = 30.0


def open_derived(path: Path, schema: str, fingerprint: str) -> sqlite3.Connection:
    """Open `path`, making it with `schema` where it is missing, damaged, or was made under another `fingerprint`.

    Args:
        fingerprint: names all that the content depends on besides the store, such as the version of the analysis.

    Raises:
        StoreError: the file cannot be opened or made, as on a full disk.
    """
    with translated(path):
        return _open(path, schema, fingerprint)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into a StoreError that names `path` and the next step."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if is_full(str(error)):
            raise StoreError(full_disk(path)) from error
        raise StoreError(
            f"{path} cannot be used: {error}. It is derived from the store: delete it, and it is built anew."
        ) from error


def _open(path: Path, schema: str, fingerprint: str) -> sqlite3.Connection:
    for attempt in (1, 2):
        try:
            connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")  # what a power cut loses is rebuilt
            connection.executescript(
                f"CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID; {schema}"
            )
            if fact(connection, "fingerprint") in (None, fingerprint):
                set_fact(connection, "fingerprint", fingerprint)
                connection.commit()
                return connection
            log.info("%s was made by another version and is built anew.", path)
        except sqlite3.DatabaseError as error:
            if attempt == 2 or _code(error) not in _DAMAGED:
                raise
            log.warning("%s is damaged (%s) and is built anew from the store.", path, error)
        connection.close()
        for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            file.unlink(missing_ok=True)
    raise AssertionError("a new file has the fingerprint it was made with")


def _code(error: sqlite3.Error) -> int:
    """Return the primary code of an error; it stands in the lowest byte."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def fact(connection: sqlite3.Connection, name: str) -> str | None:
    """Return what `set_fact` kept under `name`."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keep `value` under `name`; the caller commits."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
