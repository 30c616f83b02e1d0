"""The list of documents as a file beside the store, so that listing them need not import Chroma, which takes a second.

The one writer takes the file away before its first change and writes it anew after its last; readers only read. So it
is there while the store rests, and never differs from it. Without it (a writer died, a large store, a Chroma server)
the list comes from Chroma.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.changes import Change
from rag.records import summary
from rag.schema import DocumentSummary

# A list made by another version is none: the store itself says what is to be done then.
_VERSION = 2
# More would make every small change of a large store wait for the list.
_MAX_DOCUMENTS = 10_000


class Listing:
    """The file `listing.json` in the folder of a store."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "listing.json"
        # What the file said when it was taken away; the writer's alone.
        self._before: list[DocumentSummary] | None = None

    def exists(self) -> bool:
        """Whether the file is there."""
        return self._file.is_file()

    def read(self) -> list[DocumentSummary] | None:
        """Return the documents, None where the file is missing or unreadable."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return [DocumentSummary(**item) for item in found["documents"]] if found["version"] == _VERSION else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def discard(self) -> None:
        """Take the file away, before anything changes; what it said is kept for `renewed`."""
        if self.exists():
            self._before = self.read()
            self._file.unlink(missing_ok=True)

    def renewed(
        self, change: Change, records_of: Callable[[Sequence[str]], Mapping[str, dict[str, Any]]]
    ) -> list[DocumentSummary] | None:
        """Return the list after `change`, of whose documents alone the records are read; None where that won't do."""
        before, touched = self._before, change.touched
        if before is None or touched is None or change.before is None:
            return None
        stay = [item for item in before if item.document_id not in touched]
        new = [summary(key, record) for key, record in records_of(list(touched)).items()]
        return sorted([*stay, *new], key=lambda item: item.source)

    def write(self, documents: Sequence[DocumentSummary]) -> None:
        """Write the file, whole or not at all; nothing where there are too many documents."""
        self._before = None
        if len(documents) > _MAX_DOCUMENTS:
            return
        unfinished = self._file.with_suffix(".part")
        listed = {"version": _VERSION, "documents": [asdict(item) for item in documents]}
        try:
            unfinished.write_text(json.dumps(listed, ensure_ascii=False), "utf-8")
            unfinished.replace(self._file)
        except OSError:  # no room for it: then the list comes from Chroma
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
