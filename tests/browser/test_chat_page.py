"""The chat page as people use it."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag.errors import StoreError

pytestmark = pytest.mark.browser

WHEN = "Seit wann gehört Krakau zu Eurocities?"
NOBODY_KNOWS = "Wie viele Elefanten leben im Tierpark von Montevideo?"
MASTER_PLAN = "Wann hat Köln mit dem Masterplan Digitalisierung begonnen?"
MARKET = "Wann öffnet der Wochenmarkt?"
# Notes each kind of card the conversation goes through, which are too brief to be caught by looking.
WATCH = """
window.seen = [];
new MutationObserver(() => {
  const kind = document.querySelector("#conversation .bot-row:last-child .card")?.className.replace("card ", "");
  if (kind && window.seen.at(-1) !== kind) window.seen.push(kind);
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""


def question_box(page):
    return page.locator("#question textarea")


def ask(page, question, kind="answered"):
    """Type a question, send it with Enter, and wait for its answer."""
    earlier = page.locator(".card").count()
    question_box(page).fill(question)
    question_box(page).press("Enter")
    answer = page.locator(".card").nth(earlier)
    expect(answer).to_have_class(f"card {kind}")
    return answer


def ask_api(address, question):
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(f"{address}/api/v1/ask", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def has_no_horizontal_scroll(page):
    return page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth"
    )


def focused(page):
    return page.evaluate("document.activeElement.closest('[id]').id")


def test_an_answer_its_citation_and_its_document(visit, address):
    page = visit.open_page()
    answer = ask(page, WHEN)
    expected = ask_api(address, WHEN)
    first = expected["citations"][0]
    expect(answer.locator(".reply")).to_contain_text("15. Oktober")
    expect(question_box(page)).to_be_focused()
    expect(question_box(page)).to_have_value("")

    quote = answer.locator("details").first.locator("mark")
    expect(quote).to_be_hidden()
    answer.locator("a.mark").first.click()
    expect(quote).to_be_visible()
    expect(quote).to_be_in_viewport()
    assert quote.text_content() == first["quote"]
    assert len(answer.locator("blockquote").first.text_content()) > len(first["quote"]) + 100

    with page.context.expect_page() as opened:
        answer.get_by_role("link", name="Im Dokument öffnen").first.click()
    document = opened.value
    expect(document.locator("#quote")).to_be_in_viewport()
    # A quote of several paragraphs is marked in each.
    assert " ".join(document.locator("mark").all_text_contents()).split() == first["quote"].split()
    assert document.evaluate("window.opener") is None


def test_an_answer_is_streamed(stand_in_visit, stand_in):
    page = stand_in_visit.open_page()
    page.evaluate(WATCH)
    stand_in.gate.clear()
    try:
        question_box(page).fill(WHEN)
        question_box(page).press("Enter")
        expect(page.locator(".card.searching")).to_have_text("Die Dokumente werden durchsucht …")
        expect(page.locator(".question")).to_contain_text(WHEN)
        expect(page.get_by_role("log")).to_have_attribute("aria-busy", "true")
    finally:
        stand_in.gate.set()
    expect(page.locator(".card.answered")).to_be_visible()
    expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    assert page.evaluate("window.seen") == ["searching", "growing", "answered"]


def test_a_second_question_leaves_the_first_answer_as_it_is(visit):
    page = visit.open_page()
    first = ask(page, WHEN)
    first.locator("summary").first.click()
    second = ask(page, MASTER_PLAN)
    assert first.locator("details").first.get_attribute("open") is not None
    second.locator("a.mark").first.click()
    expect(second.locator("mark").first).to_be_visible()
    expect(page.locator(".question").nth(1)).to_contain_text(MASTER_PLAN)


def test_no_answer_is_said_politely_and_without_citations(visit, address):
    page = visit.open_page()
    answer = ask(page, NOBODY_KNOWS, "abstained")
    expect(answer).to_contain_text("Keine belegte Antwort")
    expect(answer).to_contain_text(ask_api(address, NOBODY_KNOWS)["answer"])
    expect(answer.locator("details")).to_have_count(0)


def test_without_an_answer_the_nearest_passages_can_be_opened(visit):
    page = visit.open_page()
    ask(page, NOBODY_KNOWS, "abstained")
    nearby = page.locator(".card.nearby")
    expect(nearby).to_contain_text("aber keine Antwort")
    first = nearby.locator("details").first
    first.locator("summary").click()
    expect(first.locator("blockquote")).to_be_visible()
    opening = first.get_by_role("link", name="Im Dokument öffnen")
    expect(opening).to_have_attribute("href", re.compile(r"documents/.+start=\d+"))


def test_a_follow_up_says_how_it_was_understood(visit):
    page = visit.open_page()
    ask(page, "Wann trat Krakau Eurocities bei?", "answered")
    page.get_by_role("textbox").fill("Und Krefeld?")
    page.get_by_role("textbox").press("Enter")
    expect(page.locator(".understood")).to_have_text("Verstanden als: Wann trat Krefeld Eurocities bei?")
    expect(page.locator(".card.abstained")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "language", "button"),
    [("de-AT", "de", "Fragen"), ("pl-PL", "pl", "Zapytaj"), ("fr-FR", "en", "Ask")],
)
def test_the_page_speaks_the_browsers_language(visit, locale, language, button):
    page = visit.open_page(locale=locale)
    expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("#language label.selected input")).to_have_value(language)


def test_the_language_can_be_switched_and_stays(visit):
    page = visit.open_page()
    answer = ask(page, WHEN)
    page.get_by_label("Polski").click()
    expect(page.get_by_role("button", name="Zapytaj")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.get_by_label("Państwa pytanie")).to_have_attribute("placeholder", "Proszę wpisać pytanie …")
    expect(answer.get_by_role("heading")).to_have_text("Źródła")
    expect(answer.locator(".reply")).to_have_attribute("lang", "de")
    expect(page.get_by_role("log", name="Rozmowa")).to_be_visible()
    expect(page.get_by_role("button", name="Nowa rozmowa")).to_be_visible()
    page.reload()
    expect(page.locator(".card.answered").get_by_role("heading")).to_have_text("Źródła")
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    page.get_by_role("button", name="Nowa rozmowa").click()
    expect(page.get_by_role("heading", name="Czego chcą się Państwo dowiedzieć?")).to_be_visible()


def test_an_example_is_found_in_the_documents_and_is_answered(visit):
    page = visit.open_page()
    examples = page.locator("#welcome .example")
    # They are looked for when the first page is opened, which does not wait for long.
    for _ in range(60):
        if examples.count() == 3:
            break
        page.reload()
        page.wait_for_selector("#language label.selected")
    expect(examples).to_have_count(3)
    question = examples.first.text_content()
    examples.first.click()
    expect(page.locator(".question")).to_contain_text(question)
    expect(page.locator(".card.answered")).to_be_visible()
    assert page.url.endswith("/?lang=de")


def test_a_new_conversation_starts_empty(visit):
    page = visit.open_page()
    ask(page, WHEN)
    page.get_by_role("button", name="Neues Gespräch").click()
    expect(page.get_by_role("heading", name="Was möchten Sie wissen?")).to_be_visible()
    expect(question_box(page)).to_be_focused()
    ask(page, NOBODY_KNOWS, "abstained")
    expect(page.locator(".question")).to_have_count(1)


def test_a_failure_is_one_friendly_line(stand_in_visit, stand_in):
    page = stand_in_visit.open_page()
    for failure, expected in [(StoreError("disk"), "nicht erreichbar"), (ZeroDivisionError("secret"), "unerwarteter")]:
        stand_in.failure = failure
        try:
            answer = ask(page, WHEN, "failed")
        finally:
            stand_in.failure = None
        expect(answer).to_contain_text(expected)
        expect(answer).not_to_contain_text(str(failure))
    ask(page, WHEN)


def test_a_blank_question_does_nothing(visit):
    page = visit.open_page()
    question_box(page).fill("   ")
    question_box(page).press("Enter")
    expect(question_box(page)).to_have_value("")
    expect(page.locator(".question")).to_have_count(0)


def test_nothing_runs_over_the_edge(stand_in_visit):
    page = stand_in_visit.open_page()
    ask(page, WHEN).locator("summary").first.click()
    ask(page, "Donaudampfschifffahrtsgesellschaft" * 6, "abstained")
    ask(page, MARKET).locator("summary").first.click()
    document = stand_in_visit.open_page("/documents/markt?start=40&end=60", wait_for="#quote")
    for width, height in [(390, 844), (1440, 900), (320, 480)]:
        for each in (page, document):
            each.set_viewport_size({"width": width, "height": height})
            assert has_no_horizontal_scroll(each)
        for part in ("#question textarea", "#ask", "#language label:last-child"):
            box = page.locator(part).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_the_keyboard_is_enough(visit):
    page = visit.open_page()
    expect(question_box(page)).to_be_focused()
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    page.keyboard.type(WHEN)
    page.keyboard.press("Enter")
    answer = page.locator(".card.answered")
    expect(answer).to_be_visible()
    expect(question_box(page)).to_be_focused()

    # Backwards from the box: what can be done with the answer, the citations, the marks.
    marks, citations = answer.locator("a.mark").all(), answer.locator("summary").all()
    backwards = [*marks, *citations, *answer.locator(".actions a").all()][::-1]
    for reached in backwards:
        page.keyboard.press("Shift+Tab")
        expect(reached).to_be_focused()
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    page.keyboard.press("Enter")
    expect(answer.locator("summary").first).to_be_focused()
    expect(answer.locator("mark").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(answer.locator("mark").first).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(answer.get_by_role("link", name="Im Dokument öffnen").first).to_be_focused()

    page.get_by_label("English").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_the_documentation_works_without_a_network(visit):
    page = visit.open_page("/docs", wait_for=".opblock-summary")
    page.locator(".opblock-summary", has_text=re.compile(r"/api/v1/ask(?!/)")).click()
    expect(page.get_by_text("with the passages the answer rests on").first).to_be_visible()


def test_what_screen_readers_hear_and_what_stays_in_the_browser(visit):
    page = visit.open_page()
    ask(page, WHEN)
    expect(page.get_by_role("log", name="Gespräch")).to_contain_text("Ihre Frage:")
    assert page.locator("#conversation [aria-label*='<'], #conversation [aria-label*='message']").count() == 0
    assert page.context.cookies(page.url) == []
    # What was asked is kept where the page says so, can be deleted there, and nowhere else.
    kept = page.evaluate("Object.entries({...localStorage, ...sessionStorage})")
    assert [key for key, value in kept if WHEN in value] == ["citycite.conversations"]
    assert page.evaluate("indexedDB.databases().then(databases => databases.length)") == 0


def test_a_link_shows_a_colleague_the_same_question_and_filters(visit):
    page = visit.open_page("/?q=Wann+trat+Krakau+Eurocities+bei%3F&source=press&since=2020&lang=de")
    expect(page.locator(".card.answered, .card.abstained")).to_be_visible()
    expect(page.locator(".understood")).to_have_text("Nur Dokumente: Ab Datum 2020; Datei oder Adresse enthält press")
    expect(page.locator("#filter-source input")).to_have_value("press")
    expect(page.locator(".question")).to_contain_text("Wann trat Krakau Eurocities bei?")

    link = page.get_by_role("link", name="Link zu dieser Frage").get_attribute("href")
    other = visit.open_page("/" + link)
    expect(other.locator(".question")).to_contain_text("Wann trat Krakau Eurocities bei?")
    expect(other.locator("#filter-since input")).to_have_value("2020")
    # The question is asked once: what is asked next, the address no longer holds.
    question_box(other).fill(WHEN)
    question_box(other).press("Enter")
    expect(other.locator(".question")).to_have_count(2)
    expect(other).to_have_url(re.compile(r"\?((?!q=).)*$"))


def test_a_linked_question_that_is_loaded_anew_is_the_same_conversation(visit):
    page = visit.open_page(f"/?q={WHEN}", locale="de-LI")  # a profile of its own
    for _ in range(2):
        expect(page.locator(".card.answered .panel .sure")).to_be_visible()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(page.locator("#archive button.name")).to_have_text([WHEN])
        page.reload()


def test_filters_narrow_the_documents_and_stand_in_the_address(visit):
    page = visit.open_page()
    page.get_by_role("button", name="Dokumente eingrenzen").click()
    expect(page.get_by_role("button", name="Dokumente eingrenzen")).to_have_attribute("aria-expanded", "true")
    page.get_by_label("Datei oder Adresse enthält").fill("gibtesnicht")
    expect(page).to_have_url(re.compile("source=gibtesnicht"))
    ask(page, WHEN, "abstained")
    page.get_by_label("Datei oder Adresse enthält").fill("")
    page.get_by_label("Ab Datum").fill("gestern")
    expect(page.locator("#view [role=alert]")).to_contain_text("2024-03-12")
    ask(page, WHEN, "failed")
    page.get_by_label("Ab Datum").fill("")
    expect(page.locator("#view a.view")).to_have_attribute("href", "?lang=de")
    ask(page, WHEN)
    page.reload()
    page.wait_for_selector("#language label.selected")
    expect(page.get_by_label("Datei oder Adresse enthält")).to_be_hidden()


def test_a_suggested_spelling_is_asked_in_the_same_conversation(stand_in_visit):
    page = stand_in_visit.open_page()
    ask(page, "Wann Makrt?", "abstained")
    page.get_by_role("link", name="Wann Markt?").click()
    expect(page.locator(".question")).to_have_count(2)
    expect(page.locator(".question").nth(1)).to_contain_text("Wann Markt?")


def test_a_quote_is_copied_with_its_source(visit):
    page = visit.open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = ask(page, WHEN)
    answer.locator("summary").first.click()
    quote = answer.locator("mark").first.text_content()
    answer.get_by_role("link", name="Mit Quelle kopieren").first.click()
    expect(answer.get_by_role("link", name="Kopiert")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert quote in copied
    assert answer.locator(".title").first.text_content() in copied
    assert "/documents/" in copied


def test_conversations_stay_in_the_browser_and_can_be_renamed_saved_and_deleted(visit):
    page = visit.open_page(locale="de-LU")  # a profile of its own: nothing is kept in it yet
    archive = page.locator("#archive")
    expect(archive).to_be_hidden()
    ask(page, WHEN)
    ask(page, NOBODY_KNOWS, "abstained")
    page.locator("#restart").click()
    expect(page.locator(".card")).to_have_count(0)
    ask(page, MASTER_PLAN)
    archive.locator("summary").click()
    expect(archive.locator("button.name")).to_have_text([MASTER_PLAN, WHEN])

    archive.locator("button.name").nth(1).click()
    transcript = archive.locator(".transcript")
    expect(transcript.locator(".asked")).to_have_text([WHEN, NOBODY_KNOWS])
    expect(transcript.locator("q").first).to_contain_text("15. Oktober")
    expect(transcript.locator("li a").first).to_have_attribute("href", re.compile(r"/documents/.+start=\d+"))

    archive.get_by_role("button", name=f"Umbenennen: {WHEN}").click()
    page.keyboard.type("Beitritt <b>Krakau</b>")
    page.keyboard.press("Enter")
    expect(archive.locator("button.name")).to_have_text([MASTER_PLAN, "Beitritt <b>Krakau</b>"])
    with page.expect_download() as download:
        archive.get_by_role("button", name="Speichern: Beitritt").click()
    assert download.value.suggested_filename == "Beitritt-b-Krakau-b-.md"
    saved = Path(download.value.path()).read_text("utf-8")
    assert saved.startswith("# Beitritt <b>Krakau</b>\n")
    assert f"## {WHEN}" in saved
    assert "/documents/" in saved

    page.reload()
    expect(page.locator(".question")).to_contain_text(MASTER_PLAN)  # the conversation that was under way
    archive.locator("summary").click()
    deleting = archive.get_by_role("button", name="Löschen: Beitritt")
    deleting.click()
    dialog = page.get_by_role("dialog", name="Dieses Gespräch löschen?")
    expect(dialog).to_contain_text("Beitritt <b>Krakau</b>")
    expect(dialog.get_by_role("button", name="Abbrechen")).to_be_focused()
    page.keyboard.press("Escape")
    expect(deleting).to_be_focused()
    deleting.click()
    dialog.get_by_role("button", name="Löschen").click()
    expect(archive.locator("summary")).to_be_focused()
    expect(archive.locator("button.name")).to_have_text([MASTER_PLAN])
    archive.locator("button.name").click()
    archive.locator(".transcript a.again").click()
    expect(page.locator(".card.answered")).to_have_count(2)
    archive.get_by_role("button", name="Alle löschen").click()
    page.get_by_role("dialog").get_by_role("button", name="Alle löschen").click()
    expect(archive).to_be_hidden()
    assert page.evaluate("localStorage.getItem('citycite.conversations')") == "[]"


def test_on_paper_every_quote_can_be_read(visit):
    page = visit.open_page()
    answer = ask(page, WHEN)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(answer.locator("mark").first).to_be_visible()
    expect(question_box(page)).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(answer.locator("mark").first).to_be_hidden()
