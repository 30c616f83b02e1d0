"""The chat page with a language model: the quote at once, the checked words in its place."""

import gradio as gr
from fastapi import Request

from tests.llm.server import Reply
from tests.llm.test_generation import QUESTION, TRUE
from ui.chat import ChatPage
from ui.identity import PLAIN
from ui.sign_in.visitor import Visitor, admit
from ui.view import FILTER_NAMES


def test_the_quote_comes_first_and_the_checked_words_take_its_place(formulating, server):
    server.says(TRUE)
    answers = _answers(formulating())
    assert answers[0].mode == "extractive"
    assert answers[-1].mode == "generative"
    assert answers[-1].citations == answers[0].citations[:1]


def test_where_the_model_fails_the_quote_stays(formulating, server):
    server.script = lambda request: Reply(status=500)
    assert {answer.mode for answer in _answers(formulating())} == {"extractive"}


def _answers(assistant):
    page = ChatPage(assistant, 2000, PLAIN)
    request = Request({"type": "http", "headers": []})
    admit(request.scope, Visitor("anybody"), ungrouped=True)
    states = [said[1] for said in page.respond(gr.Request(request), QUESTION, (), "de", *[""] * len(FILTER_NAMES))]
    return [turns[-1].answer for turns in states if isinstance(turns, tuple) and turns[-1].answer]
