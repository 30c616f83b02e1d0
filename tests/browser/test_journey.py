"""One reader and one administrator, from the first question to the last, on a phone, a tablet and a desk.

What may go wrong at each step stands in the other modules; here each step is gone at each width, one after the other.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import SIZES
from tests.browser.test_admin import logged_in
from tests.browser.test_chat_page import WHEN, ask, has_no_horizontal_scroll, question_box

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_everything_can_be_done_at_each_width(admin_visit, width, height):
    window = {"width": width, "height": height}
    page = admin_visit.open_page("/?lang=de", **window)

    answer = ask(page, WHEN)
    answer.locator("summary").first.click()
    expect(answer.locator("mark").first).to_be_in_viewport()
    assert has_no_horizontal_scroll(page)
    opened = page.context.new_page()
    opened.set_viewport_size(window)
    opened.goto(f"{admin_visit.address}/" + answer.get_by_role("link", name="Im Dokument öffnen").get_attribute("href"))
    expect(opened.locator("mark").first).to_contain_text("15. Oktober")
    assert has_no_horizontal_scroll(opened)

    question_box(page).fill("Und Krefeld?")
    question_box(page).press("Enter")
    expect(page.locator(".understood")).to_contain_text("Krefeld")

    page.get_by_role("button", name="Dokumente eingrenzen").click()
    page.get_by_label("Datei oder Adresse enthält").fill("press")
    expect(page).to_have_url(re.compile("source=press"))
    shared = page.get_by_role("link", name="Link zu dieser Frage").first.get_attribute("href")
    colleague = admin_visit.open_page("/" + shared, **window)
    expect(colleague.locator(".question")).to_contain_text(WHEN)
    colleague.close()
    page.get_by_label("Datei oder Adresse enthält").fill("")

    answer.get_by_role("link", name="Nicht hilfreich").click()
    dialog = page.get_by_role("dialog", name="Rückmeldung zur Antwort")
    expect(dialog.get_by_role("button", name="Absenden")).to_be_in_viewport()
    dialog.get_by_label("Das ist veraltet").check()
    dialog.get_by_role("button", name="Absenden").click()
    expect(answer.get_by_text("Danke für die Rückmeldung.")).to_be_visible()

    page.locator("#archive > summary").click()
    with page.expect_download() as download:
        page.locator("#archive").get_by_role("button", name="Speichern").first.click()
    assert "15. Oktober" in Path(download.value.path()).read_text("utf-8")
    page.locator("#archive > summary").click()

    page.context.set_offline(True)
    expect(page.locator("#connection.lost")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#connection.back")).to_be_visible()
    admin_visit.complaints.clear()  # the browser notes each request that found no server
    page.wait_for_selector("#language label.selected")

    page.get_by_label("Polski").click()
    expect(page.get_by_role("button", name="Zapytaj")).to_be_visible()
    assert has_no_horizontal_scroll(page)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_is_uploaded_answers_at_each_width(admin_visit, width, height):
    name, window = f"turm-{width}.txt", {"width": width, "height": height}
    text = f"Der Turm Nummer {width}\n\nDer Turm Nummer {width} wurde am 7. Juni 1887 eingeweiht. Er hat vier Uhren.\n"
    page = logged_in(admin_visit, **window)
    page.get_by_label("Dateien hierher ziehen").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": text.encode()}]
    )
    page.get_by_role("button", name="Hochladen").click()
    expect(page.locator("table.documents")).to_contain_text(name)
    reader = admin_visit.open_page("/?lang=de", **window)
    expect(ask(reader, f"Wann wurde der Turm Nummer {width} eingeweiht?").locator(".reply")).to_contain_text("1887")
    page.goto(f"{admin_visit.address}/admin/documents?words={name}")
    page.get_by_role("link", name="Der Turm").click()
    page.get_by_text("Entfernen …").click()
    page.get_by_role("button", name="Ja, entfernen").click()
    page.wait_for_url("**/admin/documents")
