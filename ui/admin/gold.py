"""The gold file that complaints become lines of: JSON lines as `citycite eval` reads them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from rag.answer_types import MONTHS, answer_type
from rag.errors import StoreError, UsageError
from rag.evaluation import read_gold
from ui.journal import key_of

_DATE = re.compile(rf"(?i)\b\d{{1,2}}\.?\s?(?:{MONTHS})(?:\s\d{{4}})?\b|\b\d{{1,2}}\.\s?\d{{1,2}}\.\s?\d{{2,4}}\b")
_YEAR = re.compile(r"\b(?:1\d{3}|20\d\d)\b")
_NUMBER = re.compile(r"\b\d[\d.,]*(?:\s?(?:Prozent|percent|procent|%|Euro|€|Millionen|million))?")


@dataclass(frozen=True, slots=True)
class Line:
    """One reviewed question, in the order of the format."""

    id: str
    language: str
    question: str
    answers: tuple[str, ...]
    documents: tuple[str, ...]
    answerable: bool


def line_id(question: str, language: str) -> str:
    """Return the id of a question: the same for the same question, so that a second review replaces the first."""
    return f"{language}-{hashlib.sha256(key_of(question).encode('utf-8', 'replace')).hexdigest()[:10]}"


def short_answer(question: str, quote: str) -> str:
    """Return what in `quote` is likely the answer, as a proposal: its date, year or number; else all of it."""
    kind = answer_type(question)
    patterns = {"time": (_DATE, _YEAR), "year": (_YEAR,), "number": (_NUMBER,), "money": (_NUMBER,)}.get(kind, ())
    for pattern in patterns:
        found = pattern.search(quote)
        if found:
            return found.group().strip(" .,")
    return " ".join(quote.split())


class Gold:
    """The file; made with its first line, written whole or not at all."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def lines(self) -> list[Line]:
        """Return the lines, in order; none where there is no file yet.

        Raises:
            UsageError: a line is not as it must be; the message names it.
        """
        if not self.file.is_file() or not self.file.read_text("utf-8").strip():
            return []
        read_gold(self.file)
        return [_line(json.loads(line)) for line in self.file.read_text("utf-8").splitlines() if line.strip()]

    def add(self, line: Line) -> None:
        """Add a line, in place of one of the same id.

        Raises:
            UsageError: it is answerable and has no answer; or as in `lines`.
            StoreError: the file cannot be written.
        """
        if line.answerable and not line.answers:
            raise UsageError(f"{line.id} has no answer, but is answerable.")
        self._write(lambda lines: [*(known for known in lines if known.id != line.id), line])

    def remove(self, key: str) -> None:
        """Take a line out; raises as `add` does."""
        self._write(lambda lines: [known for known in lines if known.id != key])

    def _write(self, change: Any) -> None:  # noqa: ANN401 - a function of lines to lines
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.file.with_suffix(".lock"), timeout=10):
                lines: Sequence[Line] = change(self.lines())
                unfinished = self.file.with_suffix(".part")
                unfinished.write_text(
                    "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines), "utf-8"
                )
                unfinished.replace(self.file)
        except OSError as error:
            raise StoreError(f"The gold file {self.file} cannot be written: {error.strerror or error}.") from error


def _line(entry: dict[str, Any]) -> Line:
    return Line(
        entry["id"], entry["language"], entry["question"], tuple(entry["answers"]), tuple(entry["documents"]),
        entry["answerable"],
    )  # fmt: skip
