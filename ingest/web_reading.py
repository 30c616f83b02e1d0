"""What a crawl finds, made ready to be embedded: pages whose bytes, or whose text, are unchanged are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ingest.addresses import is_web_address
from ingest.reading import EXTRACTION_VERSION, Failure, Note, Prepared, Reader, Report, document_id
from ingest.web import Failed, Gone, LeftOut, Outcome, Page, Unchanged
from rag.records import WebStamp, web_stamp
from rag.store import Store


def stamps(records: dict[str, dict[str, Any]]) -> dict[str, WebStamp]:
    """Return the stamps of the stored pages by their address, empty where they were read by an older version."""
    by_source = {str(record["source"]): web_stamp(record) for record in records.values()}
    return {
        source: stamp if stamp.extraction == EXTRACTION_VERSION else WebStamp()
        for source, stamp in by_source.items()
        if is_web_address(source)
    }


class WebReader:
    """Reads the pages of a crawl; the report says what came of the others, `gone` has those that are no more."""

    def __init__(
        self,
        reader: Reader,
        store: Store,
        records: dict[str, dict[str, Any]],
        report: Report,
        advance: Callable[[], None],
    ) -> None:
        self.gone: list[Failure] = []
        self._reader = reader
        self._store = store
        self._records = records
        self._report = report
        self._advance = advance

    def read(self, outcomes: Iterable[Outcome]) -> Iterator[Prepared]:
        """Yield what is to be stored."""
        for outcome in outcomes:
            match outcome:
                case Page():
                    yield from self._read_page(outcome)
                case Unchanged():
                    self._report.unchanged += 1
                case Gone():
                    self.gone.append(Failure(outcome.source, outcome.reason))
                case Failed():
                    self._report.failures.append(Failure(outcome.source, outcome.reason))
                case LeftOut(source, ""):
                    self._report.skipped.append(source)
                case LeftOut(source, reason):
                    self._report.notes.append(Note(source, reason))
            self._advance()

    def _read_page(self, page: Page) -> Iterator[Prepared]:
        key = document_id(page.source)
        stamp = replace(page.stamp, extraction=EXTRACTION_VERSION)
        failed = self._report.failed
        prepared = self._reader.read(page.file, page.source)
        own = next((item for item in prepared if item.document.id == key), None)
        yield from (item for item in prepared if item is not own)
        record = self._records.get(key)
        if own is None:
            if record is not None and self._report.failed == failed and web_stamp(record) != stamp:
                self._store.confirm(key, str(record["content_hash"]), stamp)
            return
        # A page that carries a clock or a token has new bytes each time; what counts is its text.
        is_current = record is not None and web_stamp(record).extraction == EXTRACTION_VERSION
        if is_current and self._store.documents([key]).get(key) == own.document:
            self._store.confirm(key, own.content_hash, stamp)
            self._report.unchanged += 1
            return
        yield replace(own, stamp=stamp)
