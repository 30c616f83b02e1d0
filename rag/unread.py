"""What could not be taken into the store, and why, kept in it beside the documents.

It is a collection of Chroma like the two others, so that a server has it, a kill leaves it whole, and one writer at a
time changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np

from rag.store import BATCH, Store

COLLECTION = "unread"


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that is not searchable: `kind` says in a word why, `reason` in a sentence.

    `given` is what the ingest was told to read from the web, "" for files. A source may have an older version stored.
    """

    source: str
    kind: str
    reason: str
    given: str = ""


def read_unread(store: Store) -> list[Unread]:
    """Return what could not be taken in, in order of the sources; none where stores are older than this is kept."""
    if not store.is_remote and not store.has_database():
        return []
    with store.client() as client:
        if COLLECTION not in {collection.name for collection in client.list_collections()}:
            return []
        collection = client.get_collection(COLLECTION, embedding_function=None)
        found: list[Unread] = []
        for offset in range(0, collection.count(), BATCH):
            page = collection.get(limit=BATCH, offset=offset, include=["metadatas"])
            found += [
                Unread(*(str(record[name]) for name in ("source", "kind", "reason", "given")))
                for record in page["metadatas"] or []
            ]
    return sorted(found, key=lambda item: item.source)


def write_unread(store: Store, old: Sequence[Unread], new: Sequence[Unread]) -> None:
    """Forget the `old` and keep the `new`; call within `writing`. What is the same is not written again."""
    gone = [item for item in old if item not in new]
    added = [item for item in new if item not in old]
    if not gone and not added:
        return
    with store.client() as client:
        collection = client.get_or_create_collection(COLLECTION, embedding_function=None)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        for start in range(0, len(added), BATCH):
            batch = added[start : start + BATCH]
            collection.upsert(
                ids=[_key(item) for item in batch],
                embeddings=np.ones((len(batch), 2), np.float32),  # Chroma wants one; nothing is searched here
                metadatas=[asdict(item) | {"at": at} for item in batch],
            )
        kept = {_key(item) for item in new}
        ids = [key for key in map(_key, gone) if key not in kept]
        for start in range(0, len(ids), BATCH):
            collection.delete(ids=ids[start : start + BATCH])


def _key(item: Unread) -> str:
    return hashlib.sha256(item.source.encode("utf-8", "surrogateescape")).hexdigest()
