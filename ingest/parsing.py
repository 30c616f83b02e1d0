"""What of reading a file may take long, and touches nothing but the file: it is done in a process of its own.

The language is not among it: it is told by the first characters in no time, once its tables are loaded, and loading
them takes longer than all else that a process needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.loaders import load
from ingest.loaders.base import Extract
from ingest.quality import reading_of
from ingest.splitting import passage_spans
from rag.errors import LoadError
from rag.records import Reading


@dataclass(frozen=True, slots=True)
class Parsed:
    """The text of a file, the ranges of its passages, and what is noted of how it was read."""

    extract: Extract
    spans: list[tuple[int, int]]
    reading: Reading


def parse(file: Path) -> Parsed:
    """Return the text of a file and its passages, one at least.

    Raises:
        LoadError: it cannot be read, or has no text.
    """
    extract = load(file)
    spans = passage_spans(extract.text, [mark.start for mark in extract.sections])
    if not spans:
        raise LoadError("No text is left once page furniture is taken away.", "empty")
    return Parsed(extract, spans, reading_of(extract))
