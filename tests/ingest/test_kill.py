"""An ingest killed at random moments: every document stays whole, in its old or its new version."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.pipeline import ingest
from rag import Assistant
from rag.records import passage_ids
from rag.settings import Settings
from rag.store import PASSAGES, Store

DOCUMENTS, KILLS, SEED = 600, 50, 7
Content = dict[str, tuple[str, list[tuple[int, int, str]]]]


def text_of(number: int, version: int) -> str:
    return (
        f"Akte {number}, Fassung {version}. Der Rat hat den Vorgang {number} am {version % 28 + 1}. Mai beraten. "
        f"Die Kosten betragen {1000 * version + number} Euro."
    )


def write_all(folder: Path, version: int) -> None:
    for number in range(DOCUMENTS):
        (folder / f"akte-{number:03d}.txt").write_text(text_of(number, version), "utf-8")


def content_of(store: Store) -> Content:
    """Return what the store holds, by source; nothing else may be in it."""
    records = store.records()
    passages = store.passages(passage_ids(records))
    found: Content = {}
    for key, document in store.documents(list(records)).items():
        own = sorted((p.start, p.end, p.text) for p in passages.values() if p.document_id == key)
        assert own
        assert all(document.text[start:end] == text for start, end, text in own)
        found[document.source] = (document.text, own)
    return found


def started(folder: Path, store: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ui", "ingest", str(folder), "--store", str(store)],
        cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for_writing(process: subprocess.Popen[bytes], store: Path) -> float:
    """Wait until the process writes to the store; return when that was."""
    file = store / "chroma.sqlite3"
    before = file.stat().st_mtime_ns
    while process.poll() is None and file.stat().st_mtime_ns == before:
        time.sleep(0.002)
    return time.monotonic()


def run_and_kill(folder: Path, store: Path, seconds: float, *, writing: bool) -> None:
    """Ingest, and kill that so many seconds after its start, or after it has begun to write."""
    process = started(folder, store)
    if writing:
        wait_for_writing(process, store)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.mark.long
def test_killed_at_fifty_random_moments(tmp_path: Path) -> None:
    folder, settings, rng = tmp_path / "akten", Settings(), random.Random(SEED)
    folder.mkdir()
    write_all(folder, 1)
    begun = time.monotonic()
    assert started(folder, tmp_path / "store").wait(600) == 0
    whole = time.monotonic() - begun
    write_all(folder, 0)
    process = started(folder, tmp_path / "store")
    begun = wait_for_writing(process, tmp_path / "store")
    assert process.wait(600) == 0
    span = time.monotonic() - begun
    store = Store(tmp_path / "store")
    assert len(content_of(store)) == DOCUMENTS
    store.close()
    cut_off = 0
    for version in range(2, KILLS + 2):
        write_all(folder, version)
        # Every other one while it writes, which is only a small part of the time.
        writing = version % 2 == 0
        run_and_kill(folder, tmp_path / "store", rng.uniform(0, span if writing else whole), writing=writing)
        store = Store(tmp_path / "store")
        content = content_of(store)
        assert len(content) == DOCUMENTS
        versions = {source: int(text.split("Fassung ")[1].split(".")[0]) for source, (text, _) in content.items()}
        for source, (text, _) in content.items():
            number = int(Path(source).stem.removeprefix("akte-"))
            assert text == text_of(number, versions[source])
        cut_off += len(set(versions.values())) > 1
        assistant = Assistant(store, settings)
        answer = assistant.ask("Wie hoch sind die Kosten von Akte 17?")
        assert all(assistant.document(c.document_id).text[c.start : c.end] == c.quote for c in answer.citations)
        assistant.close()
    # The moments were spread well enough that some fell between two blocks of documents.
    assert cut_off >= KILLS // 10

    store, undisturbed = Store(tmp_path / "store"), Store(tmp_path / "undisturbed")
    for target in (store, undisturbed):
        report = ingest([str(folder)], target, settings)
        assert not report.failures
    assert content_of(store) == content_of(undisturbed)
    assert store._collection(PASSAGES).count() == undisturbed._collection(PASSAGES).count()
