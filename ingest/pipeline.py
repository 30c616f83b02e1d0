"""Files to documents to passages to the store, with a count of what happened to each file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pathspec

from ingest.addresses import is_web_address
from ingest.attachments import mail_of
from ingest.loaders import LOADERS
from ingest.metadata import detect_language
from ingest.reading import Failure, Prepared, Reader, Report, document_id, file_of
from ingest.side_files import SideFiles, is_side_file
from ingest.splitting import passage_spans
from ingest.web import Crawl
from ingest.web_reading import WebReader, stamps
from ingest.workers import Workers
from rag.embeddings import EmbeddingModel
from rag.records import StoredPassage, context_of, passage_id
from rag.schema import Document
from rag.settings import Settings
from rag.store import Store
from rag.token_index import TokenIndex

__all__ = [
    "IGNORE_FILE",
    "Failure",
    "Progress",
    "Report",
    "document_id",
    "ingest",
    "remove",
    "with_attachments",
    "write_documents",
]

IGNORE_FILE = ".citycite-ignore"
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
    depth: int = 0,
    limit: int = 500,
    progress: Progress = lambda total, done: None,
) -> Report:
    """Bring files, folders and web pages into `store`; files that have not changed cost a hash, pages one request.

    A file that fails leaves its older version, and all other documents, in place. With `prune`, documents whose file
    under one of the folders in `paths`, or whose page, is gone are taken out. `depth` and `limit` bound how many links
    and how many pages on are read from a web address.

    Raises:
        StoreError, ModelError: the store cannot be written, or was made with another model.
    """
    report = Report()
    found = list(_files(paths, report))
    files = [file for file in found if not is_side_file(file)]
    side_files = SideFiles()
    for file, reason in side_files.problems(filter(is_side_file, found)):
        report.failures.append(Failure(str(file), reason))
    model = EmbeddingModel(settings)
    with store.writing(), Workers(settings) as workers:
        if store.exists():
            store.check_model(model.name)
            store.sweep()
        records = store.records()
        unread = report.failed
        reader = Reader(records, side_files, settings, report, workers)
        crawl = Crawl(settings, stamps(records), depth=depth, limit=limit, recheck=prune)

        def advance() -> None:
            total = len(files) + reader.attachments + crawl.found
            done = report.added + report.updated + report.unchanged + report.failed - unread + crawl.left_out
            progress(total, min(done, total))

        writer = _Writer(store, model, report, advance)
        for changed in reader.read_all(files):
            for prepared in changed:
                writer.add(prepared)
            advance()
        web = WebReader(reader, store, records, report, advance)
        for prepared in web.read(crawl.read([path for path in paths if is_web_address(path)])):
            writer.add(prepared)
        writer.flush()
        gone = [*reader.gone, *(_gone_files(paths, records) if prune else ())]
        gone += _gone_pages(web.gone, records, report, prune=prune)
        if gone:
            writer.remove(list(dict.fromkeys(gone)))
        report.removed = len(set(gone))
        advance()
    return report


def _gone_pages(
    pages: Sequence[Failure], records: dict[str, dict[str, Any]], report: Report, *, prune: bool
) -> list[str]:
    """Return the ids of stored pages that are no more, to be pruned; without `prune`, report them."""
    if not prune:
        report.failures += [replace(page, reason=f"{page.reason}; {_STAYS}") for page in pages]
        return []
    return [key for page in pages if (key := document_id(page.source)) in records]


def _files(paths: Sequence[str], report: Report) -> Iterator[Path]:
    """Yield the files to read, each once; missing paths and unsupported files go into the report."""
    seen: set[Path] = set()
    for given in paths:
        path = Path(given)
        if is_web_address(given):
            continue
        if path.is_dir():
            for file in _in_folder(path, report):
                if file not in seen:
                    seen.add(file)
                    yield file
        elif not path.exists():
            report.failures.append(Failure(given, "There is no such file or folder; check the path."))
        elif path.resolve() not in seen:
            seen.add(path.resolve())
            yield path.resolve()


def _in_folder(folder: Path, report: Report) -> Iterator[Path]:
    folder = folder.resolve()
    ignored = _ignored(folder)
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts) or ignored.match_file(str(relative)):
            continue
        if not file.is_file():
            continue
        if file.suffix.lower() in LOADERS or is_side_file(file):
            yield file
        else:
            report.skipped.append(str(file))


def _ignored(folder: Path) -> pathspec.PathSpec[Any]:
    file = folder / IGNORE_FILE
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return pathspec.PathSpec.from_lines("gitignore", lines)


class _Writer:
    """Embeds documents in blocks, so that passages of similar length are computed together, and stores them."""

    def __init__(
        self, store: Store, model: EmbeddingModel, report: Report, advance: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._model = model
        self._report = report
        self._advance = advance
        self._waiting: list[Prepared] = []
        self._tokens: TokenIndex | None = None

    @property
    def tokens(self) -> TokenIndex:
        """The token index beside the store; made on first use, because it loads the model."""
        if self._tokens is None:
            self._tokens = TokenIndex(self._store, self._model)
        return self._tokens

    def add(self, prepared: Prepared) -> None:
        """Take a document; it is stored once a block is full, or at `flush`."""
        self._waiting.append(prepared)
        if sum(len(waiting.spans) for waiting in self._waiting) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Embed and store what waits."""
        if not self._waiting:
            return
        self._store.create(self._model.name, self._model.dimensions)
        texts, contexts = [], []
        for item in self._waiting:
            for start, end in item.spans:
                texts.append(item.document.text[start:end])
                contexts.append(context_of(item.document.title, item.document.sections, start, texts[-1]))
        encoded = iter(self._model.encode_passages(texts, contexts))
        for item in self._waiting:
            version = item.content_hash[:16]
            own = [next(encoded) for _ in item.spans]
            passages = [
                StoredPassage(
                    id=passage_id(item.document.id, version, number),
                    document_id=item.document.id,
                    version=version,
                    start=start,
                    end=end,
                    text=item.document.text[start:end],
                    language=item.document.language,
                    vector=self._model.centred_vector(text, "passage", item.document.language),
                )
                for number, ((start, end), text) in enumerate(zip(item.spans, own, strict=True))
            ]
            self.tokens.add((p.id, p.language, text) for p, text in zip(passages, own, strict=True))
            self.tokens.drop(self._store.write(item.document, item.content_hash, passages, item.stamp))
            self._report.added += item.is_new
            self._report.updated += not item.is_new
            self._advance()
        self._waiting.clear()

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


def _gone_files(paths: Sequence[str], records: dict[str, dict[str, Any]]) -> list[str]:
    """Return the ids of documents whose file, or whose mail's file, under one of `paths` is gone."""
    roots = [Path(path).resolve() for path in paths if not is_web_address(path)]
    files = {key: file_of(key, str(record["source"])) for key, record in records.items()}
    return [
        key for key, file in files.items() if any(file.is_relative_to(root) for root in roots) and not file.exists()
    ]


def with_attachments(ids: Iterable[str], store: Store) -> list[str]:
    """Return `ids`, each once, and those of the stored documents that are attached to them."""
    given = dict.fromkeys(ids)
    return [*given, *(key for key in store.records() if mail_of(key) in given and key not in given)]


def remove(ids: Sequence[str], store: Store, settings: Settings) -> list[str]:
    """Take documents, with their attachments, out of `store`; return the ids that were not there."""
    with store.writing():
        known = store.records_of(with_attachments(ids, store))
        if known:
            _Writer(store, EmbeddingModel(settings), Report()).remove(list(known))
    return [key for key in ids if key not in known]
