"""`--prune` where a share is away, wholly or in part: what cannot be told from deleted files stays."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.files import files_in
from ingest.pipeline import ingest
from ingest.reading import Report
from rag.embeddings import EmbeddingModel
from rag.settings import Settings
from rag.store import Store
from ui.cli import cli

SETTINGS = Settings()
NAMES = ("bad", "haus", "markt", "park", "rat")


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel(SETTINGS)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    made = tmp_path / "freigabe"
    (made / "amt").mkdir(parents=True)
    for name in NAMES:
        folder = made / "amt" if name in ("park", "rat") else made
        (folder / f"{name}.txt").write_text(f"Der Vorgang heißt {name} und ist beraten.", "utf-8")
    return made


@pytest.fixture
def store(tmp_path: Path, share: Path, model: EmbeddingModel) -> Store:
    made = Store(tmp_path / "store")
    assert ingest([str(share)], made, SETTINGS, model=model).added == len(NAMES)
    return made


def stored(store: Store) -> list[str]:
    return sorted(Path(item.source).stem for item in store.summaries())


def prune(store: Store, *paths: Path, force: bool = False, dry_run: bool = False) -> Report:
    return ingest([str(path) for path in paths], store, SETTINGS, prune=True, force=force, dry_run=dry_run)


def only_failure(report: Report) -> tuple[str, str]:
    assert len(report.failures) == 1
    assert "\n" not in report.failures[0].reason
    return report.failures[0].source, report.failures[0].reason


def test_a_folder_that_is_missing_takes_no_document_with_it(share: Path, store: Store) -> None:
    (share / "leer.txt").write_bytes(b"")
    ingest([str(share)], store, SETTINGS)
    shutil.move(share, share.with_name("weg"))
    for force, dry_run in ((False, True), (False, False), (True, False)):
        report = prune(store, share, force=force, dry_run=dry_run)
        source, reason = only_failure(report)
        assert source == str(share)
        assert "no such file or folder; what is stored from it stays" in reason
        assert report.removed == 0
    # The same of a file in it, and of one folder among several; what is known of unread files stays as well.
    assert prune(store, share / "bad.txt", force=True).removed == 0
    assert prune(store, share, share.with_name("weg") / "amt", force=True).removed == 0
    store.close()
    listed = CliRunner().invoke(cli, ["coverage", "--json", "--store", store.location])
    assert {"leer.txt", "bad.txt"} <= {Path(item["source"]).name for item in json.loads(listed.stdout)["sources"]}
    shutil.move(share.with_name("weg"), share)
    (share / "leer.txt").unlink()
    report = prune(store, share)  # all are found again where they were
    assert (report.removed, stored(store)) == (0, sorted(NAMES))
    # A folder that was moved keeps its documents; one that is gone for good goes with the folder that it was in.
    shutil.move(share, share.with_name("neu"))
    assert prune(store, share, share.with_name("neu")).renamed == len(NAMES)
    shutil.rmtree(share.with_name("neu"))
    assert prune(store, share.with_name("neu"), force=True).removed == 0
    assert prune(store, share.parent, force=True).removed == len(NAMES)


def test_a_folder_that_is_suddenly_empty_is_pruned_only_when_that_is_confirmed(share: Path, store: Store) -> None:
    shutil.rmtree(share)
    share.mkdir()
    arguments = ["ingest", str(share), "--prune", "--store", store.location]
    store.close()
    refused = CliRunner().invoke(cli, arguments)
    assert refused.exit_code == 1
    assert f"failed: {share}: all 5 files stored from it are gone; nothing of it is taken out." in refused.stderr
    assert "--prune --force" in refused.stderr
    assert refused.stdout == "added 0, updated 0, unchanged 0, removed 0, failed 1\n"
    assert stored(store) == sorted(NAMES)
    store.close()
    # That the folder has lost files is no source that could not be read.
    covered = CliRunner().invoke(cli, ["coverage", "--json", "--store", store.location])
    assert json.loads(covered.stdout)["totals"]["states"] == {"searchable": len(NAMES)}
    assert prune(store, share, force=True, dry_run=True).removed == len(NAMES)
    assert stored(store) == sorted(NAMES)
    assert prune(store, share, force=True).removed == len(NAMES)
    assert stored(store) == []


def test_more_than_half_of_a_folder_is_pruned_only_when_that_is_confirmed(share: Path, store: Store) -> None:
    for name in ("bad", "haus", "markt"):
        (share / f"{name}.txt").unlink()
    # What came in just now does not hide how much is gone.
    for number in range(6):
        (share / f"neu-{number}.txt").write_text(f"Neu ist Nummer {number}.", "utf-8")
    report = prune(store, share)
    assert "3 of the 5 files stored from it are gone, more than half" in only_failure(report)[1]
    assert (report.added, report.removed) == (6, 0)
    assert set(NAMES) < set(stored(store))
    # The next run knows eleven, of which three are less than half.
    assert prune(store, share).removed == 3
    # A part of the share that is away is looked at by itself where it is named by itself.
    shutil.rmtree(share / "amt")
    (share / "amt").mkdir()
    assert only_failure(prune(store, share / "amt", share))[0] == str(share / "amt")
    assert {"park", "rat"} < set(stored(store))


def test_up_to_half_goes_at_once_and_renamed_files_are_not_gone(share: Path, store: Store) -> None:
    for name in ("haus", "markt"):
        (share / f"{name}.txt").rename(share / f"{name}-2024.txt")
    for name in ("bad", "amt/park"):
        (share / f"{name}.txt").unlink()
    report = prune(store, share)
    assert (report.failed, report.renamed, report.removed) == (0, 2, 2)
    assert stored(store) == ["haus-2024", "markt-2024", "rat"]


def test_force_needs_prune_and_no_watch(tmp_path: Path) -> None:
    for options in (["--force"], ["--watch", "--force"]):
        result = CliRunner().invoke(cli, ["ingest", str(tmp_path), *options, "--store", str(tmp_path / "store")])
        assert "--prune" in str(result.exception)
        assert not (tmp_path / "store").exists()


def test_what_cannot_be_listed_is_named_and_the_rest_is_read(share: Path, tmp_path: Path) -> None:
    circle = tmp_path / "kreis"
    circle.symlink_to(circle)
    os.mkfifo(share / "rohr.txt")
    report = Report()
    found = list(
        files_in(
            [str(circle), str(tmp_path / ("x" * 300)), str(share), str(share / "bad.txt"), str(share / "rohr.txt")],
            report,
        )
    )
    assert [file.stem for file in found] == ["park", "rat", "bad", "haus", "markt"]
    assert [failure.source for failure in report.failures] == [
        str(circle), str(tmp_path / ("x" * 300)), str(share / "rohr.txt"),
    ]  # fmt: skip
    assert ["stays" in failure.reason for failure in report.failures] == [True, True, False]
