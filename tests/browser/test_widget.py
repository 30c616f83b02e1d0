"""The widget on a page of another origin, in a real browser; and the chat page in a frame there."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from rag.settings import Settings
from tests.browser.conftest import serving
from tests.ui.stand_in import StandIn, broken_store
from ui.embedding import WIDGET, frame_snippet, widget_snippet

# The page of an intranet that lets scripts come from the server alone, and nothing inline.
POLICY = (
    "default-src 'none'; script-src {server}; connect-src {server}; frame-src {server}; "
    "require-trusted-types-for 'script'"
)


class Portal:
    """A web server of another origin with one page, whose body a test sets."""

    def __init__(self):
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Say nothing."""

            def do_GET(self):
                head = f'<!doctype html><html lang="{portal.language}"><title>Portal</title><h1>Portal</h1>'
                self.send_response(200 if self.path == "/" else 204)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", portal.policy)
                self.end_headers()
                self.wfile.write((head + portal.body).encode() if self.path == "/" else b"")

        self.body = self.policy = ""
        self.language = "de"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def origin(self):
        return f"http://portal.example:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def _opened():
    portal, stand_in = Portal(), StandIn()
    settings = Settings(allowed_origins=portal.origin, frame_ancestors=portal.origin)
    try:
        with serving(stand_in, settings) as server:
            yield portal, stand_in, server
    finally:
        portal.close()


@pytest.fixture(scope="module")
def embedded():
    with _opened() as opened:
        yield opened


@pytest.fixture
def open_portal(embedded, browser):
    """Open the portal with the widget on it; what the browser complains of is in `page.complaints`."""
    portal, stand_in, server = embedded
    contexts = []

    def open_page(extra="", *, language="de", **viewport):
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 800} | viewport))
        contexts[-1].set_default_timeout(10_000)
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text) if said.type != "log" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        snippet = widget_snippet(server, "de", "Stadt & <Amt>").replace(' data-language="de"', "")
        portal.body, portal.language = snippet.replace("<script ", f"<script {extra} "), language
        portal.policy = POLICY.format(server=server)
        page.goto(portal.origin)
        return page

    yield open_page
    stand_in.failure = stand_in.late_failure = None
    for context in contexts:
        context.close()


def _ask(page, question):
    page.get_by_role("button", name="Frage stellen").click()
    page.get_by_label("Ihre Frage").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("citycite-widget [aria-busy]")).to_have_count(0)


def test_the_widget_is_small_and_has_no_way_to_make_markup():
    script = WIDGET.read_text("utf-8")
    assert len(script.encode()) < 30_000
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser"):
        assert way not in script


def test_a_visitor_of_another_site_asks_and_sees_the_sources(open_portal, embedded):
    _, _, server = embedded
    page = open_portal()
    _ask(page, "Wann trat Krakau Eurocities bei?")
    answer = page.locator(".answer")
    assert "Seit dem 15. Oktober" in answer.inner_text()
    assert answer.get_attribute("lang") == "de"
    assert page.get_by_role("heading", name="Quellen").is_visible()
    links = page.locator("ol a")
    assert links.count() == 2
    assert page.locator("blockquote").first.inner_text().startswith("Seit dem 15. Oktober")
    assert links.first.get_attribute("href").startswith(f"{server}/documents/krakau-eurocities%2Fbeitritt?start=")
    assert links.first.inner_text() == "Krakau tritt Eurocities bei, S. 1, 15.10.2025"
    assert page.locator(".answer a").first.get_attribute("href") == links.first.get_attribute("href")
    with page.context.expect_page() as opened:
        links.first.click()
    opened.value.wait_for_selector("mark")
    assert page.complaints == []


def test_what_a_document_holds_is_shown_as_text(open_portal):
    page = open_portal()
    _ask(page, "Wann öffnet der Wochenmarkt?")
    assert "<b>Wochenmarkt</b> <img src=x onerror=" in page.locator("blockquote").first.inner_text()
    assert (
        page.locator("citycite-widget").evaluate(
            "host => [...host.shadowRoot.querySelectorAll('img, b, i, script, iframe')].length"
        )
        == 0
    )
    assert page.evaluate("window.hacked") is None
    links = page.locator("citycite-widget").evaluate(
        "h => [...h.shadowRoot.querySelectorAll('a')].map(a => a.protocol)"
    )
    assert set(links) == {"http:"}
    assert page.get_by_role("heading", name="Stadt & <Amt>").is_visible()
    assert page.complaints == []


def test_keyboard_and_screen_reader(open_portal):
    page = open_portal()
    focused = "document.querySelector('citycite-widget').shadowRoot.activeElement"
    page.locator("citycite-widget .launch").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.textContent") == "Frage stellen"
    assert page.evaluate(f"{focused}.getAttribute('aria-expanded')") == "false"
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog", name="Stadt & <Amt>").is_visible()
    assert page.evaluate(f"{focused}.id") == "question"
    page.keyboard.type("Wann trat Krakau bei?")
    page.keyboard.press("Shift+Enter")
    assert page.locator(".asked").count() == 0
    page.keyboard.press("Enter")
    page.locator("ol").wait_for()
    assert page.get_by_role("log").is_visible()
    assert page.evaluate(f"{focused}.id") == "question"
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    assert page.evaluate(f"{focused}.className") == "launch"
    names = page.locator("citycite-widget").evaluate(
        "h => [...h.shadowRoot.querySelectorAll('button, a')].map(e => e.getAttribute('aria-label') || e.textContent)"
    )
    assert all(names)


@pytest.mark.parametrize(
    ("language", "button"), [("pl-PL", "Zadaj pytanie"), ("en", "Ask a question"), ("de", "Frage stellen")]
)
def test_it_speaks_the_language_of_the_page(open_portal, language, button):
    page = open_portal(language=language)
    assert page.get_by_role("button", name=button).is_visible()


def test_colours_and_place_are_the_pages_choice(open_portal):
    page = open_portal('data-position="left" data-label="Fragen?"')
    button = page.get_by_role("button", name="Fragen?")
    button.wait_for()
    page.evaluate("document.documentElement.style.setProperty('--citycite-colour', 'rgb(122, 31, 61)')")
    assert button.evaluate("b => getComputedStyle(b).backgroundColor") == "rgb(122, 31, 61)"
    assert button.bounding_box()["x"] < 100


def test_on_a_phone_it_fills_the_screen_and_nothing_scrolls_sideways(open_portal):
    page = open_portal(width=320, height=600)
    _ask(page, "Wann trat Krakau Eurocities bei?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator(".panel").bounding_box()["width"] == 320


def test_what_goes_wrong_is_said_in_the_readers_language(open_portal, embedded):
    _, stand_in, _ = embedded
    page = open_portal()
    stand_in.late_failure = broken_store()
    _ask(page, "Wann trat Krakau bei?")
    assert page.locator(".error").inner_text() == "Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal."
    assert "disk" not in page.locator(".log").inner_text()


def test_a_visitor_can_stop_the_answer(open_portal, embedded):
    _, stand_in, _ = embedded
    page = open_portal()
    stand_in.gate.clear()
    try:
        page.get_by_role("button", name="Frage stellen").click()
        page.get_by_label("Ihre Frage").fill("Wann trat Krakau bei?")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Anhalten").click()
        page.get_by_text("Angehalten.").wait_for()
        assert page.get_by_role("button", name="Fragen", exact=True).is_visible()
    finally:
        stand_in.gate.set()


def test_a_site_that_is_not_named_gets_no_answer(browser):
    portal = Portal()
    try:
        with serving(StandIn()) as server:
            portal.body, portal.policy = widget_snippet(server, "de", "x") + frame_snippet(server, "de", "x"), ""
            page = browser.new_context().new_page()
            said = []
            page.on("console", lambda message: said.append(message.text))
            page.goto(portal.origin)
            _ask(page, "Wann trat Krakau bei?")
            assert "hat nicht geklappt" in page.locator(".error").inner_text()
            assert [text for text in said if "CORS" in text]
            assert [text for text in said if "frame-ancestors" in text]
            page.context.close()
    finally:
        portal.close()


def test_the_chat_page_works_in_a_frame_of_a_named_site(embedded, browser):
    portal, _, server = embedded
    portal.body, portal.policy = (
        frame_snippet(server, "de", "Stadt"),
        POLICY.format(server=server) + "; style-src 'unsafe-inline'",
    )
    page = browser.new_context(locale="de-DE").new_page()
    page.goto(portal.origin)
    frame = page.frame_locator("iframe")
    frame.locator("#question textarea").fill("Wann trat Krakau Eurocities bei?")
    frame.locator("#ask").click()
    frame.get_by_text("Seit dem 15. Oktober").first.wait_for()
    page.context.close()
