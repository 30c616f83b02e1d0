"""Who read or changed what in the admin area: lines that are only ever added, each sealed with the one before.

A file a month, `audit/2026-11.jsonl` in the data folder. A line holds a hash over itself and the hash of the line
before: whoever changes, takes out or puts in a line breaks the chain, which `citycite audit --verify` finds. Lines cut
off at the end are found by whoever has noted the last hash elsewhere. Whole months go when their time is over.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from rag.errors import StoreError
from rag.settings import Settings
from ui.places import data_folder

FOLDER: Final = "audit"
_NONE: Final = "0" * 64
_SWEEP_SECONDS: Final = 3600.0
_LOCK_SECONDS: Final = 10.0
# A line is a few hundred characters; the last one is looked for in as many bytes as it can have.
_LONGEST_LINE: Final = 16_384
_LONGEST_VALUE: Final = 500


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did: `what` is method and page, `about` which document or file, `status` what came of it."""

    at: str
    who: str
    address: str
    what: str
    about: Mapping[str, str]
    status: int


class AuditLog:
    """The files; safe between threads and processes.

    Raises, in all methods:
        StoreError: a file cannot be read or written.
    """

    def __init__(self, folder: Path, days: int) -> None:
        self.folder = folder / FOLDER
        self._days = days
        self._lock = threading.Lock()
        self._swept = -_SWEEP_SECONDS

    @classmethod
    def of(cls, settings: Settings) -> AuditLog | None:
        """Return the log of the settings' data folder, None where there is none."""
        folder = data_folder(settings)
        return None if folder is None else cls(folder, settings.audit_days)

    def note(self, who: str, address: str, what: str, about: Mapping[str, str], status: int) -> None:
        """Add a line."""
        now = datetime.now(UTC)
        shortened = {name: value[:_LONGEST_VALUE] for name, value in about.items()}
        deed = Deed(now.isoformat(timespec="seconds"), who, address, what, shortened, status)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock, FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS):
                self._sweep(now)
                file = self.folder / f"{now:%Y-%m}.jsonl"
                line = sealed(deed, self._last_seal())
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as opened:
                    opened.write(line.encode() + b"\n")
                    opened.flush()
                    os.fsync(opened.fileno())
        except (OSError, Timeout) as error:
            raise StoreError(f"The audit log in {self.folder} cannot be written: {error}.") from error

    def lines(self) -> Iterator[dict[str, object]]:
        """Yield all lines, the oldest first; what is no line has only `damaged` and `place`."""
        for file in self._files():
            try:
                written = file.read_text("utf-8", "replace").splitlines()
            except OSError as error:
                raise StoreError(f"The audit log {file} cannot be read: {error.strerror}.") from error
            for number, line in enumerate(written, start=1):
                try:
                    found = json.loads(line)
                    assert isinstance(found, dict)
                    yield found
                except (ValueError, AssertionError):
                    yield {"damaged": True, "place": f"{file.name}, line {number}"}

    def broken(self) -> list[str]:
        """Return where the chain does not hold, in words; nothing where it does."""
        problems: list[str] = []
        before: str | None = None
        for number, line in enumerate(self.lines(), start=1):
            said = {name: value for name, value in line.items() if name not in {"seal"}}
            if line.get("seal") != _seal(said):
                problems.append(f"line {number} ({line.get('at') or line.get('place')}) has been changed")
            elif before is not None and line.get("before") != before:
                problems.append(f"before line {number} ({line.get('at')}) lines were taken out or put in")
            before = str(line.get("seal"))
        return problems

    def sweep(self) -> None:
        """Take out the months whose time is over."""
        self._swept = -_SWEEP_SECONDS
        self._sweep(datetime.now(UTC))

    def _sweep(self, now: datetime) -> None:
        if time.monotonic() - self._swept < _SWEEP_SECONDS:
            return
        first_kept = f"{now - timedelta(days=self._days):%Y-%m}"
        for file in self._files():
            if file.stem < first_kept:
                file.unlink()
        self._swept = time.monotonic()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("????-??.jsonl"))

    def _last_seal(self) -> str:
        for file in reversed(self._files()):
            with file.open("rb") as opened:
                opened.seek(max(0, file.stat().st_size - _LONGEST_LINE))
                written = opened.read().splitlines()
            if written:
                try:
                    return str(json.loads(written[-1])["seal"])
                except (ValueError, KeyError, TypeError):
                    return _NONE  # cut off while it was written; `broken` says so
        return _NONE


def sealed(deed: Deed, before: str) -> str:
    """Return a line: what was done, the seal of the line before, and its own."""
    said = {**asdict(deed), "about": dict(deed.about), "before": before}
    return json.dumps({**said, "seal": _seal(said)}, ensure_ascii=False)


def _seal(said: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
