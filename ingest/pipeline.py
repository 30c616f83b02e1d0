"""Files to documents to passages to the store, with a count of what happened to each file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pathspec

from ingest.addresses import is_web_address
from ingest.loaders import LOADERS, load
from ingest.loaders.base import Extract
from ingest.metadata import detect_language
from ingest.splitting import passage_spans
from ingest.web import Crawl, Failed, Gone, LeftOut, Outcome, Page, Unchanged
from rag.embeddings import EmbeddingModel
from rag.errors import CityciteError, LoadError
from rag.language import fold
from rag.records import StoredPassage, WebStamp, context_of, passage_id, web_stamp
from rag.schema import Document
from rag.settings import Settings
from rag.store import Store
from rag.token_index import TokenIndex

# Part of every content hash: raise it when extraction or splitting changes, so that unchanged files are read anew.
EXTRACTION_VERSION = "1"
IGNORE_FILE = ".citycite-ignore"
_MEGABYTE = 1_000_000
# Passages embedded and stored at once: enough to put those of similar length together, few enough that the progress
# bar moves every few seconds.
_FLUSH_AT = 128
_STAYS = "its document stays in the store, and --prune takes it out"


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be taken in, and why."""

    source: str
    reason: str


@dataclass(slots=True)
class Report:
    """What an ingest did. The counts are of documents.

    `skipped` lists files in folders, and links, of no supported format; `notes` what was left out for another reason.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[Failure] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Number of sources that failed."""
        return len(self.failures)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "failed": self.failed,
            "failures": [asdict(failure) for failure in self.failures],
            "skipped": self.skipped,
            "notes": [asdict(note) for note in self.notes],
        }


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A document ready to be embedded."""

    document: Document
    content_hash: str
    spans: list[tuple[int, int]]
    is_new: bool
    stamp: WebStamp | None = None


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
    files = list(_files(paths, report))
    model = EmbeddingModel(settings)
    with store.writing():
        if store.exists():
            store.check_model(model.name)
            store.sweep()
        records = store.records()
        unread = report.failed
        urls = [path for path in paths if is_web_address(path)]
        crawl = Crawl(settings, _stamps(records), depth=depth, limit=limit, recheck=prune)
        gone: list[Failure] = []

        def advance() -> None:
            total = len(files) + crawl.found
            done = report.added + report.updated + report.unchanged + report.failed - unread + crawl.left_out
            progress(total, min(done, total))

        writer = _Writer(store, model, report, advance)
        for file in files:
            advance()
            prepared = _prepare(file, records, settings, report)
            if prepared is not None:
                writer.add(prepared)
        for page in _pages(crawl.read(urls), store, records, settings, report, gone, advance):
            writer.add(page)
        writer.flush()
        if prune:
            report.removed = _prune(paths, records, [document_id(page.source) for page in gone], writer)
        else:
            report.failures += [replace(page, reason=f"{page.reason}; {_STAYS}") for page in gone]
        advance()
    return report


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
        if file.suffix.lower() in LOADERS:
            yield file
        else:
            report.skipped.append(str(file))


def _ignored(folder: Path) -> pathspec.PathSpec[Any]:
    file = folder / IGNORE_FILE
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return pathspec.PathSpec.from_lines("gitignore", lines)


def document_id(source: Path | str) -> str:
    """Return the id of the document at an absolute path or web address: readable, the same as long as that is."""
    name = source.stem if isinstance(source, Path) else PurePosixPath(unquote(urlsplit(source).path)).stem
    slug = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60] or "document"
    return f"{slug}-{hashlib.sha256(str(source).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _prepare(
    file: Path, records: dict[str, dict[str, Any]], settings: Settings, report: Report, url: str | None = None
) -> _Prepared | None:
    """Read and split one file, which holds what is at `url` if given; None where it is unchanged or fails."""
    key = document_id(url or file)
    try:
        content_hash = _content_hash(file, settings.max_file_mb)
        known = records.get(key)
        if known is not None and known["content_hash"] == content_hash:
            report.unchanged += 1
            return None
        extract = load(file)
        document = _document(key, file, extract, url)
        spans = passage_spans(document.text, [mark.start for mark in document.sections])
        if not spans:
            raise LoadError("No text is left once page furniture is taken away.")
        return _Prepared(document, content_hash, spans, is_new=known is None)
    except CityciteError as error:
        report.failures.append(Failure(url or str(file), str(error)))
    except OSError as error:
        report.failures.append(Failure(url or str(file), f"It cannot be read: {error.strerror or error}."))
    return None


def _stamps(records: dict[str, dict[str, Any]]) -> dict[str, WebStamp]:
    """Return the stamps of the stored pages by their address, empty where they were read by an older version."""
    stamps = {str(record["source"]): web_stamp(record) for record in records.values()}
    return {
        source: stamp if stamp.extraction == EXTRACTION_VERSION else WebStamp()
        for source, stamp in stamps.items()
        if is_web_address(source)
    }


def _pages(
    outcomes: Iterator[Outcome],
    store: Store,
    records: dict[str, dict[str, Any]],
    settings: Settings,
    report: Report,
    gone: list[Failure],
    advance: Callable[[], None],
) -> Iterator[_Prepared]:
    """Yield the pages to be stored; the report says what came of the others, `gone` has those that are no more."""
    for outcome in outcomes:
        match outcome:
            case Page():
                prepared = _prepare_page(outcome, store, records, settings, report)
                if prepared is not None:
                    yield prepared
            case Unchanged():
                report.unchanged += 1
            case Gone():
                gone.append(Failure(outcome.source, outcome.reason))
            case Failed():
                report.failures.append(Failure(outcome.source, outcome.reason))
            case LeftOut(source, ""):
                report.skipped.append(source)
            case LeftOut(source, reason):
                report.notes.append(Failure(source, reason))
        advance()


def _prepare_page(
    page: Page, store: Store, records: dict[str, dict[str, Any]], settings: Settings, report: Report
) -> _Prepared | None:
    """Read and split a page; None where it fails, or where its bytes or its text are unchanged."""
    key = document_id(page.source)
    stamp = replace(page.stamp, extraction=EXTRACTION_VERSION)
    unchanged = report.unchanged
    prepared = _prepare(page.file, records, settings, report, page.source)
    record = records.get(key)
    if record is None:
        return replace(prepared, stamp=stamp) if prepared is not None else None
    if prepared is None:
        if report.unchanged > unchanged and web_stamp(record) != stamp:
            store.confirm(key, str(record["content_hash"]), stamp)
        return None
    # A page that carries a clock or a token has new bytes each time; what counts is its text.
    is_current = web_stamp(record).extraction == EXTRACTION_VERSION
    if is_current and store.documents([key]).get(key) == prepared.document:
        store.confirm(key, prepared.content_hash, stamp)
        report.unchanged += 1
        return None
    return replace(prepared, stamp=stamp)


def _content_hash(file: Path, max_megabytes: int) -> str:
    size = file.stat().st_size
    if size > max_megabytes * _MEGABYTE:
        raise LoadError(f"It has {size / _MEGABYTE:.0f} MB; at most {max_megabytes} are read (CITYCITE_MAX_FILE_MB).")
    digest = hashlib.sha256(EXTRACTION_VERSION.encode())
    digest.update(file.read_bytes())
    return digest.hexdigest()


def _document(key: str, file: Path, extract: Extract, url: str | None) -> Document:
    return Document(
        id=key,
        title=extract.title or file.stem,
        source=url or str(file),
        text=extract.text,
        language=detect_language(extract.text),
        published=extract.published,
        pages=extract.pages,
        sections=extract.sections,
    )


class _Writer:
    """Embeds documents in blocks, so that passages of similar length are computed together, and stores them."""

    def __init__(
        self, store: Store, model: EmbeddingModel, report: Report, advance: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._model = model
        self._report = report
        self._advance = advance
        self._waiting: list[_Prepared] = []
        self._tokens: TokenIndex | None = None

    @property
    def tokens(self) -> TokenIndex:
        """The token index beside the store; made on first use, because it loads the model."""
        if self._tokens is None:
            self._tokens = TokenIndex(self._store, self._model)
        return self._tokens

    def add(self, prepared: _Prepared) -> None:
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
            writer.add(_Prepared(document, content_hash, spans, is_new=True))
        writer.flush()


def _prune(paths: Sequence[str], records: dict[str, dict[str, Any]], gone_pages: Sequence[str], writer: _Writer) -> int:
    roots = [Path(path).resolve() for path in paths if not is_web_address(path)]
    gone = [
        key
        for key, record in records.items()
        if any(Path(record["source"]).is_relative_to(root) for root in roots) and not Path(record["source"]).exists()
    ]
    gone += [key for key in dict.fromkeys(gone_pages) if key in records]
    if gone:
        writer.remove(gone)
    return len(gone)


def remove(ids: Sequence[str], store: Store, settings: Settings) -> list[str]:
    """Take documents out of `store`; return the ids that were not there."""
    with store.writing():
        known = store.records_of(ids)
        if known:
            _Writer(store, EmbeddingModel(settings), Report()).remove(list(known))
    return [key for key in ids if key not in known]
