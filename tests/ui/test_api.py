"""The HTTP API as a client sees it."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from rag import schema
from tests.ui.stand_in import broken_store
from ui import models
from ui.security import MAX_BODY

WHEN = {"question": "Seit wann gehört Krakau zu Eurocities?"}
NOBODY_KNOWS = {"question": "Wie viele Elefanten leben im Tierpark von Montevideo?"}
ANSWER = [
    "question", "language", "answer", "abstained", "confidence", "mode", "timings_ms", "citations", "understood",
    "note",
]  # fmt: skip
CITATION = [
    "marker", "document_id", "title", "source", "page", "section", "published", "quote", "start", "end", "score",
    "type", "department",
]  # fmt: skip
FOREIGN = {"Origin": "https://evil.example", "Host": "citycite.stadt.example"}


def test_ask_answers_with_a_quote_that_stands_in_the_document(client):
    answer = client.post("/api/v1/ask", json=WHEN).json()
    assert list(answer) == ANSWER
    assert list(answer["timings_ms"]) == ["retrieve", "answer", "total"]
    assert (answer["language"], answer["abstained"], answer["mode"]) == ("de", False, "extractive")
    assert "[1]" in answer["answer"]
    first = answer["citations"][0]
    assert list(first) == CITATION
    assert "15. Oktober" in first["quote"]
    for citation in answer["citations"]:
        document = client.get(f"/api/v1/documents/{citation['document_id']}").json()
        assert document["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_ask_says_so_where_the_documents_hold_no_answer(client):
    answer = client.post("/api/v1/ask", json=NOBODY_KNOWS).json()
    assert answer["abstained"]
    assert answer["citations"] == []
    assert answer["answer"]


def test_search_finds_passages_best_first(client):
    passages = client.get("/api/v1/search", params={"query": "Krakau Eurocities", "top_k": 2}).json()
    assert len(passages) == 2
    assert passages[0]["score"] >= passages[1]["score"]
    document = client.get(f"/api/v1/documents/{passages[0]['document_id']}").json()
    assert document["text"][passages[0]["start"] : passages[0]["end"]] == passages[0]["text"]


def test_filters_say_which_documents_may_answer(client):
    press = {"source": "/press/", "language": "de"}
    answer = client.post("/api/v1/ask", json=WHEN | {"filters": press}).json()
    assert answer["citations"]
    assert all("/press/" in citation["source"] for citation in answer["citations"])
    assert client.post("/api/v1/ask", json=WHEN | {"filters": {"since": "2999"}}).json()["abstained"]
    found = client.get("/api/v1/search", params={"query": "Krakau", "until": "2024"}).json()
    assert found
    assert all(passage["document_id"] for passage in found)
    assert client.get("/api/v1/search", params={"query": "Krakau", "type": "no such type"}).json() == []


def test_documents_are_listed_and_each_can_be_fetched(client):
    listed = client.get("/api/v1/documents").json()
    assert listed
    for summary in listed:
        document = client.get(f"/api/v1/documents/{summary['document_id']}").json()
        assert {key: document[key] for key in ("title", "source", "published")} == {
            key: summary[key] for key in ("title", "source", "published")
        }
        assert len(document["text"]) == summary["characters"]
        assert list(document)[-3:] == ["text", "pages", "sections"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (models.AnswerBody, schema.Answer),
        (models.TimingsBody, schema.Timings),
        (models.CitationBody, schema.Citation),
        (models.PassageBody, schema.Passage),
        (models.DocumentSummaryBody, schema.DocumentSummary),
        (models.MarkBody, schema.Mark),
    ],
)
def test_bodies_have_the_fields_of_the_schema_and_describe_them(body, value):
    # Which groups see a document is not for those who see it.
    assert list(body.model_fields) == [f.name for f in dataclasses.fields(value) if f.name != "groups"]
    assert all(field.description for field in body.model_fields.values())


def test_healthz(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"json": {"question": ""}}, 422, "question"),
        ({"json": {"question": "a" * 2001}}, 422, "2"),
        ({"json": {"question": 5}}, 422, "question is 5; it should be a valid string"),
        ({"json": {"question": "a", "quesiton": 1}}, 422, "quesiton is not a known field"),
        ({"json": {}}, 422, "question is missing"),
        ({"json": {"question": "a", "filters": {"since": "gestern"}}}, 422, "since is 'gestern'; give a date as 2024"),
        ({"json": {"question": "a", "filters": {"from": "2024"}}}, 422, "filters.from is not a known field"),
        ({"json": {"question": "a", "filters": {"language": "fr"}}}, 422, "filters.language is 'fr'"),
        ({"json": ["a"]}, 422, "must be a JSON object"),
        ({"content": b'{"question": "a"}'}, 422, "Content-Type: application/json"),
        ({"content": b'{"question": ', "headers": {"Content-Type": "application/json"}}, 400, "not valid JSON"),
        ({"content": b"\xff", "headers": {"Content-Type": "application/json"}}, 400, ""),
        (
            {"content": b'{"question": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
            422,
            "half a character",
        ),
        ({"json": {"question": "a" * MAX_BODY}}, 413, "64 kB"),
        ({"content": iter([b"a" * MAX_BODY, b"a"])}, 413, "64 kB"),
    ],
)
def test_a_wrong_question_is_refused_with_one_clear_line(client, request_, status, detail):
    _assert_problem(client.post("/api/v1/ask", **request_), status, detail)


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/api/v1/search?query=a&top_k=0", 422, "top_k is '0'; it should be greater than or equal to 1"),
        ("GET", "/api/v1/search?query=a&top_k=101", 422, "top_k is '101'; it should be less than or equal to 100"),
        ("GET", "/api/v1/search?query=a&top_k=x", 422, "top_k is 'x'; it should be a valid integer"),
        ("GET", "/api/v1/search?query=", 422, "query is ''"),
        ("GET", "/api/v1/search", 422, "query is missing"),
        ("GET", "/api/v1/search?query=a&until=2024-13", 422, "until is '2024-13'; give a date as 2024"),
        ("GET", "/api/v1/search?query=a&form=2024", 422, "form is not a known field"),
        ("GET", "/api/v1/documents/nowhere", 404, "nowhere"),
        ("GET", "/api/v1/nothing", 404, "There is nothing at /api/v1/nothing"),
        ("GET", "/nothing", 404, "There is nothing at /nothing"),
        ("GET", "/api/v1/ask", 405, "use POST"),
        ("DELETE", "/api/v1/documents/vorlage", 405, "use GET"),
    ],
)
def test_a_wrong_request_is_refused_with_one_clear_line(client, method, path, status, detail):
    _assert_problem(client.request(method, path), status, detail)


def test_a_broken_store_is_a_problem_of_its_own(stand_in, stand_in_client):
    stand_in.failure = broken_store()
    _assert_problem(stand_in_client.post("/api/v1/ask", json=WHEN), 503, "disk error")
    _assert_problem(stand_in_client.get("/api/v1/documents"), 503, "disk error")


def test_an_unexpected_error_is_logged_and_not_told(stand_in, stand_in_client, caplog):
    stand_in.failure = ZeroDivisionError("a secret")
    response = stand_in_client.post("/api/v1/ask", json=WHEN)
    _assert_problem(response, 500, "unexpected")
    assert "secret" not in response.text
    assert "a secret" in caplog.text


def _assert_problem(response, status, detail):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert list(body) == ["type", "title", "status", "detail"]
    assert body["status"] == status
    assert detail in body["detail"]
    assert "\n" not in body["detail"]


PATHS = [
    "/",
    "/config",
    "/theme.css",
    "/gradio_api/startup-events",
    "/api/v1/documents",
    "/docs",
    "/healthz",
    "/nothing",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_response_is_open_to_other_origins(client, path):
    preflight = {**FOREIGN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    for response in [client.get(path, headers=FOREIGN), client.options(path, headers=preflight)]:
        assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", [*PATHS, "/documents/nowhere"])
def test_every_response_has_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-eval" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/proxy=https://evil.hf.space/x"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/runs"),
        ("POST", "/gradio_api/call/respond"),
        ("POST", "/login"),
        ("GET", "/monitoring"),
        ("GET", "/gradio_api/vibe-code"),
    ],
)
def test_what_gradio_serves_besides_the_page_is_closed(client, method, path):
    assert client.request(method, path).status_code == 404


def test_gradio_is_silent(client):
    config = client.get("/config").json()
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []
    assert not config.get("run_history")
    assert "googleapis" not in client.get("/theme.css").text


def test_the_documentation_comes_from_this_server(client):
    page = client.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    for address in addresses:
        assert "//" not in address
        assert client.get(f"/{address}").status_code == 200
    assert '"validatorUrl": null' in page


def test_the_description_is_complete(client):
    description = client.get("/api/v1/openapi.json").json()
    assert sorted(description["paths"]) == [
        "/api/v1/access/{document_id}", "/api/v1/ask", "/api/v1/ask/stream", "/api/v1/documents",
        "/api/v1/documents/{document_id}", "/api/v1/feedback", "/api/v1/search", "/api/v1/tokens", "/healthz",
        "/readyz",
    ]  # fmt: skip
    assert "HTTPValidationError" not in json.dumps(description)
    assert "application/problem+json" in json.dumps(description["paths"]["/api/v1/ask"])


def test_files_of_the_page_name_no_other_host():
    for file in (Path(models.__file__).parent / "assets").iterdir():
        assert "//" not in re.sub(r"(?m)^\s*// .*$|\s// .*$", "", file.read_text(encoding="utf-8")), file


def test_the_original_of_a_pdf_is_shown_and_of_nothing_else(client, assistant, stand_in_client):
    magazine = next(item for item in assistant.documents() if item.source.endswith(".pdf"))
    answer = client.get(f"/original/{magazine.document_id}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content == Path(magazine.source).read_bytes()

    press = next(item for item in assistant.documents() if item.source.endswith(".txt"))
    answer = client.get(f"/original/{press.document_id}?lang=de")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"/documents/{press.document_id}?lang=de" in answer.text
    assert client.get("/original/nicht-da?lang=de").status_code == 404
    assert stand_in_client.get("/original/markt").status_code == 404
