"""`citycite backup`, `restore` and `migrate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def _store_option(help_: str) -> Callable[..., Callable[..., object]]:
    return click.option("--store", metavar="PATH_OR_URL", help=help_)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_store_option("Folder of the store or URL of a Chroma server [default: ./store].")
def backup(file: Path, store: str | None) -> None:
    """Write the store and what readers added to FILE, while the server runs."""
    from rag.settings import load_settings
    from ui.backup import backup as run

    with _progress("Writing") as progress:
        held = run(load_settings(store=store), file, progress)
    size = file.stat().st_size / 1e6
    click.echo(f"backed up {held.documents} documents, {held.passages} passages: {file}, {size:.1f} MB")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--store", required=True, metavar="PATH_OR_URL", help="Where there is no store yet.")
def restore(file: Path, store: str) -> None:
    """Put a backup into a new store."""
    from rag.settings import load_settings
    from ui.backup import restore as run

    with _progress("Reading") as progress:
        held = run(load_settings(store=store), file, progress)
    click.echo(f"restored {held.documents} documents, {held.passages} passages: {store}")


@click.command()
@_store_option("Folder of the store or URL of a Chroma server [default: ./store].")
def migrate(store: str | None) -> None:
    """Bring a store of an older version up to date; all it holds is kept."""
    from rag.settings import load_settings
    from rag.store import Store
    from rag.transfer import migrate as run

    opened = Store(load_settings(store=store).store, any_version=True)
    opened.require_folder()
    had, has = run(opened)
    opened.close()
    click.echo(f"schema version {has}, as before" if had == has else f"schema version {had} is now {has}")


@contextmanager
def _progress(verb: str) -> Iterator[Callable[[int], None]]:
    from tqdm import tqdm

    with tqdm(unit=" records", desc=verb, file=sys.stderr, dynamic_ncols=True) as bar:
        yield lambda count: bar.update(count) and None
