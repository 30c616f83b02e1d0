"""What readers say of answers, and the log of questions: what is kept, for how long, and what is refused."""

import html
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.errors import StoreError
from rag.settings import Settings
from tests.ui.stand_in import StandIn
from ui import problems
from ui.api import api_routes, create_app
from ui.feedback import RATE, feedback_routes
from ui.journal import FILE, Journal, Rating
from ui.sign_in.gate import Gate
from ui.sign_in.modes import SignIn
from ui.texts import LANGUAGES, text

WHEN = "Seit wann gehört Krakau zu Eurocities?"
BAD = {"question": WHEN, "helpful": False, "reason": "outdated", "document": "vorlage", "comment": "Seit 2025."}


@pytest.fixture
def settings(tmp_path):
    return Settings(data=str(tmp_path / "data"), question_log_days=30)


@pytest.fixture
def open_client(settings):
    """The routes alone: the chat page takes a second to build."""
    application, journal = FastAPI(), Journal.of(settings)
    problems.install(application)
    application.include_router(api_routes(StandIn(), journal))
    application.include_router(feedback_routes(StandIn(), journal))
    application.add_middleware(Gate, sign_in=SignIn(settings))
    return TestClient(application)


def rows(settings, table):
    with closing(sqlite3.connect(Path(settings.data) / FILE)) as file:
        file.row_factory = sqlite3.Row
        return [dict(row) for row in file.execute(f"SELECT * FROM {table}")]


def test_a_rating_is_kept_without_whoever_sent_it(open_client, settings):
    answer = open_client.post("/api/v1/feedback", json=BAD | {"answered": True, "cited": ["a", "b"]})
    assert (answer.status_code, answer.json()) == (201, {"stored": True})
    (kept,) = rows(settings, "feedback")
    assert (kept["question"], kept["reason"], kept["document"], kept["comment"]) == (
        WHEN, "outdated", "vorlage", "Seit 2025.",
    )  # fmt: skip
    assert set(kept) == {
        "id", "at", "key", "question", "language", "helpful", "reason", "document", "comment", "answered", "cited",
        "state",
    }  # fmt: skip
    assert datetime.fromisoformat(kept["at"]).minute == 0
    (entry,) = Journal.of(settings).badly_rated()
    assert (entry.question, entry.times, entry.reasons, entry.cited) == (WHEN, 1, ("outdated",), ("a", "b"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"helpful": True}, "question is missing"),
        ({"question": "Wann?"}, "helpful is missing"),
        (BAD | {"reason": "boring"}, "reason is 'boring'"),
        (BAD | {"comment": "x" * 1001}, "at most 1000"),
        (BAD | {"name": "Erika"}, "name is not a known field"),
        (BAD | {"question": "\ud800"}, "question is"),
    ],
)
def test_a_wrong_rating_is_refused_in_one_line(open_client, settings, body, said):
    content = json.dumps(body)
    answer = open_client.post("/api/v1/feedback", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert not (Path(settings.data) / FILE).exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_works_without_script(open_client, settings, language):
    page = open_client.get("/feedback", params={"question": WHEN, "language": "de", "helpful": "no", "lang": language})
    assert page.status_code == 200
    assert "<script" not in page.text
    assert html.escape(text("reason_outdated", language)) in page.text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    sent = open_client.post("/feedback", data={k: html.unescape(v) for k, v in hidden.items()} | {"reason": "other"})
    assert sent.status_code == 200
    assert text("rate_thanks", language) in html.unescape(sent.text)
    assert [(row["reason"], row["language"]) for row in rows(settings, "feedback")] == [("other", "de")]


def test_the_form_shows_hostile_text_as_text(open_client):
    page = open_client.get("/feedback", params={"question": '"><script>alert(1)</script>', "helpful": "no"}).text
    assert "<script" not in page


def test_other_sites_cannot_send_the_form(open_client, settings):
    form = {"question": WHEN, "helpful": "no", "reason": "other"}
    assert open_client.post("/feedback", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert open_client.post("/feedback", data={"question": WHEN}).status_code == 422
    assert not (Path(settings.data) / FILE).exists()


def test_a_flood_is_refused(open_client, settings):
    answers = [open_client.post("/api/v1/feedback", json=BAD).status_code for _ in range(RATE + 2)]
    assert answers == [201] * RATE + [429] * 2
    assert len(rows(settings, "feedback")) == RATE


def test_without_feedback_nobody_is_asked_for_any(tmp_path):
    client = TestClient(create_app(StandIn(), Settings(data=str(tmp_path / "data"), feedback_days=0)))
    assert client.post("/api/v1/feedback", json=BAD).status_code == 404
    assert client.get("/feedback").status_code == 404
    assert TestClient(create_app(StandIn(), Settings(store="http://127.0.0.1:1"))).get("/feedback").status_code == 404


def test_questions_are_kept_only_where_that_is_set(tmp_path, open_client, settings):
    silent = Settings(data=str(tmp_path / "silent"))
    TestClient(create_app(StandIn(), silent)).post("/api/v1/ask", json={"question": WHEN})
    assert not Path(silent.data).exists()
    open_client.post("/api/v1/ask", json={"question": WHEN})
    open_client.post("/api/v1/ask", json={"question": "Wie viele Elefanten?"})
    kept = rows(settings, "questions")
    assert [(row["question"], row["answered"], row["milliseconds"]) for row in kept] == [
        (WHEN, 1, 8), ("Wie viele Elefanten?", 0, 8),
    ]  # fmt: skip
    assert [entry.question for entry in Journal.of(settings).asked(unanswered=True)] == ["Wie viele Elefanten?"]


def test_what_is_over_its_time_is_erased_from_the_file_itself(settings):
    journal = Journal.of(settings)
    journal.rate(Rating("Die alte geheime Frage", "de", helpful=False))
    journal.rate(Rating("Die neue Frage", "de", helpful=False))
    journal.add_run(3, 0.4, {"all": {}}, {"de-1": "right"})
    old = datetime.now(UTC) - timedelta(days=settings.feedback_days + 1)
    with closing(sqlite3.connect(journal.file)) as file, file:
        file.execute("UPDATE feedback SET at = ? WHERE question LIKE '%alte%'", (old.isoformat(timespec="minutes"),))
    Journal.of(settings).sweep()
    assert [row["question"] for row in rows(settings, "feedback")] == ["Die neue Frage"]
    assert b"alte geheime" not in journal.file.read_bytes()
    assert len(journal.runs()) == 1


def test_turning_the_log_off_erases_it(open_client, settings):
    open_client.post("/api/v1/ask", json={"question": WHEN})
    with TestClient(create_app(StandIn(), Settings(data=settings.data))):
        assert rows(settings, "questions") == []


def test_a_damaged_file_is_left_alone_and_the_answers_go_on(open_client, settings, caplog):
    file = Path(settings.data) / FILE
    file.parent.mkdir()
    file.write_bytes(b"no database" * 100)
    assert open_client.post("/api/v1/ask", json={"question": WHEN}).status_code == 200
    answer = open_client.post("/api/v1/feedback", json=BAD)
    assert answer.status_code == 503
    assert str(file) in caplog.text
    assert file.read_bytes() == b"no database" * 100


def test_a_file_of_a_newer_version_is_left_alone(settings):
    journal = Journal.of(settings)
    journal.rate(Rating(WHEN, "de", helpful=True))
    with closing(sqlite3.connect(journal.file)) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer citycite"):
        journal.rate(Rating(WHEN, "de", helpful=True))
    assert len(rows(settings, "feedback")) == 1
