"""Nobody is kept out: axe-core over every state of every page, light and dark, on a phone, a tablet and a desk.

What axe cannot see stands below, and in `test_chat_page.py` what belongs to asking.
"""

import pytest

from rag.evaluation import QuestionSet, evaluate, summarise
from rag.evaluation.report import render
from tests.browser import states
from tests.browser.axe import violations, violations_everywhere
from tests.browser.test_report import ASKED
from tests.ui.admin_session import PASSWORD

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
