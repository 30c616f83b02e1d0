"""What a crawl finds, made ready to be embedded: pages whose bytes, or whose text, are unchanged are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ingest.addresses import is_web_address
from ingest.folder_rules import FolderRules
from ingest.hashes import EXTRACTION_VERSION
from ingest.reading import Failure, Note, Prepared, Reader, Report
from ingest.stored import Place
from ingest.web import Failed, Gone, LeftOut, Outcome, Page, Unchanged
from rag.records import Source, WebStamp, sources_of
from rag.store import Store


def stamps(records: dict[str, dict[str, Any]], rules: FolderRules) -> dict[str, WebStamp]:
    """Return the stamps of the stored pages by their address, empty where they were read by an older version.

    Nor are they asked for whether they have changed where the rules say something else of them than they did.
    """
    return {
        found.source: found.stamp if found.stamp.extraction == _version(found.source, rules) else WebStamp()
        for record in records.values()
        for found in sources_of(record)
        if is_web_address(found.source)
    }


def _version(source: str, rules: FolderRules) -> str:
    return EXTRACTION_VERSION + rules.mark(source)


class WebReader:
    """Reads the pages of a crawl; the report says what came of the others, `gone` has those that are no more."""

    def __init__(
        self,
        reader: Reader,
        store: Store,
        report: Report,
        advance: Callable[[], None],
    ) -> None:
        self.gone: list[Failure] = []
        self._reader = reader
        self._store = store
        self._report = report
        self._advance = advance

    def read(self, outcomes: Iterable[Outcome]) -> Iterator[Prepared]:
        """Yield what is to be stored."""
        for outcome in outcomes:
            match outcome:
                case Page():
                    yield from self._read_page(outcome)
                case Unchanged():
                    self._report.note("unchanged", outcome.source)
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
        stored = self._reader.stored
        version = _version(page.source, self._reader.rules)
        stamp = replace(page.stamp, extraction=version)
        failed = self._report.failed
        prepared = self._reader.read(page.file, page.source)
        own = next((item for item in prepared if item.document.source == page.source), None)
        yield from (item for item in prepared if item is not own)
        known, key = stored.source(Place(page.source)), stored.id_at(Place(page.source))
        if own is None or known is None or key is None:
            if own is not None:
                yield replace(own, stamp=stamp)
            elif known is not None and key is not None and self._report.failed == failed and known.stamp != stamp:
                stored.add(key, replace(known, stamp=stamp))
            return
        # A page that carries a clock or a token has new bytes each time; what counts is its text.
        document = self._store.documents([key]).get(key)
        if document is not None and known.stamp.extraction == version:
            same = replace(own.document, id=key, source=document.source, sources=document.sources)
            # What was set on the document itself is not for the page to say.
            document = replace(document, groups=own.document.groups)
            if same == document:
                stored.add(key, Source(page.source, own.content_hash, stamp=stamp))
                self._report.note("unchanged", page.source)
                return
        yield replace(own, stamp=stamp)
