"""Files to documents to passages to the store, with a count of what happened to each file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ingest.addresses import is_web_address
from ingest.coverage import note_unread
from ingest.duplicates import sift
from ingest.files import IGNORE_FILE, files_in
from ingest.hashes import FileHashes
from ingest.metadata import detect_language
from ingest.pruning import Pruning
from ingest.reading import Failure, Prepared, Reader, Report
from ingest.side_files import SideFiles, is_side_file
from ingest.splitting import passage_spans
from ingest.stored import Place, Stored, document_id
from ingest.web import Crawl
from ingest.web_reading import WebReader, stamps
from ingest.workers import Workers
from rag.embeddings import BLOCK, EmbeddingModel
from rag.records import NewVersion, Source, StoredPassage, WebStamp, context_of, passage_id
from rag.schema import Document
from rag.settings import Settings
from rag.snapshot import snapshot
from rag.store import Store
from rag.token_index import TokenIndex

__all__ = [
    "IGNORE_FILE",
    "Failure",
    "Progress",
    "Report",
    "document_id",
    "files_in",
    "ingest",
    "remove",
    "with_attachments",
    "write_documents",
]

# Passages embedded and stored at once: enough to put those of similar length together, few enough that the progress
# bar moves every few seconds.
_FLUSH_AT = 128
_STAYS = "its document stays in the store, and --prune takes it out"

# Told the number of files in all and of files done.
Progress = Callable[[int, int], None]


def ingest(
    paths: Sequence[str],
    store: Store,
    settings: Settings,
    *,
    prune: bool = False,
    force: bool = False,
    depth: int = 0,
    limit: int = 500,
    dry_run: bool = False,
    model: EmbeddingModel | None = None,
    hashes: FileHashes | None = None,
    progress: Progress = lambda total, done: None,
) -> Report:
    """Bring files, folders and web pages into `store`; files that have not changed cost a hash, pages one request.

    A file that fails leaves its older version, and all other documents, in place. With `prune`, documents whose file
    under one of the folders in `paths`, or whose page, is gone are taken out; where a folder is missing, none of it
    are, and where it has lost more than half of its files, only with `force`. `depth` and `limit` bound how many links
    and how many pages on are read from a web address. With `dry_run` nothing is written and no model loaded: the report
    says what would happen. `model` is one that is loaded already, `hashes` are those of an earlier run.

    Raises:
        StoreError, ModelError: the store cannot be written, or was made with another model.
    """
    report = Report()
    found = list(files_in(paths, report))
    files = [file for file in found if not is_side_file(file)]
    side_files = SideFiles()
    problems = side_files.problems(filter(is_side_file, found))
    report.failures += [Failure(str(file), reason) for file, reason in problems]
    model = model or EmbeddingModel(settings)
    with _reading(store, model) if dry_run else _writing(store, model) as opened, Workers(settings) as workers:
        records = opened.records()
        if not dry_run and opened.exists():
            opened.sweep(records)
        unread = report.failed
        reader = Reader(records, side_files, settings, report, workers, hashes)
        crawl = Crawl(settings, stamps(records, reader.rules), depth=depth, limit=limit, recheck=prune)

        def advance() -> None:
            total = len(files) + reader.attachments + crawl.found
            progress(total, min(report.done - unread + crawl.left_out, total))

        target = _Rehearsal if dry_run else _Writer
        writer = target(opened, model, report, advance, reader.stored)
        pruning = Pruning(paths, reader.stored, force=force)
        reader.stored.expect_renames(reader.stored.gone(pruning.roots, files))
        for changed in reader.read_all(files):
            writer.take(changed)
            advance()
        web = WebReader(reader, opened, report, advance)
        writer.take(web.read(crawl.read([path for path in paths if is_web_address(path)])))
        writer.flush()
        gone = [*reader.gone, *(pruning.gone(files, report.failures) if prune else ())]
        writer.leave([*gone, *_gone_pages(web.gone, reader.stored, report, prune=prune)])
        if not dry_run:
            note_unread(opened, paths, report, reader.stored.names())
        advance()
    return report


@contextmanager
def _writing(store: Store, model: EmbeddingModel) -> Iterator[Store]:
    with store.writing():
        if store.exists():
            store.refresh()  # a server's view of it may be older than what another process has written
            store.check_model(model.name)
        yield store


@contextmanager
def _reading(store: Store, model: EmbeddingModel) -> Iterator[Store]:
    with snapshot(store) as view:
        if view.exists():
            view.check_model(model.name)
        yield view


def _gone_pages(pages: Sequence[Failure], stored: Stored, report: Report, *, prune: bool) -> list[Place]:
    """Return the stored pages that are no more, to be pruned; without `prune`, report them."""
    if not prune:
        report.failures += [replace(page, reason=f"{page.reason}; {_STAYS}") for page in pages]
        return []
    places = [Place(page.source) for page in pages]
    return [place for place in places if stored.id_at(place) is not None]


@dataclass
class _Target:
    """Takes what was read: documents with a text that no other has, and where the texts stand now."""

    _store: Store
    _model: EmbeddingModel
    _report: Report
    _advance: Callable[[], None] = lambda: None
    _stored: Stored = field(default_factory=lambda: Stored({}))

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
        raise NotImplementedError

    def flush(self) -> None:
        raise NotImplementedError

    def _note(self, prepared: Prepared) -> None:
        self._report.note("added" if prepared.is_new else "updated", prepared.document.source)
        self._advance()


class _Rehearsal(_Target):
    """Says what a writer would do."""

    def add(self, prepared: Prepared) -> None:
        """Count a document."""
        self._note(prepared)

    def flush(self) -> None:
        """Forget what a writer would write."""
        self._stored.take_changes()


@dataclass
class _Writer(_Target):
    """Embeds documents in blocks, so that passages of similar length are computed together, and stores them."""

    _waiting: list[Prepared] = field(default_factory=list)
    _tokens: TokenIndex | None = None

    @property
    def tokens(self) -> TokenIndex:
        """The token index beside the store; made on first use, because it loads the model."""
        if self._tokens is None:
            self._tokens = TokenIndex(self._store, self._model)
        return self._tokens

    def add(self, prepared: Prepared) -> None:
        """Take a document; it is stored once a block is full, or at `flush`."""
        if any(waiting.document.id == prepared.document.id for waiting in self._waiting):
            self.flush()
        self._waiting.append(prepared)
        if sum(len(waiting.spans) for waiting in self._waiting) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Embed and store what waits, then note where texts stand that were there before."""
        if self._waiting:
            self._write()
        written = {item.document.id for item in self._waiting}
        self._waiting.clear()
        changed, empty = self._stored.take_changes()
        moved = {key: sources for key, sources in changed.items() if key not in written}
        if moved:
            self._store.set_sources(moved)
        if empty:
            self.remove(empty)

    def _write(self) -> None:
        self._store.create(self._model.name, self._model.dimensions)
        self._store.require_room(sum(len(item.spans) for item in self._waiting))
        pieces = [(item, number) for item in self._waiting for number in range(len(item.spans))]
        # A document may have more passages than memory has room for with the vectors of their tokens.
        parts = (self._embedded(pieces[at : at + BLOCK]) for at in range(0, len(pieces), BLOCK))
        passages = [passage for part in parts for passage in part]
        versions, at = [], 0
        for item in self._waiting:
            own = passages[at : at + len(item.spans)]
            at += len(item.spans)
            alone = Source(item.document.source, item.content_hash, item.mail, item.stamp or WebStamp())
            sources = self._stored.sources(item.document.id) or [alone]
            versions.append(NewVersion(item.document, item.content_hash, own, sources, item.reading))
        self.tokens.drop(self._store.write(versions))
        for item in self._waiting:
            self._note(item)

    def _embedded(self, pieces: Sequence[tuple[Prepared, int]]) -> list[StoredPassage]:
        """Return passages, given as document and number, with their vectors; keep those of their tokens."""
        passages, contexts = [], []
        for item, number in pieces:
            document, version, (start, end) = item.document, item.content_hash[:16], item.spans[number]
            text, key = document.text[start:end], passage_id(document.id, version, number)
            passages.append(StoredPassage(key, document.id, version, start, end, text, document.language))
            contexts.append(context_of(document.title, document.sections, start, text))
        encoded = self._model.encode_passages([passage.text for passage in passages], contexts)
        self.tokens.add((p.id, p.language, item) for p, item in zip(passages, encoded, strict=True))
        return [
            replace(passage, vector=self._model.centred_vector(item, "passage", passage.language))
            for passage, item in zip(passages, encoded, strict=True)
        ]

    def remove(self, ids: Sequence[str]) -> None:
        """Take documents out of the store and of the token index."""
        self.tokens.drop(self._store.remove(ids))


def write_documents(
    documents: Iterable[Document], store: Store, model: EmbeddingModel, advance: Callable[[], None] = lambda: None
) -> None:
    """Split, embed and store documents that are already text, such as the paragraphs of a question set.

    A document without a language gets the one detected. `advance` is called once for each document.
    """
    with store.writing():
        writer = _Writer(store, model, Report(), advance)
        for given in documents:
            document = given if given.language else replace(given, language=detect_language(given.text))
            content_hash = hashlib.sha256(document.text.encode()).hexdigest()
            spans = passage_spans(document.text, [mark.start for mark in document.sections])
            writer.add(Prepared(document, content_hash, spans, is_new=True))
        writer.flush()


def with_attachments(ids: Iterable[str], store: Store) -> list[str]:
    """Return `ids`, each once, and those of the stored documents that are attached to them and stand nowhere else."""
    given = dict.fromkeys(ids)
    return [*given, *(key for key in Stored(store.records()).attached_to(given) if key not in given)]


def remove(ids: Sequence[str], store: Store, settings: Settings, *, model: EmbeddingModel | None = None) -> list[str]:
    """Take documents, with their attachments, out of `store`; return the ids that were not there.

    `model` is one that is loaded already.
    """
    with store.writing():
        store.refresh()
        known = store.records_of(with_attachments(ids, store))
        if known:
            _Writer(store, model or EmbeddingModel(settings), Report()).remove(list(known))
    return [key for key in ids if key not in known]
