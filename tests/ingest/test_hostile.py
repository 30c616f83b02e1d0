"""Hostile files end in text or in one clear line, within limits of time and memory, and the run goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ingest.reading import Reader, Report
from ingest.side_files import SideFiles
from ingest.workers import Workers
from rag.settings import Settings
from tests.ingest.hostile_files import HOSTILE, write

# What takes long to make or to read; all in all some minutes.
SLOW = {
    "attributes.html", "bomb.docx", "bomb.odt", "bomb.pptx", "brackets.md", "cells.html", "cells.rtf",
    "deep-mixed.html", "deep.html", "emphasis.md", "empty-pages.pdf", "full-stops.txt", "hyphens.txt",
    "letters.pdf", "lists.md", "long.csv", "many-parts.docx", "newlines.txt", "no-blank.txt", "one-line.txt",
    "parts.eml", "quote.csv", "under-the-ratio.docx",
}  # fmt: skip
# What must be said of some of them; of the others it is left to the loader, which may find text in them.
REFUSED = {
    "bomb.docx": "200 times its size",
    "bomb.xlsx": "200 times its size",
    "bomb.pptx": "200 times its size",
    "bomb.odt": "200 times its size",
    "many-parts.docx": "in 60000 parts",
    "entities.docx": "declares its own XML entities",
    "deep.eml": "nests parts in one another without end",
    "parts.eml": "has 2001 parts",
    "endless.eml": "nests too many parts",
    "deep.rtf": "more than 500 groups in each other",
    "empty-pages.pdf": "has no text layer",
}
SECONDS, MEGABYTES = 20.0, 600


def read(folder: Path, names: list[str], seconds: float) -> tuple[dict[str, str], Report]:
    """Return the texts of the files that could be read, by name, and the report."""
    for name in names:
        write(folder, name)
    good = folder / "zz-gut.txt"
    good.write_text("Das Rathaus wurde am 4. Mai 1905 eröffnet.", "utf-8")
    settings, report = Settings(parse_timeout=seconds, parse_memory_mb=MEGABYTES), Report()
    with Workers(settings) as workers:
        reader = Reader({}, SideFiles(), settings, report, workers)
        found = [item for prepared in reader.read_all(sorted(folder.iterdir())) for item in prepared]
    return {Path(item.document.source).name: item.document.text for item in found}, report


def check(names: list[str], texts: dict[str, str], report: Report) -> None:
    reasons = {Path(failure.source).name: failure.reason for failure in report.failures}
    assert texts.pop("zz-gut.txt") == "Das Rathaus wurde am 4. Mai 1905 eröffnet."
    assert {*texts, *reasons} >= set(names)
    for name, reason in reasons.items():
        assert "\n" not in reason
        assert "fault of citycite" not in reason, (name, reason)
    for name in set(names) & set(REFUSED):
        assert REFUSED[name] in reasons[name]


def test_hostile_files_end_in_text_or_one_line(tmp_path: Path) -> None:
    names = [name for name in HOSTILE if name not in SLOW]
    texts, report = read(tmp_path, names, SECONDS)
    check(names, texts, report)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(SLOW))
def test_slow_hostile_files_end_in_time(tmp_path: Path, name: str) -> None:
    begun = time.monotonic()
    texts, report = read(tmp_path, [name], 2 * SECONDS)
    assert time.monotonic() - begun < 4 * SECONDS
    check([name], texts, report)
