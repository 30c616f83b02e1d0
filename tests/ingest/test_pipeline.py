"""Ingest as a user meets it: counts, changes, pruning, and bad files that leave all others in place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.pipeline import IGNORE_FILE, Report, document_id, ingest, remove
from ingest.reading import Reader
from ingest.side_files import SideFiles
from ingest.workers import Workers
from rag import Assistant
from rag.errors import ModelError, StoreError
from rag.settings import Settings
from rag.store import Store

SETTINGS = Settings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "akten"
    (made / "presse").mkdir(parents=True)
    (made / "rathaus.txt").write_text(
        "Das Rathaus wurde am 4. Mai 1905 eröffnet.\n\nDer Turm ist 60 Meter hoch.", "utf-8"
    )
    (made / "presse" / "bad.md").write_text(
        "# Freibad\n\nDas Freibad öffnet am 15. Mai. Die Karte kostet 4 Euro.", "utf-8"
    )
    (made / "markt.html").write_text(
        "<html lang=de><head><title>Wochenmarkt</title></head><body><nav>Start Kontakt</nav><article>"
        "<h1>Wochenmarkt</h1>"
        "<p>Der Wochenmarkt findet jeden Samstag auf dem Neumarkt statt. Er beginnt um 7 Uhr und endet um 13 Uhr. "
        "Obst, Gemüse und Blumen kommen aus der Region.</p></article></body></html>",
        "utf-8",
    )
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def run(store: Store, *paths: object, prune: bool = False, force: bool = False) -> Report:
    return ingest([str(path) for path in paths], store, SETTINGS, prune=prune, force=force)


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed, report.failed


def test_a_folder_goes_in_and_a_second_time_costs_nothing(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counts(run(store, folder)) == (3, 0, 0, 0, 0)
    titles = {summary.title: summary for summary in store.summaries()}
    assert set(titles) >= {"Freibad", "Wochenmarkt"}
    assert all(summary.language == "de" and summary.published is None for summary in titles.values())
    monkeypatch.setattr("rag.embeddings.EmbeddingModel._load", lambda self: pytest.fail("the model was loaded"))
    assert counts(run(store, folder)) == (0, 0, 3, 0, 0)
    assert counts(run(store, folder, folder / "rathaus.txt", folder / "presse")) == (0, 0, 3, 0, 0)


def test_a_changed_file_replaces_its_old_passages(folder: Path, store: Store) -> None:
    run(store, folder)
    assistant = Assistant(store, SETTINGS)
    assert "1905" in assistant.ask("Wann wurde das Rathaus eröffnet?").citations[0].quote
    (folder / "rathaus.txt").write_text("Das Rathaus wurde am 9. Juni 1911 eröffnet.", "utf-8")
    assert counts(run(store, folder)) == (0, 1, 2, 0, 0)
    assert "1911" in assistant.ask("Wann wurde das Rathaus eröffnet?").citations[0].quote
    assert not [passage for passage in assistant.search("Rathaus 1905 eröffnet") if "1905" in passage.text]
    key = document_id((folder / "rathaus.txt").resolve())
    assert len(store.records_of([key])) == 1


def test_prune_takes_out_what_is_gone_under_the_folder_alone(folder: Path, store: Store) -> None:
    run(store, folder)
    (folder / "rathaus.txt").unlink()
    (folder / "presse" / "bad.md").unlink()
    assert counts(run(store, folder)) == (0, 0, 1, 0, 0)
    assert len(store.records()) == 3
    assert counts(run(store, folder / "presse", prune=True, force=True)) == (0, 0, 0, 1, 0)
    assert counts(run(store, folder, prune=True)) == (0, 0, 1, 1, 0)
    assert [summary.title for summary in store.summaries()] == ["Wochenmarkt"]


def test_an_ignore_file_and_unknown_formats(folder: Path, store: Store) -> None:
    (folder / IGNORE_FILE).write_text("presse/\n*.html\n")
    (folder / "tabelle.xyz").write_text("1;2")
    (folder / ".versteckt.txt").write_text("Nicht lesen.")
    report = run(store, folder)
    assert counts(report) == (1, 0, 0, 0, 0)
    assert [Path(name).name for name in report.skipped] == ["tabelle.xyz"]
    assert counts(run(store, folder / "tabelle.xyz"))[4] == 1


def _bad_files(folder: Path) -> dict[str, tuple[bytes, str]]:
    return {
        "leer.txt": (b"", "empty"),
        "blank.txt": (b" \n\t\n ", "empty|no text|blank"),
        "binaer.txt": (bytes(range(256)) * 20, "binary|not text|no text"),
        "kaputt.pdf": (b"%PDF-1.7\nkaputt", "PDF"),
        "keins.pdf": (b"Ich bin kein PDF.", "PDF"),
        "verkleidet.txt": (b"PK\x03\x04" + bytes(200), "binary|not text|zip|ZIP"),
    }


def test_bad_files_are_named_and_all_others_go_in(folder: Path, store: Store) -> None:
    bad = _bad_files(folder)
    for name, (content, _) in bad.items():
        (folder / name).write_bytes(content)
    report = run(store, folder, folder / "gibt-es-nicht.txt", "https://nirgends.invalid/seite")
    assert counts(report) == (3, 0, 0, 0, len(bad) + 2)
    reasons = {Path(failure.source).name: failure.reason for failure in report.failures}
    for name, (_, words) in bad.items():
        assert any(word in reasons[name] for word in words.split("|")), reasons[name]
        assert "\n" not in reasons[name]
        assert "Traceback" not in reasons[name]
    assert "no such file" in reasons["gibt-es-nicht.txt"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, store: Store, encoding: str) -> None:
    text = "Die Größe des Gebäudes beträgt 300 m². Für Bürgerinnen und Bürger öffnet es täglich um acht Uhr früh."
    (tmp_path / "text.txt").write_bytes(text.encode(encoding))
    assert counts(run(store, tmp_path / "text.txt"))[0] == 1
    assert next(iter(store.documents(list(store.records())).values())).text == text


def test_a_file_that_breaks_later_keeps_its_older_version(folder: Path, store: Store) -> None:
    run(store, folder)
    (folder / "rathaus.txt").write_bytes(b"")
    assert counts(run(store, folder)) == (0, 0, 2, 0, 1)
    assert "1905" in Assistant(store, SETTINGS).ask("Wann wurde das Rathaus eröffnet?").citations[0].quote


def test_a_file_that_is_too_large_is_named(folder: Path, store: Store) -> None:
    (folder / "gross.txt").write_bytes(b"Ein Satz. " * 200_000)
    report = ingest([str(folder / "gross.txt")], store, Settings(max_file_mb=1))
    assert "2 MB; at most 1" in report.failures[0].reason


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read and write anything; as nobody, permissions count."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_unreadable_file_is_named(folder: Path, store: Store) -> None:
    run(store, folder / "markt.html")
    (folder / "rathaus.txt").chmod(0)
    for parent in [folder, *folder.parents]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    report = Report()
    with as_nobody(), Workers(SETTINGS) as workers:
        assert Reader({}, SideFiles(), SETTINGS, report, workers).read(folder / "rathaus.txt") == []
    assert "Permission denied" in report.failures[0].reason


def test_a_read_only_store_is_named_and_unharmed(folder: Path, store: Store) -> None:
    run(store, folder)
    store.close()
    place = Path(store.location)
    for parent in place.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    place.chmod(0o555)
    for file in place.rglob("*"):
        file.chmod(0o555 if file.is_dir() else 0o444)
    with as_nobody(), pytest.raises(StoreError, match="read-only for this user"):
        run(Store(place), folder)
    for file in [place, *place.rglob("*")]:
        file.chmod(0o755)
    assert len(Store(place).records()) == 3


def test_a_store_of_another_model_stays_as_it_is(folder: Path, store: Store) -> None:
    run(store, folder)
    with pytest.raises(ModelError, match="was made with"):
        ingest([str(folder)], store, Settings(embedding_model="/anderes/modell"))
    assert len(store.records()) == 3


def test_remove_names_what_was_not_there(folder: Path, store: Store) -> None:
    run(store, folder)
    key = next(iter(store.records()))
    assert remove([key, "fehlt"], store, SETTINGS) == ["fehlt"]
    assert key not in store.records()


def test_a_killed_ingest_leaves_whole_documents_and_the_next_one_finishes(folder: Path, store: Store) -> None:
    for number in range(40):
        (folder / f"akte-{number:02d}.txt").write_text(
            f"Vorgang {number}. " + "Der Rat hat beschlossen. " * 60, "utf-8"
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "ui", "ingest", str(folder), "--store", store.location],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not _has_records(store) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    store.close()
    for key, document in store.documents(list(store.records())).items():
        passages = store.passages([f"{key}:{store.records()[key]['version']}:0"])
        assert all(p.text == document.text[p.start : p.end] for p in passages.values())
    report = run(store, folder)
    assert report.added + report.unchanged == 43
    assert not report.failures
    from rag.store import PASSAGES

    expected = sum(int(record["passages"]) for record in store.records().values())
    assert store._collection(PASSAGES).count() == expected


def _has_records(store: Store) -> bool:
    store.close()
    try:
        return bool(store.records())
    except StoreError:  # the other process is just making it
        return False


def test_a_running_reader_answers_from_new_documents(folder: Path, store: Store) -> None:
    run(store, folder)
    assistant = Assistant(Store(store.location), SETTINGS)
    assert not [passage for passage in assistant.search("Hallenbad September") if "Hallenbad" in passage.text]
    (folder / "halle.txt").write_text("Das Hallenbad öffnet am 3. September 2024 um 6 Uhr.", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ui", "ingest", str(folder), "--store", store.location],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("added 1"), done.stderr
    assert "3. September 2024" in assistant.ask("Wann öffnet das Hallenbad?").citations[0].quote
