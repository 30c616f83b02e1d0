"""`citycite eval --mode generative`: both modes side by side, over a real store and a scripted server."""

import json

import pytest

from rag.evaluation.metrics import states_answer
from rag.pipeline import Assistant
from tests.llm.server import Reply
from ui.cli import main

GOLD = [
    {"id": "1", "language": "de", "question": "Wann trat Krakau Eurocities bei?", "answers": ["15. Oktober"],
     "documents": ["krakau-eurocities"], "answerable": True},
    {"id": "2", "language": "en", "question": "When did Krakow join Eurocities?", "answers": ["15. Oktober"],
     "documents": ["krakau-eurocities"], "answerable": True},
    {"id": "3", "language": "de", "question": "Wann trat Krefeld Eurocities bei?", "answers": [], "documents": [],
     "answerable": False},
]  # fmt: skip


@pytest.fixture
def evaluating(corpus_store, plain, server, tmp_path, monkeypatch, capsys):
    """Run `citycite eval` over three questions, with the assistant that has its model loaded already."""
    monkeypatch.setattr(Assistant, "open", lambda **named: plain)
    monkeypatch.setattr(plain, "close", lambda: None)
    gold = tmp_path / "gold.jsonl"
    gold.write_text("".join(json.dumps(line) + "\n" for line in GOLD), "utf-8")
    monkeypatch.setenv("CITYCITE_LLM", "openai:test")
    monkeypatch.setenv("CITYCITE_LLM_BASE_URL", server.address)

    def run(*arguments):
        arguments = ["eval", gold, "--store", corpus_store, *arguments]
        monkeypatch.setattr("sys.argv", ["citycite", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return run


def test_both_modes_stand_side_by_side(evaluating, server, tmp_path):
    def script(request):
        if "English" in request["messages"][0]["content"]:
            return Reply(["Krakow has belonged to Eurocities since 15 October [1]. There was cake for 300 guests [1]."])
        return Reply(["Es gab Torte [1]."])

    server.script = script
    report = tmp_path / "report.html"
    code, out, _ = evaluating("--mode", "generative", "--json", "--report", report)
    assert code == 0
    result = json.loads(out)
    figures = result["figures"]
    assert list(figures) == ["all", "generative", "de", "generative.de", "en", "generative.en"]
    assert "claim_support" not in figures["all"]
    value = {name: figure["value"] for name, figure in figures["generative"].items()}
    assert (value["formulated"], value["llm_failures"]) == (0.5, 0.0)
    assert value["claim_support"] == pytest.approx(1 / 3, abs=0.001)
    assert value["answered_right"] == figures["all"]["answered_right"]["value"] == 1.0
    assert value["latency_p50"] >= figures["all"]["latency_p50"]["value"]
    words = {line["id"]: line.get("formulation") for line in result["questions"]}
    assert words["3"] is None, "an abstention is not formulated"
    assert (words["2"]["supported"], words["2"]["removed"]) == (1, 1)
    assert words["1"]["text"] is None
    page = report.read_text("utf-8")
    assert "generative.en" in page
    assert "1 of 2 sentences supported" in page
    assert "too little supported" in page


def test_a_table_limits_and_a_failing_model(evaluating, server):
    server.script = lambda request: Reply(status=500)
    code, out, err = evaluating("--mode", "generative", "--fail-under", "generative.llm_failures=0.1")
    assert code == 1
    assert "generative.llm_failures is 1.0000, over the limit" in err
    assert out.splitlines()[0].split() == ["all", "generative", "de", "generative.de", "en", "generative.en"]
    assert "claim_support" not in out, "nothing was written"


def test_without_a_model_the_mode_is_refused_in_one_line(evaluating, monkeypatch):
    monkeypatch.delenv("CITYCITE_LLM")
    code, out, err = evaluating("--mode", "generative")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "CITYCITE_LLM" in err


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("Krakow joined on October 15 [1].", True),
        ("Krakow joined on 15 November [1].", False),
        ("Es waren 15 Jahre im Oktober [15].", False),
    ],
)
def test_an_answer_counts_in_another_language(text, states):
    assert states_answer(text, ["15. Oktober"]) is states
