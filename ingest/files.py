"""The files to read: those named, and those in the folders named, but for what an ignore file leaves out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pathspec

from ingest.addresses import is_web_address
from ingest.loaders import LOADERS
from ingest.reading import Failure, Report
from ingest.side_files import is_side_file

IGNORE_FILE = ".citycite-ignore"


def files_in(paths: Sequence[str], report: Report) -> Iterator[Path]:
    """Yield the files to read, each once; what is missing, cannot be listed or is not supported goes into `report`."""
    seen: set[Path] = set()
    for given in paths:
        if is_web_address(given):
            continue
        for file in _at(given, report):
            if file not in seen:
                seen.add(file)
                yield file


def _at(given: str, report: Report) -> Iterator[Path]:
    path = Path(given)
    try:
        if path.is_dir():
            yield from _in_folder(path.resolve(), report)
        elif path.is_file():
            yield path.resolve()
        elif path.exists():  # reading a pipe or a device would never end
            _fail(report, given, "It is neither a file nor a folder; name one of these.", "broken")
        else:
            _fail(
                report,
                given,
                "There is no such file or folder; what is stored from it stays. Check the path, and whether a network "
                "share is away; if it is gone for good, name the folder that it was in with --prune --force.",
                "missing",
            )
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        _fail(report, given, _unlisted(error), "not listed")


def _in_folder(folder: Path, report: Report) -> Iterator[Path]:
    ignored = _ignored(folder)
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=partial(_unlistable, report)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    for file in sorted(found):
        # Of what is neither file nor folder, such as a pipe, reading would never end.
        if ignored.match_file(str(file.relative_to(folder))) or not file.is_file():
            continue
        if file.suffix.lower() in LOADERS or is_side_file(file):
            yield file
        else:
            report.skipped.append(str(file))


def _ignored(folder: Path) -> pathspec.PathSpec[Any]:
    file = folder / IGNORE_FILE
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return pathspec.PathSpec.from_lines("gitignore", lines)


def _fail(report: Report, source: str, reason: str, kind: str) -> None:
    report.failures.append(Failure(source, reason, kind))


def _unlistable(report: Report, error: OSError) -> None:
    _fail(report, str(error.filename), _unlisted(error), "not listed")


def _unlisted(error: OSError | RuntimeError) -> str:
    why = error.strerror if isinstance(error, OSError) else None
    return f"It cannot be listed: {why or error}; what is stored from it stays."
