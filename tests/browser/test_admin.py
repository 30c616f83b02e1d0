"""Readers rate, administrators upload and review; in a real browser, over a copy of the sample corpus."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_chat_page import NOBODY_KNOWS, WHEN, ask, has_no_horizontal_scroll
from tests.ui.admin_session import PASSWORD

pytestmark = pytest.mark.browser

NOTE = "Das Schwimmbad am Kanal\n\nDas Schwimmbad am Kanal wurde am 3. Mai 1931 eröffnet. Es hat sieben Bahnen.\n"
# What the browser holds while a file is dragged over the page.
HELD = "(text) => { const data = new DataTransfer(); data.items.add(new File([text], 'lagerhaus.txt')); return data; }"
POOL = "Wann wurde das Schwimmbad am Kanal eröffnet?"


def logged_in(visit, path="/admin/documents", **window):
    """Open a page of the admin area, with the password where it is asked for."""
    page = visit.open_page("/admin/documents", wait_for="h1", **window)
    if page.get_by_label("Passwort").count():
        page.get_by_label("Passwort").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/documents")
    page.goto(visit.address + path)
    return page


def test_a_document_that_is_uploaded_answers_on_the_chat_page(admin_visit):
    page = logged_in(admin_visit)
    files = [{"name": name, "mimeType": "text/plain", "buffer": content.encode()} for name, content in
             (("schwimmbad.txt", NOTE), ("falsch.pdf", "kein PDF"))]  # fmt: skip
    page.get_by_label("Dateien hierher ziehen").set_input_files(files)
    page.get_by_role("button", name="Hochladen").click()
    sent = page.locator("#sent .job")
    expect(sent.nth(0)).to_contain_text("fertig", timeout=60_000)
    expect(sent.nth(1)).to_contain_text("„falsch.pdf“ ist dem Inhalt nach keine .pdf-Datei")
    answer = ask(admin_visit.open_page(), POOL)
    expect(answer.locator(".reply")).to_contain_text("3. Mai 1931")

    page.goto(f"{admin_visit.address}/admin/documents?words=schwimmbad.txt")
    page.get_by_role("link", name="Das Schwimmbad am Kanal").click()
    expect(page.locator("article")).to_contain_text("sieben Bahnen")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("sieben Bahnen")
    page.get_by_text("Entfernen …").click()
    page.get_by_role("button", name="Ja, entfernen").click()
    page.wait_for_url("**/admin/documents")
    ask(admin_visit.open_page(), POOL, "abstained")


def test_a_file_can_be_dropped(admin_visit):
    page = logged_in(admin_visit)
    held = page.evaluate_handle(HELD, NOTE.replace("Schwimmbad", "Lagerhaus"))
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": held})
    # All is well, so the page is drawn anew with the document in its list.
    expect(page.locator("table.documents")).to_contain_text("lagerhaus.txt", timeout=60_000)


def test_a_bad_rating_is_found_in_the_admin_area(admin_visit):
    page = admin_visit.open_page(width=390, height=844)
    answer = ask(page, WHEN)
    down = answer.get_by_role("link", name="Nicht hilfreich")
    down.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Rückmeldung zur Antwort")
    expect(dialog).to_be_visible()
    assert has_no_horizontal_scroll(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(down).to_be_focused()
    down.click()
    dialog.get_by_label("Das ist veraltet").check()
    dialog.get_by_label("Ein Satz dazu").fill("Seit 2026 nicht mehr.")
    dialog.get_by_role("button", name="Absenden").click()
    thanks = answer.get_by_text("Danke für die Rückmeldung.")
    expect(thanks).to_be_visible()
    expect(thanks).to_be_focused()
    expect(down).to_be_hidden()

    area = logged_in(admin_visit, "/admin/questions")
    card = area.locator(".entries .card", has_text=WHEN)
    expect(card).to_contain_text("veraltet")
    expect(card).to_contain_text("Seit 2026 nicht mehr.")
    card.get_by_role("link", name="Prüfen").click()
    area.get_by_role("button", name="In die Golddatei").click()
    expect(area.locator(".messages")).to_contain_text("steht in der Golddatei")


def test_a_good_rating_takes_one_click(admin_visit):
    page = admin_visit.open_page()
    answer = ask(page, WHEN)
    answer.get_by_role("link", name="Hilfreich", exact=True).click()
    expect(answer.get_by_text("Danke für die Rückmeldung.")).to_be_visible()
    ask(page, NOBODY_KNOWS, "abstained")  # the conversation is drawn anew; what was said stays
    expect(answer.get_by_text("Danke für die Rückmeldung.")).to_be_visible()


def test_no_page_of_the_admin_area_scrolls_sideways(admin_visit):
    page = logged_in(admin_visit)
    addresses = [f"/admin/{name}" for name in ("documents", "questions", "gold", "evaluation", "embed", "health")]
    addresses.append(page.locator("table.documents a").first.get_attribute("href"))
    addresses.append("/admin/review?question=Wann%3F")
    for address in addresses:
        page.goto(admin_visit.address + address)
        for width in (320, 390, 768, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert has_no_horizontal_scroll(page), (address, width)
