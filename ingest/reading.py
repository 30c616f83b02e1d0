"""Files to documents that are ready to be embedded, with the attachments of mails; what is unchanged is not read."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ingest import ocr
from ingest.attachments import IN_FILE, as_file, attachment_id, named
from ingest.folder_rules import FolderRules
from ingest.hashes import FileHashes
from ingest.hashes import content_hash as hash_of
from ingest.loaders import LOADERS
from ingest.loaders.base import Attachment, Extract
from ingest.loaders.mail import MAIL_SUFFIXES
from ingest.metadata import detect_language
from ingest.parsing import Parsed
from ingest.side_files import Details, SideFiles
from ingest.stored import Place, Stored, document_id
from ingest.workers import Workers
from rag.errors import CityciteError, LoadError
from rag.records import Reading, WebStamp
from rag.schema import Document
from rag.settings import Settings

_MEGABYTE = 1_000_000
# Reading goes on ahead of what is embedded, which mostly takes longer: by as many files as are embedded together, and
# by as many bytes as memory has room for. What has not changed takes no room, but a list of it would.
_AHEAD_FILES, _AHEAD_BYTES, _AHEAD_IN_ALL = 32, 64 * _MEGABYTE, 2000
# Mails within mails, attachments of one mail and of those within it, and their size in times of the largest file: far
# beyond what offices send, and little enough that no mail keeps an ingest busy for hours.
_DEEPEST_MAIL, _MOST_ATTACHMENTS, _LARGEST_TOTAL = 5, 500, 4


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be taken in, and why."""

    source: str
    reason: str
    kind: str = "broken"


@dataclass(frozen=True, slots=True)
class Note:
    """A source and what of it was not read, or why it was left out."""

    source: str
    note: str


Outcome = Literal["added", "updated", "renamed", "duplicate", "unchanged", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a source. `other` is the file that was renamed, or the one that has the same text."""

    outcome: Outcome
    source: str
    other: str | None = None

    def line(self) -> str:
        """Return the change in words."""
        link = {"renamed": " (was {})", "duplicate": " (same text as {})"}.get(self.outcome, "")
        return f"{self.outcome}: {self.source}{link.format(self.other)}"


@dataclass(slots=True)
class Report:
    """What an ingest did, or would do. The counts are of sources: files, attachments and web pages.

    `duplicates` are those that became further sources of a document with the same text; `changes` tells for each
    source what became of it; `skipped` lists files and attachments of no supported format.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    renamed: int = 0
    duplicates: int = 0
    changes: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Number of sources that failed."""
        return len(self.failures)

    @property
    def done(self) -> int:
        """Number of sources that were looked at."""
        known = self.added + self.updated + self.unchanged + self.renamed + self.duplicates
        return known + self.failed

    def note(self, outcome: Outcome, source: str, other: str | None = None) -> None:
        """Count what became of a source."""
        count = "duplicates" if outcome == "duplicate" else outcome
        setattr(self, count, getattr(self, count) + 1)
        self.changes.append(Change(outcome, source, other))

    def line(self) -> str:
        """Return the counts in words."""
        more = [
            f"{name} {count}" for name, count in (("renamed", self.renamed), ("duplicates", self.duplicates)) if count
        ]
        known = f"added {self.added}, updated {self.updated}, unchanged {self.unchanged}, removed {self.removed}"
        return ", ".join((known, f"failed {self.failed}", *more))

    def as_dict(self, *, unchanged: bool = False) -> dict[str, Any]:
        """Return the report as plain JSON types; `unchanged`: list those sources as well."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "failed": self.failed,
            "renamed": self.renamed,
            "duplicates": self.duplicates,
            "changes": [asdict(change) for change in self.changes if unchanged or change.outcome != "unchanged"],
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
    # The source of the mail that it is attached to.
    mail: str = ""
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A file that was looked at: it is being read (`parsed`), has failed (`problem`), is renamed, or is unchanged."""

    key: str
    source: str
    stored: Sequence[Place]
    size: int = 0
    details: Details | None = None
    content_hash: str = ""
    parsed: Future[Parsed] | None = None
    problem: CityciteError | OSError | None = None
    is_renamed: bool = False


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
        hashes: FileHashes | None = None,
    ) -> None:
        # How many attachments were met, those of no supported format apart.
        self.attachments = 0
        # Stored attachments that their mails no longer have.
        self.gone: list[Place] = []
        self.stored = Stored(records)
        self._side_files = side_files
        self.settings = settings
        self.rules = FolderRules.of(settings)
        self._report = report
        self._workers = workers
        self._hashes = hashes or FileHashes()

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
        source = url or str(file)
        key = self.stored.id_at(Place(source)) or document_id(url or file)
        stored = self.stored.attachments(source)
        try:
            if not source.isascii() and any("\ud800" <= sign <= "\udfff" for sign in source):
                raise LoadError("has a name that is not UTF-8, which the store cannot keep; rename it")
            details = self._side_files.details_of(file)
            if details.groups is None:
                details = replace(details, groups=self.rules.groups_of(source))
            size = file.stat().st_size
            self.check_size(size)
            content_hash = self._hashes.of(file, details)
        except (CityciteError, OSError) as error:
            return _Begun(key, source, stored, problem=error)
        if self.is_known(Place(source), _counted(content_hash, len(stored))):
            return _Begun(key, source, stored)
        if url is None and self._is_renamed(source, content_hash):
            return _Begun(key, source, stored, is_renamed=True)
        return _Begun(key, source, stored, size, details, content_hash, self._workers.submit(file))

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
            if begun.is_renamed:
                return []
            if begun.parsed is None or begun.details is None:
                for place in (Place(begun.source), *begun.stored):
                    self._report.note("unchanged", place.source)
                self.attachments += len(begun.stored)
                return []
            parsed = begun.parsed.result()
            document = _document(begun.key, begun.source, parsed.extract, begun.details)
            attached = _Attached(self, begun.key, begun.source, begun.details.of_attachments(), self._report)
            attached.read(begun.source, parsed.extract.attachments)
            self.gone += attached.gone(begun.stored)
            content_hash = self.noted(begun.source, parsed.extract, _counted(begun.content_hash, attached.count))
            return [*self.changed(document, content_hash, parsed), *attached.changed]
        return []

    def is_known(self, place: Place, content_hash: str) -> bool:
        """Tell whether this version of a source is stored."""
        if self.stored.id_at(place) is None:
            return False
        return self.stored.is_known(place, content_hash) or self.stored.is_known(place, _partial_hash(content_hash))

    def _is_renamed(self, source: str, content_hash: str) -> bool:
        """Tell whether a new file is one that is gone; its document is then found at `source`."""
        for count in self.stored.attachment_counts():
            counted = _counted(content_hash, count)
            for version in (counted, _partial_hash(counted)):
                before = self.stored.renamed(source, version)
                if before is not None:
                    attachments = self.stored.attachments(source)
                    self._report.note("renamed", source, before)
                    for place in attachments:
                        self._report.note("renamed", place.source, before + place.source[len(source) :])
                    self.attachments += len(attachments)
                    return True
        return False

    def noted(self, source: str, extract: Extract, content_hash: str) -> str:
        """Report what of `source` was not read; return the hash under which what was read is stored."""
        self._report.notes += [Note(source, note) for note in extract.notes]
        return _partial_hash(content_hash) if extract.notes else content_hash

    def changed(self, document: Document, content_hash: str, parsed: Parsed, mail: str = "") -> list[Prepared]:
        """Return the document as a list of one, or of none where it is stored."""
        place = Place(document.source, mail)
        if self.is_known(place, content_hash):
            self._report.note("unchanged", document.source)
            return []
        is_new = self.stored.id_at(place) is None
        return [Prepared(document, content_hash, parsed.spans, is_new, mail=mail, reading=parsed.reading)]

    def check_size(self, size: int) -> None:
        """Raise LoadError where a file is larger than the settings allow."""
        most = self.settings.max_file_mb
        if size > most * _MEGABYTE:
            raise LoadError(
                f"It has {size / _MEGABYTE:.0f} MB; at most {most} are read (CITYCITE_MAX_FILE_MB).", "too large"
            )

    @contextmanager
    def failing(self, source: str) -> Iterator[None]:
        """Report that `source` failed where that is what happens."""
        try:
            yield
        except CityciteError as error:
            self.fail(source, str(error), error.kind if isinstance(error, LoadError) else "broken")
        except OSError as error:
            self.fail(source, f"It cannot be read: {error.strerror or error}.")

    def fail(self, source: str, reason: str, kind: str = "broken") -> None:
        """Report that `source` failed."""
        self._report.failures.append(Failure(source, reason, kind))


class _Attached:
    """Reads what is attached to one mail, with the mails in it and what is attached to those."""

    def __init__(self, reader: Reader, mail_id: str, mail: str, details: Details, report: Report) -> None:
        self.changed: list[Prepared] = []
        self._reader = reader
        self._mail_id = mail_id
        self._mail = mail
        self._details = details
        self._report = report
        self._before = report.failed
        self._places: set[Place] = set()
        self._left = _LARGEST_TOTAL * reader.settings.max_file_mb * _MEGABYTE

    @property
    def count(self) -> int:
        """How many attachments belong to the mail, those that failed included."""
        return len(self._places)

    def read(self, source: str, attachments: Sequence[Attachment], depth: int = 1) -> None:
        """Read what is attached to the file or attachment `source`."""
        for name, attachment in named(attachments):
            place = f"{source}{IN_FILE}{name}"
            if Path(name).suffix.lower() not in LOADERS:
                self._report.skipped.append(place)
                continue
            self._reader.attachments += 1
            self._places.add(Place(place, self._mail))
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
            raise LoadError(
                "has no room: the attachments of its mail are too large in all; save them as files", "too large"
            )
        key = self._reader.stored.id_at(Place(place, self._mail)) or attachment_id(self._mail_id, place)
        content_hash = hash_of(data, self._details)
        if self._reader.is_known(Place(place, self._mail), content_hash) and not is_mail:
            self._report.note("unchanged", place)
            return ()
        with as_file(name, data) as file:
            parsed = self._reader.parse(file)
        document = _document(key, place, parsed.extract, self._details)
        content_hash = self._reader.noted(place, parsed.extract, content_hash)
        self.changed += self._reader.changed(document, content_hash, parsed, self._mail)
        return parsed.extract.attachments

    def gone(self, stored: Sequence[Place]) -> list[Place]:
        """Return those of the `stored` places that no longer belong to the mail.

        What was in an attachment that cannot be read now may still be in it, and stays.
        """
        failed = tuple(failure.source + IN_FILE for failure in self._report.failures[self._before :])
        return [place for place in stored if place not in self._places and not place.source.startswith(failed)]


def _counted(content_hash: str, attachments: int) -> str:
    return f"{content_hash}+{attachments}" if attachments else content_hash


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
        published_from="side file" if details.published else extract.published_from,
        pages=extract.pages,
        sections=extract.sections,
        type=details.type,
        department=details.department,
        fields=details.fields,
        groups=details.groups,
    )
