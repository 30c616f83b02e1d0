"""The connection to a Chroma server, with an end to waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.errors import UsageError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.config import Settings as ChromaSettings

# A question takes a server milliseconds, a thousand records seconds; who takes longer, hangs.
SERVER_SECONDS = 60.0
_HEARTBEAT = "/api/v2/heartbeat"


def connect(location: str, settings: ChromaSettings) -> ClientAPI:
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
    client = chromadb.HttpClient(host=url.hostname, port=port, ssl=url.scheme == "https", settings=settings)
    client._server._session.timeout = httpx.Timeout(SERVER_SECONDS)  # type: ignore[attr-defined]  # it has no setting
    return client


def chroma_settings() -> ChromaSettings:
    """Return settings by which Chroma calls nobody."""
    from chromadb.config import Settings as ChromaSettings

    return ChromaSettings(anonymized_telemetry=False)
