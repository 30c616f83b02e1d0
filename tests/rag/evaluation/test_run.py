"""Evaluation over a real store: outcomes, figures, comparison with a baseline, report."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rag.errors import UsageError
from rag.evaluation import (
    MEASURES,
    GoldQuestion,
    Limit,
    Outcome,
    QuestionSet,
    Quote,
    compare,
    evaluate,
    falls_short,
    read_gold,
    summarise,
)
from rag.evaluation.report import render
from rag.evaluation.summary import as_dict

JOINED = GoldQuestion("1", "de", "Wann trat Krakau Eurocities bei?", ("15. Oktober",), (("krakau-eurocities", 1.0),))
ELSEWHERE = GoldQuestion("2", "de", "Wann trat Krefeld Eurocities bei?", condition="near")


def as_set(*questions: GoldQuestion) -> QuestionSet:
    return QuestionSet("test", questions, by_prefix=True)


@pytest.fixture(scope="module")
def outcomes(assistant):
    found, complete = evaluate(as_set(JOINED, ELSEWHERE), assistant)
    assert complete
    return found


def made(right: bool, *, abstained: bool, confidence: float, answerable: bool = True, language: str = "de") -> Outcome:
    quote = Quote("Seit 1986." if right else "Seit langem.", "d", "T", 0, 10, verbatim=True, right_document=answerable)
    question = GoldQuestion(
        f"{confidence}", language, "Seit wann?", ("1986",) if answerable else (), (("d", 1.0),) if answerable else (),
        condition="answerable" if answerable else "near",
    )  # fmt: skip
    grades = (1.0,) if answerable else ()
    return Outcome(question, confidence, abstained, grades, grades, (quote,), 20.0)


def test_outcomes_say_what_was_found_and_quoted(outcomes):
    joined, elsewhere = outcomes
    assert joined.verdict == "right"
    assert joined.grades[0] == 1.0
    assert all(quote.verbatim for outcome in outcomes for quote in outcome.quotes)
    assert joined.quotes[0].right_document
    assert elsewhere.verdict == "right abstention"
    assert elsewhere.quotes, "what would have been quoted is kept, to learn from"


def test_a_question_may_leave_its_document_aside(assistant):
    (summary,) = [item for item in assistant.documents() if "krakau-eurocities" in item.source]
    without = replace(JOINED, id="3", without=frozenset([summary.document_id]))
    (outcome,), _ = evaluate(as_set(without), assistant)
    assert summary.document_id not in {quote.document_id for quote in outcome.quotes}
    assert outcome.grades[0] == 0.0


def test_a_gold_file_over_the_wrong_store_is_refused(assistant):
    with pytest.raises(UsageError, match="None of the documents"):
        evaluate(as_set(replace(JOINED, relevant=(("another", 1.0),))), assistant)


def test_a_document_that_was_not_stored_counts_as_not_found(assistant):
    questions = as_set(JOINED, replace(JOINED, id="4", relevant=(("another", 1.0),)))
    found, _ = evaluate(questions, assistant)
    assert summarise(found, questions, samples=10)["all"]["recall@10"].value == 0.5


def test_what_was_asked_before_ctrl_c_is_kept(assistant):
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    outcomes, complete = evaluate(as_set(JOINED, ELSEWHERE), assistant, stop)
    assert len(outcomes) == 1
    assert not complete


def test_figures_count_what_they_say():
    outcomes = [
        made(True, abstained=False, confidence=0.9),
        made(True, abstained=True, confidence=0.3),
        made(False, abstained=False, confidence=0.6, language="pl"),
        made(False, abstained=True, confidence=0.2, answerable=False),
    ]
    summary = summarise(outcomes, as_set(), samples=50)
    value = {name: figure.value for name, figure in summary["all"].items()}
    assert set(summary) == {"all", "de", "pl"}
    assert set(value) <= set(MEASURES)
    assert value["first_quote"] == pytest.approx(2 / 3)
    assert value["answered_right"] == pytest.approx(1 / 3)
    assert value["refused"] == 1
    assert value["false_refusals"] == pytest.approx(1 / 3)
    assert value["auroc"] == 1
    assert value["citation_precision"] == 1
    assert value["latency_p50"] == 20
    assert "token_f1" not in value, "only where answers are short ranges"
    assert "auroc" not in summary["pl"], "one kind of question has no curve"


def test_a_baseline_is_compared_figure_by_figure():
    outcomes = [made(True, abstained=False, confidence=0.9)]
    summary = summarise(outcomes, as_set(), samples=10)
    before = json.loads(json.dumps(as_dict(summary)))
    before["all"]["first_quote"]["value"] = 0.75
    del before["all"]["mrr"]
    change = compare(summary, before)["all"]
    assert change["first_quote"] == 0.25
    assert "mrr" not in change
    with pytest.raises(UsageError, match="holds no figures"):
        compare(summary, {"all": {"first_quote": 1}})


def test_limits_are_read_in_the_direction_that_is_better():
    outcomes = [made(True, abstained=False, confidence=0.9), made(False, abstained=True, confidence=0.1)]
    summary = summarise(outcomes, as_set(), samples=10)

    def missed(*limits: str) -> list[str]:
        return falls_short(summary, [Limit.parse(limit) for limit in limits])

    assert missed("first_quote=0.5", "false_refusals=0.5", "latency_p95=100") == []
    assert missed("first_quote=0.6") == ["all.first_quote is 0.5000, under the limit of 0.6"]
    assert missed("latency_p95=10") == ["all.latency_p95 is 20.0000, over the limit of 10"]
    for limit in ("first_quote", "first_quote=high"):
        with pytest.raises(UsageError, match="is not METRIC=X"):
            missed(limit)
    with pytest.raises(UsageError, match="names no metric"):
        missed("speed=1")
    with pytest.raises(UsageError, match="do not measure"):
        missed("pl.first_quote=1")


def test_the_report_names_every_question_and_asks_nothing_of_others(outcomes):
    hostile = replace(JOINED, id="x", text="<script>alert(1)</script>")
    shown = [*outcomes, replace(outcomes[0], question=hostile)]
    page = render("gold", shown, summarise(shown, as_set(), samples=10), {"all": {"first_quote": -0.1}})
    assert "Wann trat Krefeld Eurocities bei?" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "−10.0 %" in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_project_s_questions_are_well_formed_and_their_answers_stand_in_the_documents(assistant):
    from tests.conftest import CORPUS

    texts = {item.source: assistant.document(item.document_id).text for item in assistant.documents()}
    for question in read_gold(CORPUS).questions:
        own = [
            text
            for source, text in texts.items()
            if any(source.rpartition("/")[2].startswith(name) for name, _ in question.relevant)
        ]
        assert not question.answerable or any(a in text for a in question.answers for text in own), question.id
