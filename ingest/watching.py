"""Follows folders: what changes in them is ingested once it has settled, what is gone is taken out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.addresses import is_web_address
from ingest.hashes import FileHashes
from ingest.pipeline import ingest
from ingest.reading import Failure, Report
from rag.embeddings import EmbeddingModel
from rag.errors import CityciteError, StoreBusyError, UsageError
from rag.settings import Settings
from rag.store import Store

# Files arrive in pieces: a copy, a save through a temporary file, a synchronised folder. After a second in which
# nothing happened they are whole; where something happens all the time, what is there is read once a minute.
_SETTLED_MS, _LONGEST_MS = 1_000, 60_000
# How often it is looked whether a folder is gone or back, and whether the store is free again.
_LOOK_MS = 500
# After an error of the store, such as a full disk or a server that is away.
_RETRY_SECONDS = 10.0

# Told what each ingest has done, and errors that do not stop the watch.
Told = Callable[[Report], None]
Warned = Callable[[str], None]


class Watch:
    """Brings folders into a store whenever something changes in them, until `stop` is set.

    The store is open, and its writer's lock held, only while an ingest runs.

    Raises:
        UsageError: one of `folders` is no folder.
    """

    def __init__(
        self, folders: Sequence[str], settings: Settings, told: Told, warned: Warned, stop: threading.Event
    ) -> None:
        for given in folders:
            if is_web_address(given) or not Path(given).is_dir():
                raise UsageError(f"{given} is no folder; only folders can be watched.")
        self._folders = [Path(given).resolve() for given in folders]
        self._settings = settings
        self._model = EmbeddingModel(settings)
        self._told = told
        self._warned = warned
        self._stop = stop
        # What has been said and has not changed since is not said again.
        self._failures: set[Failure] = set()
        self._hashes = FileHashes()
        self._warnings: dict[Path, str] = {}

    def run(self) -> None:
        """Follow the folders; one that goes away is waited for, and its documents stay until it is back."""
        from watchfiles import watch

        while not self._stop.is_set():
            there = self._there()
            if not there:
                self._stop.wait(_LOOK_MS / 1000)
                continue
            due, self._hashes = True, FileHashes()
            for changes in watch(
                *there,
                watch_filter=lambda change, path: not self._is_own(path),
                debounce=_LONGEST_MS,
                step=_SETTLED_MS,
                rust_timeout=_LOOK_MS,
                yield_on_timeout=True,
                stop_event=self._stop,
                raise_interrupt=True,
                ignore_permission_denied=True,
            ):
                due = due or bool(changes)
                if self._there() != there:
                    break
                if due and not self._stop.is_set():
                    due = not self._ingest(list(there))

    def _there(self) -> dict[Path, tuple[int, int]]:
        """Return the folders that exist, with what tells a folder from another of the same name."""
        found = {}
        for folder in self._folders:
            try:
                status = folder.stat()
            except OSError as error:
                self._warn(folder, f"{folder} is away ({error.strerror}); its documents stay until it is back.")
            else:
                found[folder] = (status.st_dev, status.st_ino)
        return found

    def _is_own(self, path: str) -> bool:
        return Path(path).is_relative_to(Path(self._settings.store).resolve())

    def _ingest(self, folders: Sequence[Path]) -> bool:
        """Bring the folders into the store; tell whether that was possible."""
        filled = []
        for folder in folders:
            if next(_files(folder), None) is None:
                # A share that is not mounted is an empty folder.
                self._warn(folder, f"{folder} is empty; documents from it stay. To take them out: ingest it --prune.")
            else:
                self._warnings.pop(folder, None)
                filled.append(str(folder))
        try:
            with _opened(self._settings) as store:
                report = ingest(filled, store, self._settings, prune=True, model=self._model, hashes=self._hashes)
        except StoreBusyError:
            return False
        except OSError as error:  # a folder went away while it was listed
            self._warned(
                f"{error.filename or 'a folder'} cannot be read: {error.strerror or error}; it is tried again."
            )
            self._stop.wait(_LOOK_MS / 1000)
            return False
        except CityciteError as error:
            self._warned(str(error))
            self._stop.wait(_RETRY_SECONDS)
            return False
        new = [failure for failure in report.failures if failure not in self._failures]
        self._failures = set(report.failures)
        report.failures = new
        self._told(report)
        return True

    def _warn(self, folder: Path, message: str) -> None:
        if self._warnings.get(folder) != message:
            self._warnings[folder] = message
            self._warned(message)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    """Open the store anew: its index in memory would not know what others have written since."""
    store = Store(settings.store)
    try:
        yield store
    finally:
        store.close()
