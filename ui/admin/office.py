"""What the pages of the admin area work with: the assistant, the journal, the folders, the jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingest.coverage import Coverage, Covered, coverage
from rag.errors import CityciteError, NotFoundError
from rag.settings import Settings
from ui.admin.gold import Gold
from ui.admin.jobs import Job, Jobs
from ui.identity import Identity
from ui.journal import Journal
from ui.places import gold_file, required_data_folder, uploads_folder

if TYPE_CHECKING:
    from rag import Assistant

# Another process may ingest; its changes show after so long.
_FRESH_SECONDS: Final = 20.0


@dataclass(slots=True)
class Office:
    """Made once for an application. `journal` is there, because without a data folder nobody gets in."""

    assistant: Assistant
    settings: Settings
    identity: Identity
    journal: Journal
    jobs: Jobs = field(default_factory=Jobs)
    _covered: Coverage | None = None
    _read_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def uploads(self) -> Path:
        """The folder of uploaded files."""
        return uploads_folder(self.settings)

    @property
    def gold(self) -> Gold:
        """The gold file."""
        return Gold(gold_file(self.settings))

    @property
    def reports(self) -> Path:
        """The folder of the pages that evaluations leave."""
        return required_data_folder(self.settings) / "reports"

    def coverage(self) -> Coverage:
        """Return what is searchable and what is not; as it was a few seconds ago, because a large store takes one."""
        with self._lock:
            if self._covered is None or time.monotonic() - self._read_at > _FRESH_SECONDS:
                self._covered = coverage(self.assistant.store)
                self._read_at = time.monotonic()
            return self._covered

    def forget_coverage(self) -> None:
        """Have it read anew: something has changed."""
        with self._lock:
            self._covered = None

    def covered(self, source: str) -> Covered:
        """Return a source that the store knows.

        Raises:
            NotFoundError: it knows none of that name.
        """
        for item in self.coverage().sources:
            if item.source == source:
                return item
        raise NotFoundError(f"There is no source {source!r} in the store.")

    def is_upload(self, source: str) -> bool:
        """Tell whether a source is a file that was uploaded here."""
        return Path(source).parent == self.uploads

    def ingest(self, sources: Sequence[str], job: Job) -> None:
        """Read files or addresses into the store, in this process, so that the next question finds them."""
        from ingest.pipeline import ingest

        def run() -> None:
            report = ingest(
                list(sources),
                self.assistant.store,
                self.settings,
                model=self.assistant.model,
                progress=lambda total, done: self.jobs.progress(job, total, done),
            )
            job.said.append(
                (
                    "job_ingested",
                    {
                        "added": report.added,
                        "updated": report.updated + report.renamed + report.duplicates,
                        "unchanged": report.unchanged,
                        "failed": report.failed,
                    },
                )
            )
            job.problems.extend(f"{Path(failure.source).name}: {failure.reason}" for failure in report.failures)

        try:
            self.jobs.patiently(run)
            self.assistant.warm_up()  # brings the lexical index up to date, so that no reader waits for it
        finally:
            self.forget_coverage()

    def remove(self, item: Covered) -> None:
        """Take a source out of the store; an uploaded file goes as well, so that no ingest brings it back.

        Raises:
            StoreError: the store is busy, or cannot be written.
        """
        from ingest.pipeline import remove, with_attachments

        store = self.assistant.store
        files = [item.source]
        try:
            if item.document_id is not None:
                files += self.assistant.document(item.document_id).sources
                remove(with_attachments([item.document_id], store), store, self.settings, model=self.assistant.model)
            self._forget_unread(item.source)
            for file in filter(self.is_upload, files):
                with suppress(FileNotFoundError):
                    Path(file).unlink()
        except OSError as error:
            raise CityciteError(f"{error.filename} cannot be deleted: {error.strerror}.") from error
        finally:
            self.forget_coverage()

    def _forget_unread(self, source: str) -> None:
        from rag.unread import read_unread, write_unread

        store = self.assistant.store
        gone = [item for item in read_unread(store) if item.source == source]
        if gone:
            with store.writing():
                write_unread(store, gone, [])
