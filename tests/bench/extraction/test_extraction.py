"""The fast part of the benchmark: a file of each digital format that libraries alone can make."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.extraction.__main__ import BARS, below_bars, examine, main, table
from tests.bench.extraction.collection import FAST, FILES, expected_of, make
from tests.bench.extraction.markup import HALVES, Expected, texts
from tests.bench.extraction.measures import measure, missing, nearest


@pytest.mark.parametrize("file", FAST, ids=lambda file: file.name)
def test_all_sentences_of_a_digital_file_come_out_intact(tmp_path: Path, file) -> None:
    make([file], tmp_path)
    result = examine(file, tmp_path / file.name)
    assert missing(expected_of(file), result.text) == []
    assert result.figures.error_rate < 0.02
    assert result.figures.extra_share < 0.02


def test_the_files_cover_all_formats_and_both_halves() -> None:
    assert {file.suffix for file in FILES} >= set(
        ".pdf .html .txt .md .docx .odt .rtf .pptx .xlsx .csv .eml .msg .doc .xls .ppt .odp .ods .png .jpg .tif".split()
    )
    assert len({file.name for file in FILES}) == len(FILES) >= 60
    for kind in (False, True):
        used = {file.text for file in FILES if file.scan == kind}
        assert {texts()[name].half for name in used} == set(HALVES)


def test_what_is_lost_wrong_or_too_much_is_counted() -> None:
    wanted = [
        Expected("Der Rat tagt."),
        Expected("Karten kosten 5 Euro.", "• "),
        Expected("Siehe Anlage.", is_note=True),
    ]
    whole = measure(wanted, "Der Rat\ntagt.\n\n• Karten kosten 5 Euro.\n\nSiehe Anlage.")
    assert (whole.intact_share, whole.error_rate, whole.extra_share) == (1, 0, 0)
    # A footnote may stand elsewhere, a sentence may not.
    assert measure(wanted, "Siehe Anlage. Der Rat tagt. • Karten kosten 5 Euro.").errors == 0
    assert measure(wanted, "• Karten kosten 5 Euro. Der Rat tagt. Siehe Anlage.").errors > 10
    poor = "Menü Der Rat tagt. • Karten kosten 6 Euro. Siehe Anlage."
    assert missing(wanted, poor) == ["Karten kosten 5 Euro."]
    assert nearest("Karten kosten 5 Euro.", poor) == "Karten kosten 6 Euro."
    figures = measure(wanted, poor)
    assert (figures.sentences, figures.intact, figures.errors, figures.extra) == (3, 2, 6, 5)
    both = whole + figures
    assert (both.files, both.sentences, both.intact) == (2, 6, 5)


def test_results_below_the_bar_end_in_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = next(file for file in FAST if file.name == "fees.csv")
    (tmp_path / file.name).write_text("Nummer;Leistung\n1.1;Personalausweis\n", "utf-8")
    result = examine(file, tmp_path / file.name)
    assert below_bars([result]) == ["digital, development: 0.0 % of sentences intact, 99 % wanted"]
    assert table([result])[2].startswith("| csv | 1 | 6 | 0.0 | ")
    # What is in the folder already is measured as it is.
    monkeypatch.setattr("tests.bench.extraction.__main__.FILES", (file,))
    assert main(["--keep", str(tmp_path), "--failures"]) == 1
    shown = capsys.readouterr().out
    assert "fees.csv: 0 of 6 intact" in shown
    assert "\n  + Nummer: 1.1 | Leistung: Personalausweis\n" in shown
    assert "below the bar: digital, development: 0.0 %" in shown
    (tmp_path / file.name).unlink()
    assert main(["--keep", str(tmp_path)]) == 0
    assert BARS == {"digital": 0.99, "scan": 0.95}
