"""`citycite coverage`: the report of what is searchable, in words, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ingest.coverage import SEARCHABLE, Coverage, coverage
from ingest.files import files_in
from ingest.reading import Report
from ingest.side_files import is_side_file
from rag.errors import UsageError
from rag.snapshot import snapshot
from rag.store import Store


def run(paths: Sequence[str], store: Store, page: Path | None, *, as_json: bool) -> None:
    """Print what is searchable under `paths`, or in the whole store, and write the page if there is a name for it."""
    missed = Report()
    files = [file for file in files_in(paths, missed) if not is_side_file(file)]
    with snapshot(store) as view:
        found = coverage(view, paths, [*files, *map(Path, missed.skipped)])
    if page is not None:
        try:
            page.write_text(_page(found, store.location), "utf-8")
        except OSError as error:
            raise UsageError(f"{page} cannot be written: {error.strerror}; name another file.") from None
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
        return
    for item in found.sources:
        counts = f"{item.characters} characters, {item.passages} passages"
        left_out = f", {item.dropped} left out" if item.dropped else ""
        why = f"{item.kind}: {item.reason}" if item.kind else ""
        detail = "; ".join(filter(None, (counts + left_out if item.document_id else "", why)))
        click.echo(f"{item.state}\t{item.source}\t{detail}")
    for names in found.near_duplicates:
        click.echo("nearly the same: " + ", ".join(names))
    totals = found.totals
    click.echo(f"{totals['states'].get(SEARCHABLE, 0)} of {totals['sources']} sources are fully searchable", err=True)


def _page(found: Coverage, location: str) -> str:
    from rag.evaluation.report import page_template

    return page_template("coverage.html.jinja", "ingest").render(
        store=location,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        totals=found.totals,
        near=found.near_duplicates,
        sources=sorted(found.sources, key=lambda item: (item.state == SEARCHABLE, item.source)),
    )
