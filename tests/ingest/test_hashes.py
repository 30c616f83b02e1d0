"""Content hashes that are kept from run to run: what is read again, and what is not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ingest.hashes import EXTRACTION_VERSION, FileHashes, content_hash
from ingest.side_files import Details

SIZE = 3_000_000


def bytes_read() -> int:
    """Return how many bytes this process has read in all."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "akte.txt"
    made.write_bytes(b"a" * SIZE)
    return made


def test_the_hash_of_a_file_is_that_of_its_content_and_of_what_is_said_about_it(file: Path) -> None:
    found = FileHashes().of(file, Details())
    assert found == hashlib.sha256(EXTRACTION_VERSION.encode() + file.read_bytes()).hexdigest()
    for details in (Details(), Details(title="Plan"), Details(fields=(("Amt", "Bauamt"),))):
        assert FileHashes().of(file, details) == content_hash(file.read_bytes(), details)
    assert len({content_hash(b"a", details) for details in (Details(), Details(title="b"), Details(type="b"))}) == 3


def test_only_what_has_changed_is_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.hashes._TICK_NS", 0)
    hashes, times = FileHashes(), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    first = hashes.of(file, Details())
    before = bytes_read()
    assert hashes.of(file, Details()) == first
    assert bytes_read() - before < SIZE
    # What side files say counts as before.
    assert hashes.of(file, Details(title="Plan")) == content_hash(b"a" * SIZE, Details(title="Plan"))
    # Another content of the same size, with the times put back as some programs do.
    with file.open("r+b") as opened:
        opened.write(b"b")
    os.utime(file, ns=times)
    assert hashes.of(file, Details()) == content_hash(b"b" + b"a" * (SIZE - 1), Details())


def test_a_file_that_was_written_just_now_is_not_trusted(file: Path) -> None:
    hashes = FileHashes()
    hashes.of(file, Details())
    before = bytes_read()
    hashes.of(file, Details())
    assert bytes_read() - before >= SIZE
