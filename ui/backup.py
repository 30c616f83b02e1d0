"""Backups: one file with all that a store and its data folder hold, taken while the server runs, restored elsewhere.

A tar file, packed with gzip: `manifest.json`, the store's rows as JSON lines with their vectors beside them, and the
files of the data folder. It does not depend on Chroma's own files, so it also moves a store between folder and server.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from rag.errors import CityciteError, UsageError
from rag.settings import Settings
from rag.store import SCHEMA_VERSION, Store
from rag.transfer import Contents, Rows, as_dict, contents, decoded, encoded, fill, migrate, rows
from ui.admin.audit import FOLDER as AUDIT
from ui.places import data_folder
from ui.sign_in.signer import FILE as SECRET

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_DATA: Final = "data/"
# What sessions and tokens are signed with is made anew where it is missing: whoever has a backup can sign nobody in.
_LEFT_OUT: Final = frozenset({SECRET, f"{AUDIT}/.lock"})
# An ingest holds the store for as long as its files take; a backup by night can wait for it.
WAIT_SECONDS: Final = 600.0
# Vectors hardly shrink; more effort would make a backup several times as long.
_EFFORT: Final = 1
# Rows of a batch with its vectors: a thousand documents of a megabyte each.
_LARGEST_MEMBER: Final = 4 * 1024**3


class BackupError(CityciteError):
    """A backup cannot be written or read."""


def backup(settings: Settings, file: Path, progress: Callable[[int], None]) -> Contents:
    """Write the store and the data folder to `file`, which must not be there; readers and the server go on.

    An ingest started meanwhile is refused, uploads wait; this waits for an ingest that is under way.

    Raises:
        StoreError: the store is empty, incomplete, or being written for longer than one waits.
        BackupError: the file is there already, or cannot be written.
    """
    if file.exists():
        raise BackupError(f"{file} is there already; name another file, backups are not written over.")
    store = Store(settings.store, any_version=True)
    store.require_folder()
    unfinished = file.with_name(file.name + ".part")
    try:
        with store.writing(WAIT_SECONDS):
            held, records = contents(store)
            with tarfile.open(unfinished, "w:gz", compresslevel=_EFFORT) as archive:
                unfinished.chmod(0o600)  # it holds what people asked, and the hash of a password
                _add(archive, _MANIFEST, json.dumps(_manifest(held), indent=2).encode())
                for number, batch in enumerate(rows(store, records)):
                    _add_rows(archive, number, batch)
                    progress(len(batch.ids))
                _add_data(archive, data_folder(settings))
        unfinished.replace(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
        store.close()
    return held


def restore(settings: Settings, file: Path, progress: Callable[[int], None]) -> Contents:
    """Put a backup into the settings' store and data folder, neither of which may be there yet.

    An older backup is brought up to date. What goes wrong leaves nothing behind.

    Raises:
        StoreError: there is a store already, or the backup is incomplete.
        BackupError: the file is no backup, damaged, or from a newer citycite.
    """
    store, data = Store(settings.store, any_version=True), data_folder(settings)
    if not store.is_remote:
        _require_free(Path(settings.store), "restore into a new place with --store")
    if data is not None:
        _require_free(data, "set CITYCITE_DATA to a new folder" if settings.data else "name another place with --store")
    with _undone(store, data), _opened(file) as archive:
        held = _read_manifest(archive, file)
        fill(store, held, _batches(archive, data, file), progress)
        migrate(store)
    store.close()
    return held


def _require_free(place: Path, way_out: str) -> None:
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise BackupError(f"{place} is there already; {way_out}.")


@contextmanager
def _undone(store: Store, data: Path | None) -> Iterator[None]:
    """Take away again what was made, where something goes wrong."""
    was_there = store.exists()
    try:
        yield
    except BaseException:
        if not was_there:
            _clear(store)
        if data is not None:
            shutil.rmtree(data, ignore_errors=True)
        raise


def _clear(store: Store) -> None:
    if store.is_remote:
        with store.client() as client:
            for collection in client.list_collections():
                client.delete_collection(collection.name)
    store.close()
    if not store.is_remote:
        shutil.rmtree(store.location, ignore_errors=True)


# -- writing ------------------------------------------------------------------------------------------------------


def _manifest(held: Contents) -> dict[str, Any]:
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return {"format": FORMAT, "citycite": version("citycite"), "made": made} | as_dict(held)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    member.mtime = int(datetime.now(UTC).timestamp())
    archive.addfile(member, io.BytesIO(content))


def _add_rows(archive: tarfile.TarFile, number: int, batch: Rows) -> None:
    vectors = io.BytesIO()
    np.save(vectors, batch.vectors, allow_pickle=False)
    _add(archive, f"store/{number:06}.{batch.collection}.jsonl", encoded(batch))
    _add(archive, f"store/{number:06}.{batch.collection}.npy", vectors.getvalue())


def _add_data(archive: tarfile.TarFile, folder: Path | None) -> None:
    if folder is None or not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder).as_posix()
        name = _DATA + within
        if (
            within in _LEFT_OUT
            or path.is_symlink()
            or not path.is_file()
            or path.name.endswith(("-wal", "-shm", "-journal"))
        ):
            continue
        if path.suffix == ".sqlite":
            _add(archive, name, _database(path))
        else:
            archive.add(path, name, recursive=False)


def _database(file: Path) -> bytes:
    """Return a database as it is at this moment, also while it is being written."""
    with TemporaryDirectory(prefix="citycite-") as folder:
        copy = Path(folder) / "copy"
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy.read_bytes()


# -- reading ------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r|gz") as archive:
            yield archive
    except FileNotFoundError:
        raise BackupError(f"There is no file {file}.") from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError) as error:
        raise _damaged(file, error) from error
    except OSError as error:
        raise BackupError(f"{file} cannot be restored: {error.strerror or error}.") from error


def _damaged(file: Path, error: object) -> BackupError:
    said = " ".join(str(error).split())[:200]
    return BackupError(f"{file} is no backup of citycite, or a damaged one: {said}. Take another.")


def _read_manifest(archive: tarfile.TarFile, file: Path) -> Contents:
    member = archive.next()
    if member is None or member.name != _MANIFEST:
        raise _damaged(file, f"it does not begin with {_MANIFEST}")
    found = json.loads(_content(archive, member))
    if found["format"] > FORMAT or found["schema_version"] > SCHEMA_VERSION:
        raise BackupError(
            f"{file} was made by citycite {found['citycite']}, which is newer than this one; install that version."
        )
    return Contents(**{name: found[name] for name in Contents.__dataclass_fields__})


def _batches(archive: tarfile.TarFile, data: Path | None, file: Path) -> Iterator[Rows]:
    """Yield the rows; what lies between and behind them are files of the data folder, which are put in place."""
    lines, collection = b"", ""
    for member in iter(archive.next, None):
        kind = member.name.rpartition(".")[2]
        if member.name.startswith(_DATA):
            _put(archive, member, data, file)
        elif member.name.startswith("store/") and kind == "jsonl":
            lines, collection = _content(archive, member), member.name.split(".")[1]
        elif member.name.startswith("store/") and kind == "npy":
            vectors = np.load(io.BytesIO(_content(archive, member)), allow_pickle=False)
            yield decoded(collection, lines, vectors)
        else:
            raise _damaged(file, f"unexpected {member.name!r}")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member) if member.isfile() and member.size <= _LARGEST_MEMBER else None
    if opened is None:
        raise ValueError(f"{member.name!r} is no file")
    return opened.read()


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, data: Path | None, file: Path) -> None:
    if data is None:
        raise UsageError(
            "The backup holds feedback and other data, and a store with a URL has no folder for it: set CITYCITE_DATA."
        )
    name = PurePosixPath(member.name.removeprefix(_DATA))
    opened = archive.extractfile(member) if member.isfile() else None
    if opened is None or name.is_absolute() or ".." in name.parts or not name.parts:
        raise _damaged(file, f"unexpected {member.name!r}")
    place = data.joinpath(*name.parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as target:
        place.chmod(0o600)
        shutil.copyfileobj(opened, target)
