"""Indexes follow the documents that a change touched, and look through all where that is not known."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.access import Reader
from rag.changes import Change, Changes, is_unfinished, new_generation
from rag.lexical import LexicalIndex
from rag.store import Store
from rag.vector_index import VectorIndex
from tests.rag.test_store import DIMENSIONS, MODEL, put, vector

READERS = [Reader(frozenset(groups), ungrouped=True) for groups in ({"hr"}, ())]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    with made.writing():
        made.create(MODEL, DIMENSIONS)
        for number, key in enumerate("abcdef"):
            put(made, key, "v1", seed=10 * number)
    yield made
    made.close()


def test_a_chain_of_changes_is_followed_and_a_gap_is_known(tmp_path: Path) -> None:
    changes = Changes(tmp_path)
    assert changes.between("1", "2") is None  # no file yet
    changes.note(Change("1", {"a"}), "2")
    changes.note(Change("2", {"b", "c"}), "3")
    changes.note(Change("3", set()), "4")
    changes.note(Change("4", None), "5")  # nobody knows what it touched
    changes.note(Change(None, {"d"}), "6")  # nor after what it came
    changes.note(Change("4", {"e"}), "told-to-nobody")
    assert changes.between("1", "4") == {"a", "b", "c"}
    assert changes.between("2", "3") == {"b", "c"}
    assert changes.between("4", "4") == set()
    for before, after in (("3", "1"), ("1", "5"), ("1", "6"), ("0", "4"), (None, "4")):
        assert changes.between(before, after) is None


def test_only_the_last_changes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.changes._KEPT", 3)
    changes = Changes(tmp_path)
    for number in range(6):
        changes.note(Change(str(number), {f"d{number}"}), str(number + 1))
    assert changes.between("3", "6") == {"d3", "d4", "d5"}
    assert changes.between("2", "6") is None


def test_a_generation_says_whether_it_is_finished() -> None:
    assert is_unfinished(new_generation(finished=False))
    assert not is_unfinished(new_generation())
    assert new_generation() != new_generation()


def test_indexes_that_follow_hold_what_indexes_made_anew_hold(store: Store, tmp_path: Path) -> None:
    """Random changes, some of which nobody noted: an index that follows never differs from a new one."""
    chance = random.Random(3)
    lexical, vectors = LexicalIndex(store), VectorIndex(store)
    for step in range(12):
        lexical.update(store.refresh())
        vectors.update(store.refresh())
        with store.writing():
            for _ in range(chance.randint(1, 3)):
                key = chance.choice("abcdefgh")
                match chance.choice(("put", "remove", "groups")):
                    case "put":
                        put(store, key, f"v{step}", seed=chance.randint(0, 99))
                    case "remove":
                        store.remove([key])
                    case "groups":
                        store.set_groups({key: chance.choice((["hr"], ["bau"], None))})
        listed = store.summaries()
        Path(store.location, "listing.json").unlink()
        assert listed == store.summaries()  # now from the records
        if step != 7:  # without the list of before it is made from the records
            with store.writing():
                pass
        if step in (2, 5):
            (Path(store.location) / "changes.sqlite").unlink()
    lexical.update(store.refresh())
    vectors.update(store.refresh())
    for name in ("lexical.sqlite", "codes.sqlite"):
        for file in Path(store.location).glob(f"{name}*"):
            file.rename(tmp_path / file.name)
    anew, vectors_anew = LexicalIndex(store), VectorIndex(store)
    anew.update(store.refresh())
    vectors_anew.update(store.refresh())
    for reader in READERS:
        assert lexical.counts(reader) == anew.counts(reader)
        ids = [{item.passage.id for item in each.nearest(vector(1), 50, reader)} for each in (vectors, vectors_anew)]
        assert ids[0] == ids[1]
    for index in (lexical, vectors, anew, vectors_anew):
        index.close()


def test_after_a_known_change_only_its_records_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lexical, vectors = LexicalIndex(store), VectorIndex(store)
    lexical.update(store.refresh())
    vectors.update(store.refresh())
    with store.writing():
        put(store, "g", "v1", seed=70)
        store.remove(["a"])
    read: list[str] = []
    records_of = store.records_of
    monkeypatch.setattr(store, "records_of", lambda ids: read.extend(ids) or records_of(ids))
    monkeypatch.setattr(store, "records", lambda: pytest.fail("all records were read"))
    with store.writing():
        put(store, "b", "v2", seed=30)
    assert {item.document_id for item in store.summaries()} == set("bcdefg")
    read.clear()
    lexical.update(store.refresh())
    vectors.update(store.refresh())
    assert set(read) == {"a", "b", "g"}
    found = {match.document_id for match in lexical.search(["titel"], 50)}
    assert "a" not in found
    assert store.touched(None, store.generation) is None
    lexical.close()
    vectors.close()


def test_what_a_killed_writer_did_is_not_known(store: Store) -> None:
    before = store.generation
    store.changing(["b"])  # and its process ended here
    with store.writing():
        put(store, "c", "v2", seed=5)
    assert not is_unfinished(store.generation)
    assert store.touched(before, store.generation) is None
    told = store.generation
    with store.writing():
        put(store, "d", "v2", seed=6)
    assert store.touched(told, store.generation) == {"d"}
    with store.writing():
        store.changing()  # of any documents
    assert store.touched(told, store.generation) is None
