"""Backups taken beside a running server, restored elsewhere, compared by their answers; upgrades of older stores."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from dataclasses import asdict, replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from rag.errors import CityciteError, StoreError
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import DOCUMENTS, PASSAGES, SCHEMA_VERSION, Store
from rag.transfer import contents, fill, migrate, rows
from tests.browser.conftest import serving
from tests.rag.test_server_store import Server
from tests.ui.test_api import NOBODY_KNOWS, WHEN
from ui.backup import BackupError, backup, restore
from ui.cli import cli
from ui.journal import Journal, Rating

ROOT = Path(__file__).parents[2]
QUESTIONS = [
    WHEN["question"], NOBODY_KNOWS["question"], "What is LoRaWAN used for?", "Wann haben Wien und Krakau erneuert?",
    "Kiedy Kraków dołączył do Eurocities?",
]  # fmt: skip
RATED = Rating("Wann?", "de", helpful=False, comment="Veraltet.")


def _nothing(count):
    pass


def _assert_same_answers(copy, original):
    for question in QUESTIONS:
        found, wanted = copy.ask(question), original.ask(question)
        assert _numbers(found) == pytest.approx(_numbers(wanted), abs=1e-5)
        assert _without_numbers(found) == _without_numbers(wanted)


def _numbers(answer):
    return [answer.confidence, *(citation.score for citation in answer.citations)]


def _without_numbers(answer):
    cited = tuple(replace(citation, score=0.0) for citation in answer.citations)
    return replace(answer, confidence=0.0, timings_ms=None, citations=cited)


@pytest.fixture
def rebuilt(pristine_store, tmp_path):
    """An assistant over the original store whose index of tokens is computed anew, as that of a restored one is.

    In other batches bfloat16 rounds differently: scores then differ by 0.02, and of two equal quotes the other wins.
    """
    folder = shutil.copytree(pristine_store, tmp_path / "rebuilt")
    for file in folder.glob("tokens.sqlite*"):
        file.unlink()
    opened = Assistant.open(folder, Settings())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def original(pristine_store, tmp_path_factory):
    """Settings of a store with a data folder; tests only read it."""
    folder = tmp_path_factory.mktemp("original")
    shutil.copytree(pristine_store, folder / "store")
    settings = Settings(store=str(folder / "store"))
    Journal.of(settings).rate(RATED)
    uploads = folder / "store-data" / "uploads"
    uploads.mkdir()
    (uploads / "plan ä.txt").write_text("Der Plan.", "utf-8")
    return settings


@pytest.fixture(scope="module")
def file(original, tmp_path_factory):
    """A backup of it, taken by the command while a server answers."""
    file = tmp_path_factory.mktemp("backup") / "citycite.tar.gz"
    assistant = Assistant.open(settings=original)
    assistant.warm_up()
    with serving(assistant, original) as address:
        over, statuses = threading.Event(), []

        def ask():
            while not over.is_set():
                statuses.append(httpx.post(f"{address}/api/v1/ask", json=WHEN, timeout=30).json()["abstained"])

        asking = threading.Thread(target=ask)
        asking.start()
        done = subprocess.run(
            [sys.executable, "-m", "ui", "backup", str(file), "--store", original.store],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        over.set()
        asking.join()
    assistant.close()
    assert (done.returncode, statuses.count(False)) == (0, len(statuses)), done.stderr
    assert statuses
    assert done.stdout.startswith("backed up 1")
    return file


def test_a_backup_restored_elsewhere_answers_the_same(original, file, rebuilt, tmp_path):
    done = CliRunner().invoke(cli, ["restore", str(file), "--store", str(tmp_path / "new" / "store")])
    assert done.exit_code == 0, done.output
    restored = Settings(store=str(tmp_path / "new" / "store"))
    copy = Assistant.open(settings=restored)
    try:
        _assert_same_answers(copy, rebuilt)
        assert [asdict(item) for item in copy.documents()] == [asdict(item) for item in rebuilt.documents()]
        assert [copy.document(d.document_id) for d in copy.documents()] == [
            rebuilt.document(d.document_id) for d in rebuilt.documents()
        ]
    finally:
        copy.close()
    assert Journal.of(restored).badly_rated() == Journal.of(original).badly_rated() != []
    assert (tmp_path / "new" / "store-data" / "uploads" / "plan ä.txt").read_text("utf-8") == "Der Plan."


def test_a_backup_is_for_its_owner_alone_and_never_written_over(original, file):
    assert file.stat().st_mode & 0o077 == 0
    assert not file.with_name(file.name + ".part").exists()
    with pytest.raises(BackupError, match="there already"):
        backup(original, file, _nothing)


def test_a_backup_moves_a_store_to_a_server_and_back(file, rebuilt, tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    server = Server(tmp_path)
    try:
        there, home = ["--store", server.address], tmp_path / "home" / "store"
        remote = CliRunner(env={"CITYCITE_DATA": str(tmp_path / "data")})
        for runner, command, said in (
            (remote, ["restore", str(file), *there], "restored 1"),
            (remote, ["backup", str(tmp_path / "back.tar.gz"), *there], "backed up 1"),
            (CliRunner(), ["restore", str(tmp_path / "back.tar.gz"), "--store", str(home)], "restored 1"),
        ):
            done = runner.invoke(cli, command)
            assert (done.exit_code, done.stdout.startswith(said)) == (0, True), done.output
        assert (home.parent / "store-data" / "uploads" / "plan ä.txt").read_text("utf-8") == "Der Plan."
        for place in (server.address, home):
            copy = Assistant.open(place, Settings())
            _assert_same_answers(copy, rebuilt)
            copy.close()
        again = CliRunner(env={"CITYCITE_DATA": str(tmp_path / "other")}).invoke(cli, ["restore", str(file), *there])
        assert isinstance(again.exception, CityciteError)
        assert not (tmp_path / "other").exists()
        assert len(Store(server.address).records()) == len(rebuilt.documents())
    finally:
        server.kill()


def test_a_restore_writes_over_nothing(file, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mine").write_text("x")
    with pytest.raises(BackupError, match="there already"):
        restore(Settings(store=str(tmp_path / "store")), file, _nothing)
    (tmp_path / "other-data").mkdir()
    (tmp_path / "other-data" / "mine").write_text("x")
    with pytest.raises(BackupError, match="there already"):
        restore(Settings(store=str(tmp_path / "other")), file, _nothing)
    assert (tmp_path / "store" / "mine").read_text() == (tmp_path / "other-data" / "mine").read_text() == "x"


def _archive(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))


def _members(file):
    with tarfile.open(file) as archive:
        return [(member.name, archive.extractfile(member).read()) for member in archive]


def _changed_manifest(members, **changed):
    return [(name, json.dumps(json.loads(body) | changed).encode() if name == "manifest.json" else body)
            for name, body in members]  # fmt: skip


BROKEN = {
    "no file at all": (None, "There is no file"),
    "no archive": (lambda whole, members: b"nothing", "no backup of citycite"),
    "cut off": (lambda whole, members: whole[: len(whole) // 2], "damaged"),
    "a bit changed": (lambda whole, members: whole[:5000] + b"\xff\x00\xff" + whole[5003:], "damaged|incomplete"),
    "another archive": (lambda whole, members: [("a", b"b")], "begin with manifest.json"),
    "a newer format": (lambda whole, members: _changed_manifest(members, format=2), "newer than this one"),
    "a newer store": (lambda whole, members: _changed_manifest(members, schema_version=99), "newer than this one"),
    "documents missing": (lambda whole, members: [m for m in members if "documents" not in m[0]], "incomplete"),
    "an escaping file": (lambda whole, members: [*members, ("data/../../escaped", b"x")], "unexpected"),
    "a link": (lambda whole, members: [*members, ("data/link", None)], "unexpected"),
    "a pickle": (
        lambda whole, members: [(n, b"\x80\x04N." if n.endswith("npy") else b) for n, b in members], "damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(file, tmp_path, name):
    make, message = BROKEN[name]
    if make is not None:
        made = make(file.read_bytes(), _members(file))
        if isinstance(made, bytes):
            (tmp_path / "broken").write_bytes(made)
        else:
            _archive(tmp_path / "broken", made)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CityciteError, match=message) as caught:
        restore(Settings(store=str(tmp_path / "store")), tmp_path / "broken", _nothing)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_without_a_store_there_is_nothing_to_back_up(tmp_path):
    with pytest.raises(StoreError, match="There is no store"):
        backup(Settings(store=str(tmp_path / "none")), tmp_path / "f", _nothing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="no documents yet"):
        backup(Settings(store=str(tmp_path / "empty")), tmp_path / "f", _nothing)
    assert not list(tmp_path.glob("f*"))


SINCE_2 = ("type", "department", "fields", "published_from", "text_hash", "reading", "mail", "further", "groups")


@pytest.fixture
def older(original, tmp_path):
    """The store as version 1 had it, without what its records did not have yet."""
    store = Store(original.store)
    held, records = contents(store)
    batches = [
        replace(batch, metadatas=[{k: v for k, v in m.items() if k not in SINCE_2} for m in batch.metadatas])
        for batch in rows(store, records)
    ]
    store.close()
    made = Store(tmp_path / "older", any_version=True)
    fill(made, replace(held, schema_version=1), batches, _nothing)
    made.close()
    return tmp_path / "older"


def test_an_older_store_is_not_opened_silently_and_a_migration_keeps_all(older, rebuilt):
    for command in (["documents"], ["search", "Krakau"], ["remove", "x"]):
        done = CliRunner().invoke(cli, [*command, "--store", str(older)])
        assert isinstance(done.exception, StoreError), command
        assert f"citycite migrate --store {older}" in str(done.exception)
    with pytest.raises(StoreError, match="schema version 1"):
        Assistant.open(older, Settings())

    done = CliRunner().invoke(cli, ["migrate", "--store", str(older)])
    assert done.stdout == f"schema version 1 is now {SCHEMA_VERSION}\n"
    migrated = Assistant.open(older, Settings())
    try:
        _assert_same_answers(migrated, rebuilt)
        ours = rebuilt.store.records()
        for key, record in migrated.store.records().items():
            assert record["text_hash"] == ours[key]["text_hash"]
            assert set(record) == set(ours[key])
    finally:
        migrated.close()
    again = CliRunner().invoke(cli, ["migrate", "--store", str(older)])
    assert again.stdout == f"schema version {SCHEMA_VERSION}, as before\n"


def test_a_migration_that_was_cut_off_is_done_again(older, monkeypatch):
    store = Store(older, any_version=True)

    def cut_off(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("rag.transfer._set_version", cut_off)
        with pytest.raises(KeyboardInterrupt):
            migrate(store)
    store.close()
    with pytest.raises(StoreError, match="schema version 1"):
        Store(older).records()
    store = Store(older, any_version=True)
    assert migrate(store) == (1, SCHEMA_VERSION)
    store.close()


def test_a_newer_store_is_left_alone(older):
    store = Store(older, any_version=True)
    for name in (DOCUMENTS, PASSAGES):
        with store.client() as client:
            collection = client.get_collection(name, embedding_function=None)
            collection.modify(metadata=dict(collection.metadata) | {"schema_version": 99})
    for act in (store.records, lambda: migrate(store), lambda: contents(store)):
        with pytest.raises(StoreError, match=r"schema version 99.*Install the citycite that made it"):
            act()
    store.close()
