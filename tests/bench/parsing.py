"""How many files a second are read: python -m tests.bench.parsing [FILES]. Default: 200, mixed, made for it.

Prints the rate in this process, with one and with two workers, and what a single small file waits for a worker.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.parsing import parse
from ingest.reading import Reader, Report
from ingest.side_files import SideFiles
from ingest.workers import Workers
from rag.settings import Settings
from tests.ingest.mutations import originals

# Recognition would measure Tesseract.
_LEFT_OUT = {".png"}


def main(count: int) -> None:
    """Make the files, and read them in each way."""
    sound = {suffix: data for suffix, data in originals().items() if suffix not in _LEFT_OUT}
    with TemporaryDirectory() as folder:
        files = []
        for number in range(count):
            suffix = list(sound)[number % len(sound)]
            files.append(Path(folder) / f"{number:04d}{suffix}")
            files[-1].write_bytes(sound[suffix])
        for file in files[: len(sound)]:
            parse(file)  # so that imports are not measured
        _print("in this process", count, _timed(lambda: [parse(file) for file in files]))
        for number in (1, 2):
            _print(f"{number} worker{'s' * (number > 1)}", count, _timed(lambda n=number: _read(files, n)))
        small = [Path(folder) / f"klein-{number}.txt" for number in range(3)]
        for file in small:
            file.write_text("Das Rathaus wurde am 4. Mai 1905 eröffnet.", "utf-8")
        alone = min(_timed(lambda file=file: parse(file)) for file in small)
        started = min(_timed(lambda file=file: _read([file], 1)) for file in small)
        print(f"one small file: {started - alone:.2f} s more than in this process")


def _read(files: list[Path], workers: int) -> None:
    settings, report = Settings(parse_workers=workers), Report()
    with Workers(settings) as pool:
        for _ in Reader({}, SideFiles(), settings, report, pool).read_all(files):
            pass
    assert not report.failures, report.failures


def _timed(action: object) -> float:
    begun = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - begun


def _print(how: str, count: int, seconds: float) -> None:
    print(f"{how}: {count / seconds:.0f} files a second ({seconds:.1f} s)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
