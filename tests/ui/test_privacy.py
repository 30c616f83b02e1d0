"""What is kept of readers can be shown and erased, and who did what in the admin area cannot be changed unseen."""

import json

import pytest
from click.testing import CliRunner

from rag.errors import StoreError
from tests.ui.admin_session import Administrator, administration, area_alone, settings_in
from tests.ui.stand_in import DOCUMENTS, StandIn
from ui.admin.audit import AuditLog
from ui.admin.gold import Gold, Line
from ui.cli import cli
from ui.journal import Journal, Rating
from ui.places import gold_file

NAME = "Erika Mustermann"


@pytest.fixture
def settings(tmp_path):
    return settings_in(tmp_path, tmp_path / "store", question_log_days=30)


@pytest.fixture
def log(tmp_path):
    return AuditLog(tmp_path / "data", 365)


def run(settings, monkeypatch, *arguments):
    monkeypatch.setenv("CITYCITE_DATA", settings.data)
    return CliRunner().invoke(cli, [*arguments, "--store", settings.store])


def fill(settings):
    journal = Journal.of(settings)
    journal.rate(Rating(f"Wo wohnt {NAME}?", "de", helpful=False, comment="nichts"))
    journal.rate(Rating("Wann öffnet das Bad?", "de", helpful=False, comment=f"Grüße, {NAME.upper()}"))
    journal.rate(Rating("Wann öffnet der Markt?", "de", helpful=True))
    gold = Gold(gold_file(settings))
    gold.add(Line("a", "de", f"Wo wohnt {NAME}?", ("hier",), (), True))
    gold.add(Line("b", "de", "Wann?", ("heute",), (), True))
    reports = gold.file.parent.parent / "reports"
    reports.mkdir()
    (reports / "1.html").write_text(f"<p>{NAME}")
    (reports / "2.html").write_text("<p>nichts")
    return journal


def test_what_is_kept_of_somebody_is_shown_and_erased(settings, monkeypatch):
    journal = fill(settings)
    shown = json.loads(run(settings, monkeypatch, "privacy", "export", "--about", "erika  mustermann").stdout)
    assert [row["id"] for row in shown["feedback"]] == [1, 2]
    assert [line["id"] for line in shown["gold"]] == ["a"]
    assert shown["reports"] == ["1.html"]
    done = run(settings, monkeypatch, "privacy", "erase", "--about", NAME)
    assert done.stdout == "erased feedback 2, questions 0, gold 1, reports 1\n"
    assert b"ustermann" not in journal.file.read_bytes()
    assert b"USTERMANN" not in journal.file.read_bytes()
    left = json.loads(run(settings, monkeypatch, "privacy", "export").stdout)
    assert [row["question"] for row in left["feedback"]] == ["Wann öffnet der Markt?"]
    assert [line["id"] for line in left["gold"]] == ["b"]
    assert run(settings, monkeypatch, "privacy", "erase", "--everything").exit_code == 0
    left = json.loads(run(settings, monkeypatch, "privacy", "export").stdout)
    assert left == {"feedback": [], "questions": [], "gold": [], "reports": []}


@pytest.mark.parametrize("arguments", [[], ["--about", "ab"], ["--about", NAME, "--everything"]])
def test_erasing_says_what(arguments, settings, monkeypatch):
    fill(settings)
    done = run(settings, monkeypatch, "privacy", "erase", *arguments)
    assert done.exit_code != 0
    assert len(Journal.of(settings).holding("")["feedback"]) == 3


def test_what_is_done_in_the_admin_area_is_noted_and_no_question_is(settings):
    somebody = administration(StandIn(), settings)
    somebody.get("/questions", show="bad", words=NAME)
    somebody.get("/gold", source=DOCUMENTS[0].source)
    somebody.get("/questions", question=f"Wo wohnt {NAME}?")
    Administrator(somebody.client.app).log_in("ein falsches Passwort")
    noted = list(AuditLog.of(settings).lines())
    assert [line["what"] for line in noted] == [
        "POST /login", "GET /questions", "GET /gold", "GET /questions", "POST /login",
    ]  # fmt: skip
    assert noted[0]["status"] == 303
    assert noted[-1]["status"] == 403
    assert noted[2]["about"] == {"source": DOCUMENTS[0].source}
    assert noted[1]["who"] == noted[2]["who"] != "nobody"
    assert noted[-1]["who"] == "nobody"
    assert NAME not in json.dumps(noted)
    assert "Passwort" not in json.dumps(noted)
    assert AuditLog.of(settings).broken() == []


def test_a_proxys_name_is_noted(tmp_path):
    settings = settings_in(tmp_path, tmp_path / "store", admin_header="X-Admin", trusted_proxies="testclient,10.0.0.1")
    settings = settings.model_copy(update={"trusted_proxies": "10.0.0.1"})
    somebody = Administrator(area_alone(StandIn(), settings), **{"X-Admin": "berta"})
    somebody.client._transport.client = ("10.0.0.1", 1)
    assert somebody.get("/questions").status_code == 200
    assert [line["who"] for line in AuditLog.of(settings).lines()] == ["berta"]


def lines_of(log):
    return sorted(log.folder.glob("*.jsonl"))[-1].read_text("utf-8").splitlines()


def write(log, lines):
    sorted(log.folder.glob("*.jsonl"))[-1].write_text("".join(f"{line}\n" for line in lines), "utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0].replace("source-0", "source-9"), *lines[1:]],
        lambda lines: [lines[0], lines[2], lines[3]],
        lambda lines: [lines[0], lines[2], lines[1], lines[3]],
        lambda lines: [lines[0], lines[0], *lines[1:]],
        lambda lines: [*lines[:2], lines[2][:40], lines[3]],
    ],
)
def test_a_line_that_is_changed_taken_out_or_put_in_is_found(change, log):
    for number in range(4):
        log.note("anna", "10.0.0.1", "POST /documents/remove", {"source": f"source-{number}"}, 303)
    assert log.broken() == []
    write(log, change(lines_of(log)))
    assert log.broken()


def test_the_chain_goes_on_over_months_and_over_a_line_cut_off(log):
    log.note("anna", "10.0.0.1", "GET /documents", {}, 200)
    (first,) = log.folder.glob("*.jsonl")
    older = first.rename(first.with_name("2026-01.jsonl"))
    log.note("anna", "10.0.0.1", "GET /documents", {"id": "x" * 5000}, 200)
    assert log.broken() == []
    assert len(list(log.lines())) == 2
    first.write_text(first.read_text()[:-30])
    log.note("anna", "10.0.0.1", "GET /documents", {}, 200)
    assert len(log.broken()) >= 1
    assert older.exists()


def test_what_is_over_its_time_goes_by_the_month(log, tmp_path):
    log.note("anna", "10.0.0.1", "GET /documents", {}, 200)
    old = log.folder / "2001-01.jsonl"
    old.write_text("{}\n")
    log.sweep()
    assert not old.exists()
    assert len(list(log.lines())) == 1
    assert log.broken() == []


def test_an_audit_log_that_cannot_be_written_is_said_so(log):
    log.folder.parent.mkdir(parents=True)
    log.folder.write_text("a file")
    with pytest.raises(StoreError, match="audit log"):
        log.note("anna", "10.0.0.1", "GET /documents", {}, 200)


def test_the_audit_command_verifies(settings, monkeypatch):
    log = AuditLog.of(settings)
    log.note("anna", "10.0.0.1", "GET /documents", {"source": "plan.pdf"}, 200)
    done = run(settings, monkeypatch, "audit", "--verify")
    assert done.exit_code == 0
    assert json.loads(run(settings, monkeypatch, "audit", "--json").stdout)["who"] == "anna"
    write(log, [lines_of(log)[0].replace("anna", "otto")])
    done = run(settings, monkeypatch, "audit", "--verify")
    assert done.exit_code == 1
    assert "has been changed" in done.stderr


def test_keys_are_made_listed_and_revoked(settings, monkeypatch):
    made = run(settings, monkeypatch, "keys", "add", "Intranet", "--groups", "hr, bau", "--rights", "ask,tokens")
    assert made.stdout.startswith("citycite_")
    listed = json.loads(run(settings, monkeypatch, "keys", "list", "--json").stdout)
    assert listed[0]["groups"] == ["bau", "hr"]
    assert listed[0]["rights"] == ["ask", "tokens"]
    assert made.stdout.strip() not in json.dumps(listed)
    assert run(settings, monkeypatch, "keys", "revoke", listed[0]["id"]).exit_code == 0
    assert "revoked" in run(settings, monkeypatch, "keys", "list").stdout
    assert run(settings, monkeypatch, "keys", "revoke", "nothing").exit_code != 0
    for wrong in (["--rights", "all"], ["--groups", "a", "--all-documents"], ["--days", "0"], ["--groups", ","]):
        assert run(settings, monkeypatch, "keys", "add", "x", *wrong).exit_code != 0
