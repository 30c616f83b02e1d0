"""Prints, for every format, how much of the test files extraction recovers; exit code 1 below the bars."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from ingest.loaders import load
from rag.errors import LoadError
from tests.bench.extraction.collection import FILES, TestFile, expected_of, make, text_of
from tests.bench.extraction.markup import HALVES, Expected
from tests.bench.extraction.measures import Figures, measure, missing, nearest

# Of a hundred sentences, so many must come out letter for letter.
BARS = {"digital": 0.99, "scan": 0.95}


@dataclass(frozen=True, slots=True)
class Result:
    """A file, the text that was extracted from it ("" where that failed) and how good it is."""

    file: TestFile
    wanted: list[Expected]
    text: str
    figures: Figures
    problem: str | None = None

    @property
    def half(self) -> str:
        """The half that the file's text belongs to."""
        return text_of(self.file).half


def examine(file: TestFile, path: Path) -> Result:
    """Extract the text of a file and measure it."""
    try:
        text, problem = load(path).text, None
    except LoadError as error:
        text, problem = "", str(error)
    # On a scan the header of a table looks like any other row; a page among scans may say more.
    forms = [expected_of(file, bare_rows=bare) for bare in ((True, False) if file.scan else (False,))]
    wanted = min(forms, key=lambda form: len(missing(form, text)))
    return Result(file, wanted, text, measure(wanted, text), problem)


def table(results: Sequence[Result]) -> list[str]:
    """Return the table of results in Markdown: a row for each format, and one for all that share a bar."""
    lines = ["| format | files | sentences | intact % | CER % | extra % |", "| --- | --- | --- | --- | --- | --- |"]
    for group in dict.fromkeys(result.file.group for result in results):
        lines += [_row(group, [result for result in results if result.file.group == group])]
    for kind in BARS:
        of_kind = [result for result in results if result.file.scan == (kind == "scan")]
        if of_kind:
            lines.append(_row(f"**all {'scans' if kind == 'scan' else 'digital'}**", of_kind))
    return lines


def _row(name: str, results: Sequence[Result]) -> str:
    total = total_of(results)
    shares = (total.intact_share, total.error_rate, total.extra_share)
    return f"| {name} | {total.files} | {total.sentences} | {' | '.join(f'{100 * share:.1f}' for share in shares)} |"


def total_of(results: Sequence[Result]) -> Figures:
    """Return the counts of all results together."""
    first, *others = (result.figures for result in results)
    return sum(others, start=first)


def below_bars(results: Sequence[Result]) -> list[str]:
    """Return a line for each half and kind of file whose sentences come out intact too rarely."""
    lines = []
    for half in HALVES:
        for kind, bar in BARS.items():
            chosen = [r for r in results if r.half == half and r.file.scan == (kind == "scan")]
            if chosen and (share := total_of(chosen).intact_share) < bar:
                lines.append(f"{kind}, {half}: {100 * share:.1f} % of sentences intact, {100 * bar:.0f} % wanted")
    return lines


def failures(results: Sequence[Result]) -> list[str]:
    """Return, for each file, what was not recovered beside the extracted text that is nearest to it."""
    lines = []
    for result in results:
        lost = missing(result.wanted, result.text)
        figures = result.figures
        if lost or result.problem:
            lines.append(
                f"\n{result.file.name}: {figures.intact} of {figures.sentences} intact, CER "
                f"{100 * figures.error_rate:.1f} %, extra {100 * figures.extra_share:.1f} %"
                f"{f'; {result.problem}' if result.problem else ''}"
            )
        for sentence in lost if result.text else ():
            lines += [f"  - {sentence}", f"  + {nearest(sentence, result.text)}"]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files, measure, print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.extraction", description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the files here; those that are there stay")
    parser.add_argument("--only", default="", metavar="PART", help="files whose name or format has this in it")
    parser.add_argument("--failures", action="store_true", help="show what was not recovered of the development half")
    parser.add_argument("--half", choices=HALVES, default=HALVES[0], help="the half whose failures are shown")
    parser.add_argument("--digital", action="store_true", help="leave out what needs Tesseract")
    given = parser.parse_args(arguments)
    chosen = [f for f in FILES if given.only in f"{f.name} {f.group}" and not (given.digital and f.scan)]
    if not chosen:
        parser.error(f"no file has {given.only!r} in its name or format")
    with tempfile.TemporaryDirectory() if given.keep is None else nullcontext(given.keep) as folder:
        make(chosen, Path(folder), lambda line: print(line, file=sys.stderr))
        started = time.perf_counter()
        results = [examine(file, Path(folder) / file.name) for file in chosen]
        print(f"read {len(results)} files in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    for half in HALVES:
        of_half = [result for result in results if result.half == half]
        if of_half:
            print(f"\n{half.capitalize()} texts:\n", *table(of_half), sep="\n")
    if given.failures:
        print(*failures([result for result in results if result.half == given.half]), sep="\n")
    short = below_bars(results)
    print(*(f"below the bar: {line}" for line in short), sep="\n", end="")
    return int(bool(short))


if __name__ == "__main__":
    raise SystemExit(main())
