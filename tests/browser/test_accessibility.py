"""Nobody is kept out: axe-core over every state of every page, light and dark, on a phone, a tablet and a desk.

What axe cannot see stands below, and in `test_chat_page.py` what belongs to asking.
"""

import pytest
from playwright.sync_api import expect

from rag.evaluation import QuestionSet, evaluate, summarise
from rag.evaluation.report import render
from tests.browser import states
from tests.browser.axe import violations, violations_everywhere
from tests.browser.test_chat_page import MARKET, WHEN, ask, has_no_horizontal_scroll, question_box
from tests.browser.test_report import ASKED
from tests.ui.admin_session import PASSWORD
from ui.texts import LANGUAGES, TEXTS

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser):
    """A page without motion: while a colour fades, axe would measure neither the one nor the other."""
    context = browser.new_context(locale="de-DE", reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def found_by_axe(walk, page):
    return [each for state in walk for each in violations_everywhere(page, state)]


def test_axe_sees_what_is_wrong(page):
    page.set_content('<html lang="de"><title>x</title><main><h1>x</h1><p style="color:#ccc">blass</p><img src="x">')
    assert {each[0] for each in violations(page)} >= {"color-contrast", "image-alt"}


def test_axe_finds_nothing_on_the_chat_page(page, admin_address):
    assert found_by_axe(states.chat(page, admin_address), page) == []


def test_axe_finds_nothing_where_texts_try_everything(page, stand_in_address, stand_in):
    assert found_by_axe(states.hostile_chat(page, stand_in_address, stand_in), page) == []


def test_axe_finds_nothing_on_documents_and_forms(page, admin_address):
    assert found_by_axe(states.reader_pages(page, admin_address), page) == []


def test_axe_finds_nothing_in_the_admin_area(page, admin_address):
    states.rate_badly(page, admin_address)
    assert found_by_axe(states.admin(page, admin_address, PASSWORD), page) == []


def test_axe_finds_nothing_in_the_report_of_an_evaluation(page, assistant, tmp_path):
    questions = QuestionSet("gold", ASKED, by_prefix=True)
    outcomes, _ = evaluate(questions, assistant)
    file = tmp_path / "report.html"
    file.write_text(render("gold", outcomes, summarise(outcomes, questions, samples=20)), "utf-8")
    page.goto(file.as_uri())
    assert violations_everywhere(page, "report") == []


# --- What axe cannot see ---------------------------------------------------------------------------------------------

# Goes through all that the keyboard reaches, in order: whether the focus can be seen, where it is, and what it is on.
FOCUSED = """() => {
  const element = document.activeElement;
  const seen = element.closest("label") ?? element;
  const style = [getComputedStyle(element), getComputedStyle(seen)];
  const box = element.getBoundingClientRect();
  const all = [...document.querySelectorAll("*")];
  return {
    outline: Math.max(...style.map((each) => each.outlineStyle === "none" ? 0 : parseFloat(each.outlineWidth))),
    isInView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    position: all.indexOf(element),
    name: element.getAttribute("aria-label") ?? element.textContent.trim() ?? element.name,
    isBody: element === document.body,
  };
}"""
# WCAG 2.2, 1.4.12: readers may set text this far apart.
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
SAID = """() => {
  const said = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const skipped = node.parentElement.closest("script, style, template, blockquote, .toast-wrap, [lang]:not(main)");
      const language = node.parentElement.closest("[lang]").lang;
      if ((!skipped || language === document.documentElement.lang) && node.data.trim()) said.add(node.data.trim());
    } else for (const name of ["aria-label", "placeholder", "title", "alt"]) {
      if (node.getAttribute(name)) said.add(node.getAttribute(name).trim());
    }
  }
  return [...said];
}"""


def tabbed(page):
    """Press Tab until the page has been gone through once; return what had the focus."""
    page.evaluate("""() => {
      const start = document.createElement("span");
      start.tabIndex = -1;
      document.body.prepend(start);
      start.focus();
    }""")
    stops = []
    for _ in range(120):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["isBody"] or (stops and stop["position"] == stops[0]["position"]):
            return stops
        stops.append(stop)
    raise AssertionError("Tab goes on and on")


@pytest.mark.parametrize("width", [390, 1440])
def test_focus_is_seen_and_goes_in_reading_order(page, admin_address, width):
    states.log_in(page, admin_address, PASSWORD)
    page.set_viewport_size({"width": width, "height": 900})
    states.open_chat(page, f"{admin_address}/?lang=de")
    ask(page, WHEN).locator("summary").first.click()
    pages = ["chat", "/admin/documents", "/admin/questions", "/admin/evaluation", "/feedback?question=x&helpful=no"]
    for path in pages:
        if path != "chat":
            page.goto(admin_address + path)
        stops = tabbed(page)
        assert len(stops) > 3, path
        assert [stop["name"] for stop in stops if stop["outline"] < 2] == [], path
        assert [stop["name"] for stop in stops if not stop["isInView"]] == [], path
        positions = [stop["position"] for stop in stops]
        assert positions == sorted(positions), path  # no tabindex of its own, nothing placed elsewhere than it stands


def test_an_answer_is_announced_once_and_when_it_is_whole(page, stand_in_address, stand_in):
    states.open_chat(page, f"{stand_in_address}/?lang=de")
    log = page.get_by_role("log", name="Gespräch")
    expect(log).to_have_attribute("aria-busy", "false")
    page.evaluate("""() => {
      const log = document.querySelector("[role=log]");
      window.announced = [];
      new MutationObserver(() => {
        const busy = log.getAttribute("aria-busy");
        if (window.announced.at(-1) !== busy) window.announced.push(busy);
      }).observe(log, { attributes: true, attributeFilter: ["aria-busy"] });
    }""")
    ask(page, WHEN)
    expect(log).to_have_attribute("aria-busy", "false")
    assert page.evaluate("window.announced") == ["true", "false"]
    assert log.get_attribute("aria-live") in (None, "polite")
    expect(log).to_contain_text("Antwort: Seit dem 15. Oktober")
    expect(log).to_contain_text("Gut belegt")


def test_what_is_quoted_is_read_in_its_own_language(page, address):
    states.open_chat(page, f"{address}/?lang=en")
    answer = ask(page, states.ENGLISH)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".question span[lang]")).to_have_attribute("lang", "en")
    expect(answer.locator(".reply")).to_have_attribute("lang", "en")
    for part in (".reply span[lang]", ".title", "blockquote"):
        expect(answer.locator(part).first).to_have_attribute("lang", "de")
    ask(page, states.UNANSWERED, "abstained")
    expect(page.locator(".card.abstained p[lang]")).to_have_attribute("lang", "de")
    for part in (".title", "blockquote"):
        expect(page.locator(f".nearby {part}").first).to_have_attribute("lang", "de")
    page.locator("#archive > summary").click()
    page.locator("#archive button.name").first.click()
    expect(page.locator(".transcript q").first).to_have_attribute("lang", "de")
    answer.locator("summary").first.click()
    page.goto(page.url.split("?")[0] + answer.locator(".links a").first.get_attribute("href"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("article")).to_have_attribute("lang", "de")


def test_nothing_moves_for_those_who_want_no_motion(page, stand_in_address):
    states.open_chat(page, f"{stand_in_address}/?lang=de")
    ask(page, WHEN).locator("summary").first.click()
    moving = """[...document.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      return [style.transitionDuration, style.animationDuration].some((all) => /[1-9]/.test(all))
        && style.display !== "none" && !(parseFloat(style.transitionDuration) < .02);
    }).map((element) => element.outerHTML.slice(0, 80))"""
    assert page.evaluate(moving) == []
    assert page.evaluate("document.getAnimations().filter((each) => each.playState === 'running').length") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('[role=log]')).scrollBehavior") == "auto"


# 1280 x 1024 at 200 % and at 400 %; a phone held sideways.
@pytest.mark.parametrize(("width", "height"), [(640, 512), (320, 256), (844, 390)])
@pytest.mark.parametrize("style", ["", SPACED])
def test_an_enlarged_page_reflows_and_loses_nothing(page, stand_in_address, width, height, style):
    states.open_chat(page, f"{stand_in_address}/?lang=de")
    page.set_viewport_size({"width": width, "height": height})
    page.add_style_tag(content=style or "/* as it is */")
    answer = ask(page, WHEN)
    answer.locator("summary").first.click()
    page.get_by_role("button", name="Dokumente eingrenzen").click()
    assert has_no_horizontal_scroll(page)
    parts = [question_box(page), page.locator("#ask"), answer.locator("mark").first, page.get_by_label("Ab Datum"),
             page.locator("#restart"), page.locator(".footnote"), page.get_by_label("Polski"),
             answer.get_by_role("link", name="Mit Quelle kopieren").first]  # fmt: skip
    for part in parts:
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= width, part
        expect(part).to_be_in_viewport()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_page_speaks_the_chosen_language(page, stand_in_address, language):
    states.open_chat(page, f"{stand_in_address}/?lang={language}")
    page.locator("#filters > button").click()
    ask(page, MARKET).locator("summary").first.click()
    ask(page, states.UNANSWERED, "abstained")
    page.locator("#archive > summary").click()
    page.locator("#archive button.name").first.click()
    own = {getattr(text, language) for text in TEXTS.values()}
    others = {getattr(text, other) for text in TEXTS.values() for other in LANGUAGES} - own
    said = page.evaluate(SAID)
    assert [each for each in said if each in others] == []
    # Of what Gradio brings along in English, nothing is heard.
    labels = (
        page.locator("[aria-label]")
        .filter(visible=True)
        .evaluate_all("all => all.map((each) => each.getAttribute('aria-label'))")
    )
    assert [each for each in labels if each not in own and not any(each.startswith(f"{word}:") for word in own)] == []
