"""Peak memory of an ingest, children included: python -m tests.bench.memory [PASSAGES]. Default: 10,000.

Runs `citycite ingest` on files of mixed sizes made for it, and reads from /proc, ten times a second, what all its
processes hold: the sum of what each holds alone or shares (PSS), so that nothing is counted twice.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = "Rat Haushalt Beschluss Straße Bürger Schule Verkehr Klima Planung Antrag Ausschuss Fläche Kosten Jahr".split()
# A passage has about so many characters.
PASSAGE = 900


def make(folder: Path, passages: int) -> int:
    """Write files that give about so many passages: mostly small ones, some of 100 passages, a few of 1,000."""
    chance, left, number = random.Random(1), passages, 0
    while left > 0:
        size = min(left, chance.choices((1, 4, 20, 100, 1000), (40, 40, 15, 4, 0.4))[0])
        sentences = [
            f"Vorgang {number} Punkt {at}: {' '.join(chance.choices(WORDS, k=12))} wurde am 3. Mai beraten."
            for at in range(size * PASSAGE // 130)
        ]
        (folder / f"akte-{number:05}.txt").write_text("\n\n".join(sentences), "utf-8")
        left, number = left - size, number + 1
    return number


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, directly or not."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def held(pid: int) -> int:
    """Return the bytes that a process holds, of what it shares its part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def measure(folder: Path, store: Path) -> tuple[int, int, float]:
    """Return the peak of all processes, that of the first alone, and the seconds that the ingest took."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "ui", "ingest", str(folder), "--store", str(store)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    together, alone = 0, 0
    while process.poll() is None:
        try:
            sizes = [held(pid) for pid in family(process.pid)]
        except (FileNotFoundError, ProcessLookupError, PermissionError, StopIteration):
            continue  # one has just ended
        together, alone = max(together, sum(sizes)), max(alone, sizes[0])
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"the ingest ended with {process.returncode}")
    return together, alone, time.perf_counter() - begun


def main(passages: int) -> None:
    """Print the peak for two sizes, which tells whether it grows with the corpus."""
    for count in (passages // 4, passages):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "akten"
            folder.mkdir()
            files = make(folder, count)
            together, alone, seconds = measure(folder, Path(place) / "store")
            print(
                f"about {count} passages in {files} files: peak {together / 1e6:.0f} MB, of which the main process "
                f"{alone / 1e6:.0f} MB; {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
