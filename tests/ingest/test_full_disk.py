"""A disk that is full: nothing stored is lost, one line says so, and the next run goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Root in a namespace of its own may mount a small disk; some systems do not let everybody make one.
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
RUN = """
import json, subprocess, sys
from pathlib import Path
from ingest.pipeline import ingest
from rag.embeddings import EmbeddingModel
from rag.errors import StoreError
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store

folder, disk = map(Path, sys.argv[1:])
settings = Settings()
model = EmbeddingModel(settings)

def run():
    store = Store(disk / "store")
    try:
        said = ingest([str(folder)], store, settings, model=model).line()
    except StoreError as error:
        said = f"failed: {error}"
    store.close()
    return said

def mount(*options):
    subprocess.run(["mount", *options, str(disk)], check=True)

def texts():
    store = Store(disk / "store")
    found = {Path(item.source).name: item.text for item in store.documents(list(store.records())).values()}
    store.close()
    return found

def write(numbers):
    for number in numbers:
        (folder / f"{number:03d}.txt").write_text(f"Vorgang {number} wurde am 3. Mai beraten.", "utf-8")

found = []
mount("-t", "tmpfs", "-o", "size=400m", "tmpfs")
write(range(20))
run()
write(range(40))
mount("-o", "remount,size=60m")
found.append((run(), texts()))
answer = Assistant.open(disk / "store", settings).ask("Wann wurde Vorgang 7 beraten?")
found.append(("", {c.document_id: c.quote for c in answer.citations}))
mount("-o", "remount,size=400m")
found.append((run(), texts()))
print(json.dumps(found))
"""


def can_mount(folder: Path) -> bool:
    command = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk_loses_nothing_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder, disk = tmp_path / "akten", tmp_path / "disk"
    folder.mkdir()
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("this system lets nobody mount a small disk")
    command = [*NAMESPACE, sys.executable, "-c", RUN, str(folder), str(disk)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (full, first), (_, quotes), (whole, last) = json.loads(done.stdout)
    assert "MB left on the disk of" in full
    assert "Nothing that was stored is lost: make room, and run the same again" in full
    assert "\n" not in full
    assert sorted(first) == [f"{number:03d}.txt" for number in range(20)]
    assert "Vorgang 7 wurde am 3. Mai beraten." in quotes.values()
    assert whole == "added 20, updated 0, unchanged 20, removed 0, failed 0"
    assert first.items() < last.items()
    assert len(last) == 40
