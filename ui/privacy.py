"""What is kept of readers, in one place: shown, and erased."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rag.errors import StoreError
from rag.settings import Settings
from ui.journal import Journal
from ui.places import gold_file, required_data_folder


class Kept:
    """Ratings and logged questions in the journal, questions in the gold file, and reports that quote those.

    Raises, in all methods:
        StoreError: a file cannot be read or written.
        UsageError: there is no data folder.
    """

    def __init__(self, settings: Settings) -> None:
        folder = required_data_folder(settings)
        self._journal = Journal(
            folder, feedback_days=settings.feedback_days, question_log_days=settings.question_log_days
        )
        self._gold = gold_file(settings)
        self._reports = folder / "reports"

    def export(self, about: str = "") -> dict[str, Any]:
        """Return all that is kept and holds `about`, in plain JSON types."""
        kept = self._journal.holding(about)
        gold = [json.loads(line) for line in self._gold_lines() if _holds(_unescaped(line), about)]
        return kept | {"gold": gold, "reports": [file.name for file in self._reports_holding(about)]}

    def erase(self, about: str = "") -> dict[str, int]:
        """Erase what `export` returns; return how many of each."""
        counts = self._journal.erase(about)
        lines = self._gold_lines()
        stay = [line for line in lines if not _holds(_unescaped(line), about)]
        reports = self._reports_holding(about)
        try:
            if len(stay) != len(lines):
                unfinished = self._gold.with_suffix(".part")
                unfinished.write_text("".join(f"{line}\n" for line in stay), "utf-8")
                unfinished.replace(self._gold)
            for file in reports:
                file.unlink()
        except OSError as error:
            raise StoreError(f"{error.filename} cannot be erased: {error.strerror}.") from error
        return counts | {"gold": len(lines) - len(stay), "reports": len(reports)}

    def _gold_lines(self) -> list[str]:
        try:
            return [line for line in self._gold.read_text("utf-8").splitlines() if line.strip()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise StoreError(f"The gold file {self._gold} cannot be read: {error}.") from error

    def _reports_holding(self, about: str) -> list[Path]:
        from html import unescape

        try:
            files = sorted(self._reports.glob("*.html"))
            return [file for file in files if _holds(unescape(file.read_text("utf-8", "replace")), about)]
        except OSError as error:
            raise StoreError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _unescaped(line: str) -> str:
    """Return a JSON line as it reads: an umlaut may be written as a number in it."""
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except ValueError:
        return line


def _holds(text: str, about: str) -> bool:
    return plain(about) in plain(text)


def plain(text: str) -> str:
    """Return text as it is compared: without case, one blank between words."""
    return re.sub(r"\s+", " ", text).strip().casefold()
