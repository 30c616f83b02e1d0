"""Applications over the stand-in with documents of two groups, and events of the chat page."""

import html
import json
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import httpx
from starlette.testclient import TestClient

from rag.settings import Settings
from tests.ui.stand_in import DOCUMENTS, StandIn
from ui.api import create_app
from ui.server import listen, server

WHEN = "Seit wann gehört Krakau zu Eurocities?"
# Of the documents of the stand-in this one answers, and is for one group alone; its text says this.
HIDDEN, GROUP, TELLS = DOCUMENTS[0].id, "hr", "15. Oktober zählt Krakau"
PEER = ("10.0.0.9", 4711)


def stand_in():
    made = StandIn()
    made.stored[HIDDEN] = replace(made.stored[HIDDEN], groups=(GROUP,))
    return made


def settings_of(folder, **values):
    return Settings(store=str(folder / "store"), data=str(folder / "data"), **values)


def application(folder, **values):
    return create_app(stand_in(), settings_of(folder, **values))


def browser(app, peer=PEER, **headers):
    return TestClient(app, client=peer, headers=headers, follow_redirects=False)


@contextmanager
def running(settings):
    """Serve the stand-in for real, because the page's events run beside the requests; yield the address."""
    with listen("127.0.0.1", 0) as listener:
        served = server(stand_in(), settings)
        thread = threading.Thread(target=served.run, args=([listener],), daemon=True)
        thread.start()
        until = time.monotonic() + 60
        while not served.started and time.monotonic() < until:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            served.should_exit = True
            thread.join(60)


def reader_at(address, **headers):
    return httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False)


def events(client, session=None, language="de", question=WHEN, said=""):
    """Ask a question on the chat page; return all that the page is sent, as text."""
    session = session or secrets.token_hex(6)
    page = client.get("/config")
    if page.status_code != 200:
        return f"[{page.status_code}]"
    index = next(
        number for number, event in enumerate(page.json()["dependencies"])
        if event["targets"] and event["targets"][0][1] == "submit"
    )  # fmt: skip
    joined = client.post(
        "/gradio_api/queue/join",
        json={"data": [question, None, said, language, *[""] * 6], "fn_index": index, "session_hash": session},
    )
    if joined.status_code != 200:
        return f"[{joined.status_code}]"
    return received(client, session)


def received(client, session):
    said = []
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        if stream.status_code != 200:
            return stream.read().decode()
        for line in stream.iter_lines():
            if line.startswith("data:"):
                said.append(line)
                if json.loads(line[5:])["msg"] in {"process_completed", "close_stream", "unexpected_error"}:
                    break
    return "\n".join(html.unescape(json.dumps(json.loads(line[5:]), ensure_ascii=False)) for line in said)
