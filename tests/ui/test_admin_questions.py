"""From a complaint to a line of the gold file, and from there to a figure that is watched."""

import html
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

import ui.admin.texts
from rag.errors import UsageError
from rag.evaluation import read_gold
from rag.schema import Answer, Timings
from tests.ui.admin_session import administration, settings_in
from ui.admin.evaluation import MEASURES, curves, moved
from ui.admin.gold import Gold, Line, line_id, short_answer
from ui.admin.questions import SHOWN
from ui.admin.texts import TEXTS
from ui.doctor import FINDINGS
from ui.journal import Journal, Rating, Run
from ui.texts import LANGUAGES

ROOT = Path(__file__).parents[2]
WHEN = "Seit wann gehört Krakau zu Eurocities?"
ELEPHANTS = "Wie viele Elefanten leben im Tierpark von Montevideo?"

SAID = TEXTS | {f"finding {key}": finding for key, finding in FINDINGS.items()}


@pytest.fixture
def settings(tmp_path, corpus_store):
    return settings_in(tmp_path, corpus_store, question_log_days=30)


@pytest.fixture
def journal(settings):
    return Journal.of(settings)


@pytest.fixture
def inside(assistant, settings):
    """Somebody in the admin area of the sample corpus, which these tests only read."""
    somebody = administration(assistant, settings)
    somebody.gold = Gold(Path(settings.data) / "gold" / "questions.jsonl")
    somebody.jobs = somebody.client.app.routes[0].app.office.jobs
    yield somebody
    somebody.jobs.close()


def asked(question, *, answered):
    return Answer(question, "de", "", not answered, 0.31, "extractive", Timings(1, 2, 3), ())


def first_link(page, words):
    """Return the address behind the first link that says `words`."""
    return next(
        html.unescape(to) for to, said in re.findall(r'<a [^>]*href="([^"]+)">([^<]*)</a>', page.text) if said == words
    )


def test_a_complaint_becomes_a_gold_line_in_two_clicks(inside, journal):
    journal.rate(
        Rating(
            WHEN,
            "de",
            helpful=False,
            reason="wrong_document",
            document="krakau-eurocities-beitritt",
            comment="Dort steht es.",
        )
    )
    page = inside.get("/questions")
    said = inside.said(page)
    assert WHEN in said
    assert "falsches Dokument" in said
    assert "Dort steht es." in said

    review = inside.client.get(first_link(page, "Prüfen"))  # the first click
    chosen = re.search(r'name="choice" value="(\w+)" checked', review.text).group(1)
    answer = html.unescape(re.search(rf'name="answer-{chosen}"[^>]*>([^<]*)<', review.text).group(1))
    document = html.unescape(re.search(rf'name="document-{chosen}" value="([^"]*)"', review.text).group(1))
    fields = {"choice": chosen, f"answer-{chosen}": answer, f"document-{chosen}": document, "language": "de"}
    answer = inside.send(review, "/review", **fields)  # the second
    assert "steht in der Golddatei" in inside.said(answer)

    (line,) = read_gold(inside.gold.file).questions
    assert (line.text, line.language, line.answerable) == (WHEN, "de", True)
    assert line.relevant == (("krakau-eurocities-beitritt.txt", 1.0),)
    assert line.answers == ("15. Oktober",)
    assert journal.badly_rated() == []
    assert WHEN in inside.said(inside.get("/gold"))


def test_an_unanswered_question_becomes_one_that_stays_so(inside, journal):
    for _ in range(2):
        journal.note(asked(ELEPHANTS, answered=False))
    journal.note(asked(WHEN, answered=True))
    page = inside.get("/questions", show="unanswered")
    said = inside.said(page)
    assert ELEPHANTS in said
    assert "2-mal" in said
    assert WHEN not in said
    review = inside.client.get(first_link(page, "Prüfen"))
    assert 'value="none" checked' in review.text
    inside.send(review, "/review", choice="none", language="de")
    (line,) = inside.gold.lines()
    assert line == Line(line_id(ELEPHANTS, "de"), "de", ELEPHANTS, (), (), answerable=False)
    assert journal.asked(unanswered=True) == []
    assert "in der Golddatei" in inside.said(inside.get("/questions", show="all"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer-own": "15. Oktober", "document-own": ""}, "gehören ein Textstück und ein Dokument"),
        ({"answer-own": "", "document-own": "krakau"}, "gehören ein Textstück und ein Dokument"),
        ({"answer-own": "15. Oktober", "document-own": "xyzzy"}, "Kein gespeichertes Dokument heißt „xyzzy“"),
        ({"answer-own": "Elefant", "document-own": "krakau-eurocities-beitritt"}, "„Elefant“ steht nicht in"),
    ],
)
def test_a_line_that_no_answer_could_meet_is_refused(inside, fields, said):
    review = inside.get("/review", question=WHEN, language="de")
    answer = inside.send(review, "/review", choice="own", language="de", **fields)
    assert answer.status_code == 422
    assert said in inside.said(answer)
    assert not inside.gold.file.exists()


def test_a_question_can_be_put_aside_and_a_line_taken_back(inside, journal):
    journal.rate(Rating(WHEN, "de", helpful=False, reason="other"))
    inside.send(inside.get("/questions"), "/questions/dismiss")
    assert journal.badly_rated() == []
    inside.gold.add(Line(line_id(WHEN, "de"), "de", WHEN, (), (), answerable=False))
    inside.send(inside.get("/gold"), "/gold/remove")
    assert inside.gold.lines() == []
    assert [entry.question for entry in journal.badly_rated()] == [WHEN]


def test_without_a_log_the_page_says_how_to_have_one(assistant, tmp_path, corpus_store):
    somebody = administration(assistant, settings_in(tmp_path, corpus_store))
    assert "CITYCITE_QUESTION_LOG_DAYS" in somebody.said(somebody.get("/questions", show="unanswered"))


def test_the_gold_file_is_evaluated_and_its_figures_are_kept(inside, journal):
    assert "noch keine Zeile" in inside.said(inside.get("/evaluation"))
    documents = ("krakau-eurocities-beitritt",)
    inside.gold.add(Line("de-1", "de", WHEN, ("15. Oktober",), documents, answerable=True))
    inside.gold.add(Line("de-2", "de", ELEPHANTS, (), (), answerable=False))
    inside.send(inside.get("/evaluation"), "/evaluation/run")
    (job,) = inside.jobs.latest("evaluation")
    assert job.over.wait(60)
    assert (job.state, job.problems, job.done) == ("done", [], 2)
    (run,) = journal.runs()
    assert run.questions == 2
    assert set(run.verdicts) == {"de-1", "de-2"}
    page = inside.get("/evaluation")
    assert "gestellte Fragen: 2" in inside.said(page)
    assert page.text.count("<circle") == len(MEASURES)
    report = inside.client.get(first_link(page, "Bericht"))
    assert ELEPHANTS in report.text
    assert "default-src 'none'" in report.headers["content-security-policy"]
    for number in ("../../x", "99", "²", ""):
        assert inside.get("/evaluation/report", id=number).status_code == 404


def test_the_trend_shows_what_has_become_worse_first():
    figures = {"all": {"answered_right": {"value": 0.5, "low": 0.4, "high": 0.6}}}
    before = {"a": "right", "b": "wrong", "c": "right abstention"}
    now = before | {"a": "needless abstention", "b": "right", "d": "wrong"}
    runs = [Run(1, "2026-01-01", 3, 0.4, figures, before), Run(2, "2026-02-01", 4, 0.4, figures, now)]
    assert [(item.id, item.is_good) for item in moved(runs)] == [("a", False), ("b", True)]
    (curve,) = curves(runs)
    assert [point[2] for point in curve.points] == [0.5, 0.5]
    assert curve.points[0][0] < curve.points[1][0]
    assert moved(runs[:1]) == []


def test_a_gold_file_that_somebody_broke_is_named_and_left_alone(inside):
    inside.gold.file.parent.mkdir(parents=True)
    inside.gold.file.write_text('{"id": "x"}\n')
    assert "line 1" in inside.said(inside.get("/gold"))
    with pytest.raises(UsageError, match="line 1"):
        inside.gold.add(Line("de-1", "de", WHEN, (), (), answerable=False))
    assert inside.gold.file.read_text() == '{"id": "x"}\n'


@pytest.mark.parametrize(
    ("question", "quote", "proposed"),
    [
        ("Wann war das?", "Das war am 3. Mai 1931 um acht.", "3. Mai 1931"),
        ("In which year?", "It was founded in 1986 in Rotterdam.", "1986"),
        ("Wie viele Städte?", "Mehr als 200 Städte gehören dazu.", "200"),
        ("Wer war das?", "Das war\nFrau Novak.", "Das war Frau Novak."),
    ],
)
def test_the_answer_proposed_is_the_part_that_was_asked_for(question, quote, proposed):
    assert short_answer(question, quote) == proposed


@pytest.mark.parametrize("key", SAID)
def test_every_text_is_there_in_all_languages(key):
    texts = [getattr(SAID[key], language) for language in LANGUAGES]
    assert all(each and each == each.strip() for each in texts)
    names = [{name for _, name, _, _ in Formatter().parse(each) if name} for each in texts]
    assert names[0] == names[1] == names[2]


def test_every_text_is_used():
    folder = Path(ui.admin.texts.__file__).parent
    code = "".join(file.read_text("utf-8") for file in folder.rglob("*.*") if file.suffix in {".py", ".jinja"})
    made = {f"show_{kind}" for kind in SHOWN} | {f"measure_{name}" for name in MEASURES}
    families = ("job_", "state_", "reason_", "entry_", "check_", "part_", "verdict_")
    named = [key for key in TEXTS if key not in made and not key.startswith(families)]
    assert [key for key in named if len(re.findall(rf"[\"']{key}[\"']", code)) < 2] == []


@pytest.mark.parametrize(
    ("language", "size"), [("de", "{} Dokumente"), ("en", "{} documents"), ("pl", "dokumenty: {}")]
)
def test_the_page_of_health_says_what_it_found_in_the_language_chosen(inside, assistant, language, size):
    page = inside.get("/health", lang=language).text
    assert size.format(len(assistant.documents())) in page
    assert getattr(FINDINGS["llm_none"], language) in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_speak_the_language_that_was_chosen(inside, language):
    inside.get("/questions", lang=language)
    for name in ("documents", "questions", "gold", "evaluation", "embed", "health"):
        page = inside.get(f"/{name}")
        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{getattr(TEXTS[name], language)}</h1>" in page.text


def test_the_password_is_set_from_the_command_line(tmp_path):
    def run(password):
        return subprocess.run(
            [sys.executable, "-m", "ui", "admin-password", "--store", str(tmp_path / "store")],
            input=password, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    short = run("kurz\n")
    assert (short.returncode, short.stderr.count("\n")) == (2, 1)
    assert "at least 12" in short.stderr
    assert "kurz" not in short.stderr
    done = run("ein langes Passwort\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "store-data" / "admin-password").read_text().startswith("scrypt$")
    assert "ein langes" not in done.stderr
