"""Files read in processes of their own: limits, crashes, order, and nothing that stays behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.reading import Reader, Report
from ingest.side_files import SideFiles
from ingest.workers import Workers
from rag.errors import LoadError
from rag.settings import Settings
from tests.ingest.hostile_files import word

ROOT = Path(__file__).parents[2]
SENTENCE = "Der Rat hat am 12. März 2024 beschlossen, das Freibad zu sanieren. "
# Hangs as a program behind a script does: a child of it that does not end when it does.
HANGING = '#!/bin/sh\nsleep 1000 &\necho "$$ $!" > "{pids}.new" && mv "{pids}.new" "{pids}"\nwait\n'


@pytest.fixture
def short(tmp_path: Path) -> Path:
    path = tmp_path / "kurz.txt"
    path.write_text(SENTENCE, "utf-8")
    return path


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    path = tmp_path / "lang.txt"
    path.write_text(SENTENCE * 20_000, "utf-8")
    return path


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def read(file: Path) -> bytes:
    """Return the content of a file in /proc; nothing where its process or thread has just ended."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def readers(parent: int | None = None) -> list[int]:
    """Return the processes that read files for a process, by default this one."""
    tasks = Path(f"/proc/{parent or os.getpid()}/task").iterdir()
    children = [int(pid) for task in tasks for pid in read(task / "children").split()]
    return [pid for pid in children if b"ingest.worker" in read(Path(f"/proc/{pid}/cmdline"))]


def refusal(workers: Workers, file: Path) -> str:
    with pytest.raises(LoadError) as caught:
        workers.submit(file).result(timeout=120)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def hanging_office(folder: Path) -> tuple[Path, Path]:
    """Put a `soffice` that hangs into a folder; return a file that needs it, and one that will name its processes."""
    program, pids, file = folder / "soffice", folder / "pids", folder / "alt.doc"
    program.write_text(HANGING.format(pids=pids))
    program.chmod(0o755)
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000) + b"x")
    return file, pids


def started(pids: Path) -> list[int]:
    wait_until(pids.exists)
    return list(map(int, pids.read_text().split()))


def test_what_arrives_is_what_the_loader_says(short: Path, tmp_path: Path) -> None:
    (tmp_path / "kaputt.pdf").write_bytes(b"%PDF-1.7\nkaputt")
    with Workers(Settings(parse_workers=1)) as workers:
        parsed = workers.submit(short).result()
        assert parsed.extract == load(short)
        assert [parsed.extract.text[start:end] for start, end in parsed.spans] == [SENTENCE.strip()]
        with pytest.raises(LoadError) as expected:
            load(tmp_path / "kaputt.pdf")
        assert refusal(workers, tmp_path / "kaputt.pdf") == str(expected.value)
        assert len(readers()) == 1
    assert not readers()


def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_is_read(short: Path, slow: Path) -> None:
    with Workers(Settings(parse_workers=1, parse_timeout=0.5)) as workers:
        workers.submit(short).result()
        first = readers()
        assert "more than 0.5 seconds to be read (CITYCITE_PARSE_TIMEOUT)" in refusal(workers, slow)
        assert workers.submit(short).result().extract.text == SENTENCE.strip()
        assert not set(first) & set(readers())


def test_a_file_that_needs_too_much_memory_is_named_and_the_next_one_is_read(short: Path, tmp_path: Path) -> None:
    large = tmp_path / "gross.txt"
    large.write_text("Größe – " * 8_000_000, "utf-8")
    with Workers(Settings(parse_workers=1, parse_memory_mb=300)) as workers:
        assert "more than 300 MB of memory (CITYCITE_PARSE_MEMORY_MB)" in refusal(workers, large)
        assert workers.submit(short).result().spans


def test_a_file_that_crashes_its_process_is_named(short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, pids = hanging_office(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with Workers(Settings(parse_workers=1)) as workers:
        parsed = workers.submit(file)
        programs = started(pids)
        os.kill(readers()[0], signal.SIGSEGV)
        with pytest.raises(LoadError, match=r"crashed the process that reads it \(SIGSEGV\).*CITYCITE_PARSE_MEMORY_MB"):
            parsed.result(timeout=120)
        wait_until(lambda: not any(map(is_running, programs)))
        assert workers.submit(short).result().spans


def test_a_crash_in_a_process_that_has_read_others_is_tried_again(short: Path, slow: Path) -> None:
    with Workers(Settings(parse_workers=1)) as workers:
        workers.submit(short).result()
        first = readers()
        before = cpu_ticks(first[0])
        parsed = workers.submit(slow)
        wait_until(lambda: cpu_ticks(first[0]) > before + 5)
        os.kill(first[0], signal.SIGKILL)
        assert parsed.result(timeout=120).extract.text.startswith(SENTENCE)


def cpu_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


def test_programs_go_with_the_process_that_has_started_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, pids = hanging_office(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with Workers(Settings(parse_workers=1, parse_timeout=1)) as workers:
        assert "CITYCITE_PARSE_TIMEOUT" in refusal(workers, file)
        # They have been killed by now; on a busy machine they end a moment later.
        programs = started(pids)
        wait_until(lambda: not any(map(is_running, programs)), seconds=10)


def test_recognition_may_take_longer_and_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    Image.new("L", (300, 300), 255).save(tmp_path / "bild.png")
    program, pids = tmp_path / "tesseract", tmp_path / "pids"
    lists = 'case "$*" in *--list-langs*) echo List; echo deu; exit;; esac\n'
    program.write_text(HANGING.format(pids=pids).replace("\n", f"\n{lists}", 1))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # Long enough for what comes before recognition, on a busy machine too.
    with Workers(Settings(parse_workers=1, parse_timeout=5)) as workers:
        parsed = workers.submit(tmp_path / "bild.png")
        programs = started(pids)
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 6)
        assert not parsed.done()
        assert all(map(is_running, programs))
    wait_until(lambda: not any(map(is_running, programs)))


SCRIPT = """
import sys
from pathlib import Path
from ingest.workers import Workers
from rag.settings import Settings
Workers(Settings()).submit(Path(sys.argv[1])).result()
"""


def as_in_the_foreground() -> None:
    """Let Ctrl-C reach a process that is about to start.

    A shell that runs the tests in the background has them ignore it, and what they start inherits that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_stays_behind_a_run_that_is_stopped(tmp_path: Path, sent: signal.Signals) -> None:
    file, pids = hanging_office(tmp_path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-c", SCRIPT, str(file)]
    if sent != signal.SIGKILL:
        command = [sys.executable, "-m", "ui", "ingest", str(file), "--store", str(tmp_path / "store")]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=as_in_the_foreground,
    )
    programs = [*started(pids), *readers(process.pid)]
    assert len(programs) == 3
    process.send_signal(sent)
    said = process.communicate(timeout=60)[1]
    wait_until(lambda: not any(map(is_running, programs)))
    wait_until(lambda: not list(temporary.glob("citycite-*")))
    if sent != signal.SIGKILL:
        assert process.returncode == 130
        assert "Stopped." in said
        assert "Traceback" not in said


@pytest.mark.long
def test_ctrl_c_ends_a_run_at_any_moment(tmp_path: Path) -> None:
    chance, temporary, stopped = random.Random(7), tmp_path / "tmp", 0
    temporary.mkdir()
    (tmp_path / "akten").mkdir()
    for number in range(400):
        (tmp_path / "akten" / f"{number:03d}.txt").write_text(f"Vorgang {number}. {SENTENCE}", "utf-8")
    for number in range(50):
        store = tmp_path / f"store-{number}"
        process = subprocess.Popen(
            [sys.executable, "-m", "ui", "ingest", str(tmp_path / "akten"), "--store", str(store)],
            cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=as_in_the_foreground,
        )  # fmt: skip
        wait_until(store.exists)
        try:
            process.communicate(timeout=chance.uniform(0, 10))
        except subprocess.TimeoutExpired:
            programs = readers(process.pid)
            process.send_signal(signal.SIGINT)
            told, said = process.communicate(timeout=60)
            # Interrupted while a class is made from text, or when all is done and it is about to end, Python ends by
            # the signal itself; a shell says 130 to both.
            interrupted = process.returncode in (130, -signal.SIGINT)
            stopped += interrupted
            assert interrupted if "Stopped." in said else process.returncode == 0 or "added 400" in told
            assert "Traceback" not in said
            wait_until(lambda: not any(map(is_running, programs)))  # noqa: B023 - it is called at once
            assert not list(temporary.glob("citycite-*"))
    assert stopped > 25


def test_results_come_in_the_order_of_the_files_and_reading_keeps_within_bounds(tmp_path: Path) -> None:
    names = [f"{number:03d}.txt" for number in range(120)]
    for number, name in enumerate(names):
        (tmp_path / name).write_text(f"Vorgang {number}. {SENTENCE * (1 + 200 * (number % 10 == 0))}", "utf-8")
    (tmp_path / names[3]).write_bytes(b"")
    (tmp_path / names[50]).write_bytes(b"%PDF-1.7")
    asked: list[str] = []

    def files() -> Iterator[Path]:
        for name in names:
            asked.append(name)
            yield tmp_path / name

    report, done, ahead = Report(), [], []
    with Workers(Settings(parse_workers=2)) as workers:
        for number, prepared in enumerate(Reader({}, SideFiles(), Settings(), report, workers).read_all(files())):
            ahead.append(len(asked) - number)
            done += [Path(item.document.source).name for item in prepared]
    assert done == [name for name in names if name not in (names[3], names[50])]
    assert [Path(failure.source).name for failure in report.failures] == [names[3], names[50]]
    assert 2 < max(ahead) <= 34


def test_a_large_file_is_not_read_ahead_of(tmp_path: Path) -> None:
    picture = os.urandom(40_000_000)
    for name in ("1.docx", "2.docx", "3.docx"):
        text = f"<w:p><w:r><w:t>Seite {name}</w:t></w:r></w:p>".encode()
        (tmp_path / name).write_bytes(word(text, more={"word/media/image1.png": picture}))
    asked: list[Path] = []
    files = (asked.append(file) or file for file in sorted(tmp_path.glob("*.docx")))  # type: ignore[func-returns-value]
    with Workers(Settings(parse_workers=2)) as workers:
        results = Reader({}, SideFiles(), Settings(), Report(), workers).read_all(files)
        assert next(results)[0].document.text == "Seite 1.docx"
        assert len(asked) == 2
