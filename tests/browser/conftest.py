"""A real Chromium before a real server.

Every test fails if the browser asks any other host for anything, or finds anything to complain about.
"""

import shutil
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from rag.pipeline import Assistant
from tests.ui.admin_session import set_password, settings_in
from tests.ui.stand_in import StandIn
from ui.server import listen, server

# Every name but the server's address, and that of a page that embeds it, is unknown to this browser: what a page needs
# from elsewhere, it misses.
NAMES = "MAP portal.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# Milliseconds that a condition may take to come about; none is waited out.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", f"--host-resolver-rules={NAMES}"]


@contextmanager
def serving(assistant, settings=None):
    """Serve `assistant` on a free port; gives the address."""
    with listen("127.0.0.1", 0) as listener:
        running = server(assistant, settings)
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        thread.join()


def city_settings(folder, store):
    """Settings as a city would make them; with questions set, none are looked for."""
    return settings_in(
        folder, store, parse_workers=1, name="Stadt Musterstadt", contact="auskunft@musterstadt.example",
        imprint_url="https://musterstadt.example/impressum", privacy_url="https://musterstadt.example/datenschutz",
        examples=(
            "Seit wann gehört Krakau zu Eurocities?", "Was ist LoRaWAN?",
            "Wann hat Köln mit dem Masterplan Digitalisierung begonnen?",
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def address(assistant):
    """Where the sample corpus is served."""
    with serving(assistant) as address:
        yield address


@pytest.fixture(scope="session")
def stand_in():
    return StandIn()


@pytest.fixture(scope="session")
def stand_in_address(stand_in):
    """Where the stand-in is served."""
    with serving(stand_in) as address:
        yield address


@pytest.fixture(scope="session")
def admin_address(pristine_store, tmp_path_factory, assistant):
    """Where a copy of the sample corpus is served with an admin area, feedback and a city's settings."""
    folder = tmp_path_factory.mktemp("admin")
    settings = city_settings(folder, shutil.copytree(pristine_store, folder / "store"))
    set_password(settings)
    opened = Assistant.open(settings.store, settings)
    opened.model = assistant.model
    opened.warm_up()
    with serving(opened, settings) as address:
        yield address
    opened.close()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def contexts(browser):
    """One browser profile a locale; its cache spares every test but the first the loading of Gradio's files."""
    opened = {}

    def context(locale):
        if locale not in opened:
            opened[locale] = browser.new_context(locale=locale)
            opened[locale].set_default_timeout(PATIENCE)
        return opened[locale]

    return context


class Visit:
    """What one test does in the browser; `open_page` opens a page of the server, in a tab of its own."""

    def __init__(self, contexts, address):
        self.contexts, self.address = contexts, address
        self.watched, self.requested, self.complaints = [], [], []

    def open_page(self, path="/", *, locale="de-DE", width=1440, height=900, wait_for="#language label.selected"):
        context = self.contexts(locale)
        if context not in self.watched:
            self.watched.append(context)
            context.on("request", self._note_request)
            context.on("weberror", self._note_error)
            context.on("console", self._note)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.goto(self.address + path)
        page.wait_for_selector(wait_for)
        return page

    def close(self):
        for context in self.watched:
            for page in context.pages:
                page.close()
            context.remove_listener("request", self._note_request)
            context.remove_listener("weberror", self._note_error)
            context.remove_listener("console", self._note)

    def _note_request(self, request):
        self.requested.append(request.url)

    def _note_error(self, error):
        self.complaints.append(str(error.error))

    def _note(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def foreign(self):
        """Return the addresses that were asked for and are neither the server's nor inside the page."""
        host = urlsplit(self.address).netloc
        return [
            url for url in self.requested if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != host
        ]


@pytest.fixture
def visit(contexts, address):
    """A visit to the server of the sample corpus."""
    with visiting(contexts, address) as visit:
        yield visit


@pytest.fixture
def stand_in_visit(contexts, stand_in_address):
    """A visit to the server of the stand-in."""
    with visiting(contexts, stand_in_address) as visit:
        yield visit


@pytest.fixture
def admin_visit(contexts, admin_address):
    """A visit to the server with the admin area."""
    with visiting(contexts, admin_address) as visit:
        yield visit


@contextmanager
def visiting(contexts, address):
    visit = Visit(contexts, address)
    yield visit
    visit.close()
    assert visit.foreign() == []
    assert visit.complaints == []
