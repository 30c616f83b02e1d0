"""Chroma as the store: a record a document, a record a passage, one writer at a time, readers that see each change.

A document's passages become visible when its record in `documents` names their version: passages first, then the
record, then the old passages go. A process killed at any point leaves the old version or the new one.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
from fasteners import ReaderWriterLock
from filelock import FileLock, Timeout

from rag.access import written
from rag.changes import Change, Changes, is_unfinished, new_generation
from rag.chroma_client import connect, open_folder
from rag.chroma_errors import translated
from rag.disk import require_room
from rag.errors import ModelError, StoreBusyError, StoreError, missing_document
from rag.listing import Listing
from rag.records import (
    Found,
    NewVersion,
    Row,
    Source,
    StoredPassage,
    document_row,
    passage_ids,
    passage_row,
    source_names,
    sources_metadata,
    summary,
    to_document,
    to_passage,
)
from rag.schema import Document, DocumentSummary

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

# What the records of a store hold; `rag.transfer.MIGRATIONS` has the way from each version to the next.
SCHEMA_VERSION = 2
PASSAGES, DOCUMENTS = "passages", "documents"
# Chroma takes 5,461 records a call; a thousand is as fast and holds less in memory.
BATCH = 1000
# Recall@10 of the graph is 0.999 with these at 100,000 vectors; with Chroma's own 0.937. Only set at creation.
_HNSW = {"space": "cosine", "ef_search": 200, "ef_construction": 200, "max_neighbors": 32}


class Store:
    """Opens a folder (embedded Chroma) or an `http(s)://host:port` (Chroma server).

    Cheap to make; Chroma is opened on first use. Safe between threads. Readers notice through `generation` that
    another process has written, and open Chroma again: its index in memory would otherwise stay as it was.
    """

    def __init__(self, location: str | Path, *, any_version: bool = False) -> None:
        self.location = str(location)
        self._any_version = any_version  # for migrations and backups
        self.is_remote = self.location.startswith(("http://", "https://"))
        self._client: ClientAPI | None = None
        self._generation: str | None = None
        self._changed = False
        self._again = False
        self._lock = threading.RLock()
        self._renewing = threading.Lock()
        # Read: Chroma is in use. Write: it is exchanged or closed, which a question in its midst must not meet.
        self._in_use = ReaderWriterLock()
        self._listing = None if self.is_remote else Listing(Path(self.location))
        self._change = Change()

    # -- opening ----------------------------------------------------------------------------------------------

    @property
    def derived_folder(self) -> Path:
        """Where indexes lie that can be rebuilt: in the store's folder, or in the user's cache for a server."""
        if not self.is_remote:
            return Path(self.location)
        key = hashlib.sha256(self.location.encode()).hexdigest()[:16]
        folder = Path(platformdirs.user_cache_dir("citycite")) / "servers" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def require_folder(self) -> None:
        """Raise StoreError where the location is no folder: for readers, a mistyped path must not look empty."""
        if self.is_remote or Path(self.location).is_dir():
            return
        place = Path(self.location).resolve()
        if place.exists():
            raise StoreError(f"{place} is a file; a store is a folder or the URL of a Chroma server.")
        raise StoreError(
            f"There is no store in {place}. Make one: citycite ingest PATH --store {self.location}, "
            "or name another with --store."
        )

    def exists(self) -> bool:
        """Whether anything has been stored here."""
        if not self.is_remote and not self.has_database():
            return False
        with self.client() as client:
            return DOCUMENTS in {collection.name for collection in client.list_collections()}

    def has_database(self) -> bool:
        """Whether the folder holds Chroma's database, even an empty one."""
        return (Path(self.location) / "chroma.sqlite3").is_file()

    def create(self, model_name: str, dimensions: int) -> None:
        """Make the collections where they are missing; see that an existing store fits the model.

        Raises:
            ModelError: the store was made with another model.
            StoreError: the folder cannot be written, or holds another schema version.
        """
        if self.exists():
            self.check_model(model_name)
            return
        metadata = {"schema_version": SCHEMA_VERSION, "embedding_model": model_name, "dimensions": dimensions}
        with self.client() as client:
            client.get_or_create_collection(
                PASSAGES,
                embedding_function=None,
                metadata=metadata,
                configuration={"hnsw": _HNSW},  # type: ignore[arg-type]
            )
            client.get_or_create_collection(
                DOCUMENTS,
                embedding_function=None,
                metadata=metadata | {"generation": new_generation()},
                configuration={"hnsw": {"space": "cosine"}},
            )
        self.check_model(model_name)

    def check_model(self, model_name: str) -> None:
        """Raise ModelError where the store was made with another model than `model_name`."""
        made_with = self.made_as().get("embedding_model")
        if made_with != model_name:
            raise ModelError(
                f"The store {self.location} was made with the embedding model {made_with}, the settings say "
                f"{model_name}. Set CITYCITE_EMBEDDING_MODEL={made_with}, or ingest into a new store with --store."
            )

    def made_as(self) -> dict[str, Any]:
        """Return its schema version, and the embedding model and dimensions that it was made with."""
        return self._metadata(PASSAGES)

    @property
    def generation(self) -> str:
        """A token that changes with every finished change of the store."""
        return str(self._metadata(DOCUMENTS).get("generation", ""))

    def refresh(self) -> str:
        """Open Chroma again if another process has finished a change since; return the generation now in view."""
        now = self.generation
        if self._generation is None:
            self._generation = now
        elif now != self._generation and not is_unfinished(now):
            if self.is_remote:
                self._generation = now
            else:
                self._renew(now)
        return self._generation

    def _renew(self, generation: str) -> None:
        """Open Chroma beside the one in use, which others read on, and take its place once its index is read."""
        with self._renewing:
            if generation == self._generation:  # another thread has done it meanwhile
                return
            self._again = not self._again
            client = self._connect()
            with self._translated():
                generation = str((client.get_collection(DOCUMENTS).metadata or {}).get("generation", ""))
                passages = client.get_collection(PASSAGES, embedding_function=None)
                dimensions = int((passages.metadata or {}).get("dimensions", 0))
                if dimensions and passages.count():
                    passages.query(query_embeddings=[1.0] * dimensions, n_results=1, include=[])
            with self._in_use.write_lock(), self._lock:
                before, self._client, self._generation = self._client, client, generation
            if before is not None:
                before.close()  # type: ignore[attr-defined]  # on Client, not on its protocol

    def close(self) -> None:
        """Let go of Chroma, once nobody reads from it; the next use opens it again."""
        if self.is_remote:  # a server that does not answer must not keep anybody from ending
            self._disconnect()
            return
        with self._in_use.write_lock():
            self._disconnect()

    def _disconnect(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()  # type: ignore[attr-defined]  # on Client, not on its protocol
                self._client = None

    def _open(self) -> ClientAPI:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> ClientAPI:
        with self._translated():
            return connect(self.location) if self.is_remote else open_folder(Path(self.location), again=self._again)

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.location)

    @contextmanager
    def client(self) -> Iterator[ClientAPI]:
        """Give Chroma itself, for collections beside the two; what it raises becomes a StoreError."""
        with self._in_use.read_lock():
            client = self._open()
            with self._translated():
                yield client

    @contextmanager
    def _using(self, name: str) -> Iterator[Collection]:
        """Give a collection that stays open while it is used; what Chroma raises becomes a StoreError."""
        with self.client():
            yield self._collection(name)

    def _collection(self, name: str) -> Collection:
        from chromadb.errors import NotFoundError as Missing

        client = self._open()
        with self._translated():
            try:
                found = client.get_collection(name, embedding_function=None)
            except Missing:
                raise StoreError(
                    f"The store {self.location} holds no documents yet. Fill it: citycite ingest PATH"
                ) from None
        version = (found.metadata or {}).get("schema_version")
        if version != SCHEMA_VERSION and not (self._any_version and version in range(1, SCHEMA_VERSION)):
            raise StoreError(_other_version(self.location, version))
        return found

    def _metadata(self, name: str) -> dict[str, Any]:
        with self._using(name) as collection:
            return dict(collection.metadata or {})

    # -- reading ----------------------------------------------------------------------------------------------

    def records(self) -> dict[str, dict[str, Any]]:
        """Return the metadata of every document record, by document id; none where nothing was stored yet."""
        if not self.exists():
            return {}
        found: dict[str, dict[str, Any]] = {}
        with self._using(DOCUMENTS) as collection:
            for offset in range(0, collection.count(), BATCH):
                page = collection.get(limit=BATCH, offset=offset, include=["metadatas"])
                found.update(zip(page["ids"], map(dict, page["metadatas"] or []), strict=True))
        return found

    def count(self) -> int:
        """Return the number of documents."""
        with self._using(DOCUMENTS) as collection:
            return int(collection.count())

    def summaries(self) -> list[DocumentSummary]:
        """List the documents, ordered by source; from the file beside the store where there is one."""
        if self._listing is not None and self.has_database() and (ready := self._listing.read()) is not None:
            return ready
        listed = [summary(key, record) for key, record in self.records().items()]
        return sorted(listed, key=lambda item: item.source)

    def document(self, document_id: str) -> Document:
        """Return one document with its text.

        Raises:
            NotFoundError: there is none with this id.
        """
        found = self.documents([document_id])
        if document_id not in found:
            raise missing_document(document_id)
        return found[document_id]

    def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """Return those documents among `ids` that exist, with their texts."""
        if not ids:
            return {}
        with self._using(DOCUMENTS) as collection:
            page = collection.get(ids=list(ids), include=["metadatas", "documents"])
        return {
            key: to_document(key, text, dict(record))
            for key, text, record in zip(page["ids"], page["documents"] or [], page["metadatas"] or [], strict=True)
        }

    def records_of(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the metadata of those document records among `ids` that exist."""
        ids = list(dict.fromkeys(ids))  # Chroma refuses an id given twice
        found: dict[str, dict[str, Any]] = {}
        with self._using(DOCUMENTS) as collection:
            for at in range(0, len(ids), BATCH):
                page = collection.get(ids=ids[at : at + BATCH], include=["metadatas"])
                found.update(zip(page["ids"], map(dict, page["metadatas"] or []), strict=True))
        return found

    def passages(self, ids: Sequence[str]) -> dict[str, StoredPassage]:
        """Return the passages among `ids` that exist, without vectors."""
        if not ids:
            return {}
        found: dict[str, StoredPassage] = {}
        with self._using(PASSAGES) as collection:
            for at in range(0, len(ids), BATCH):
                page = collection.get(ids=list(ids[at : at + BATCH]), include=["metadatas", "documents"])
                rows = zip(page["ids"], page["documents"] or [], page["metadatas"] or [], strict=True)
                found |= {key: to_passage(key, text, dict(record)) for key, text, record in rows}
        return found

    def nearest(self, vector: np.ndarray, count: int) -> list[Found]:
        """Return up to `count` passages nearest to `vector`, best first; some may belong to a version not visible."""
        with self._using(PASSAGES) as collection:
            page = collection.query(
                query_embeddings=[vector.tolist()],
                n_results=count,
                include=["metadatas", "documents", "distances"],
            )
        columns = zip(
            page["ids"][0],
            (page["documents"] or [[]])[0],
            (page["metadatas"] or [[]])[0],
            (page["distances"] or [[]])[0],
            strict=True,
        )
        return [Found(to_passage(key, text, dict(record)), 1.0 - distance) for key, text, record, distance in columns]

    def nearest_of(self, ids: Sequence[str], vector: np.ndarray, count: int) -> list[Found]:
        """Return up to `count` of the passages with these ids that are nearest to `vector`, best first, exactly."""
        similar: dict[str, float] = {}
        for found, vectors in self.vectors(ids):
            lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
            similar.update(zip(found, (vectors @ vector / lengths).tolist(), strict=True))
        best = sorted(similar, key=lambda key: (-similar[key], key))[:count]
        passages = self.passages(best)
        return [Found(passages[key], similar[key]) for key in best if key in passages]

    def vectors(self, ids: Sequence[str]) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yield the vectors of the passages among `ids` that exist: ids, and an array of shape (ids, d)."""
        for at in range(0, len(ids), BATCH):
            with self._using(PASSAGES) as collection:
                page = collection.get(ids=list(ids[at : at + BATCH]), include=["embeddings"])
            yield list(page["ids"]), np.array(page["embeddings"], np.float32).reshape(len(page["ids"]), -1)

    # -- writing ----------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self, wait: float = 0.0) -> Iterator[None]:
        """Hold the one writer's lock; on leaving, announce the change to readers.

        The lock is the operating system's and dies with its process.

        Raises:
            StoreError: another process writes to this store, and still does after `wait` seconds.
        """
        if not self.is_remote:
            self._open()  # says what is wrong with the folder before a lock file is tried in it
        try:
            with FileLock(self.derived_folder / "writer.lock", timeout=wait):
                self._changed = self.exists() and is_unfinished(self.generation)
                self._change = Change()  # the one before is unknown where a killed writer left the store in its midst
                try:
                    yield
                finally:
                    if self._changed:
                        self._announce()
                    older = self._any_version and self.made_as()["schema_version"] != SCHEMA_VERSION
                    if self._listing is not None and not self._listing.exists() and not older:
                        known = self._listing.renewed(self._change, self.records_of)
                        self._listing.write(self.summaries() if known is None else known)
        except Timeout:
            raise StoreBusyError(
                f"Another process is writing to the store {self.location}. Wait until it has finished, then try again."
            ) from None

    def _announce(self, *, finished: bool = True) -> None:
        token = new_generation(finished=finished)
        if finished:
            with suppress(StoreError):  # no room for it: then indexes look through all records
                Changes(self.derived_folder).note(self._change, token)
        else:
            self._change = Change(before=self.generation)
        with self._using(DOCUMENTS) as collection, self._lock:
            collection.modify(metadata=self._metadata(DOCUMENTS) | {"generation": token})
            # What we have written we see; what others write after it, we notice by this.
            self._generation = token if finished else self._generation
        self._changed = not finished

    def changing(self, ids: Iterable[str] | None = None) -> None:
        """Prepare to change the documents `ids` (None: any). Should this process be killed, the next writer tells."""
        if self._listing is not None:
            self._listing.discard()
        if not self._changed:
            self._announce(finished=False)
        self._change.touch(ids)

    def touched(self, before: str | None, after: str) -> set[str] | None:
        """Return the documents that changed from one generation to another, None where that is not known."""
        return Changes(self.derived_folder).between(before, after)

    def require_room(self, passages: int) -> None:
        """Raise StoreError where the disk may not hold so many more `passages` with all that is derived from them."""
        require_room(self.derived_folder, passages)

    def write(self, versions: Sequence[NewVersion]) -> list[str]:
        """Store new versions of documents (ids differ), each visible as a whole, once this returns all of them.

        Return the ids of passages that went. Call within `writing`. Many at once are written several times as fast.
        """
        self.require_room(sum(len(version.passages) for version in versions))
        self.changing(version.document.id for version in versions)
        old = passage_ids(self.records_of([version.document.id for version in versions]))
        self._upsert(PASSAGES, [passage_row(passage) for version in versions for passage in version.passages])
        self._upsert(DOCUMENTS, [document_row(version) for version in versions])
        current = {f"{version.document.id}:{version.passages[0].version}" for version in versions}
        gone = [key for key in old if key.rpartition(":")[0] not in current]
        self._delete(PASSAGES, gone)
        return gone

    def _upsert(self, name: str, rows: Sequence[Row]) -> None:
        with self._using(name) as collection:
            for at in range(0, len(rows), BATCH):
                ids, vectors, texts, metadatas = map(list, zip(*rows[at : at + BATCH], strict=True))
                collection.upsert(ids=ids, embeddings=vectors, documents=texts, metadatas=metadatas)

    def set_sources(self, sources: Mapping[str, Sequence[Source]]) -> None:
        """Note, by document id, where stored texts stand now; nothing is embedded again. Call within `writing`.

        Readers are told where a file or an address has changed, not where only its bytes or its stamp have.
        """
        ids = list(sources)
        for at in range(0, len(ids), BATCH):
            batch = self.records_of(ids[at : at + BATCH])
            if any(source_names(record) != tuple(s.source for s in sources[key]) for key, record in batch.items()):
                self.changing(batch)
            with self._using(DOCUMENTS) as collection:
                collection.update(ids=list(batch), metadatas=[sources_metadata(sources[key]) for key in batch])

    def set_groups(self, groups: Mapping[str, Sequence[str] | None]) -> None:
        """Set, by document id, which groups see a document, whatever its files say; None: as they say.

        Documents that are not in the store are left out. Call within `writing`.
        """
        self.changing(groups)
        with self._using(DOCUMENTS) as collection:
            for key in self.records_of(list(groups)):
                collection.update(ids=[key], metadatas=[{"groups_set": written(groups[key])}])

    def remove(self, ids: Sequence[str]) -> list[str]:
        """Take documents out, their records first, so that they vanish at once; return the ids of passages that went.

        Call within `writing`.
        """
        self.changing(ids)
        passages = passage_ids(self.records_of(ids))
        self._delete(DOCUMENTS, ids)
        self._delete(PASSAGES, passages)
        return passages

    def sweep(self, records: dict[str, dict[str, Any]] | None = None) -> int:
        """Delete passages that no document record names: left over by a killed process. Return how many.

        `records` are those of the store, where they have been read already: it takes a second for 10,000.
        """
        records = self.records() if records is None else records
        with self._using(PASSAGES) as collection:
            count = collection.count()
            if count == sum(int(record["passages"]) for record in records.values()):
                return 0
            ids = [
                key
                for offset in range(0, count, BATCH)
                for key in collection.get(limit=BATCH, offset=offset, include=[])["ids"]
            ]
        visible = {f"{key}:{record['version']}" for key, record in records.items()}
        self.changing()
        left_over = [key for key in ids if key.rpartition(":")[0] not in visible]
        self._delete(PASSAGES, left_over)
        return len(left_over)

    def _delete(self, name: str, ids: Sequence[str]) -> None:
        with self._using(name) as collection:
            for at in range(0, len(ids), BATCH):
                collection.delete(ids=list(ids[at : at + BATCH]))


def _other_version(location: str, version: object) -> str:
    has = f"The store {location} has schema version {version}, this citycite reads {SCHEMA_VERSION}."
    if version in range(1, SCHEMA_VERSION):
        return f"{has} Bring it up to date, which keeps all it holds: citycite migrate --store {location}"
    return f"{has} Install the citycite that made it, or ingest again into a new store with --store."
