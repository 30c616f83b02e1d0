"""The command line as a user meets it: output, exit codes, one clear line for each wrong input."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.pipeline import document_id
from tests.conftest import CORPUS
from ui.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: exit code, stdout, stderr."""

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["citycite", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return command


@pytest.fixture
def copy(corpus_store: Path, tmp_path: Path) -> Path:
    """A copy of the corpus store that a test may change."""
    return shutil.copytree(corpus_store, tmp_path / "copy")


def in_new_process(*arguments: object) -> tuple[float, subprocess.CompletedProcess[str]]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "ui", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return time.perf_counter() - started, done


def test_ask_json_follows_the_contract(run: Run, corpus_store: Path) -> None:
    code, out, _ = run("ask", "Wann trat Krakau Eurocities bei?", "--json", "--store", corpus_store)
    answer: dict[str, Any] = json.loads(out)
    assert code == 0
    assert list(answer) == [
        "question", "language", "answer", "abstained", "confidence", "mode", "timings_ms", "citations", "understood",
        "note",
    ]  # fmt: skip
    assert set(answer["timings_ms"]) == {"retrieve", "answer", "total"}
    first = answer["citations"][0]
    assert list(first) == [
        "marker", "document_id", "title", "source", "page", "section", "published", "quote", "start", "end", "score",
        "type", "department",
    ]  # fmt: skip
    assert "15. Oktober" in first["quote"]
    assert "[1]" in answer["answer"]
    for citation in answer["citations"]:
        code, text, _ = run("show", citation["document_id"], "--text", "--store", corpus_store)
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_ask_in_words_shows_quote_and_source(run: Run, corpus_store: Path) -> None:
    code, out, _ = run("ask", "In which year was Eurocities founded?", "--store", corpus_store)
    assert code == 0
    assert "1986" in out
    assert "[1]" in out
    assert "eurocities-netzwerk.md" in out


def test_abstention_is_no_failure(run: Run, corpus_store: Path) -> None:
    code, out, _ = run("ask", "Wann trat Krefeld Eurocities bei?", "--json", "--store", corpus_store)
    answer = json.loads(out)
    assert code == 0
    assert answer["abstained"] is True
    assert answer["citations"] == []
    assert answer["answer"].startswith("Dazu finde ich")


def test_search_lists_passages(run: Run, corpus_store: Path) -> None:
    code, out, _ = run("search", "LoRaWAN", "--top-k", "3", "--json", "--store", corpus_store)
    found = json.loads(out)
    assert code == 0
    assert len(found) == 3
    assert list(found[0]) == ["document_id", "title", "source", "page", "text", "start", "end", "score"]
    assert "LoRaWAN" in found[0]["text"]
    assert found[0]["score"] >= found[1]["score"] >= found[2]["score"]


def test_filters_say_which_documents_may_answer(run: Run, corpus_store: Path) -> None:
    question = "Wann trat Krakau Eurocities bei?"
    _, out, _ = run("ask", question, "--source", "/press/", "--language", "de", "--json", "--store", corpus_store)
    assert {Path(citation["source"]).parent.name for citation in json.loads(out)["citations"]} == {"press"}
    code, out, err = run("search", "Krakau", "--since", "2999-01", "--store", corpus_store)
    assert (code, out) == (0, "")
    assert "no document passes the filters" in err
    code, out, err = run("ask", question, "--until", "neulich", "--store", corpus_store)
    assert (code, out) == (2, "")
    assert "until is 'neulich'; give a date as 2024, 2024-03 or 2024-03-12." in err


def test_documents_lists_all(run: Run, corpus_store: Path) -> None:
    code, out, err = run("documents", "--store", corpus_store)
    assert code == 0
    assert len(out.splitlines()) == 16
    assert "16 documents" in err
    assert len(json.loads(run("documents", "--json", "--store", corpus_store)[1])) == 16


def test_remove_takes_out_and_names_what_was_not_there(run: Run, copy: Path) -> None:
    key = json.loads(run("documents", "--json", "--store", copy)[1])[0]["document_id"]
    code, out, err = run("remove", key, "gibt-es-nicht", "--store", copy)
    assert (code, out.strip()) == (1, "removed 1")
    assert "gibt-es-nicht" in err
    assert len(json.loads(run("documents", "--json", "--store", copy)[1])) == 15


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ask", "", "--store", "STORE"], 2, "The question is empty"),
        (["ask", "  \n ", "--store", "STORE"], 2, "The question is empty"),
        (["ask", "x" * 10_000, "--store", "STORE"], 2, "10000 characters; at most 2000"),
        (["search", "Krakau", "--top-k", "0", "--store", "STORE"], 2, "top_k is 0"),
        (["show", "gibt-es-nicht", "--store", "STORE"], 1, "No document 'gibt-es-nicht'"),
        (["ask", "Wann?", "--store", "gibt/es/nicht"], 1, "There is no store in"),
        (["documents", "--store", "gibt/es/nicht"], 1, "There is no store in"),
        (["remove", "x", "--store", "gibt/es/nicht"], 1, "There is no store"),
        (["ask", "--gibt-es-nicht"], 2, "--gibt-es-nicht"),
        (["ingest"], 2, "PATH_OR_URL"),
        (["serve", "--port", "99999"], 2, "99999"),
    ],
)
def test_wrong_input_gives_a_clear_line(
    run: Run, corpus_store: Path, arguments: list[str], code: int, message: str
) -> None:
    found, out, err = run(*[str(corpus_store) if argument == "STORE" else argument for argument in arguments])
    assert found == code
    assert message in err
    assert out == ""


def test_a_wrong_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, corpus_store: Path) -> None:
    monkeypatch.setenv("CITYCITE_THRESHOLD", "viel")
    code, _, err = run("documents", "--store", corpus_store)
    assert code == 2
    assert "CITYCITE_THRESHOLD" in err


def test_a_store_of_another_model_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, corpus_store: Path) -> None:
    monkeypatch.setenv("CITYCITE_EMBEDDING_MODEL", "/ein/anderes")
    for command in (["ask", "Wann?"], ["ingest", "."], ["search", "x"]):
        code, _, err = run(*command, "--store", corpus_store)
        assert code == 1
        assert "made with the embedding model intfloat/multilingual-e5-small" in err


def test_an_empty_store_abstains(run: Run, tmp_path: Path) -> None:
    (tmp_path / "leer").mkdir()
    code, out, _ = run("ask", "Kiedy Kraków dołączył do Eurocities?", "--json", "--store", tmp_path / "leer")
    answer = json.loads(out)
    assert (code, answer["abstained"], answer["language"], answer["confidence"]) == (0, True, "pl", 0.0)


def test_doctor_finds_all_in_order(run: Run, corpus_store: Path) -> None:
    code, out, _ = run("doctor", "--json", "--store", corpus_store)
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 0
    assert checks["embedding model"]["state"] == "ok"
    assert "16 documents" in checks["store"]["detail"]


def test_doctor_says_what_is_broken(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CITYCITE_EMBEDDING_MODEL", str(tmp_path / "kein-modell"))
    code, out, _ = run("doctor", "--store", tmp_path)
    assert code == 1
    assert "broken" in out
    assert "kein-modell" in out


@pytest.mark.alone
def test_start_is_fast_where_no_model_is_needed(corpus_store: Path) -> None:
    """`--help` within 0.3 s; `documents` (0.4 s on two quiet cores) in less than the import of Chroma alone takes.

    Best of several, and the second as a ratio, because the machine may be busy or slow.
    """
    assert min(in_new_process("--help")[0] for _ in range(5)) < 0.3

    def import_chroma() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import chromadb"], check=True)
        return time.perf_counter() - started

    pairs = [(in_new_process("documents", "--store", corpus_store)[0], import_chroma()) for _ in range(4)]
    assert min(documents for documents, _ in pairs) < min(chroma for _, chroma in pairs)


def test_commands_that_need_no_model_do_not_import_what_does(corpus_store: Path) -> None:
    script = (
        "import sys; from ui.cli import cli; cli.main(sys.argv[1:], standalone_mode=False);"
        "heavy = {'chromadb'} if sys.argv[1] == 'documents' else set();"
        "heavy |= {'torch', 'transformers', 'sentence_transformers', 'gradio', 'langchain_core', 'trafilatura'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    for command in (["documents"], ["show", document_id(CORPUS / "press" / "krakau-eurocities-beitritt.txt")]):
        done = subprocess.run(
            [sys.executable, "-c", script, *command, "--store", str(corpus_store)],
            capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_output_can_be_piped_and_stderr_stays_clean(corpus_store: Path) -> None:
    _, done = in_new_process("ask", "Wann trat Krakau Eurocities bei?", "--json", "--store", corpus_store)
    assert json.loads(done.stdout)["citations"]
    assert done.stderr == ""


SQUAD = {
    "data": [
        {
            "title": "Alte Brücke",
            "paragraphs": [
                {
                    "context": "Die Alte Brücke über den Fluss steht seit 1901. Sie ist 90 Meter lang.",
                    "qas": [{"id": "1", "question": "Seit wann steht die Alte Brücke?", "answers": [{"text": "1901"}]}],
                }
            ],
        },
        {
            "title": "Stadtpark",
            "paragraphs": [
                {
                    "context": "Der Stadtpark hat zwölf Hektar. Im Sommer spielt dort ein Orchester.",
                    "qas": [{"id": "2", "question": "Wie groß ist der Stadtpark?", "answers": [{"text": "zwölf"}]}],
                }
            ],
        },
    ]
}


def test_eval_measures_a_squad_file_against_a_baseline_and_writes_a_report(run: Run, tmp_path: Path) -> None:
    file, baseline, report = tmp_path / "squad.json", tmp_path / "before.json", tmp_path / "report.html"
    file.write_text(json.dumps(SQUAD), "utf-8")
    code, out, err = run("eval", file, "--format", "squad", "--abstention", "easy", "--json")
    assert code == 0
    assert "Asking" in err
    result = json.loads(out)
    assert result["complete"]
    assert result["figures"]["all"]["recall@1"]["value"] == 1
    assert [item["condition"] for item in result["questions"]] == ["answerable"] * 2 + ["easy"] * 2

    baseline.write_text(out, "utf-8")
    code, out, err = run(
        "eval", file, "--format", "squad", "--baseline", baseline, "--report", report,
        "--fail-under", "recall@1=1", "--fail-under", "quote_length=5",
    )  # fmt: skip
    assert code == 1
    assert "+0.000" in out
    assert "quote_length is" in err
    assert "recall@1 is" not in err
    assert "Seit wann steht die Alte Brücke?" in report.read_text("utf-8")
    assert not (tmp_path / "store").exists(), "the documents of a question set go into a temporary store"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none.jsonl"], "There is no none.jsonl"),
        (["empty.jsonl"], "holds no questions"),
        (["empty.jsonl", "--format", "squad"], "is not JSON"),
        (["empty.jsonl", "--abstention", "hard"], "--abstention goes with --format squad only"),
        ([CORPUS, "--baseline", "none.json"], "baseline none.json cannot be read"),
        ([CORPUS, "--baseline", "empty.jsonl"], "is no baseline"),
        ([CORPUS, "--report", "nowhere/report.html"], "no folder nowhere"),
        ([CORPUS, "--fail-under", "speed=1"], "names no metric"),
        ([CORPUS, "--store", "nowhere"], "There is no store"),
        ([CORPUS, "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_eval_refuses_wrong_input_in_one_line(
    run: Run, tmp_path: Path, corpus_store: Path, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "empty.jsonl").touch()
    if "--store" not in arguments:
        arguments = [*arguments, "--store", str(corpus_store)]
    code, out, err = run("eval", *arguments)
    assert code in (1, 2)
    assert complaint in err
    assert not out
