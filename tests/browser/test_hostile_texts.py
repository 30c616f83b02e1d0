"""Texts of documents, questions and readers are shown as they are, and do nothing: on every page, for every vector."""

import json
import re
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

from rag.retrieval import ALL
from rag.schema import Document, Mark
from rag.settings import Settings
from tests.browser.conftest import serving, visiting
from tests.browser.test_admin import logged_in
from tests.browser.test_chat_page import ask, ask_api
from tests.ui.stand_in import StandIn

pytestmark = pytest.mark.browser

# Each would set `hacked`, load something from elsewhere, or become a link or a picture, if anything interpreted it.
VECTORS = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    "<img src=x onerror=\"window.hacked = 3\">",
    "\"><svg onload=window.hacked=4>",
    "'-window.hacked=5-'",
    "<svg><animate onbegin=window.hacked=6 attributeName=x dur=1s>",
    "<iframe srcdoc=\"<script>parent.hacked=7</script>\"></iframe>",
    "<a href=\"javascript:window.hacked=8\">x</a>",
    "[x](javascript:window.hacked=9)",
    "![x](http://evil.example/x.png)",
    "<http://evil.example>",
    "http://evil.example/plain",
    "<details open ontoggle=window.hacked=10>",
    "</details></div></mark><b>x</b>",
    "<style>*{display:none}</style>",
    "<base href=\"http://evil.example/\">",
    "<meta http-equiv=\"refresh\" content=\"0;url=http://evil.example\">",
    "<form action=http://evil.example><button>x</button></form>",
    "<math><mtext><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=window.hacked=11&gt;\">",
    "&lt;img src=x onerror=window.hacked=12&gt;",
    "&#60;img src=x onerror=window.hacked=13&#62;",
    "${window.hacked=14} {{window.hacked=15}} #{7*7} <%= 7*7 %>",
    "$$\\href{javascript:window.hacked=16}{x}$$",
    "**fett** _kursiv_ `code` ~~weg~~ # Titel",
    "```html\n<img src=x onerror=window.hacked=17>\n```",
    "<input autofocus onfocus=window.hacked=18>",
    "\u202e<img src=x onerror=window.hacked=19>\u202c",
    "%3Cimg%20src=x%20onerror=window.hacked=20%3E",
)  # fmt: skip
LIVE = ":is(img, svg, script, style, iframe, object, embed, form, input, base, meta, b, i, em, strong, code, math)"


class Hostile(StandIn):
    """Answers question number n from document number n, which is hostile in all its parts."""

    def __init__(self):
        super().__init__()
        self.stored = {f"d{n}": _document(n, vector) for n, vector in enumerate(VECTORS)}

    def search(self, query, top_k=10, filters=ALL, *, reader=None):
        number = re.search(r"\d+", query)
        if number is None or int(number.group()) >= len(VECTORS):
            return []
        document = list(self.stored.values())[int(number.group())]
        found = self._passage(document, 0, len(document.text), query)
        return [replace(found, score=9, type=document.type, department=document.department)]


def _document(number, vector):
    text = f"Kennwort {number}: {vector} Ende"
    return Document(
        f"d{number}", f"Titel {vector}", f"/files/{vector}/{vector.replace('/', '|')}.txt", text, "de",
        None, (Mark(0, "1"),), (Mark(0, vector),), type=vector, department=vector,
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile_address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    settings = Settings(
        store=f"{folder}/store", data=f"{folder}/data", name=VECTORS[2], contact=VECTORS[7], examples=VECTORS[:3]
    )
    with serving(Hostile(), settings) as address:
        yield address


@pytest.fixture
def hostile_visit(contexts, hostile_address):
    with visiting(contexts, hostile_address) as visit:
        yield visit


def is_harmless(page, within):
    """Tell whether nothing ran, and nothing in this part of the page is more than text and our own links."""
    assert page.evaluate("window.hacked") is None
    assert page.locator(f"{within} {LIVE}").count() == 0
    links = page.locator(f"{within} a").evaluate_all("links => links.map((link) => link.protocol + '//' + link.host)")
    return all(link == page.evaluate("location.protocol + '//' + location.host") for link in links)


def test_every_vector_is_text_in_the_conversation(hostile_visit, hostile_address):
    page = hostile_visit.open_page()
    expect(page.locator(".masthead h1")).to_have_text(VECTORS[2])
    expect(page.locator("#welcome .example").nth(2)).to_have_text(VECTORS[2])
    assert is_harmless(page, "#welcome")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for number, vector in enumerate(VECTORS):
        question = f"Was steht unter {number}? {vector}"
        answer = ask(page, question)
        asked = page.locator(".question").nth(number)
        assert vector in asked.text_content()
        answer.locator("summary").click()
        cited = ask_api(hostile_address, question)["citations"][0]
        assert answer.locator("mark").text_content() == cited["quote"]
        assert vector in cited["quote"]
        expect(answer.locator(".title")).to_have_text(f"Titel {vector}", use_inner_text=False)
        assert vector in answer.locator(".facts").text_content()
        assert answer.locator(".source").text_content() == f"{vector.replace('/', '|')}.txt".rpartition("\\")[2]
    assert is_harmless(page, "#conversation .message-content")
    # The browser's own copy of it.
    page.locator("#archive > summary").click()
    page.locator("#archive button.name").first.click()
    expect(page.locator(".transcript .asked").last).to_contain_text(VECTORS[-1])
    assert is_harmless(page, "#archive")
    page.reload()
    expect(page.locator(".question").last).to_contain_text(VECTORS[-1])
    assert is_harmless(page, "#conversation .message-content")


def test_every_vector_is_text_in_an_address(hostile_visit):
    page = hostile_visit.open_page("/?" + urlencode({"q": VECTORS[2], "source": VECTORS[3], "lang": VECTORS[0]}))
    expect(page.locator(".question")).to_contain_text(VECTORS[2])
    expect(page.locator(".understood")).to_contain_text(VECTORS[3])
    expect(page.locator("#filter-source input")).to_have_value(VECTORS[3])
    assert is_harmless(page, "#conversation .message-content")
    for vector in VECTORS:
        for path in (
            f"/documents/{quote(vector, safe='')}?lang={quote(vector)}",
            f"/documents/x?start={quote(vector)}",
        ):
            page.goto(hostile_visit.address + path)
            assert is_harmless(page, "main")
        page.goto(f"{hostile_visit.address}/feedback?" + urlencode({"helpful": "no", "question": vector, "lang": "de"}))
        assert page.locator(".asked").text_content() == vector
        assert page.evaluate("window.hacked") is None
        titles = page.locator("datalist option").evaluate_all("options => options.map((option) => option.value)")
        assert f"Titel {vector}" in titles
    hostile_visit.complaints.clear()  # pages that are not there


def test_every_vector_is_text_on_its_document(hostile_visit):
    page = hostile_visit.open_page("/documents/d0?start=0&end=8&lang=de", wait_for="h1")
    for number, vector in enumerate(VECTORS):
        page.goto(f"{hostile_visit.address}/documents/d{number}?start=0&end=8&lang=de")
        assert page.locator("h1").text_content() == f"Titel {vector}"
        shown = page.locator("main").text_content()
        assert all(line in shown for line in vector.splitlines())
        assert is_harmless(page, "main")


def test_every_vector_is_text_in_the_admin_area(admin_visit):
    page = logged_in(admin_visit)
    for vector in VECTORS:
        body = {"question": f"Was ist das? {vector}", "helpful": False, "reason": "other", "document": vector,
                "comment": vector}  # fmt: skip
        assert page.request.post(f"{admin_visit.address}/api/v1/feedback", data=json.dumps(body),
                                 headers={"Content-Type": "application/json"}).ok  # fmt: skip
    page.goto(f"{admin_visit.address}/admin/questions")
    for vector in VECTORS:
        said = " ".join(vector.split())
        card = page.locator(".entries .card").filter(has_text=f"Was ist das? {said}").first
        assert vector.strip() in card.locator("blockquote").first.text_content()
    assert page.locator(f"main .entries {LIVE.replace('form, input, ', '').replace('strong, ', '')}").count() == 0
    for vector in VECTORS[:8]:
        page.goto(f"{admin_visit.address}/admin/review?" + urlencode({"question": vector, "language": "de"}))
        assert page.locator(".asked").text_content() == " ".join(vector.split())
        page.goto(f"{admin_visit.address}/admin/documents?" + urlencode({"words": vector, "lang": vector}))
        assert page.get_by_role("searchbox").input_value() == vector
    content = "\n\n".join(VECTORS).encode()
    name = "<img src=x onerror='window.hacked=21'>.txt"
    page.goto(f"{admin_visit.address}/admin/documents")
    page.get_by_label("Dateien hierher ziehen").set_input_files(
        {"name": name, "mimeType": "text/html", "buffer": content}
    )
    page.get_by_role("button", name="Hochladen").click()
    expect(page.locator("table.documents")).to_contain_text("onerror", timeout=60_000)
    page.locator("table.documents a", has_text="script").first.click()
    expect(page.locator("article")).to_contain_text(VECTORS[0])
    assert page.locator(f"article {LIVE}").count() == 0
    expect(page.frame_locator("iframe").locator("body")).to_contain_text(VECTORS[0])
    assert page.evaluate("window.hacked") is None
    page.get_by_text("Entfernen …").click()
    page.get_by_role("button", name="Ja, entfernen").click()
    page.wait_for_url("**/admin/documents")
