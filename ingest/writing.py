"""Documents to the store: split ones are embedded in blocks, in the background, while others are read and stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from ingest.duplicates import sift
from ingest.encoding import Encoding, EncodingHere
from ingest.reading import Prepared, Report
from ingest.stored import Place, Stored
from rag.embeddings import BLOCK, EmbeddingModel, Encoded
from rag.records import NewVersion, Source, StoredPassage, WebStamp, context_of, passage_id
from rag.store import Store
from rag.token_index import TokenIndex

# Passages embedded and stored at once: enough to put those of similar length together, few enough that the progress
# bar moves every few seconds.
_FLUSH_AT = 128


@dataclass
class Target:
    """Takes what was read: documents with a text that no other has, and where the texts stand now."""

    _store: Store
    _model: EmbeddingModel
    _report: Report
    _advance: Callable[[], None] = lambda: None
    _stored: Stored = field(default_factory=lambda: Stored({}))
    _encoding: Encoding | None = None

    def __enter__(self) -> Self:
        """Return itself; on leaving, it lets go of what it has begun."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what has begun."""

    def take(self, read: Iterable[Prepared]) -> None:
        """Take documents as they were read, but those whose text is stored already."""
        for prepared in read:
            kept = sift(prepared, self._stored, self._report)
            if kept is not None:
                self.add(kept)

    def leave(self, places: Iterable[Place]) -> None:
        """Take sources out that are gone, and the documents that stand in no other."""
        for place in dict.fromkeys(places):
            self._stored.leave(place)
            self._report.note("removed", place.source)
        self.flush()

    def add(self, prepared: Prepared) -> None:
        """Take a document."""
        raise NotImplementedError

    def flush(self) -> None:
        """Finish all that was taken."""
        raise NotImplementedError

    def _note(self, prepared: Prepared) -> None:
        self._report.note("added" if prepared.is_new else "updated", prepared.document.source)
        self._advance()


class Rehearsal(Target):
    """Says what a writer would do."""

    def add(self, prepared: Prepared) -> None:
        """Count a document."""
        self._note(prepared)

    def flush(self) -> None:
        """Forget what a writer would write."""
        self._stored.take_changes()


@dataclass
class _Block:
    """Documents that are stored together, once all their `passages` are there."""

    items: list[Prepared]
    passages: list[StoredPassage] = field(default_factory=list)

    def pieces(self) -> list[_Piece]:
        """Return all passages, as document and number."""
        return [(item, number) for item in self.items for number in range(len(item.spans))]


_Piece = tuple[Prepared, int]


@dataclass
class _Part:
    """Passages of a block that are encoded in one call, as yet without vectors."""

    block: _Block
    passages: list[StoredPassage]
    wait: Callable[[], list[Encoded]]
    is_last: bool


@dataclass
class Writer(Target):
    """Embeds documents in blocks, so that passages of similar length are computed together, and stores them."""

    _waiting: list[Prepared] = field(default_factory=list)
    _under_way: deque[_Part] = field(default_factory=deque)
    # Ids of the documents in both.
    _pending: set[str] = field(default_factory=set)
    _tokens: TokenIndex | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what is not stored; close what was opened."""
        if self._encoding is not None:
            self._encoding.close()
        if self._tokens is not None:
            self._tokens.close()

    @property
    def tokens(self) -> TokenIndex:
        """The token index beside the store; made on first use, because it loads the model."""
        if self._tokens is None:
            self._tokens = TokenIndex(self._store, self._model)
        return self._tokens

    def add(self, prepared: Prepared) -> None:
        """Take a document; it is stored some time after its block is full, or at `flush`."""
        if prepared.document.id in self._pending:
            self.flush()
        self._pending.add(prepared.document.id)
        self._waiting.append(prepared)
        if sum(len(waiting.spans) for waiting in self._waiting) >= _FLUSH_AT:
            self._begin()

    def flush(self) -> None:
        """Embed and store what waits, then note where texts stand that were there before."""
        if self._waiting:
            self._begin()
        while self._under_way:
            self._finish_one()
        moved, empty = self._stored.take_changes()
        if moved:
            self._store.set_sources(moved)
        if empty:
            self.remove(empty)

    def remove(self, ids: Sequence[str]) -> None:
        """Take documents out of the store and of the token index."""
        self.tokens.drop(self._store.remove(ids))

    def _begin(self) -> None:
        """Have the block that waits encoded; meanwhile store those before it."""
        self._store.create(self._model.name, self._model.dimensions)
        if self._encoding is None:
            self._encoding = EncodingHere(self._model)
        block, self._waiting = _Block(self._waiting), []
        pieces = block.pieces()
        self._store.require_room(len(pieces))
        # A document may have more passages than memory has room for with the vectors of their tokens.
        for at in range(0, max(len(pieces), 1), BLOCK):
            passages, contexts = _passages(pieces[at : at + BLOCK])
            wait = self._encoding.submit([passage.text for passage in passages], contexts)
            self._under_way.append(_Part(block, passages, wait, is_last=at + BLOCK >= len(pieces)))
            while len(self._under_way) > self._encoding.ahead:
                self._finish_one()

    def _finish_one(self) -> None:
        part = self._under_way[0]
        encoded = part.wait()
        self.tokens.add((p.id, p.language, item) for p, item in zip(part.passages, encoded, strict=True))
        part.block.passages += [
            replace(passage, vector=self._model.centred_vector(item, "passage", passage.language))
            for passage, item in zip(part.passages, encoded, strict=True)
        ]
        if part.is_last:
            self._write(part.block)
        self._under_way.popleft()

    def _write(self, block: _Block) -> None:
        versions, at = [], 0
        for item in block.items:
            own = block.passages[at : at + len(item.spans)]
            at += len(item.spans)
            alone = Source(item.document.source, item.content_hash, item.mail, item.stamp or WebStamp())
            sources = self._stored.sources(item.document.id) or [alone]
            versions.append(NewVersion(item.document, item.content_hash, own, sources, item.reading))
        self.tokens.drop(self._store.write(versions))
        for item in block.items:
            self._pending.discard(item.document.id)
            self._stored.written(item.document.id)
            self._note(item)


def _passages(pieces: Sequence[_Piece]) -> tuple[list[StoredPassage], list[str]]:
    """Return passages, given as document and number, and what each stands under."""
    passages, contexts = [], []
    for item, number in pieces:
        document, version, (start, end) = item.document, item.content_hash[:16], item.spans[number]
        text, key = document.text[start:end], passage_id(document.id, version, number)
        passages.append(StoredPassage(key, document.id, version, start, end, text, document.language))
        contexts.append(context_of(document.title, document.sections, start, text))
    return passages, contexts
