"""Names of files that would break lines or steer the terminal: shown escaped, kept as they are in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ["zeile\nfailed: andere.txt", "\x1b[31mrot\x1b[0m", "a\r..\\..%2e%2e", "\u202etxt.exe", "tab\tb"]


@pytest.mark.parametrize("as_json", [False, True])
def test_names_stay_on_one_line(tmp_path: Path, as_json: bool) -> None:
    folder = tmp_path / "akten"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.txt").write_bytes(b"")
        (folder / f"{name}.xyz").write_bytes(b"")
    (folder / "latin-\udcff.txt").write_text("Das Rathaus wurde am 4. Mai 1905 eröffnet.", "utf-8")
    command = [sys.executable, "-m", "ui", "ingest", str(folder), "--store", str(tmp_path / "store")]
    done = subprocess.run(
        command + ["--json"] * as_json, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.split("\n") if line.startswith(("failed:", "skipped:"))]
    assert len(lines) == 2 * len(NAMES) + 1
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if r"latin-\udcff.txt: has a name that is not UTF-8" in line]
    assert any(r"zeile\nfailed: andere.txt" in line for line in lines)
    if as_json:
        sources = {failure["source"] for failure in json.loads(done.stdout)["failures"]}
        assert sources == {f"{folder}/{name}.txt" for name in [*NAMES, "latin-\udcff"]}
