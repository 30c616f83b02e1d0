"""What other sites may do here: nothing, unless the operator says which."""

import pytest
from starlette.testclient import TestClient

from rag.errors import UsageError
from rag.settings import Settings
from tests.ui.stand_in import StandIn
from ui.api import create_app
from ui.cross_origin import origins

PORTAL, EVIL = "https://portal.stadt.example", "https://evil.example"


@pytest.fixture(scope="module")
def opened():
    settings = Settings(allowed_origins=f" {PORTAL}/ , http://intranet:8080", frame_ancestors=PORTAL)
    return TestClient(create_app(StandIn(), settings))


def _preflight(client, path, origin, headers="content-type"):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return client.options(path, headers=asked)


def test_scripts_of_an_allowed_origin_may_ask(opened):
    allowed = _preflight(opened, "/api/v1/ask/stream", PORTAL, "authorization, content-type")
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PORTAL
    assert allowed.headers["x-content-type-options"] == "nosniff"
    answer = opened.post("/api/v1/ask", json={"question": "Wann trat Krakau bei?"}, headers={"Origin": PORTAL})
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    problem = opened.post("/api/v1/ask", json={}, headers={"Origin": PORTAL})
    assert (problem.status_code, problem.headers["access-control-allow-origin"]) == (422, PORTAL)


@pytest.mark.parametrize("origin", [EVIL, "null", PORTAL + ".evil.example", PORTAL.replace("https", "http"), "*"])
def test_scripts_of_all_others_may_not(opened, origin):
    assert "access-control-allow-origin" not in _preflight(opened, "/api/v1/ask", origin).headers
    answer = opened.post("/api/v1/ask", json={"question": "Wann?"}, headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/config", "/admin/login", "/documents/vorlage", "/gradio_api/queue/join"])
def test_pages_are_opened_to_nobody(opened, path):
    for response in (_preflight(opened, path, PORTAL), opened.get(path, headers={"Origin": PORTAL})):
        assert not [name for name in response.headers if name.startswith("access-control-")]


def test_frames_of_the_named_sites_alone(opened, client):
    for path in ("/", "/documents/vorlage"):
        assert f"frame-ancestors 'self' {PORTAL}" in opened.get(path).headers["content-security-policy"]
        assert client.get(path).headers["content-security-policy"].count("frame-ancestors 'self'") == 1
        assert PORTAL not in client.get(path).headers["content-security-policy"]
    assert PORTAL not in opened.get("/admin/login").headers["content-security-policy"]


@pytest.mark.parametrize(
    "value",
    ["*", "https://*.stadt.example", "stadt.example", "https://", "ftp://x", "https://a/b", "https://u@a", "null",
     "https://a; script-src *", "https://a 'unsafe-inline'", "https://a:x", "https://a?b", "https://a\nb"],
)  # fmt: skip
def test_what_is_no_origin_is_refused_with_the_setting(value):
    with pytest.raises(UsageError, match="CITYCITE_FRAME_ANCESTORS") as caught:
        origins("frame_ancestors", value)
    assert "\n" not in str(caught.value)


def test_origins_are_written_as_browsers_write_them():
    assert origins("x", "HTTPS://Portal.Example:443/, http://[::1]:80 ,,http://a:81") == (
        "https://portal.example", "http://[::1]", "http://a:81",
    )  # fmt: skip
    assert origins("x", " ") == ()
