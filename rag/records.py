"""What a Chroma record holds: documents and passages to metadata and back (pure)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from rag.citations import label_at
from rag.schema import Document, DocumentSummary, Mark


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


def web_stamp(record: dict[str, Any]) -> WebStamp:
    """Return the stamp in a document record."""
    return WebStamp(**{field.name: str(record.get(field.name) or "") for field in fields(WebStamp)})


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
    )


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
    )


def document_metadata(
    document: Document, content_hash: str, version: str, passages: int, stamp: WebStamp | None = None
) -> dict[str, Any]:
    """Return the metadata of a document's record; "" stands for None.

    Chroma refuses None, and keeps the old value of a key that a new version of the record leaves out.
    """
    return {
        "title": document.title,
        "source": document.source,
        "language": document.language or "",
        "published": document.published or "",
        "type": document.type or "",
        "department": document.department or "",
        "fields": json.dumps(dict(document.fields), ensure_ascii=False),
        "pages": json.dumps([(mark.start, mark.label) for mark in document.pages]),
        "sections": json.dumps([(mark.start, mark.label) for mark in document.sections], ensure_ascii=False),
        "characters": len(document.text),
        "passages": passages,
        "version": version,
        "content_hash": content_hash,
        "ingested_at": datetime.now(UTC).isoformat(timespec="seconds"),
    } | (asdict(stamp) if stamp is not None else {})


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
