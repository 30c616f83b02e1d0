"""The chat page with a language model: the quote at once, the checked words grow below it."""

import threading
from html import unescape

import gradio as gr
import pytest
from fastapi import Request

from tests.llm.server import Reply
from tests.llm.test_generation import QUESTION, TRUE
from ui.chat import ChatPage
from ui.identity import PLAIN
from ui.journal import Journal
from ui.sign_in.visitor import Visitor, admit
from ui.texts import text
from ui.view import FILTER_NAMES


@pytest.fixture(scope="module")
def page(plain):
    """The chat page over the assistant that all these tests share."""
    return ChatPage(plain, 2000, PLAIN)


def test_the_quote_comes_first_and_the_checked_words_grow_below_it(page, server):
    more = threading.Event()

    def slowly():
        yield f"{TRUE} Und"
        more.wait(60)
        yield " das Netzwerk heißt Eurocities [1]."

    server.script = lambda request: Reply(slowly())
    said = _said(page)
    try:
        quote = next(html for html in said if "answered" in html)  # the model has written nothing whole yet
        assert not more.is_set()
        first = next(html for html in said if "quoted" in html)
        assert not more.is_set()
    finally:
        more.set()
    assert "formulating" in first
    assert 'aria-live="off"' in first
    *_, last = said
    assert "formulating" not in last
    assert "aria-live" not in last
    shown = quote.split("<mark>")[1].split("</mark>")[0]
    assert last.index("quoted") < last.index('class="reply"')
    assert shown in last.split('class="reply"')[0], "the quote stands above the words"
    assert shown in last.split('class="reply"')[1], "and with its source below"


@pytest.mark.parametrize("language", ["de", "en", "pl"])
@pytest.mark.parametrize(
    ("reply", "note"), [(Reply(status=500), "llm_unreachable"), (Reply(["Es gab Sekt [1]."]), "llm_unsupported")]
)
def test_where_the_model_fails_the_quote_stays_and_the_page_says_why(page, server, language, reply, note):
    server.script = lambda request: reply
    *_, last = _said(page, language)
    assert 'class="quoted"' not in last
    assert text(note, language) in unescape(last)


def test_retrieval_runs_once_and_a_question_is_noted_once(page, plain, server, tmp_path, monkeypatch):
    server.says(TRUE)
    asked = []
    candidates = type(plain.retriever).candidates
    monkeypatch.setattr(
        type(plain.retriever), "candidates", lambda *args, **named: asked.append(1) or candidates(*args, **named)
    )
    journal = Journal(tmp_path / "journal", feedback_days=0, question_log_days=1)
    monkeypatch.setattr(page, "journal", journal)
    *_, last = _said(page)
    assert "quoted" in last
    assert len(asked) == 1
    assert [kept.question for kept in journal.asked()] == [QUESTION]


def test_a_follow_up_is_rewritten_shown_and_answered(page, server):
    rewrite = "Wann trat Krakau Eurocities bei?"

    def script(request):
        return Reply([rewrite if "letzte Frage" in request["messages"][0]["content"] else TRUE])

    server.script = script
    turns = ()
    for question in ("Was ist das Netzwerk Eurocities?", "Und wann trat Krakau bei?"):
        for update in page.respond(_request(), question, turns, "", "de", *[""] * len(FILTER_NAMES)):
            turns = update[1] if isinstance(update[1], tuple) else turns
    assert turns[-1].understood == rewrite
    assert turns[-1].answer.mode == "generative"


def _said(page, language="de"):
    """Yield the reply's HTML, every time it changes."""
    for update in page.respond(_request(), QUESTION, (), "", language, *[""] * len(FILTER_NAMES)):
        if isinstance(update[2], list):
            yield update[2][-1]["content"]


def _request():
    request = Request({"type": "http", "headers": []})
    admit(request.scope, Visitor("anybody"), ungrouped=True)
    return gr.Request(request)
