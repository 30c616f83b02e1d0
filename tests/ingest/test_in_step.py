"""Renamed files, copies, and runs that only say what they would do."""

from __future__ import annotations

import gc
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.pipeline import Report, ingest, remove
from rag import Assistant
from rag.embeddings import EmbeddingModel
from rag.schema import Filters
from rag.settings import Settings
from rag.store import PASSAGES, Store
from tests.ingest.test_pipeline_attachments import written
from ui.cli import cli
from ui.models import DocumentBody, DocumentSummaryBody

SETTINGS = Settings()
BATH = "Das Freibad öffnet am 15. Mai. Die Karte kostet 4 Euro."
HALL = "Das Rathaus wurde am 4. Mai 1905 eröffnet."


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel(SETTINGS)


@pytest.fixture(autouse=True)
def embedded(model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Load the model once for all ingests of this file; note which texts are embedded."""
    texts: list[str] = []
    encode = model.encode_passages

    def noting(given: list[str], contexts: list[str]) -> object:
        texts.extend(given)
        return encode(given, contexts)

    for module in ("ingest.pipeline", "rag.pipeline"):
        monkeypatch.setattr(f"{module}.EmbeddingModel", lambda settings: model)
    monkeypatch.setattr(model, "encode_passages", noting)
    return texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "akten").mkdir()
    return tmp_path / "akten"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def run(store: Store, *paths: object, prune: bool = False, force: bool = False, dry_run: bool = False) -> Report:
    seen: list[tuple[int, int]] = []
    report = ingest(
        [str(path) for path in paths], store, SETTINGS, prune=prune, force=force, dry_run=dry_run,
        progress=lambda *step: seen.append(step),
    )  # fmt: skip
    assert all(done <= total for total, done in seen)
    assert seen[-1][0] == seen[-1][1]
    return report


def changes(report: Report, folder: Path) -> set[tuple[str, ...]]:
    """Return outcome, source and other source of each change, the names without the folder."""
    return {
        (change.outcome, *(str(name).removeprefix(f"{folder}/") for name in (change.source, change.other) if name))
        for change in report.changes
    }


def stored(store: Store, folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the sources of each document; its passages are those of its record and no others."""
    records = store.records()
    if records:
        expected = sum(int(record["passages"]) for record in records.values())
        assert store._collection(PASSAGES).count() == expected
    return {
        item.document_id: tuple(source.removeprefix(f"{folder}/") for source in item.sources)
        for item in store.summaries()
    }


def written_files(*places: Path) -> dict[str, str]:
    return {
        str(file): f"{file.stat().st_mtime_ns} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for place in places for file in place.rglob("*") if file.is_file()
    }  # fmt: skip


# --- Runs that write nothing ------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_loads_no_model(
    folder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("bad.txt", BATH),
        ("rathaus.txt", HALL),
        ("alt.txt", "Das Archiv ist zu."),
        ("weg.txt", "Weg."),
    ):
        (folder / name).write_text(text, "utf-8")
    with monkeypatch.context() as patched:
        patched.setattr("ingest.pipeline.EmbeddingModel", EmbeddingModel)  # none that is loaded
        patched.setattr("rag.embeddings.EmbeddingModel._load", lambda self: pytest.fail("the model was loaded"))
        report = run(store, folder, dry_run=True)
        assert (report.added, report.failed) == (4, 0)
        assert not Path(store.location).exists()
    run(store, folder)
    store.close()
    (folder / "rathaus.txt").write_text(f"{HALL} Der Turm ist 60 Meter hoch.", "utf-8")
    (folder / "alt.txt").rename(folder / "archiv.txt")
    (folder / "kopie.txt").write_text(BATH, "utf-8")
    (folder / "neu.txt").write_text("Neues vom Amt.", "utf-8")
    (folder / "leer.txt").write_bytes(b"")
    (folder / "weg.txt").unlink()
    gc.collect()  # closes the token index of the run before, which tidies its files
    before = written_files(tmp_path)
    monkeypatch.setattr("ingest.pipeline.EmbeddingModel", EmbeddingModel)
    monkeypatch.setattr("rag.embeddings.EmbeddingModel._load", lambda self: pytest.fail("the model was loaded"))
    arguments = ["ingest", str(folder), "--dry-run", "--store", store.location]
    result = CliRunner().invoke(cli, [*arguments, "--prune", "--json"], catch_exceptions=False)
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    outcomes = {(change["outcome"], Path(change["source"]).name) for change in said["changes"]}
    assert outcomes == {
        ("added", "neu.txt"), ("updated", "rathaus.txt"), ("renamed", "archiv.txt"), ("duplicate", "kopie.txt"),
        ("unchanged", "bad.txt"), ("removed", "weg.txt"),
    }  # fmt: skip
    assert [Path(failure["source"]).name for failure in said["failures"]] == ["leer.txt"]
    assert written_files(tmp_path) == before
    shown = CliRunner().invoke(cli, arguments).stdout
    assert f"renamed: {folder}/archiv.txt (was {folder}/alt.txt)" in shown.splitlines()
    monkeypatch.undo()
    done = run(Store(store.location), folder, prune=True)
    assert {(change.outcome, Path(change.source).name) for change in done.changes} == outcomes


# --- Renames ----------------------------------------------------------------------------------------------------------


def test_a_renamed_file_keeps_its_document(folder: Path, store: Store, embedded: list[str]) -> None:
    (folder / "bad.txt").write_text(BATH, "utf-8")
    run(store, folder)
    key = next(iter(stored(store, folder)))
    version = store.records()[key]["version"]
    (folder / "neu").mkdir()
    (folder / "bad.txt").rename(folder / "neu" / "freibad.txt")
    embedded.clear()
    generation = store.generation
    report = run(store, folder)
    assert (report.renamed, report.added, report.removed) == (1, 0, 0)
    assert changes(report, folder) == {("renamed", "neu/freibad.txt", "bad.txt")}
    assert stored(store, folder) == {key: ("neu/freibad.txt",)}
    assert store.records()[key]["version"] == version
    assert embedded == []
    assert store.generation != generation
    assert Assistant(store, SETTINGS).ask("Wann öffnet das Freibad?").citations[0].source.endswith("neu/freibad.txt")
    assert changes(run(store, folder, prune=True), folder) == {("unchanged", "neu/freibad.txt")}
    # A new file where the old one was is another document.
    (folder / "bad.txt").write_text("Das Hallenbad bleibt zu.", "utf-8")
    assert changes(run(store, folder), folder) == {("unchanged", "neu/freibad.txt"), ("added", "bad.txt")}
    found = stored(store, folder)
    assert found[key] == ("neu/freibad.txt",)
    assert sorted(found.values()) == [("bad.txt",), ("neu/freibad.txt",)]
    (folder / "bad.txt").write_text("Das Hallenbad ist offen.", "utf-8")
    assert changes(run(store, folder), folder) == {("unchanged", "neu/freibad.txt"), ("updated", "bad.txt")}
    assert set(stored(store, folder)) == set(found)


def test_a_file_that_only_looks_renamed_is_new(folder: Path, store: Store) -> None:
    (folder / "a.txt").write_text("# Satzung\n\nText.", "utf-8")
    run(store, folder)
    (folder / "a.txt").rename(folder / "a.md")  # another loader, another text
    report = run(store, folder)
    assert changes(report, folder) == {("added", "a.md")}
    assert sorted(stored(store, folder).values()) == [("a.md",), ("a.txt",)]
    assert changes(run(store, folder, prune=True), folder) == {("unchanged", "a.md"), ("removed", "a.txt")}


def test_attachments_follow_their_renamed_mail(folder: Path, store: Store, embedded: list[str]) -> None:
    mail = written(folder / "anfrage!1.eml", {"a.txt": BATH, "b.txt": HALL})
    run(store, folder)
    before = stored(store, folder)
    mail.rename(folder / "antwort.eml")
    embedded.clear()
    report = run(store, folder, prune=True)
    assert (report.renamed, report.removed, report.added) == (3, 0, 0)
    assert stored(store, folder) == {
        key: tuple(name.replace("anfrage!1.eml", "antwort.eml") for name in names) for key, names in before.items()
    }
    assert embedded == []
    written(folder / "antwort.eml", {"a.txt": f"{BATH} Hunde bleiben draußen."})
    assert changes(run(store, folder), folder) == {
        ("updated", "antwort.eml"), ("updated", "antwort.eml!a.txt"), ("removed", "antwort.eml!b.txt"),
    }  # fmt: skip
    assert set(stored(store, folder)) < set(before)
    (folder / "antwort.eml").unlink()
    assert run(store, folder, prune=True, force=True).removed == 2
    assert stored(store, folder) == {}


# --- Copies -----------------------------------------------------------------------------------------------------------


def test_copies_are_one_document_with_several_sources(folder: Path, store: Store, embedded: list[str]) -> None:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(BATH, "utf-8")
    (folder / "c.md").write_text(BATH, "utf-8")
    report = run(store, folder)
    assert changes(report, folder) == {
        ("added", "a.txt"),
        ("duplicate", "b.txt", "a.txt"),
        ("duplicate", "c.md", "a.txt"),
    }
    assert embedded == [BATH]
    found = stored(store, folder)
    assert list(found.values()) == [("a.txt", "b.txt", "c.md")]
    key = next(iter(found))
    assert len(Assistant(store, SETTINGS).search("Freibad")) == 1
    shown = CliRunner().invoke(cli, ["show", key, "--store", store.location]).stdout
    assert [line for line in shown.splitlines() if line.startswith("also in: ")] == [
        f"also in: {folder}/b.txt", f"also in: {folder}/c.md",
    ]  # fmt: skip
    summary = DocumentSummaryBody.model_validate(store.summaries()[0])
    for body in (DocumentBody.model_validate(store.document(key)), summary):
        assert body.sources == [f"{folder}/{name}" for name in ("a.txt", "b.txt", "c.md")]
    chosen = Assistant(store, SETTINGS).search("Freibad", filters=Filters(source="/C.MD"))
    assert [passage.document_id for passage in chosen] == [key]
    assert Counter(change.outcome for change in run(store, folder).changes) == {"unchanged": 3}
    # The first goes; the document stays as it is, with the next one as its source.
    (folder / "a.txt").unlink()
    assert run(store, folder).removed == 0
    assert ("removed", "a.txt") in changes(run(store, folder, prune=True), folder)
    assert stored(store, folder) == {key: ("b.txt", "c.md")}
    assert Assistant(store, SETTINGS).ask("Wann öffnet das Freibad?").citations[0].source.endswith("b.txt")
    # One changes, and becomes a document of its own.
    (folder / "b.txt").write_text(HALL, "utf-8")
    assert changes(run(store, folder), folder) == {("updated", "b.txt"), ("unchanged", "c.md")}
    found = stored(store, folder)
    assert found[key] == ("c.md",)
    assert sorted(found.values()) == [("b.txt",), ("c.md",)]
    # And becomes a copy again: its own document goes.
    (folder / "b.txt").write_text(BATH, "utf-8")
    assert changes(run(store, folder), folder) == {("duplicate", "b.txt", "c.md"), ("unchanged", "c.md")}
    assert stored(store, folder) == {key: ("c.md", "b.txt")}
    assert embedded == [BATH, HALL]
    for name in ("b.txt", "c.md"):
        (folder / name).unlink()
    assert run(store, folder, prune=True, force=True).removed == 2
    assert stored(store, folder) == {}


def test_an_attachment_that_is_also_a_file_outlives_its_mail(folder: Path, store: Store) -> None:
    mail = written(folder / "a.eml", {"plan.txt": BATH, "notiz.txt": HALL})
    (folder / "plan.txt").write_text(BATH, "utf-8")
    report = run(store, folder)
    assert ("duplicate", "plan.txt", "a.eml!plan.txt") in changes(report, folder)
    assert Counter(change.outcome for change in run(store, folder).changes) == {"unchanged": 4}
    keys = {names: key for key, names in stored(store, folder).items()}
    mail.unlink()
    assert run(store, folder, prune=True).removed == 3
    assert stored(store, folder) == {keys[("a.eml!plan.txt", "plan.txt")]: ("plan.txt",)}


def test_removing_a_mail_leaves_what_is_also_a_file(folder: Path, store: Store) -> None:
    written(folder / "a.eml", {"plan.txt": BATH, "notiz.txt": HALL})
    (folder / "plan.txt").write_text(BATH, "utf-8")
    run(store, folder)
    keys = {names: key for key, names in stored(store, folder).items()}
    store.close()
    result = CliRunner().invoke(cli, ["remove", keys[("a.eml",)], "--json", "--store", store.location])
    assert set(json.loads(result.stdout)["removed"]) == {keys[("a.eml",)], keys[("a.eml!notiz.txt",)]}
    assert set(stored(Store(store.location), folder)) == {keys[("a.eml!plan.txt", "plan.txt")]}


def test_what_side_files_say_keeps_copies_apart(folder: Path, store: Store) -> None:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(BATH, "utf-8")
    (folder / "b.meta.json").write_text('{"department": "Bäderamt"}', "utf-8")
    run(store, folder)
    assert sorted(stored(store, folder).values()) == [("a.txt",), ("b.txt",)]
    (folder / "b.meta.json").unlink()
    assert changes(run(store, folder), folder) == {("unchanged", "a.txt"), ("duplicate", "b.txt", "a.txt")}
    assert sorted(stored(store, folder).values()) == [("a.txt", "b.txt")]


def test_files_that_swap_their_texts_keep_the_documents(folder: Path, store: Store, embedded: list[str]) -> None:
    (folder / "a.txt").write_text(BATH, "utf-8")
    (folder / "b.txt").write_text(HALL, "utf-8")
    run(store, folder)
    before = {names: key for key, names in stored(store, folder).items()}
    embedded.clear()
    (folder / "a.txt").write_text(HALL, "utf-8")
    (folder / "b.txt").write_text(BATH, "utf-8")
    run(store, folder)
    assert stored(store, folder) == {before[("b.txt",)]: ("a.txt",), before[("a.txt",)]: ("b.txt",)}
    assert embedded == []


def test_a_source_left_in_two_documents_by_a_killed_run_is_settled(folder: Path, store: Store) -> None:
    (folder / "a.txt").write_text(BATH, "utf-8")
    (folder / "b.txt").write_text(HALL, "utf-8")
    run(store, folder)
    before = {names: key for key, names in stored(store, folder).items()}
    from rag.records import Source, sources_of

    records = store.records()
    kept, left = before[("a.txt",)], before[("b.txt",)]
    (moved,) = sources_of(records[left])
    with store.writing():
        store.set_sources({kept: [*sources_of(records[kept]), Source(moved.source, "an older hash")]})
    assert sorted(stored(store, folder).values()) == [("a.txt", "b.txt"), ("b.txt",)]
    run(store, folder)
    assert stored(store, folder) == {kept: ("a.txt",), left: ("b.txt",)}


def test_what_was_removed_by_hand_comes_back(folder: Path, store: Store) -> None:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(BATH, "utf-8")
    run(store, folder)
    key = next(iter(stored(store, folder)))
    assert remove([key], store, SETTINGS) == []
    assert changes(run(store, folder), folder) == {("added", "a.txt"), ("duplicate", "b.txt", "a.txt")}
    assert stored(store, folder) == {key: ("a.txt", "b.txt")}


# --- Documents of any length ------------------------------------------------------------------------------------------


def test_a_long_document_is_embedded_in_parts(folder: Path, store: Store, model: EmbeddingModel) -> None:
    numbers = range(100)
    (folder / "plan.md").write_text("\n\n".join(f"# Punkt {n}\n\nEr kostet {n} Euro." for n in numbers), "utf-8")
    parts, encode = [], model.encode_passages

    def counting(texts: list[str], contexts: list[str]) -> object:
        parts.append(len(texts))
        return encode(texts, contexts)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(model, "encode_passages", counting)
        patched.setattr("ingest.writing.BLOCK", 5)
        run(store, folder)
    assert len(parts) > 2
    assert set(parts[:-1]) == {5}
    assert sum(parts) == next(iter(store.summaries())).passages
    for number in (3, 50, 99):
        found = Assistant(store, SETTINGS).search(f"Was kostet Punkt {number}?", 5)
        assert any(f"Er kostet {number} Euro." in passage.text for passage in found)
