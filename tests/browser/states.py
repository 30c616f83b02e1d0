"""The states that the pages can be in, each reached as a reader or an administrator would reach it.

A walk is a generator: it brings the page into one state after the other and yields the name of each. What looks at
them (axe, the camera) may change the size of the window and the colour scheme, nothing else.
"""

from urllib.parse import quote

ANSWERED = "Seit wann gehört Krakau zu Eurocities?"
ENGLISH = "When did Krakau join Eurocities?"
UNANSWERED = "Wie viele Elefanten leben im Tierpark von Montevideo?"
COMPLAINT = "Wann hat Köln mit dem Masterplan Digitalisierung begonnen?"
LONG = "Warum " + "Donaudampfschifffahrtsgesellschaft" * 5 + "? " + "Wann beginnt die Bürgerversammlung? " * 9
QUOTED = "start=60&end=140"


def ask(page, question, kind="answered"):
    """Ask, and wait for the reply."""
    earlier = page.locator(".card:not(.nearby)").count()
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")
    page.locator(".card:not(.nearby)").nth(earlier).and_(page.locator(f".card.{kind}")).wait_for()


def open_chat(page, address):
    page.goto(address)
    page.wait_for_selector("#language label.selected")


def chat(page, address):
    """The chat page over documents that hold an answer to `ANSWERED`, with feedback and a contact set."""
    open_chat(page, address + "/?lang=de")
    yield "empty"
    page.get_by_role("button", name="Dokumente eingrenzen").click()
    page.locator("#filter-since").wait_for()
    yield "filters"
    page.get_by_label("Ab Datum").fill("gestern")
    ask(page, ANSWERED, "failed")
    yield "error"
    page.get_by_label("Ab Datum").fill("")
    page.get_by_role("button", name="Dokumente eingrenzen").click()
    page.locator("#view .wrong").wait_for(state="detached")
    page.locator("#restart").click()
    page.locator(".card").first.wait_for(state="detached")
    ask(page, ANSWERED)
    yield "answer"
    page.locator(".card.answered summary").first.click()
    yield "source"
    page.get_by_role("link", name="Nicht hilfreich").click()
    page.locator("#feedback-dialog").wait_for()
    yield "rating"
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Hilfreich", exact=True).click()
    page.locator(".rating.done").wait_for()
    yield "rated"
    ask(page, UNANSWERED, "abstained")
    page.locator(".nearby summary").first.click()
    yield "abstained"
    yield from conversations(page)
    page.get_by_label("Polski").click()
    page.get_by_role("button", name="Zapytaj").wait_for()
    ask(page, ENGLISH)
    page.locator(".card.answered summary").last.click()
    yield "other-languages"


def conversations(page):
    """The panel of earlier conversations, what can be done with one, and what it is to lose the server."""
    page.locator("#archive > summary").click()
    page.locator("#archive button.name").first.click()
    yield "conversations"
    page.get_by_role("button", name="Umbenennen").first.click()
    yield "rename"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Löschen").first.click()
    page.locator("#delete-dialog").wait_for()
    yield "delete"
    page.keyboard.press("Escape")
    page.locator("#archive > summary").click()
    page.context.set_offline(True)
    page.locator("#connection.lost").wait_for()
    yield "server-lost"
    page.context.set_offline(False)
    page.locator("#connection.back").wait_for()


def hostile_chat(page, address, stand_in):
    """The chat page while it searches, and with texts that try everything; over the stand-in."""
    open_chat(page, address + "/?lang=de")
    stand_in.gate.clear()
    try:
        page.locator("#question textarea").fill(LONG)
        page.locator("#question textarea").press("Enter")
        page.locator(".card.searching").wait_for()
        yield "asking"
    finally:
        stand_in.gate.set()
    page.locator(".card.abstained").wait_for()
    yield "long-question"
    ask(page, "Wann öffnet der Wochenmarkt?")
    page.locator(".card.answered summary").first.click()
    yield "hostile-source"
    page.goto(address + "/admin?lang=de")
    yield "admin-setup"


def reader_pages(page, address):
    """The pages beside the chat page: a document, the form of feedback, and what they say when something is wrong."""
    found = page.request.get(f"{address}/api/v1/documents").json()
    name = quote(next(one["document_id"] for one in found if "krakau-eurocities-beitritt" in one["source"]), safe="")
    for state, path in (
        ("document", f"/documents/{name}?{QUOTED}&lang=de"),
        ("document-missing", "/documents/no-such?lang=de"),
        ("document-wrong-place", f"/documents/{name}?start=9&end=3&lang=pl"),
        ("feedback", f"/feedback?lang=de&helpful=no&language=de&question={quote(ANSWERED)}"),
        ("feedback-wrong", "/feedback?lang=en"),
    ):
        page.goto(address + path)
        yield state


def admin(page, address, password):
    """Every page of the admin area; needs one badly rated question in the journal, which `rate_badly` sends."""
    page.goto(f"{address}/admin/login?lang=de")
    yield "admin-login"
    page.get_by_label("Passwort").fill("nicht dieses Passwort")
    page.keyboard.press("Enter")
    page.locator("#problem").wait_for()
    yield "admin-login-wrong"
    page.get_by_label("Passwort").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/documents*")
    yield "admin-documents"
    page.get_by_label("Dateien hierher ziehen").set_input_files(
        [{"name": "falsch.pdf", "mimeType": "application/pdf", "buffer": b"no PDF"}]
    )
    page.get_by_role("button", name="Hochladen").click()
    page.locator("#sent .tag.bad").wait_for()
    yield "admin-upload"
    page.goto(f"{address}/admin/documents?words=no-such-name")
    yield "admin-documents-none"
    page.goto(f"{address}/admin/documents?words=krakau-eurocities-beitritt")
    page.locator("table.documents a").first.click()
    page.get_by_text("Entfernen …").click()
    yield "admin-document"
    page.goto(f"{address}/admin/questions")
    yield "admin-questions"
    page.get_by_role("link", name="Prüfen").first.click()
    yield "admin-review"
    page.get_by_role("button", name="In die Golddatei").click()
    page.goto(f"{address}/admin/gold")
    yield "admin-gold"
    page.goto(f"{address}/admin/evaluation")
    yield "admin-evaluation-none"
    page.get_by_role("button", name="Jetzt auswerten").click()
    page.locator("figure svg").wait_for(timeout=60_000)
    yield "admin-evaluation"
    for state, path in (("admin-health", "/health"), ("admin-questions-none", "/questions?show=bad"),
                        ("admin-nothing", "/no-such-page")):  # fmt: skip
        page.goto(f"{address}/admin{path}")
        yield state


def log_in(page, address, password):
    """Enter the admin area, where this is asked for."""
    page.goto(f"{address}/admin/documents?lang=de")
    if page.get_by_label("Passwort").count():
        page.get_by_label("Passwort").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/documents*")


def rate_badly(page, address, question=COMPLAINT):
    """Have a question in the journal that somebody was not content with."""
    body = {"question": question, "helpful": False, "reason": "outdated", "comment": "Seit 2026 nicht mehr."}
    page.request.post(f"{address}/api/v1/feedback", data=body)
