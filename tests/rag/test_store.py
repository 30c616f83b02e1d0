"""The store protocol on a real Chroma: versions, crashes, one writer, readers in other processes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError, NotFoundError, StoreError
from rag.records import NewVersion, StoredPassage, passage_id
from rag.schema import Document, Mark
from rag.store import PASSAGES, Store

MODEL = "test-model"
DIMENSIONS = 8


def vector(seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return made / np.linalg.norm(made)


def document(key: str, text: str = "Erster Satz. Zweiter Satz.") -> Document:
    return Document(
        id=key, title=f"Titel {key}", source=f"/akten/{key}.txt", text=text, language="de",
        published="2024-03-12", pages=(Mark(0, "1"),), sections=(Mark(0, "Anfang"),),
    )  # fmt: skip


def passages(key: str, version: str, count: int = 2, seed: int = 0) -> list[StoredPassage]:
    return [
        StoredPassage(
            passage_id(key, version, n), key, version, n * 13, n * 13 + 12, "Erster Satz.", "de", vector(seed + n)
        )
        for n in range(count)
    ]


def put(store: Store, key: str, version: str, seed: int = 0, count: int = 2) -> None:
    store.write([NewVersion(document(key), f"hash-{version}", passages(key, version, count, seed))])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    with made.writing():
        made.create(MODEL, DIMENSIONS)
        put(made, "a", "v1", seed=1)
        put(made, "b", "v1", seed=11)
    yield made
    made.close()


def visible(store: Store, seed: int) -> list[str]:
    """Ids of the passages that a reader sees near `vector(seed)`: those of the version that the record names."""
    found = [item.passage for item in store.nearest(vector(seed), 10)]
    records = store.records_of([passage.document_id for passage in found])
    return [p.id for p in found if records.get(p.document_id, {}).get("version") == p.version]


def test_a_document_comes_back_as_it_was_stored(store: Store) -> None:
    assert store.document("a") == document("a")
    assert [summary.document_id for summary in store.summaries()] == ["a", "b"]
    assert store.summaries()[0].passages == 2


def test_the_list_beside_the_store_is_there_while_nothing_is_written(store: Store) -> None:
    file = Path(store.location) / "listing.json"
    listed = store.summaries()
    file.unlink()
    assert store.summaries() == listed  # from Chroma now
    with store.writing():
        pass
    assert file.exists()
    with store.writing():
        store.write([NewVersion(document("c"), "hash-c", passages("c", "v1"))])
        assert not file.exists()
    assert [item["document_id"] for item in json.loads(file.read_text("utf-8"))["documents"]] == ["a", "b", "c"]
    with store.writing():
        assert file.exists()
        store.remove(["c"])
        assert not file.exists()
        assert len(store.summaries()) == 2
    assert store.summaries() == listed


def test_a_damaged_list_beside_the_store_is_not_believed(store: Store) -> None:
    listed = store.summaries()
    for damaged in ("", "[", "{}x", '[{"document_id": "a"}]', "[1]"):
        (Path(store.location) / "listing.json").write_text(damaged, "utf-8")
        assert store.summaries() == listed


def test_unknown_values_stay_none(store: Store) -> None:
    bare = Document(id="c", title="C", source="/c.txt", text="Ein Satz ohne alles.")
    with store.writing():
        store.write([NewVersion(bare, "h", passages("c", "v1"))])
    assert store.document("c") == bare
    assert store.nearest(vector(0), 1)[0].passage.language == "de"


def test_missing_document_is_named(store: Store) -> None:
    with pytest.raises(NotFoundError, match="'zzz'"):
        store.document("zzz")


def test_a_new_version_replaces_the_old_passages(store: Store) -> None:
    with store.writing():
        gone = store.write([NewVersion(document("a"), "hash-v2", passages("a", "v2", count=3, seed=21))])
    assert gone == ["a:v1:0", "a:v1:1"]
    assert visible(store, 21)[0] == "a:v2:0"
    assert not [key for key in visible(store, 1) if key.startswith("a:v1")]
    assert store._collection(PASSAGES).count() == 5


def test_removing_takes_record_and_passages(store: Store) -> None:
    with store.writing():
        assert store.remove(["a", "nicht da"]) == ["a:v1:0", "a:v1:1"]
    assert list(store.records()) == ["b"]
    assert store._collection(PASSAGES).count() == 2


def test_passages_of_a_killed_writer_are_not_visible_and_are_swept(store: Store) -> None:
    """What a process leaves that dies after the new passages and before the record."""
    left = passages("a", "v2", seed=31)
    store._collection(PASSAGES).upsert(
        ids=[p.id for p in left],
        embeddings=[p.vector for p in left],  # type: ignore[arg-type]
        documents=[p.text for p in left],
        metadatas=[{"document_id": "a", "version": "v2", "start": p.start, "end": p.end} for p in left],
    )
    assert "a:v2:0" not in visible(store, 31)
    assert "a:v1:0" in visible(store, 1)
    with store.writing():
        assert store.sweep() == 2
        assert store.sweep() == 0
    assert visible(store, 1)[0] == "a:v1:0"


def test_old_passages_of_a_killed_writer_are_not_visible_and_are_swept(store: Store) -> None:
    """What a process leaves that dies after the record and before the old passages have gone."""
    delete, store._delete = store._delete, lambda name, ids: None  # type: ignore[method-assign]
    with store.writing():
        put(store, "a", "v2", seed=41)
    store._delete = delete  # type: ignore[method-assign]
    assert not [key for key in visible(store, 1) if key.startswith("a:v1")]
    with store.writing():
        assert store.sweep() == 2
    assert visible(store, 41)[0] == "a:v2:0"


_KILLED = """
import os, signal, sys
from rag.records import NewVersion
from rag.store import Store
from tests.rag.test_store import document, passages

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

store = Store(sys.argv[1])
collection = store._collection
with store.writing():
    if sys.argv[2] == "record":  # the old passages were next
        store._delete = die
    else:  # the record was next
        calls = []
        def counted(name):
            calls.append(name)
            if calls[-2:] == ["passages", "documents"]:
                die()
            return collection(name)
        store._collection = counted
    store.write([NewVersion(document("a", "Neuer Satz."), "hash-v2", passages("a", "v2", seed=51))])
"""


@pytest.mark.parametrize(
    ("killed_after", "text"), [("passages", "Erster Satz. Zweiter Satz."), ("record", "Neuer Satz.")]
)
def test_a_process_killed_while_it_writes_leaves_the_old_or_the_new_version(
    store: Store, killed_after: str, text: str
) -> None:
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, store.location, killed_after], cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == -9
    assert store.document("a").text == text
    version = "v2" if killed_after == "record" else "v1"
    assert {key for seed in (1, 51) for key in visible(store, seed) if key.startswith("a:")} == {
        f"a:{version}:0",
        f"a:{version}:1",
    }
    with store.writing():  # the dead process's lock is gone with it
        assert store.sweep() == 2


def test_a_second_writer_is_refused_with_one_clear_line(store: Store) -> None:
    with (
        store.writing(),
        pytest.raises(StoreError, match="Another process is writing"),
        Store(store.location).writing(),
    ):
        pass


def test_a_reader_sees_what_another_process_has_written(store: Store) -> None:
    script = """
    import sys
    from rag.store import Store
    from tests.rag.test_store import put
    store = Store(sys.argv[1])
    with store.writing():
        put(store, sys.argv[2], "v1", seed=int(sys.argv[3]))
    """
    store.refresh()
    for key, seed in (("c", 61), ("d", 71), ("e", 81)):  # again and again: Chroma has two instances in turn
        assert visible(store, seed)[0] != f"{key}:v1:0"
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), store.location, key, str(seed)],
            check=True,
            cwd=Path(__file__).parents[2],
        )
        before = store.refresh()
        assert visible(store, seed)[0] == f"{key}:v1:0"
        assert store.refresh() == before


def test_who_reads_while_another_writes_is_not_held_up(store: Store) -> None:
    """A reader keeps its view until the change is finished, and questions go on while it takes the new one."""
    before = store.refresh()
    writer = Store(store.location)
    with writer.writing():
        put(writer, "c", "v1", seed=61)
        assert store.refresh() == before
        assert store.generation != before
    reading = store._in_use.read_lock()  # a question in its midst
    with ThreadPoolExecutor(1) as threads:
        with reading:
            renewed = threads.submit(store.refresh)
            assert store.records().keys() == {"a", "b", "c"}
            assert not renewed.done()
        assert renewed.result() == writer.generation
    assert visible(store, 61)[0] == "c:v1:0"
    writer.close()


def test_chroma_is_not_closed_under_those_who_read(store: Store) -> None:
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            assert set(store.records()) == {"a", "b"}
            assert store.nearest(vector(1), 2)
            assert sum(len(ids) for ids, _ in store.vectors(list(store.passages([passage_id("a", "v1", 0)])))) == 1

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        for _ in range(30):
            store.close()
            store.refresh()
        stop.set()
        for reader in readers:
            reader.result()


def test_a_store_of_another_model_is_refused(store: Store) -> None:
    with pytest.raises(ModelError, match="made with the embedding model test-model"):
        store.check_model("another")
    with store.writing(), pytest.raises(ModelError):
        store.create("another", DIMENSIONS)


def test_a_store_of_another_schema_is_refused(store: Store) -> None:
    collection = store._collection(PASSAGES)
    collection.modify(metadata=dict(collection.metadata or {}) | {"schema_version": 99})
    with pytest.raises(StoreError, match="schema version 99"):
        store.check_model(MODEL)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store in"):
        Store(tmp_path / "fehlt").require_folder()
    (tmp_path / "datei").write_text("x")
    with pytest.raises(StoreError, match="is a file"):
        Store(tmp_path / "datei").require_folder()
    assert Store(tmp_path).records() == {}


def test_a_damaged_store_gives_a_clear_error_every_time(store: Store) -> None:
    store.close()
    (Path(store.location) / "chroma.sqlite3").write_bytes(b"kein SQLite " * 500)
    for _ in range(3):
        with pytest.raises(StoreError, match=r"cannot be used: .*not a database"):
            Store(store.location).records()


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9"):
        Store("http://127.0.0.1:9").records()


def test_what_a_killed_process_has_changed_is_announced_by_the_next_that_writes(store: Store) -> None:
    script = """
        import os, sys
        from rag.store import Store
        from tests.rag.test_store import put
        store = Store(sys.argv[1])
        with store.writing():
            put(store, "c", "v1", seed=31)
            os._exit(0)
    """
    finished = store.generation
    store.close()
    command = [sys.executable, "-c", textwrap.dedent(script), store.location]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    reader = Store(store.location)
    left = reader.generation
    assert left != finished
    assert "c" in reader.records()
    with reader.writing():
        pass  # as an ingest does that finds nothing changed
    announced = reader.generation
    assert announced not in (finished, left)
    with reader.writing():
        pass
    assert reader.generation == announced
