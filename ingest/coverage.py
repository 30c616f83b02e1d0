"""Which sources are searchable, which are not and why, and what of each was left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ingest.addresses import is_web_address
from ingest.pruning import NOT_PRUNED
from ingest.reading import Report
from ingest.resemblance import near_duplicates
from rag.records import Reading, reading_in, sources_of
from rag.store import Store
from rag.unread import Unread, read_unread, write_unread

SEARCHABLE, PARTLY, POOR, OUTDATED, NOT = "searchable", "partly", "low text quality", "outdated", "not searchable"


@dataclass(frozen=True, slots=True)
class Covered:
    """A source in the report. `dropped` is None where its document was read before that was kept.

    `state` is one of searchable, partly (some pages were not read), low text quality, outdated (an older version is
    searchable) and not searchable; `kind` and `reason` say why it is not the first.
    """

    source: str
    state: str
    kind: str = ""
    reason: str = ""
    document_id: str | None = None
    characters: int = 0
    passages: int = 0
    pages: int = 0
    dropped: int | None = 0
    dropped_sample: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """All sources, groups of those that are nearly the same, and totals."""

    sources: list[Covered]
    near_duplicates: list[list[str]] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, Any]:
        """Return counts over all sources; characters and passages of a document in several sources count once."""
        once = {item.document_id: item for item in self.sources if item.document_id is not None}.values()
        return {
            "sources": len(self.sources),
            "documents": len(once),
            "states": dict(Counter(item.state for item in self.sources)),
            "kinds": dict(Counter(item.kind for item in self.sources if item.kind)),
            "characters": sum(item.characters for item in once),
            "passages": sum(item.passages for item in once),
            "pages": sum(item.pages for item in once),
            "dropped": sum(item.dropped or 0 for item in once),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return {
            "totals": self.totals,
            "sources": [asdict(item) for item in self.sources],
            "near_duplicates": self.near_duplicates,
        }


def coverage(store: Store, paths: Sequence[str] = (), found: Iterable[Path] = ()) -> Coverage:
    """Return what is searchable of the sources under `paths`, or of all; files in `found` that no ingest has met too.

    Raises:
        StoreError: the store cannot be read.
    """
    unread = {item.source: item for item in read_unread(store)}
    covered: dict[str, Covered] = {}
    sketches: dict[str, str] = {}
    for key, record in store.records().items():
        reading = reading_in(record)
        for source in sources_of(record):
            covered[source.source] = _stored(key, record, source.source, reading, unread.pop(source.source, None))
        if reading is not None and reading.sketch:
            sketches[str(record["source"])] = reading.sketch
    for item in unread.values():
        covered[item.source] = Covered(item.source, NOT, item.kind, item.reason)
    for file in map(str, found):
        covered.setdefault(file, Covered(file, NOT, "not ingested", "no ingest has read it yet"))
    chosen = {source: item for source, item in covered.items() if not paths or _is_under(source, paths)}
    near = [names for names in near_duplicates(sketches) if any(name in chosen for name in names)]
    return Coverage([chosen[source] for source in sorted(chosen)], near)


def _stored(key: str, record: dict[str, Any], source: str, reading: Reading | None, unread: Unread | None) -> Covered:
    state, kind, reason = SEARCHABLE, "", ""
    if unread is not None:
        state, kind, reason = OUTDATED, unread.kind, f"its older version is searchable: {unread.reason}"
    elif reading is not None and reading.notes:
        needs_ocr = any("OCR" in note for note in reading.notes)
        state, kind, reason = PARTLY, "needs OCR" if needs_ocr else "not read", "; ".join(reading.notes)
    elif reading is not None and reading.quality:
        state, kind, reason = POOR, POOR, reading.quality
    return Covered(
        source,
        state,
        kind,
        reason,
        key,
        int(record["characters"]),
        int(record["passages"]),
        str(record["pages"]).count('"') // 2,
        reading.dropped if reading is not None else None,
        reading.sample if reading is not None else "",
    )


def _is_under(source: str, paths: Sequence[str]) -> bool:
    if is_web_address(source):
        return any(is_web_address(path) and source.startswith(path) for path in paths)
    roots = [Path(path).resolve() for path in paths if not is_web_address(path)]
    # An attachment's source goes on behind the name of its mail.
    return any(Path(source).is_relative_to(root) or source.startswith(f"{root}!") for root in roots)


def note_unread(store: Store, paths: Sequence[str], report: Report, known: Collection[str]) -> None:
    """Keep what this run of `paths` could not take in, in place of what earlier runs of the same could not.

    `known` are the sources that are stored. Call within `writing`.
    """
    given = sorted(path for path in paths if is_web_address(path))
    # What is known of a folder that is missing stays, as its documents do: it may only be away.
    roots = [path for path in paths if not is_web_address(path) and os.path.lexists(path)]
    changed = {change.source for change in report.changes}
    old = [
        item
        for item in read_unread(store)
        if (set(item.given.split()) <= set(given) if item.given else _is_under(item.source, roots))
        or item.source in changed
    ]
    failures = [item for item in report.failures if item.kind != NOT_PRUNED]
    new = [
        *(Unread(item.source, item.kind, item.reason, _given(item.source, given)) for item in failures),
        *(
            Unread(source, "no supported format", "its format is not supported", _given(source, given))
            for source in report.skipped
        ),
        *(
            Unread(note.source, "left out", note.note, _given(note.source, given))
            for note in report.notes
            if note.source not in known
        ),
    ]
    # The first reason for a source counts, and there is one entry for each.
    write_unread(store, old, list({item.source: _storable(item) for item in reversed(new)}.values()))


def _storable(item: Unread) -> Unread:
    """Return `item` with a file name that is not UTF-8 written as people can read it: a store takes text alone."""
    return replace(
        item, **{name: text.encode("utf-8", "backslashreplace").decode() for name, text in asdict(item).items()}
    )


def _given(source: str, given: Sequence[str]) -> str:
    return " ".join(given) if is_web_address(source) else ""
