"""Documents with the same text are one, which stands in several sources."""

from __future__ import annotations

from dataclasses import replace

from ingest.reading import Prepared, Report
from ingest.stored import Place, Stored, facts_of
from rag.records import Source, WebStamp, text_hash


def sift(prepared: Prepared, stored: Stored, report: Report) -> Prepared | None:
    """Return what is to be embedded, under its id; None where its text is stored, or about to be, already.

    A source whose text is another one's as well becomes a further source of that document. A source that was one of
    several and has another text now becomes a document of its own. Documents of which side files say different things
    stay apart, because they pass different filters.
    """
    document = prepared.document
    own = Source(document.source, prepared.content_hash, prepared.mail, prepared.stamp or WebStamp())
    current = stored.id_at(Place(own.source, own.mail))
    before = [] if current is None else stored.sources(current)
    same = stored.with_text(text_hash(document.text), facts_of(document))
    if current is not None and current in same:
        stored.add(current, own)
        if before[0].source == own.source:
            return replace(prepared, document=replace(document, id=current))
        report.note("unchanged", document.source)
        return None
    if same:
        stored.add(same[0], own)
        report.note("duplicate", document.source, stored.sources(same[0])[0].source)
        return None
    key = current if current is not None and len(before) == 1 else stored.new_id(document.id)
    found = replace(prepared, document=replace(document, id=key))
    stored.add(key, own)
    stored.set_text(found.document)
    return found
