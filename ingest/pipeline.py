"""Files to documents to passages to the store, with a count of what happened to each file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ingest.addresses import is_web_address
from ingest.coverage import note_unread
from ingest.encoding import Encoding
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
from ingest.writing import Rehearsal, Writer
from rag.embeddings import EmbeddingModel
from rag.schema import Document
from rag.settings import Settings
from rag.snapshot import snapshot
from rag.store import Store

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
    encoding: Encoding | None = None,
    progress: Progress = lambda total, done: None,
) -> Report:
    """Bring files, folders and web pages into `store`; files that have not changed cost a hash, pages one request.

    A file that fails leaves its older version, and all other documents, in place. With `prune`, documents whose file
    under one of the folders in `paths`, or whose page, is gone are taken out; where a folder is missing, none of it
    are, and where it has lost more than half of its files, only with `force`. `depth` and `limit` bound how many links
    and how many pages on are read from a web address. With `dry_run` nothing is written and no model loaded: the report
    says what would happen. `model` is one that is loaded already, `hashes` are those of an earlier run; `encoding`
    tells where passages are encoded, by default here, and is closed at the end.

    Raises:
        StoreError, ModelError: the store cannot be written, or was made with another model.
    """
    report = Report()
    found = list(files_in(paths, report))
    files = [file for file in found if not is_side_file(file)]
    side_files = _side_files(filter(is_side_file, found), report)
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

        target = Rehearsal if dry_run else Writer
        pruning = Pruning(paths, reader.stored, force=force)
        reader.stored.expect_renames(reader.stored.gone(pruning.roots, files))
        with target(opened, model, report, advance, reader.stored, encoding) as writer:
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


def _side_files(files: Iterable[Path], report: Report) -> SideFiles:
    read = SideFiles()
    report.failures += [Failure(str(file), reason) for file, reason in read.problems(files)]
    return read


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


def write_documents(
    documents: Iterable[Document],
    store: Store,
    model: EmbeddingModel,
    advance: Callable[[], None] = lambda: None,
    *,
    encoding: Encoding | None = None,
) -> None:
    """Split, embed and store documents that are already text, such as the paragraphs of a question set.

    A document without a language gets the one detected. `advance` is called once for each document; `encoding` is as
    `ingest` takes it.
    """
    with store.writing(), Writer(store, model, Report(), advance, _encoding=encoding) as writer:
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
            with Writer(store, model or EmbeddingModel(settings), Report()) as writer:
                writer.remove(list(known))
    return [key for key in ids if key not in known]
