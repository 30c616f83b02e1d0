"""Every way in knows who asks: streams, OpenAI's protocol, MCP, the widget, figures; nothing asks for nobody."""

import ast
import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

import ui
from rag.settings import Settings
from tests.ui.signed_in import GROUP, HIDDEN, TELLS, WHEN, application, browser, events, reader_at, running, settings_of
from tests.ui.test_sign_in import CHAT, bearer, key_in
from ui.backup import backup, restore
from ui.sign_in.keys import Keys

PORTAL = "https://portal.stadt.example"
USES = {"ask", "search", "suggestion", "documents", "document", "trail"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    with running(settings_of(folder, sign_in="keys", allowed_origins=PORTAL)) as address:
        yield folder, address


def over_mcp(address, key):
    """Return what the three tools say to whoever has `key`."""

    async def use():
        async with (
            httpx2.AsyncClient(headers=bearer(key), trust_env=False, timeout=60) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
        ):
            called = [
                await client.call_tool("ask", {"question": WHEN}),
                await client.call_tool("search", {"query": WHEN, "top_k": 50}),
                await client.call_tool("get_document", {"document_id": HIDDEN}),
            ]
            return [answer.is_error for answer in called], "".join(answer.content[0].text for answer in called)

    # A thread of its own: a browser that other tests have opened keeps a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, use()).result()


def test_programs_see_over_mcp_what_their_key_may(served):
    folder, address = served
    failed, said = over_mcp(address, key_in(folder))
    assert failed == [False, False, False]
    assert said.count(TELLS) >= 3
    failed, said = over_mcp(address, key_in(folder, ["bau"]))
    assert failed == [False, False, True]
    assert TELLS not in said
    assert f"There is no document '{HIDDEN}'" in said
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for headers in ({}, {"Authorization": "Bearer citycite_a_b"}):
        assert httpx.post(f"{address}/mcp", json=ping, headers=headers, trust_env=False, timeout=60).status_code == 401


def test_the_widget_asks_with_a_short_lived_token_from_another_site(served):
    """What a browser sends for `data-token` of ui/widget/widget.js: a preflight without it, then the question."""
    folder, address = served
    program = reader_at(address, **bearer(key_in(folder, rights=["tokens"])))
    token = program.post("/api/v1/tokens", json={"minutes": 5}).json()["token"]
    page = reader_at(address, Origin=PORTAL)
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = page.options("/api/v1/ask/stream", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, PORTAL)
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    answer = page.post("/api/v1/ask/stream", json={"question": WHEN}, headers=bearer(token) | elsewhere)
    assert TELLS in answer.text
    assert answer.headers["access-control-allow-origin"] == PORTAL
    refused = page.post("/api/v1/ask/stream", json={"question": WHEN}, headers=elsewhere)
    # The page can read why, so that it can ask for a new token.
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PORTAL)
    assert page.get("/widget.js").status_code == 200
    evil = reader_at(address, Origin="https://evil.example")
    assert "access-control-allow-origin" not in evil.options("/api/v1/ask/stream", headers=asked).headers
    none = program.post("/api/v1/tokens", json={"groups": []}).json()["token"]
    said = page.post("/api/v1/ask/stream", json={"question": WHEN}, headers=bearer(none)).text
    assert "event: answer" in said
    assert TELLS not in said


def test_a_conversation_that_is_taken_up_again_is_answered_for_who_takes_it_up(served):
    folder, address = served
    said = json.dumps([{"question": WHEN, "view": ""}])
    for groups, sees in (([GROUP], True), (["bau"], False)):
        client = reader_at(address, **bearer(key_in(folder, groups)))
        shown = events(client, question="Wann öffnet der Wochenmarkt?", said=said)
        assert shown.count("Eurocities") > 1
        assert (TELLS in shown) == sees


def test_figures_are_for_keys_with_that_right(tmp_path):
    app = application(tmp_path, sign_in="keys")
    assert browser(app).get("/metrics").status_code == 401
    assert browser(app, **bearer(key_in(tmp_path, None))).get("/metrics").status_code == 403
    scraper = browser(app, **bearer(key_in(tmp_path, [], ["metrics"])))
    assert "citycite_documents" in scraper.get("/metrics").text
    assert scraper.post("/v1/chat/completions", json=CHAT).status_code == 403
    assert browser(application(tmp_path)).get("/metrics").status_code == 200


@pytest.mark.parametrize("sign_in", ["keys", "open"])
def test_who_watches_the_server_need_not_sign_in(sign_in, tmp_path):
    client = browser(application(tmp_path, sign_in=sign_in))
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_in_open_mode_any_word_is_a_key_for_openais_clients_alone(tmp_path):
    app = application(tmp_path)
    client = browser(app, **bearer("none"))
    answer = client.post("/v1/chat/completions", json=CHAT)
    assert (answer.status_code, TELLS in answer.text) == (200, False)
    assert client.post("/api/v1/ask", json={"question": WHEN}).status_code == 401
    for expired in ("citycite_a_b", "eyJh.c2ln"):
        assert browser(app, **bearer(expired)).post("/v1/chat/completions", json=CHAT).status_code == 401
    assert TELLS in browser(app, **bearer(key_in(tmp_path))).post("/v1/chat/completions", json=CHAT).text
    closed = application(tmp_path, sign_in="keys")
    assert browser(closed, **bearer("none")).post("/v1/chat/completions", json=CHAT).status_code == 401


def test_in_open_mode_a_proxy_on_this_machine_is_no_way_round_the_limits(tmp_path):
    app = application(tmp_path, trusted_proxies="127.0.0.1", rate_limit_address=2)
    through = browser(app, ("127.0.0.1", 1), **{"X-Forwarded-For": "10.1.1.1"})
    assert [through.get("/api/v1/documents").status_code for _ in range(3)] == [200, 200, 429]
    alone = browser(application(tmp_path, rate_limit_address=2), ("127.0.0.1", 1))
    assert [alone.get("/api/v1/documents").status_code for _ in range(3)] == [200, 200, 200]


def test_a_backup_keeps_keys_and_not_what_signs_sessions(tmp_path, corpus_store):
    settings = Settings(store=str(corpus_store), data=str(tmp_path / "data"), sign_in="keys")
    key = key_in(tmp_path)
    application(tmp_path, sign_in="keys")  # makes the secret
    assert (tmp_path / "data" / "secret").is_file()
    (tmp_path / "data" / "audit").mkdir(exist_ok=True)
    (tmp_path / "data" / "audit" / "2026-01.jsonl").write_text("{}\n", "utf-8")
    backup(settings, tmp_path / "b.tar.gz", lambda count: None)
    again = Settings(store=str(tmp_path / "again" / "store"), data=str(tmp_path / "again" / "data"))
    restore(again, tmp_path / "b.tar.gz", lambda count: None)
    data = tmp_path / "again" / "data"
    assert Keys(data).check(key)
    assert (data / "keys.sqlite").stat().st_mode & 0o077 == 0
    assert (data / "audit" / "2026-01.jsonl").read_text("utf-8") == "{}\n"
    assert not (data / "secret").exists()


def test_every_use_of_the_assistant_on_the_pages_says_who_asks():
    alone = {"cli.py", "doctor.py", "coverage.py", "evaluate.py"}  # on one's own machine
    uses = 0
    for file in Path(ui.__file__).parent.rglob("*.py"):
        if file.name in alone or "admin" in file.parts:
            continue
        tree = ast.parse(file.read_text("utf-8"))
        told = set()
        for node in ast.walk(tree):
            # A call, or a call that is prepared: partial(assistant.trail, ..., reader=...).
            if isinstance(node, ast.Call) and any(word.arg == "reader" for word in node.keywords):
                told |= {id(node.func), *map(id, node.args)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in USES and "assistant" in ast.unparse(node.value):
                uses += 1
                assert id(node) in told, f"{file}:{node.lineno}"
    assert uses > 15
