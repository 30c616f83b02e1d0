"""The Model Context Protocol, with its official client: over stdio, over HTTP, and straight into the server."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from mcp import Client, StdioServerParameters

from tests.browser.conftest import serving
from tests.ui.stand_in import StandIn, broken_store
from tests.ui.test_api import NOBODY_KNOWS, WHEN
from tests.ui.test_ask_stream import Slow
from ui.mcp_server import MAX_TEXT, mcp_server

ROOT = Path(__file__).parents[2]


def _with(server, use):
    async def run():
        async with Client(server) as client:
            return await use(client)

    # A thread of its own: a browser that other tests have opened keeps a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


def _call(server, name, **arguments):
    return _with(server, lambda client: client.call_tool(name, arguments))


def test_a_program_asks_over_stdio(corpus_store):
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "ui", "mcp", "--store", str(corpus_store)],
        cwd=str(ROOT),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    async def use(client):
        tools = (await client.list_tools()).tools
        return tools, await client.call_tool("ask", WHEN), await client.call_tool("get_document", {"document_id": "no"})

    tools, asked, missing = _with(command, use)
    assert sorted(tool.name for tool in tools) == ["ask", "get_document", "search"]
    assert all(tool.description and tool.annotations.read_only_hint for tool in tools)
    assert "15. Oktober" in asked.structured_content["citations"][0]["quote"]
    assert missing.is_error
    assert "No document 'no'" in missing.content[0].text


def test_a_running_server_answers_at_mcp(assistant, client):
    with serving(assistant) as address:

        async def use(program):
            asked = await program.call_tool("ask", WHEN | {"source": "/press/"})
            found = await program.call_tool("search", {"query": "LoRaWAN", "top_k": 2})
            first = found.structured_content["passages"][0]
            read = await program.call_tool("get_document", {"document_id": first["document_id"]})
            return asked.structured_content, found.structured_content["passages"], read.structured_content

        answer, passages, document = _with(f"{address}/mcp", use)
        nothing = _call(f"{address}/mcp", "ask", **NOBODY_KNOWS).structured_content
    over_http = client.post("/api/v1/ask", json=WHEN | {"filters": {"source": "/press/"}}).json()
    assert answer | {"timings_ms": None} == over_http | {"timings_ms": None}
    assert len(passages) == 2
    assert document["text"][passages[0]["start"] : passages[0]["end"]] == passages[0]["text"]
    assert nothing["abstained"]


def test_a_program_that_calls_off_its_question_stops_the_work():
    slow = Slow()

    async def use(client):
        asked = asyncio.create_task(client.call_tool("ask", WHEN))
        await asyncio.to_thread(slow.begun.wait, 60)
        asked.cancel()
        return await asyncio.to_thread(slow.ended.wait, 60)

    assert _with(mcp_server(slow), use)


def test_a_long_document_is_read_in_parts():
    stand_in, long = StandIn(), "ä🙂" * MAX_TEXT
    stand_in.stored["markt"] = replace(stand_in.stored["markt"], text=long)
    server, read = mcp_server(stand_in), ""
    while len(read) < len(long):
        part = _call(server, "get_document", document_id="markt", start=len(read)).structured_content
        assert part["end"] - part["start"] == len(part["text"]) <= MAX_TEXT
        read += part["text"]
    assert read == long
    beyond = _call(server, "get_document", document_id="markt", start=len(long) + 1)
    assert beyond.is_error
    assert f"ends at {len(long)}" in beyond.content[0].text


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("ask", {"question": ""}, "0 characters"),
        ("ask", {}, "question"),
        ("ask", {"question": "a", "since": "gestern"}, "since is 'gestern'"),
        ("ask", {"question": "a", "language": "fr"}, "language"),
        ("search", {"query": "a", "top_k": 0}, "top_k"),
        ("get_document", {"document_id": "markt", "start": -1}, "start"),
        ("forget", {}, "forget"),
    ],
)
def test_what_is_wrong_is_said_to_the_model(name, arguments, said):
    result = _call(mcp_server(StandIn()), name, **arguments)
    assert result.is_error
    assert said in result.content[0].text


def test_failures_tell_what_the_model_may_know():
    stand_in = StandIn()
    stand_in.failure = broken_store()
    assert "disk error" in _call(mcp_server(stand_in), "ask", question="Wann?").content[0].text
    stand_in.failure = ZeroDivisionError("a secret")
    result = _call(mcp_server(stand_in), "search", query="Wann?")
    assert result.is_error
    assert "secret" not in result.content[0].text


def test_pages_of_other_sites_may_not_use_it():
    """A page can have any name lead to this machine, so its origin alone tells whose it is."""
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    with serving(StandIn()) as address:
        for origin in ("https://evil.example", address, "null"):
            refused = httpx.post(f"{address}/mcp", json=hello, headers=accept | {"Origin": origin}, timeout=60)
            assert refused.status_code == 403
            assert "CITYCITE_ALLOWED_ORIGINS" in refused.json()["detail"]
        assert httpx.post(f"{address}/mcp", json=hello, headers=accept, timeout=60).status_code < 400
