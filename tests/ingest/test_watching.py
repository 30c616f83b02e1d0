"""Folders that are watched, as a user meets it: another process, real files, real signals."""

from __future__ import annotations

import json
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.store import Store
from tests.ingest.test_workers import as_in_the_foreground
from ui.cli import cli

HALL = "Das Rathaus wurde am 4. Mai 1905 eröffnet."
# The first line waits for Python, torch and the model.
_PATIENCE = 90


class Watched:
    """A running `citycite ingest --watch`; `line` waits for what it prints."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ui", "ingest", str(folder), "--watch", "--json", "--store", str(store)],
            cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=as_in_the_foreground,
        )  # fmt: skip
        self._out: queue.Queue[str] = queue.Queue()
        self._err: queue.Queue[str] = queue.Queue()
        for stream, lines in ((self.process.stdout, self._out), (self.process.stderr, self._err)):
            threading.Thread(target=self._pass_on, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _pass_on(stream: object, lines: queue.Queue[str]) -> None:
        for line in stream:  # type: ignore[attr-defined]
            lines.put(line.rstrip())

    def change(self, patience: float = _PATIENCE) -> tuple[str, str]:
        """Return the next change: outcome and file name."""
        found = json.loads(self._out.get(timeout=patience))
        return found["outcome"], Path(found["source"]).name

    def warning(self, words: str) -> str:
        """Return the next line on stderr with these words."""
        while words not in (line := self._err.get(timeout=_PATIENCE)):
            pass
        return line

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "akten").mkdir()
    (tmp_path / "akten" / "rathaus.txt").write_text(HALL, "utf-8")
    running = Watched(tmp_path / "akten", tmp_path / "store")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_a_watched_folder_is_followed_until_the_watch_is_stopped(watched: Watched, tmp_path: Path) -> None:
    folder, store = tmp_path / "akten", tmp_path / "store"
    assert watched.change() == ("added", "rathaus.txt")
    (folder / "neu").mkdir()
    (folder / "neu" / "bad.txt").write_text("Das Bad ist offen.", "utf-8")
    assert watched.change() == ("added", "bad.txt")
    (folder / "rathaus.txt").rename(folder / "haus.txt")
    assert watched.change() == ("renamed", "haus.txt")
    (folder / "leer.txt").write_bytes(b"")
    assert "is empty" in watched.warning("leer.txt")
    # Between its own writing, the watch lets others write; while one does, it waits.
    other = Store(store)
    with other.writing(wait=_PATIENCE):
        (folder / "markt.txt").write_text("Der Markt ist am Samstag.", "utf-8")
        with pytest.raises(queue.Empty):
            watched.change(3)
        other.close()
    assert watched.change() == ("added", "markt.txt")
    # A folder that goes away takes no document with it, and is followed again once it is back.
    shutil.move(folder, tmp_path / "weg")
    watched.warning("is away")
    shutil.move(tmp_path / "weg", folder)
    (folder / "neu" / "bad.txt").unlink()
    assert watched.change() == ("removed", "bad.txt")
    (folder / "haus.txt").write_text(f"{HALL} Es ist hoch.", "utf-8")
    assert watched.change() == ("updated", "haus.txt")
    (folder / "markt.txt").unlink()
    assert watched.change() == ("removed", "markt.txt")
    (folder / "haus.txt").unlink()
    (folder / "leer.txt").unlink()
    watched.warning("is empty; documents")
    assert watched.stop(signal.SIGTERM) == 0
    assert watched.warning("Stopped") == "Stopped."
    opened = Store(store)
    assert sorted(Path(item.source).name for item in opened.summaries()) == ["haus.txt"]
    assert not list(opened.derived_folder.glob("*.part"))


def test_ctrl_c_ends_a_watch_that_has_not_begun_to_read(watched: Watched) -> None:
    watched.warning("Watching")
    assert watched.stop(signal.SIGINT) == 0
    assert watched.warning("Stopped") == "Stopped."


def test_only_folders_can_be_watched(tmp_path: Path) -> None:
    for given, more in (("fehlt", []), ("https://stadt.example/", []), (str(tmp_path), ["--dry-run"])):
        result = CliRunner().invoke(cli, ["ingest", given, "--watch", *more, "--store", str(tmp_path / "store")])
        assert result.exit_code != 0
        assert "no folder" in str(result.exception) or "give one of them" in str(result.exception)
    assert not (tmp_path / "store").exists()
