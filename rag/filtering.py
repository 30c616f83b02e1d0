"""Filters over documents, applied to what retrieval finds.

Chroma's own filters cost hundreds of milliseconds on a large store. So more passages are asked for than are wanted and
those that the filters leave out are dropped; where few documents pass, all their vectors are compared one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeVar

from rag.access import EVERYTHING, Reader
from rag.records import passage_ids, source_names
from rag.schema import Filters
from rag.store import Store

# Up to this many passages are compared one by one; 2,000 take about as long as a search among 100,000.
EXACT = 2000
_GROWTH = 4

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Choice:
    """The documents that pass, by id, with their records; `passages` of `total` passages are theirs."""

    records: dict[str, dict[str, Any]]
    passages: int
    total: int

    def passage_ids(self) -> list[str]:
        """Return the ids of their passages."""
        return passage_ids(self.records)

    def search(
        self, search: Callable[[int], Sequence[_Item]], document_of: Callable[[_Item], str], count: int
    ) -> list[_Item]:
        """Return up to `count` of what `search(number)` finds that belongs to these documents, best first."""
        if not self.passages:
            return []
        left_out = self.total - self.passages
        asked = count + min(left_out, ceil(count * self.total / self.passages))
        while True:
            found = search(asked)
            kept = [item for item in found if document_of(item) in self.records]
            if len(kept) >= count or len(found) < asked:
                return kept[:count]
            asked *= _GROWTH


class Catalogue:
    """Knows the records of all documents, read once for each generation of the store, when a filter first asks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation: str | None = None
        self._records: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def choose(self, filters: Filters, generation: str, reader: Reader = EVERYTHING) -> Choice:
        """Return the documents of `generation` that `filters` let through, of those that `reader` sees."""
        with self._lock:
            if generation != self._generation:
                self._records = self._store.records()
                self._generation = generation
            records = self._records
        if reader.is_restricted:
            records = {key: record for key, record in records.items() if reader.sees_record(record)}
        chosen = {key: record for key, record in records.items() if _passes(key, record, filters)}
        return Choice(chosen, _passages(chosen), _passages(records))


def _passages(records: dict[str, dict[str, Any]]) -> int:
    return sum(int(record["passages"]) for record in records.values())


def _passes(key: str, record: dict[str, Any], filters: Filters) -> bool:
    published = str(record.get("published") or "")
    return (
        key not in filters.without
        and (not filters.since or published >= filters.since)
        and (not filters.until or "" < published[: len(filters.until)] <= filters.until)
        and (not filters.source or _has_source(record, filters.source.casefold()))
        and all(
            not wanted or wanted.casefold() == str(record.get(name) or "").casefold()
            for name, wanted in (
                ("type", filters.type),
                ("department", filters.department),
                ("language", filters.language),
            )
        )
    )


def _has_source(record: dict[str, Any], part: str) -> bool:
    return any(part in source.casefold() for source in source_names(record))
