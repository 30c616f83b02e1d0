"""A view of a store that leaves no trace in it: Chroma writes to the files of a folder as soon as it opens it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.disk import full_disk, is_full
from rag.errors import StoreError
from rag.store import Store

_DATABASE = "chroma.sqlite3"


@contextmanager
def snapshot(store: Store) -> Iterator[Store]:
    """Give the records and texts of `store` as they are now; there are no vectors to search. A server is not copied.

    Raises:
        StoreError: the location is a file, or the store cannot be read.
    """
    place = Path(store.location)
    if not store.is_remote and place.exists() and not place.is_dir():
        store.require_folder()
    if store.is_remote or not (place / _DATABASE).is_file():
        yield store
        return
    with TemporaryDirectory(prefix="citycite-") as folder:
        try:
            # SQLite's own copy is whole, even while another process writes.
            with (
                closing(sqlite3.connect((place / _DATABASE).resolve().as_uri() + "?mode=ro", uri=True)) as database,
                closing(sqlite3.connect(Path(folder) / _DATABASE)) as copy,
            ):
                database.backup(copy)
        except sqlite3.Error as error:
            if is_full(str(error)):
                raise StoreError(full_disk(f"{folder}, where the store is copied for reading")) from error
            raise StoreError(f"The store {place.resolve()} cannot be read: {error}.") from error
        view = Store(folder)
        try:
            yield view
        finally:
            view.close()
