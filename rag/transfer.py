"""A store as rows, out of Chroma and into it again: what backups, moves between folder and server, and migrations need.

Rows are what Chroma was given: id, vector, text, metadata. What is derived from them is rebuilt where it is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rag.errors import StoreError
from rag.records import passage_ids, text_hash
from rag.store import BATCH, DOCUMENTS, PASSAGES, SCHEMA_VERSION, Store

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds: its version, the model it was made with, and how many documents and passages."""

    schema_version: int
    embedding_model: str
    dimensions: int
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a collection; `vectors` has one row each, of 32-bit floats."""

    collection: str
    ids: Sequence[str]
    vectors: np.ndarray
    texts: Sequence[str]
    metadatas: Sequence[dict[str, Any]]


def contents(store: Store) -> tuple[Contents, dict[str, dict[str, Any]]]:
    """Return what `store` holds, and its document records by id.

    Raises:
        StoreError: there is nothing in it, or a newer citycite has made it.
    """
    made = store.made_as()
    records = store.records()
    count = sum(int(record["passages"]) for record in records.values())
    held = Contents(made["schema_version"], str(made["embedding_model"]), int(made["dimensions"]), len(records), count)
    return held, records


def rows(store: Store, records: dict[str, dict[str, Any]]) -> Iterator[Rows]:
    """Yield all rows that readers can see, passages first. Call within `store.writing()`, or while nobody writes.

    Raises:
        StoreError: one that a document record names is missing.
    """
    for name, ids in ((PASSAGES, passage_ids(records)), (DOCUMENTS, list(records))):
        for at in range(0, len(ids), BATCH):
            wanted = ids[at : at + BATCH]
            with _collection(store, name) as collection:
                page = collection.get(ids=wanted, include=["embeddings", "documents", "metadatas"])
            if len(page["ids"]) != len(wanted):
                missing = sorted(set(wanted) - set(page["ids"]))
                raise StoreError(
                    f"The store {store.location} lacks {len(missing)} {name}, such as {missing[0]}. "
                    "Ingest its documents again into a new store."
                )
            vectors = np.array(page["embeddings"], np.float32)
            yield Rows(name, page["ids"], vectors, page["documents"] or [], list(map(dict, page["metadatas"] or [])))


def fill(store: Store, held: Contents, batches: Iterable[Rows], progress: Callable[[int], None]) -> None:
    """Put rows into `store`, which must be empty; documents come last, so that none is seen without its passages.

    Raises:
        StoreError: there is something in it, or the rows are not all that `held` says.
    """
    if store.exists():
        raise StoreError(f"There is a store in {store.location} already; name a new one with --store.")
    store.create(held.embedding_model, held.dimensions)
    _set_version(store, held.schema_version)
    counted = {PASSAGES: 0, DOCUMENTS: 0}
    with store.writing():
        store.changing()
        for batch in batches:
            with _collection(store, batch.collection) as collection:
                collection.upsert(
                    ids=list(batch.ids), embeddings=batch.vectors, documents=list(batch.texts),
                    metadatas=list(batch.metadatas),
                )  # fmt: skip
            counted[batch.collection] += len(batch.ids)
            progress(len(batch.ids))
        if (counted[DOCUMENTS], counted[PASSAGES]) != (held.documents, held.passages):
            raise StoreError(
                f"The backup is incomplete: it holds {counted[DOCUMENTS]} of {held.documents} documents and "
                f"{counted[PASSAGES]} of {held.passages} passages. Take another."
            )


# -- upgrades -----------------------------------------------------------------------------------------------------

# What document records have had since version 2; earlier ones may lack some. "" stands for nothing known.
_SINCE_2: Final[dict[str, Any]] = {
    "type": "", "department": "", "fields": "{}", "published_from": "", "text_hash": "", "reading": "", "mail": "",
    "further": "[]", "groups": "",
}  # fmt: skip


def _complete_records(store: Store) -> None:
    """From version 1 to 2: every record has every key. A text's hash, which finds copies, is made from the text."""
    for key, record in store.records().items():
        lacking = {name: value for name, value in _SINCE_2.items() if name not in record}
        if "text_hash" in lacking:
            lacking["text_hash"] = text_hash(store.documents([key])[key].text)
        if lacking:
            with _collection(store, DOCUMENTS) as collection:
                collection.update(ids=[key], metadatas=[lacking])


# The step from each version to the next. A step may be cut off and done again; the version is written after it.
MIGRATIONS: Final[dict[int, Callable[[Store], None]]] = {1: _complete_records}


def migrate(store: Store) -> tuple[int, int]:
    """Bring `store` to the version that this citycite reads; return the version it had, and the one it has.

    Raises:
        StoreError: there is nothing in it, a newer citycite has made it, or another process is writing to it.
    """
    had = int(store.made_as()["schema_version"])
    with store.writing():
        for version in range(had, SCHEMA_VERSION):
            store.changing()
            MIGRATIONS[version](store)
            _set_version(store, version + 1)
    return had, SCHEMA_VERSION


@contextmanager
def _collection(store: Store, name: str) -> Iterator[Collection]:
    with store.client() as client:
        yield client.get_collection(name, embedding_function=None)


def _set_version(store: Store, version: int) -> None:
    """Write the version, that of the passages last: it is the one that a store is known by."""
    for name in (DOCUMENTS, PASSAGES):
        with _collection(store, name) as collection:
            collection.modify(metadata=dict(collection.metadata or {}) | {"schema_version": version})


def encoded(batch: Rows) -> bytes:
    """Return ids, texts and metadata of `batch` as JSON lines."""
    lines = (
        json.dumps({"id": key, "text": text, "metadata": metadata}, ensure_ascii=False)
        for key, text, metadata in zip(batch.ids, batch.texts, batch.metadatas, strict=True)
    )
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")


def decoded(collection: str, lines: bytes, vectors: np.ndarray) -> Rows:
    """Return what `encoded` was given; raises ValueError where it is something else."""
    found = [json.loads(line) for line in lines.decode("utf-8", "surrogatepass").split("\n") if line]
    if vectors.ndim != 2 or len(vectors) != len(found):
        raise ValueError(f"{len(found)} rows and {len(vectors)} vectors")
    return Rows(
        collection, [item["id"] for item in found], vectors, [item["text"] for item in found],
        [item["metadata"] for item in found],
    )  # fmt: skip


def as_dict(held: Contents) -> dict[str, Any]:
    """Return `held` as plain JSON types."""
    return asdict(held)
