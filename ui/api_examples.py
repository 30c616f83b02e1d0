"""One consistent example for the description of the API: a document, the passage found in it, an answer with it."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = (
    "Krakau gehört nun zu Eurocities\n\nSeit dem 15. Oktober zählt Krakau auch förmlich zu Eurocities, dem größten "
    "Städtenetzwerk Europas."
)
_START: Final = _TEXT.index("Seit")
_QUOTE: Final = _TEXT[_START:]
_ORIGIN: Final[dict[str, Any]] = {
    "document_id": "krakau-eurocities-beitritt-5f1c",
    "title": "Krakau gehört nun zu Eurocities",
    "source": "/srv/documents/press/krakau-eurocities-beitritt.txt",
}
_PLACE: Final[dict[str, Any]] = {"page": None, "section": None, "published": "2025-10-15"}
_KIND: Final[dict[str, Any]] = {"type": "press release", "department": None}

CITATION: Final[dict[str, Any]] = (
    {"marker": 1} | _ORIGIN | _PLACE | {"quote": _QUOTE, "start": _START, "end": len(_TEXT), "score": 0.91} | _KIND
)
ANSWER: Final[dict[str, Any]] = {
    "question": "Wann trat Krakau Eurocities bei?",
    "language": "de",
    "answer": f"{_QUOTE} [1]",
    "abstained": False,
    "confidence": 0.91,
    "mode": "extractive",
    "timings_ms": {"retrieve": 41.2, "answer": 12.9, "total": 54.1},
    "citations": [CITATION],
    "note": None,
    "understood": None,
}
PASSAGES: Final[list[dict[str, Any]]] = [
    _ORIGIN | _PLACE | {"text": _QUOTE, "start": _START, "end": len(_TEXT), "score": 0.87} | _KIND
]
SUMMARY: Final[dict[str, Any]] = (
    _ORIGIN
    | {"language": "de", "published": "2025-10-15", "characters": len(_TEXT), "passages": 1}
    | {"ingested_at": "2026-01-07T09:30:00+00:00", "sources": [_ORIGIN["source"]], "published_from": "dateline"}
    | _KIND
)
DOCUMENT: Final[dict[str, Any]] = (
    _ORIGIN
    | {"sources": [_ORIGIN["source"]], "language": "de", "published": "2025-10-15", "published_from": "dateline"}
    | _KIND
    | {
        "fields": {"Aktenzeichen": "61-17/24"},
        "text": _TEXT,
        "pages": [],
        "sections": [{"start": 0, "label": "Krakau"}],
    }
)
TOKEN: Final[dict[str, Any]] = {
    "token": "eyJ1bnRpbCI6MTc2Nzc3Nzg0MH0.c2lnbmF0dXJl",
    "expires_at": "2026-01-07T09:44:00+00:00",
}


def answered(example: object, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entry of a response in JSON, with `example`; FastAPI adds the schema."""
    return {status: {"content": {"application/json": {"example": example}}}}
