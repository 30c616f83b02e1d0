"""What a Chroma record holds: documents and passages to metadata and back (pure)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from rag.access import groups_in, written
from rag.citations import label_at
from rag.schema import Document, DocumentSummary, Mark

# Id, vector (d,), text and metadata.
Row = tuple[str, np.ndarray | None, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage record. `id` is `document_id:version:number`; `vector` has shape (d,)."""

    id: str
    document_id: str
    version: str
    start: int
    end: int
    text: str
    language: str | None
    vector: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A passage id that vector search gave, with its cosine similarity."""

    passage: StoredPassage
    similarity: float


@dataclass(frozen=True, slots=True)
class WebStamp:
    """What a web server said of the version of a page that is stored, so that it can be asked whether that changed.

    `extraction` names the version of the reading: a page read by an older one is fetched again. All three are empty
    for files, and in stores made before there were web pages.
    """

    etag: str = ""
    last_modified: str = ""
    extraction: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, an attachment or a web page that holds a document's text.

    `content_hash` is of its bytes and what side files say, so that it is known whether it has changed. `mail` is the
    source of the mail that it is attached to, "" where it is a file of its own.
    """

    source: str
    content_hash: str
    mail: str = ""
    stamp: WebStamp = WebStamp()


def web_stamp(record: dict[str, Any]) -> WebStamp:
    """Return the stamp in a document record."""
    return WebStamp(**{field.name: str(record.get(field.name) or "") for field in fields(WebStamp)})


def sources_of(record: dict[str, Any]) -> list[Source]:
    """Return the sources in a document record, the first one first."""
    first = Source(str(record["source"]), str(record["content_hash"]), str(record.get("mail") or ""), web_stamp(record))
    return [
        first,
        *(
            Source(source, content_hash, mail, WebStamp(*stamp))
            for source, content_hash, mail, *stamp in json.loads(str(record.get("further") or "[]"))
        ),
    ]


def sources_metadata(sources: Sequence[Source]) -> dict[str, Any]:
    """Return the part of a document record that says where its text stands."""
    first, *further = sources
    return {
        "source": first.source,
        "content_hash": first.content_hash,
        "mail": first.mail,
        "further": json.dumps(
            [[item.source, item.content_hash, item.mail, *asdict(item.stamp).values()] for item in further],
            ensure_ascii=False,
        ),
    } | asdict(first.stamp)


def passage_id(document_id: str, version: str, number: int) -> str:
    """Return the id of a document's passage `number`, counted from 0."""
    return f"{document_id}:{version}:{number}"


def passage_ids(records: dict[str, dict[str, Any]]) -> list[str]:
    """Return the ids of all passages of these document records; asking Chroma would take 100 times as long."""
    return [
        passage_id(key, str(record["version"]), number)
        for key, record in records.items()
        for number in range(int(record["passages"]))
    ]


def summary(key: str, record: dict[str, Any]) -> DocumentSummary:
    """Return what `documents` lists of a document record."""
    return DocumentSummary(
        document_id=key,
        title=str(record["title"]),
        source=str(record["source"]),
        language=record.get("language") or None,
        published=record.get("published") or None,
        characters=int(record["characters"]),
        passages=int(record["passages"]),
        ingested_at=str(record["ingested_at"]),
        type=record.get("type") or None,
        department=record.get("department") or None,
        sources=source_names(record),
        published_from=record.get("published_from") or None,
        groups=groups_in(record),
    )


def source_names(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the files and addresses in a document record, the first one first."""
    further = json.loads(str(record.get("further") or "[]"))
    return (str(record["source"]), *(str(item[0]) for item in further))


def headings_in(passage: StoredPassage, record: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    """Return the ranges within `passage` that are section headings, or the document's title at its very beginning."""
    marks = [*_marks(record["sections"]), Mark(0, str(record["title"]))]
    ranges = [(mark.start - passage.start, mark.start - passage.start + len(mark.label)) for mark in marks]
    labels = [mark.label for mark in marks]
    return tuple(
        dict.fromkeys(
            span
            for span, label in zip(ranges, labels, strict=True)
            if span[0] >= 0 and passage.text[slice(*span)] == label
        )
    )


def context_of(title: str, sections: Sequence[Mark], start: int, text: str) -> str:
    """Return what a passage stands under: the title and its section, without what it begins with itself."""
    section = label_at(sections, start)
    return ". ".join(part for part in dict.fromkeys((title, section)) if part and not text.startswith(part))


def context_in(passage: StoredPassage, record: dict[str, Any]) -> str:
    """Return what a stored passage stands under, as it was when it was embedded."""
    return context_of(str(record["title"]), _marks(record["sections"]), passage.start, passage.text)


def _marks(encoded: object) -> tuple[Mark, ...]:
    return tuple(Mark(start, label) for start, label in json.loads(str(encoded)))


def to_document(key: str, text: str, record: dict[str, Any]) -> Document:
    return Document(
        id=key,
        title=str(record["title"]),
        source=str(record["source"]),
        text=text,
        language=record.get("language") or None,
        published=record.get("published") or None,
        pages=_marks(record["pages"]),
        sections=_marks(record["sections"]),
        type=record.get("type") or None,
        department=record.get("department") or None,
        fields=tuple(json.loads(str(record.get("fields", "{}"))).items()),
        sources=source_names(record),
        published_from=record.get("published_from") or None,
        groups=groups_in(record),
    )


def text_hash(text: str) -> str:
    """Return what tells whether two documents have the same text."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of how a document's text was read, for the coverage report.

    `dropped` counts the characters left out as boilerplate, `sample` shows some of them, a line each; `notes` says what
    was not read and why; `quality` what is wrong with the text, "" where nothing is; `sketch` tells near duplicates.
    """

    dropped: int = 0
    sample: str = ""
    notes: tuple[str, ...] = ()
    quality: str = ""
    sketch: str = ""


def reading_in(record: dict[str, Any]) -> Reading | None:
    """Return how a document was read, None where its record is older than that is kept."""
    if not record.get("reading"):
        return None
    found = json.loads(str(record["reading"]))
    return Reading(**found | {"notes": tuple(found["notes"])})


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A document as it is to be stored, with its passages (one at least, each with its vector).

    `sources` are all that hold its text, if not only the one it names.
    """

    document: Document
    content_hash: str
    passages: Sequence[StoredPassage]
    sources: Sequence[Source] = ()
    reading: Reading | None = None


def passage_row(passage: StoredPassage) -> Row:
    """Return a passage as a row of its collection."""
    return passage.id, passage.vector, passage.text, passage_metadata(passage)


def document_row(new: NewVersion) -> Row:
    """Return a document as a row of its collection; its vector is the mean of its passages'."""
    vector = np.mean(np.array([passage.vector for passage in new.passages]), axis=0)
    version, count = new.passages[0].version, len(new.passages)
    metadata = document_metadata(new.document, new.content_hash, version, count, new.sources, new.reading)
    return new.document.id, vector, new.document.text, metadata


def document_metadata(
    document: Document,
    content_hash: str,
    version: str,
    passages: int,
    sources: Sequence[Source] = (),
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Return the metadata of a document's record; "" stands for None. Without `sources` it has the one it names.

    Chroma refuses None, and keeps the old value of a key that a new version of the record leaves out: so groups that
    were set on the document itself (`groups_set`) outlive a new version.
    """
    return {
        "title": document.title,
        "language": document.language or "",
        "published": document.published or "",
        "published_from": (document.published and document.published_from) or "",
        "type": document.type or "",
        "department": document.department or "",
        "groups": written(document.groups),
        "fields": json.dumps(dict(document.fields), ensure_ascii=False),
        "pages": json.dumps([(mark.start, mark.label) for mark in document.pages]),
        "sections": json.dumps([(mark.start, mark.label) for mark in document.sections], ensure_ascii=False),
        "characters": len(document.text),
        "passages": passages,
        "version": version,
        "text_hash": text_hash(document.text),
        "reading": json.dumps(asdict(reading), ensure_ascii=False) if reading is not None else "",
        "ingested_at": datetime.now(UTC).isoformat(timespec="seconds"),
    } | sources_metadata(sources or [Source(document.source, content_hash)])


def to_passage(key: str, text: str, record: dict[str, Any]) -> StoredPassage:
    return StoredPassage(
        id=key,
        document_id=str(record["document_id"]),
        version=str(record["version"]),
        start=int(record["start"]),
        end=int(record["end"]),
        text=text,
        language=record.get("language"),
    )


def passage_metadata(passage: StoredPassage) -> dict[str, Any]:
    metadata = {
        "document_id": passage.document_id,
        "version": passage.version,
        "start": passage.start,
        "end": passage.end,
        "language": passage.language,
    }
    return {key: value for key, value in metadata.items() if value is not None}
