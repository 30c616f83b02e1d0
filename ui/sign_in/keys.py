"""API keys: made, listed and revoked by `citycite keys`. Kept are their hashes, in a file that only its owner reads.

A key is 256 random bits, so a plain SHA-256 keeps it as safe as a slow hash would: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rag.errors import NotFoundError, StoreError
from rag.settings import Settings
from ui.places import data_folder, required_data_folder
from ui.sign_in.visitor import RIGHTS, Right

FILE: Final = "keys.sqlite"
PREFIX: Final = "citycite"
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, groups TEXT, "
    "rights TEXT NOT NULL, made TEXT NOT NULL, until TEXT, revoked TEXT)"
)
_BUSY_TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key. `groups` None: it sees everything; `until` and `revoked` are ISO times, UTC."""

    id: str
    name: str
    groups: frozenset[str] | None
    rights: frozenset[Right]
    made: str
    until: str | None
    revoked: str | None

    @property
    def is_valid(self) -> bool:
        """Whether it lets in now."""
        return self.revoked is None and (self.until is None or _now() < self.until)


class Keys:
    """The keys of a data folder; the file is opened anew for each use, so that what is revoked is so at once."""

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / FILE if folder is not None else None

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        """Return the keys of the settings' data folder, for checking."""
        return cls(data_folder(settings))

    @classmethod
    def writable(cls, settings: Settings) -> Keys:
        """Return them for changing; a UsageError where there is no data folder."""
        return cls(required_data_folder(settings))

    def add(self, name: str, groups: frozenset[str] | None, rights: frozenset[Right], days: int | None) -> str:
        """Make a key and return it; it cannot be shown again."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        until = None if days is None else _time(datetime.now(UTC) + timedelta(days=days))
        with self._opened() as file, file:
            file.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (key_id, _hash(secret), name, None if groups is None else json.dumps(sorted(groups)),
                 json.dumps(sorted(rights)), _now(), until),
            )  # fmt: skip
        return f"{PREFIX}_{key_id}_{secret}"

    def list(self) -> list[Key]:
        """Return all keys, the oldest first, revoked ones included."""
        if self._file is None or not self._file.is_file():
            return []
        with self._opened() as file:
            return [_key(row) for row in file.execute("SELECT * FROM keys ORDER BY made, id")]

    def revoke(self, key_id: str) -> Key:
        """Revoke a key, with all tokens and sessions that came of it.

        Raises:
            NotFoundError: there is none with this id.
        """
        found = self.get(key_id)
        if found is None:
            raise NotFoundError(f"There is no key {key_id!r}; `citycite keys list` shows their ids.")
        with self._opened() as file, file:
            file.execute("UPDATE keys SET revoked = COALESCE(revoked, ?) WHERE id = ?", (_now(), key_id))
        return found

    def get(self, key_id: str) -> Key | None:
        """Return what is kept of the key with this id."""
        if self._file is None or not self._file.is_file():
            return None
        with self._opened() as file:
            row = file.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
        return None if row is None else _key(row)

    def check(self, given: str) -> Key | None:
        """Return the key that `given` is, None where it is none that is valid."""
        parts = given.split("_", 2)
        if len(parts) != 3 or parts[0] != PREFIX or self._file is None or not self._file.is_file():
            return None
        with self._opened() as file:
            row = file.execute("SELECT * FROM keys WHERE id = ?", (parts[1],)).fetchone()
        if row is None or not hmac.compare_digest(row["hash"], _hash(parts[2])):
            return None
        found = _key(row)
        return found if found.is_valid else None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        assert self._file is not None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600))
            file = sqlite3.connect(self._file, timeout=_BUSY_TIMEOUT)
            try:
                file.row_factory = sqlite3.Row
                file.execute(_SCHEMA)
                yield file
            finally:
                file.close()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"The API keys in {self._file} cannot be used: {error}. Restore a backup.") from error


def _key(row: sqlite3.Row) -> Key:
    groups = None if row["groups"] is None else frozenset(json.loads(row["groups"]))
    rights = frozenset(right for right in RIGHTS if right in json.loads(row["rights"]))
    return Key(row["id"], row["name"], groups, rights, row["made"], row["until"], row["revoked"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _now() -> str:
    return _time(datetime.now(UTC))


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
