"""Files to documents that are ready to be embedded, with the attachments of mails; what is unchanged is not read."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ingest import ocr
from ingest.attachments import IN_FILE, as_file, attachment_id, mail_of, named
from ingest.loaders import LOADERS
from ingest.loaders.base import Attachment, Extract
from ingest.loaders.mail import MAIL_SUFFIXES
from ingest.metadata import detect_language
from ingest.parsing import Parsed
from ingest.side_files import Details, SideFiles
from ingest.workers import Workers
from rag.errors import CityciteError, LoadError
from rag.language import fold
from rag.records import WebStamp
from rag.schema import Document
from rag.settings import Settings

# Part of every content hash: raise it when extraction or splitting changes, so that unchanged files are read anew.
EXTRACTION_VERSION = "2"
_MEGABYTE = 1_000_000
# Mails within mails, attachments of one mail and of those within it, and their size in times of the largest file: far
# beyond what offices send, and little enough that no mail keeps an ingest busy for hours.
_DEEPEST_MAIL, _MOST_ATTACHMENTS, _LARGEST_TOTAL = 5, 500, 4
# Reading goes on ahead of what is embedded, which mostly takes longer: by as many files as are embedded together, and
# by as many bytes as memory has room for. What has not changed takes no room, but a list of it would.
_AHEAD_FILES, _AHEAD_BYTES, _AHEAD_IN_ALL = 32, 64 * _MEGABYTE, 2000


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be taken in, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """A source and what of it was not read, or why it was left out."""

    source: str
    note: str


@dataclass(slots=True)
class Report:
    """What an ingest did. The counts are of documents, attachments among them.

    `skipped` lists files and attachments of no supported format.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

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
class Prepared:
    """A document ready to be embedded."""

    document: Document
    content_hash: str
    spans: list[tuple[int, int]]
    is_new: bool
    stamp: WebStamp | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A file that was looked at: it is being read (`parsed`), has failed (`problem`), or is unchanged (neither)."""

    key: str
    source: str
    stored: Sequence[str]
    size: int = 0
    details: Details | None = None
    content_hash: str = ""
    parsed: Future[Parsed] | None = None
    problem: CityciteError | OSError | None = None


def document_id(source: Path | str) -> str:
    """Return the id of the document at an absolute path or web address: readable, the same as long as that is."""
    name = source.stem if isinstance(source, Path) else PurePosixPath(unquote(urlsplit(source).path)).stem
    slug = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60] or "document"
    return f"{slug}-{hashlib.sha256(str(source).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def file_of(key: str, source: str) -> Path:
    """Return the file that a document was read from; of an attachment, that of its mail."""
    mail = mail_of(key)
    if mail is not None:
        parts = source.split(IN_FILE)
        for count in range(1, len(parts)):
            # Names of files may have the sign as well: the id tells which of them it is.
            file = Path(IN_FILE.join(parts[:count]))
            if document_id(file) == mail:
                return file
    return Path(source)


class Reader:
    """Reads files, and what is attached to them, as far as they have changed; the report says what became of each.

    A mail's hash ends in the number of its attachments. It counts as unchanged where as many are stored: not while one
    fails, and not when a process was killed in between. So it is read again until all of them are in.
    """

    def __init__(
        self,
        records: dict[str, dict[str, Any]],
        side_files: SideFiles,
        settings: Settings,
        report: Report,
        workers: Workers,
    ) -> None:
        # How many attachments were met, those of no supported format apart.
        self.attachments = 0
        # Stored attachments that their mails no longer have.
        self.gone: list[str] = []
        self._records = records
        self._side_files = side_files
        self.settings = settings
        self._report = report
        self._workers = workers
        self._stored: dict[str, list[str]] = {}
        for key in records:
            mail = mail_of(key)
            if mail is not None:
                self._stored.setdefault(mail, []).append(key)

    def read_all(self, files: Iterable[Path]) -> Iterator[list[Prepared]]:
        """Yield what `read` returns for each file, in their order; those that come next are being read meanwhile."""
        begun: deque[_Begun] = deque()
        for file in files:
            begun.append(self._begin(file))
            while begun and self._is_far_enough(begun):
                yield self._finish(begun.popleft())
        while begun:
            yield self._finish(begun.popleft())

    def read(self, file: Path, url: str | None = None) -> list[Prepared]:
        """Read and split a file and its attachments; those that are unchanged or fail are not returned.

        `url` is where its content was fetched from.
        """
        return self._finish(self._begin(file, url))

    def parse(self, file: Path) -> Parsed:
        """Return the text and the passages of a file; raise `LoadError` where it has none."""
        return self._workers.submit(file).result()

    def _begin(self, file: Path, url: str | None = None) -> _Begun:
        """Find out whether a file has changed, and have it read if so."""
        key, source = document_id(url or file), url or str(file)
        stored = self._stored.get(key, [])
        try:
            if not source.isascii() and any("\ud800" <= sign <= "\udfff" for sign in source):
                raise LoadError("has a name that is not UTF-8, which the store cannot keep; rename it")
            details = self._side_files.details_of(file)
            size = file.stat().st_size
            self.check_size(size)
            content_hash = _content_hash(file.read_bytes(), details)
        except (CityciteError, OSError) as error:
            return _Begun(key, source, stored, problem=error)
        known = self.is_known(key, _counted(content_hash, len(stored)))
        parsed = None if known else self._workers.submit(file)
        return _Begun(key, source, stored, size, details, content_hash, parsed)

    @staticmethod
    def _is_far_enough(begun: deque[_Begun]) -> bool:
        if begun[0].parsed is None:
            return True
        ahead = [file for file in begun if file.parsed is not None]
        return (
            len(ahead) > _AHEAD_FILES or sum(file.size for file in ahead) > _AHEAD_BYTES or len(begun) > _AHEAD_IN_ALL
        )

    def _finish(self, begun: _Begun) -> list[Prepared]:
        """Wait until a file is read, report what became of it, and read its attachments."""
        with self.failing(begun.source):
            if begun.problem is not None:
                raise begun.problem
            if begun.parsed is None or begun.details is None:
                self._report.unchanged += 1 + len(begun.stored)
                self.attachments += len(begun.stored)
                return []
            parsed = begun.parsed.result()
            extract = parsed.extract
            document = _document(begun.key, begun.source, extract, begun.details)
            attached = _Attached(self, begun.key, begun.details.of_attachments(), self._report)
            attached.read(begun.source, extract.attachments)
            self.gone += attached.gone(begun.stored)
            content_hash = self.noted(begun.source, extract, _counted(begun.content_hash, attached.count))
            return [*self.changed(document, content_hash, parsed.spans), *attached.changed]
        return []

    def is_known(self, key: str, content_hash: str) -> bool:
        """Tell whether this version of a document is stored."""
        stored = self._records[key]["content_hash"] if key in self._records else None
        return stored is not None and (stored == content_hash or stored == _partial_hash(content_hash))

    def noted(self, source: str, extract: Extract, content_hash: str) -> str:
        """Report what of `source` was not read; return the hash under which what was read is stored."""
        self._report.notes += [Note(source, note) for note in extract.notes]
        return _partial_hash(content_hash) if extract.notes else content_hash

    def changed(self, document: Document, content_hash: str, spans: list[tuple[int, int]]) -> list[Prepared]:
        """Return the document as a list of one, or of none where it is stored."""
        if self.is_known(document.id, content_hash):
            self._report.unchanged += 1
            return []
        return [Prepared(document, content_hash, spans, is_new=document.id not in self._records)]

    def check_size(self, size: int) -> None:
        """Raise LoadError where a file is larger than the settings allow."""
        most = self.settings.max_file_mb
        if size > most * _MEGABYTE:
            raise LoadError(f"It has {size / _MEGABYTE:.0f} MB; at most {most} are read (CITYCITE_MAX_FILE_MB).")

    def source_of(self, key: str) -> str:
        """Return the source of a stored document."""
        return str(self._records[key]["source"])

    @contextmanager
    def failing(self, source: str) -> Iterator[None]:
        """Report that `source` failed where that is what happens."""
        try:
            yield
        except CityciteError as error:
            self.fail(source, str(error))
        except OSError as error:
            self.fail(source, f"It cannot be read: {error.strerror or error}.")

    def fail(self, source: str, reason: str) -> None:
        """Report that `source` failed."""
        self._report.failures.append(Failure(source, reason))


class _Attached:
    """Reads what is attached to one mail, with the mails in it and what is attached to those."""

    def __init__(self, reader: Reader, mail_id: str, details: Details, report: Report) -> None:
        self.changed: list[Prepared] = []
        self._reader = reader
        self._mail_id = mail_id
        self._details = details
        self._report = report
        self._before = report.failed
        self._ids: set[str] = set()
        self._left = _LARGEST_TOTAL * reader.settings.max_file_mb * _MEGABYTE

    @property
    def count(self) -> int:
        """How many attachments belong to the mail, those that failed included."""
        return len(self._ids)

    def read(self, source: str, attachments: Sequence[Attachment], depth: int = 1) -> None:
        """Read what is attached to the file or attachment `source`."""
        for name, attachment in named(attachments):
            place = f"{source}{IN_FILE}{name}"
            if Path(name).suffix.lower() not in LOADERS:
                self._report.skipped.append(place)
                continue
            self._reader.attachments += 1
            self._ids.add(attachment_id(self._mail_id, place))
            if self.count > _MOST_ATTACHMENTS:
                self._reader.fail(
                    place, f"its mail has more than {_MOST_ATTACHMENTS} attachments; save the rest as files"
                )
                return
            inner: Sequence[Attachment] = ()
            with self._reader.failing(place):
                inner = self._read_one(place, name, attachment, depth)
            self.read(place, inner, depth + 1)

    def _read_one(self, place: str, name: str, attachment: Attachment, depth: int) -> Sequence[Attachment]:
        """Read one attachment; return what is attached to it, where it is a mail."""
        data, is_mail = attachment.data, Path(name).suffix.lower() in MAIL_SUFFIXES
        if attachment.problem:
            raise LoadError(attachment.problem)
        if is_mail and depth > _DEEPEST_MAIL:
            raise LoadError(f"is a mail in a mail, more than {_DEEPEST_MAIL} deep; save it as a file")
        self._reader.check_size(len(data))
        self._left -= len(data)
        if self._left < 0:
            raise LoadError("has no room: the attachments of its mail are too large in all; save them as files")
        key = attachment_id(self._mail_id, place)
        content_hash = _content_hash(data, self._details)
        if self._reader.is_known(key, content_hash) and not is_mail:
            self._report.unchanged += 1
            return ()
        with as_file(name, data) as file:
            parsed = self._reader.parse(file)
        extract = parsed.extract
        document = _document(key, place, extract, self._details)
        content_hash = self._reader.noted(place, extract, content_hash)
        self.changed += self._reader.changed(document, content_hash, parsed.spans)
        return extract.attachments

    def gone(self, stored: Sequence[str]) -> list[str]:
        """Return those of the `stored` ids that no longer belong to the mail.

        What was in an attachment that cannot be read now may still be in it, and stays.
        """
        failed = tuple(failure.source + IN_FILE for failure in self._report.failures[self._before :])
        return [key for key in stored if key not in self._ids and not self._reader.source_of(key).startswith(failed)]


def _counted(content_hash: str, attachments: int) -> str:
    return f"{content_hash}+{attachments}" if attachments else content_hash


def _content_hash(data: bytes, details: Details) -> str:
    digest = hashlib.sha256(EXTRACTION_VERSION.encode())
    digest.update(data)
    said = details.fingerprint()
    if said:
        # The length keeps apart what the file ends with and what is said about it.
        digest.update(said + len(said).to_bytes(8, "big"))
    return digest.hexdigest()


def _partial_hash(content_hash: str) -> str:
    """Return the hash of a file of which recognition, as it is installed now, leaves a part unread."""
    return hashlib.sha256(f"{content_hash} {ocr.fingerprint()}".encode()).hexdigest()


def _document(key: str, source: str, extract: Extract, details: Details) -> Document:
    return Document(
        id=key,
        title=details.title or extract.title or Path(source).stem,
        source=source,
        text=extract.text,
        language=details.language or extract.language or detect_language(extract.text),
        published=details.published or extract.published,
        pages=extract.pages,
        sections=extract.sections,
        type=details.type,
        department=details.department,
        fields=details.fields,
    )
