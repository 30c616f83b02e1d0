"""What `citycite ingest` does on the terminal: progress, one line a problem, folders that are followed."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ingest.pipeline import Report
    from rag.settings import Settings


def read_sources(
    sources: Sequence[str],
    settings: Settings,
    *,
    ray: str | None = None,
    **options: Any,  # noqa: ANN401 - as `ingest` has them
) -> Report:
    """Run an ingest with a progress bar; say what failed. `ray` is the address of a cluster to encode on."""
    from tqdm import tqdm

    from ingest.pipeline import ingest
    from rag.store import Store

    encoding = None
    if ray:
        from ingest.cluster import ClusterEncoding

        encoding = ClusterEncoding(ray, settings)
    store = Store(settings.store)
    bar = tqdm(unit=" files", desc="Reading", file=sys.stderr, dynamic_ncols=True)
    with bar, redirect_stdout(sys.stderr):  # Ray prints there what has become of its nodes

        def progress(total: int, done: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = ingest(sources, store, settings, encoding=encoding, progress=progress, **options)
    store.close()
    if encoding is not None:
        click.echo(f"encoded on {encoding.processes} processors of the Ray cluster {ray}", err=True)
    _echo_problems(report)
    return report


def stop_in_good_order() -> None:
    """Have SIGTERM, as a service or a container sends it, do what Ctrl-C does.

    Chroma writes its graph of vectors anew every thousand passages, in place: a process that ends in the midst of that
    may leave one that cannot be read. An interruption waits until Chroma has returned.
    """
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def watch_folders(sources: Sequence[str], settings: Settings, *, as_json: bool) -> None:
    """Follow folders until it is interrupted, with one line a change."""
    import threading

    from ingest.watching import Watch

    def tell(report: Report) -> None:
        for change in report.changes:
            if change.outcome != "unchanged":
                click.echo(json.dumps(asdict(change)) if as_json else one_line(change.line()))
        _echo_problems(report, skipped=False)

    def warn(message: str) -> None:
        click.echo(f"citycite: {message}", err=True)

    watch = Watch(sources, settings, tell, warn, threading.Event())
    # Whatever is cut off, the store has the old version of a document or the new one.
    with suppress(KeyboardInterrupt):
        click.echo("Watching; stop with Ctrl-C.", err=True)
        watch.run()
    click.echo("Stopped.", err=True)


def one_line(text: str) -> str:
    """Return names from outside as a terminal may show them: what is not shown, or steers it, is written as "\\n"."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _echo_problems(report: Report, *, skipped: bool = True) -> None:
    for failure in report.failures:
        click.echo(one_line(f"failed: {failure.source}: {failure.reason}"), err=True)
    for note in report.notes:
        click.echo(one_line(f"note: {note.source}: {note.note}"), err=True)
    for name in report.skipped if skipped else ():
        click.echo(one_line(f"skipped: {name}: no supported format"), err=True)
