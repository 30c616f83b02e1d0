"""Damaged files of every loader family end in text or in a refusal that a person can understand, within the limits.

A few in the default run; 50 of each family, 650 in all, and another 100 of each that hypothesis makes, with
`pytest -m long tests/ingest/test_mutations.py`.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.workers import Workers
from rag.errors import LoadError
from rag.settings import Settings
from tests.ingest.mutations import mutated, originals

ORIGINALS = originals()
FAMILIES = [suffix for suffix in ORIGINALS if suffix != ".png" or shutil.which("tesseract")]
NOT_THE_FILES_FAULT = ("fault of citycite", "crashed the process", "CITYCITE_PARSE_", "does not start")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(Settings(parse_timeout=60, parse_memory_mb=1500)) as running:
        yield running


def outcome(workers: Workers, path: Path) -> str:
    """Return "" where the file has text, else why not; fail where that is no fault of the file."""
    reading = workers.submit(path)
    error = reading.exception(timeout=200)
    if error is None:
        assert reading.result().extract.text.strip()
        return ""
    assert isinstance(error, LoadError)
    assert not any(words in str(error) for words in NOT_THE_FILES_FAULT), f"{path}: {error}"
    assert "\n" not in str(error)
    return str(error)


def read_mutations(workers: Workers, folder: Path, suffix: str, count: int) -> list[str]:
    outcomes = []
    for number in range(count):
        path = folder / f"{number}{suffix}"
        path.write_bytes(mutated(ORIGINALS[suffix], random.Random(f"{suffix} {number}")))
        outcomes.append(outcome(workers, path))
    return outcomes


@pytest.mark.parametrize("suffix", FAMILIES)
def test_a_sound_file_is_read_and_a_few_damaged_ones_do_no_harm(workers: Workers, tmp_path: Path, suffix: str) -> None:
    sound = tmp_path / f"heil{suffix}"
    sound.write_bytes(ORIGINALS[suffix])
    assert outcome(workers, sound) == ""
    read_mutations(workers, tmp_path, suffix, 2 if suffix in (".png", ".pdf") else 6)


@pytest.mark.long
@pytest.mark.parametrize("suffix", FAMILIES)
def test_many_damaged_files_do_no_harm(workers: Workers, tmp_path: Path, suffix: str) -> None:
    outcomes = read_mutations(workers, tmp_path, suffix, 50)
    assert len(outcomes) == 50
    assert any(outcomes) or suffix in (".txt", ".md", ".csv", ".html", ".eml")


@pytest.mark.long
@pytest.mark.parametrize("suffix", FAMILIES)
def test_fuzzed_files_do_no_harm(workers: Workers, tmp_path: Path, suffix: str) -> None:
    """Hypothesis chooses what to put where, and makes what fails smaller."""
    original, path = ORIGINALS[suffix], tmp_path / f"gefuzzt{suffix}"
    place = st.integers(0, len(original))

    @settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(st.tuples(place, st.integers(0, 40), st.binary(max_size=40)), min_size=1, max_size=6))
    def fuzz(changes: list[tuple[int, int, bytes]]) -> None:
        data = bytearray(original)
        for start, removed, inserted in changes:
            data[start : start + removed] = inserted
        path.write_bytes(bytes(data))
        outcome(workers, path)

    fuzz()
