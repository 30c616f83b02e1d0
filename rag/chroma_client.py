"""Chroma itself: a folder opened in this process, or the connection to a server, with an end to waiting."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.errors import StoreError, UsageError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.config import Settings as ChromaSettings

# A question takes a server milliseconds, a thousand records seconds; who takes longer, hangs.
SERVER_SECONDS = 60.0
_HEARTBEAT = "/api/v2/heartbeat"


def open_folder(folder: Path, *, again: bool = False) -> ClientAPI:
    """Return Chroma over `folder`, which is made where it is missing.

    Args:
        again: a second instance beside the first. Chroma has one for each spelling of a path.

    Raises:
        StoreError: the folder cannot be made or written.
        ChromaError, ValueError: it holds something else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The store {folder.resolve()} cannot be made: {error.strerror}.") from error
    # SQLite needs to write beside the database even to read it.
    if not all(_is_writable(path) for path in (folder, *folder.glob("*.sqlite3"))):
        raise StoreError(
            f"The store {folder.resolve()} is read-only for this user. Give the user who runs citycite write "
            "access to the folder and its files, or name another with --store."
        )
    import chromadb

    path = f"{folder}{os.sep}." if again else str(folder)
    try:
        return chromadb.PersistentClient(path=path, settings=chroma_settings())
    except AttributeError:
        # Chroma (1.5.9) keeps what it could not open, stumbles over it the next time, and has let go of it by then.
        return chromadb.PersistentClient(path=path, settings=chroma_settings())


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def connect(location: str) -> ClientAPI:
    """Return a client of the server at `location`, such as http://127.0.0.1:8000.

    Raises:
        UsageError: the location is no address.
        httpx.HTTPError: nobody answers there.
        ChromaError, ValueError: somebody else does.
    """
    import chromadb
    import httpx

    url = urlsplit(location)
    if not url.hostname:
        raise UsageError(f"{location} is no address of a Chroma server; it looks like http://127.0.0.1:8000")
    port = url.port or (443 if url.scheme == "https" else 8000)
    # Chroma's client waits for ever, and hides what went wrong in what it says.
    address = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    httpx.get(f"{url.scheme}://{address}:{port}{_HEARTBEAT}", timeout=SERVER_SECONDS)
    client = chromadb.HttpClient(host=url.hostname, port=port, ssl=url.scheme == "https", settings=chroma_settings())
    client._server._session.timeout = httpx.Timeout(SERVER_SECONDS)  # type: ignore[attr-defined]  # it has no setting
    return client


def chroma_settings() -> ChromaSettings:
    """Return settings by which Chroma calls nobody."""
    from chromadb.config import Settings as ChromaSettings

    return ChromaSettings(anonymized_telemetry=False)
