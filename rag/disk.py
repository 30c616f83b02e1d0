"""Room on the disk: there must be some before anything is written, because what Chroma writes in part is damaged."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from rag.errors import StoreError

# For SQLite's journals, and for what else is written beside the store, such as the lexical index.
_RESERVE = 64_000_000
# A passage with its vector, its text, and its token vectors, which stand in SQLite's log for a while as well.
_PASSAGE = 80_000
# As SQLite says it, and as the system does.
_FULL = ("disk is full", os.strerror(errno.ENOSPC).lower(), os.strerror(errno.EDQUOT).lower())


def is_full(message: str) -> bool:
    """Tell whether `message`, of a library, is that a disk is full."""
    return any(words in message.lower() for words in _FULL)


def full_disk(place: object, megabytes: int | None = None) -> str:
    """Return what to say where something at `place` could not be written for want of room, of so many `megabytes`."""
    less = "no room" if megabytes is None else f"less than {megabytes} MB"
    return (
        f"There is {less} left on the disk of {place}. Nothing that was stored is lost: make room, and run the same "
        "again; it goes on where it stopped."
    )


def require_room(folder: Path, passages: int) -> None:
    """Raise StoreError where the disk of the store's `folder` may not hold so many more `passages`.

    Chroma writes its index of vectors in place, and doubles it at times. Where the disk is full then, that index cannot
    be read any more (measured with 1.5.9), and with it the vectors are lost.
    """
    if not folder.is_dir():
        return
    index = sum(file.stat().st_size for file in folder.glob("*/*.*"))
    needed = _RESERVE + index + passages * _PASSAGE
    if shutil.disk_usage(folder).free < needed:
        raise StoreError(full_disk(folder, -(-needed // 1_000_000)))
