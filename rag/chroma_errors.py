"""What Chroma raises, as errors that name the store and the next step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rag.disk import full_disk, is_full
from rag.errors import StoreError


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Turn what Chroma raises of the store at `location` into a StoreError."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except httpx.HTTPError as error:
        raise StoreError(
            f"The Chroma server {location} does not answer ({error}). Nothing that was stored is lost: start it, and "
            "try again."
        ) from error
    except (ChromaError, ValueError, OSError) as error:
        text = " ".join(str(error).split())[:300]
        if is_full(text):
            raise StoreError(full_disk(location)) from error
        raise StoreError(
            f"The store {location} cannot be used: {text}. If it is damaged, restore a backup, or ingest again into a "
            "new folder."
        ) from error
