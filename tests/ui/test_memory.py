"""A conversation that the browser hands back."""

import json

import gradio as gr
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Filters
from tests.ui.stand_in import StandIn
from ui.chat import ChatPage
from ui.identity import PLAIN
from ui.markup import Turn
from ui.memory import MOST, restored
from ui.sign_in.visitor import Visitor, admit

BEFORE = {"question": "Wann trat Krakau Eurocities bei?", "view": "?lang=de&since=2020&documents=de"}


def test_a_conversation_is_understood_as_it_was():
    turns = restored(json.dumps([BEFORE, {"question": "Und Krefeld?", "view": "?lang=de"}]), 2000)
    assert [turn.understood for turn in turns] == [None, "Wann trat Krefeld Eurocities bei?"]
    assert turns[0].filters == Filters(since="2020", language="de")
    assert turns[1].filters == Filters()
    assert {turn.answer for turn in turns} == {None}


@pytest.mark.parametrize(
    "said",
    [
        "", "{", "7", '"x"', "[7]", '[{"question": 7}]', '[{"question": " "}]', '[{"question": "x", "view": 1}]',
        '[{"view": "?"}]', "[" * 100_000, json.dumps([{"question": "x" * 2001}]),
    ],
)  # fmt: skip
def test_what_is_no_conversation_is_none(said):
    assert restored(said, 2000) == ()


def test_filters_that_are_none_are_left_out():
    said = json.dumps([{"question": "Wann?", "view": "?since=gestern&until=%00&until=2"}])
    assert restored(said, 2000)[0].filters == Filters()


def test_only_the_latest_are_answered_again():
    said = json.dumps([{"question": f"Wann {number}?", "view": ""} for number in range(100)])
    assert [turn.question for turn in restored(said, 2000)] == [f"Wann {number}?" for number in range(100 - MOST, 100)]


@given(st.lists(st.fixed_dictionaries({"question": st.text(max_size=30), "view": st.text(max_size=30)}), max_size=4))
def test_whatever_a_browser_sends_is_a_conversation_or_none(items):
    assert len(restored(json.dumps(items), 2000)) in (0, len(items))


def test_a_conversation_is_shown_again_each_time_the_page_asks_for_it():
    """The first reply may be lost on its way; and what has been asked meanwhile is not overwritten."""
    page, said, scope = ChatPage(StandIn(), 2000, PLAIN), json.dumps([BEFORE]), {"type": "http"}
    admit(scope, Visitor("somebody"), ungrouped=True)
    request = gr.Request(Request(scope))
    _, turns, shown = page.take_up(request, (), said, "de")
    assert [turn.question for turn in turns] == [BEFORE["question"]]
    assert page.take_up(request, turns, said, "de") == [gr.skip(), gr.skip(), shown]
    assert page.take_up(request, (*turns, Turn("Und Krefeld?")), said, "de") == [gr.skip()] * 3
    assert page.take_up(request, (), "", "de") == [gr.skip()] * 3
