"""The server goes away while a page is open, and comes back: the reader is told, loses nothing, and goes on."""

import multiprocessing
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from rag.settings import Settings
from tests.browser.conftest import visiting
from tests.browser.test_chat_page import MARKET, WHEN, ask, question_box
from tests.ui.stand_in import StandIn
from ui.server import listen, server

pytestmark = pytest.mark.browser


class Hanging(StandIn):
    """Answers what is a question by itself; a follow-up it would answer after the test."""

    def trail(self, question, *arguments, **named):
        if question != WHEN:
            time.sleep(600)
        return super().trail(question, *arguments, **named)


def serve_stand_in(port, folder, ready, kind):
    """Serve the stand-in on `port` until the process is killed."""
    with listen("127.0.0.1", port) as listener:
        ready.put(listener.getsockname()[1])
        server(kind(), Settings(store=f"{folder}/store", data=f"{folder}/data")).run([listener])


class Process:
    """The server in a process of its own, which can be killed and started again at the same port."""

    def __init__(self, folder, kind=StandIn):
        self.kind = kind
        # Forked from a process that has imported everything and runs nothing: a second for each start.
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.ui.stand_in", "ui.server"])
        self.folder, self.port = folder, 0
        self.start()

    def start(self):
        ready = self.context.Queue()
        self.process = self.context.Process(target=serve_stand_in, args=(self.port, str(self.folder), ready, self.kind))
        self.process.start()
        self.port = ready.get(timeout=60)
        self.address = f"http://127.0.0.1:{self.port}"
        while True:  # connections wait in the listener's queue until the server accepts them
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=60) as response:
                if response.status == 200:
                    return

    def kill(self):
        self.process.kill()
        self.process.join()


class Front:
    """A proxy before two replicas: hands each connection on to the one at `port`."""

    def __init__(self, port):
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with suppress(OSError):  # closed
            while True:
                threading.Thread(target=self.hand_on, args=(self.listener.accept()[0],), daemon=True).start()

    def hand_on(self, client):
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port)) as replica:
            threading.Thread(target=self.pump, args=(client, replica), daemon=True).start()
            self.pump(replica, client)

    def pump(self, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def replicas(tmp_path):
    """Two servers with a proxy before them; the first does not get to the end of a follow-up."""
    started = [Process(tmp_path / "1", Hanging), Process(tmp_path / "2")]
    front = Front(started[0].port)
    yield front, *started
    front.close()
    for process in started:
        process.kill()


@pytest.fixture
def process(tmp_path):
    started = Process(tmp_path)
    yield started
    started.kill()


def test_the_conversation_outlives_the_server(contexts, process):
    with visiting(contexts, process.address) as visit:
        page = visit.open_page("/?lang=de")
        ask(page, WHEN)
        process.kill()
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(process.address, timeout=5)
        question_box(page).fill("Und Wien?")
        question_box(page).press("Enter")
        notice = page.locator("#connection .said")
        expect(notice).to_contain_text("nicht erreichbar")
        assert notice.get_attribute("role") == "alert"
        expect(page.locator(".toast-body")).to_be_hidden()
        expect(page.locator(".card.answered")).to_be_visible()
        expect(question_box(page)).to_have_value("Und Wien?")

        process.start()
        expect(notice).to_contain_text("wieder da")
        # The page may be loaded anew once more; what is in the box stays there, and the reader presses again.
        deadline = time.monotonic() + 60
        while page.locator(".question").count() != 2 and time.monotonic() < deadline:
            with suppress(AssertionError, PlaywrightError):
                expect(question_box(page)).to_have_value("Und Wien?", timeout=10_000)
                question_box(page).press("Enter", timeout=10_000)
                expect(page.locator(".question")).to_have_count(2, timeout=10_000)
        # What was said before is there, and is known: the new question is understood from it.
        expect(page.locator(".question")).to_have_count(2)
        expect(page.locator(".understood")).to_contain_text("Seit wann gehört Wien zu Eurocities?")
        expect(page.locator(".card.answered").first).to_contain_text("15. Oktober")
        expect(notice).to_have_text("")
        ask(page, MARKET)
        expect(page.locator(".question")).to_have_count(3)
        visit.complaints.clear()  # the browser notes each request that found no server


def test_another_replica_takes_over_the_page_and_the_question_under_way(contexts, replicas):
    front, first, second = replicas
    with visiting(contexts, front.address) as visit:
        page = visit.open_page("/?lang=de")
        ask(page, WHEN)
        question_box(page).fill("Und Wien?")
        question_box(page).press("Enter")
        page.locator(".card.searching").wait_for()
        front.port = second.port
        first.kill()
        # To the browser the server was never away; but what it was asked last is with the one that is gone.
        expect(page.locator("#connection .said")).to_contain_text("wieder da")
        expect(question_box(page)).to_have_value("Und Wien?")
        expect(page.locator(".question")).to_have_count(1)
        expect(page.locator(".card.answered")).to_contain_text("15. Oktober")
        question_box(page).press("Enter")
        expect(page.locator(".understood")).to_contain_text("Seit wann gehört Wien zu Eurocities?")
        visit.complaints.clear()  # the browser notes each request that was cut off
