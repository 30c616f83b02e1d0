"""Where lies what cannot be rebuilt: what readers and administrators add."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rag.errors import UsageError
from rag.settings import Settings

NO_PLACE: Final = (
    "The store {store} is a server, so there is no folder beside it: set CITYCITE_DATA to a folder for feedback, "
    "uploads and the admin password."
)


def data_folder(settings: Settings) -> Path | None:
    """Return the folder of the setting `data`, else the one beside the store; None where the store is a server.

    It lies beside the store and not in it, because a store may be deleted and made anew from the documents.
    """
    if settings.data:
        return Path(settings.data).resolve()
    if settings.store.startswith(("http://", "https://")):
        return None
    store = Path(settings.store).resolve()
    return store.with_name(f"{store.name}-data")


def required_data_folder(settings: Settings) -> Path:
    """Return the data folder.

    Raises:
        UsageError: there is none.
    """
    folder = data_folder(settings)
    if folder is None:
        raise UsageError(NO_PLACE.format(store=settings.store))
    return folder


def uploads_folder(settings: Settings) -> Path:
    """Return where uploaded files lie; raises as `required_data_folder` does."""
    return Path(settings.uploads).resolve() if settings.uploads else required_data_folder(settings) / "uploads"


def gold_file(settings: Settings) -> Path:
    """Return the gold file that the admin area writes; raises as `required_data_folder` does."""
    folder = Path(settings.gold).resolve() if settings.gold else required_data_folder(settings) / "gold"
    return folder / "questions.jsonl"
