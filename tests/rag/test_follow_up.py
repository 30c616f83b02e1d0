"""Follow-ups: what points back gets its topic, what stands alone is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Assistant
from rag.follow_up import standalone
from rag.language import WORD


@pytest.mark.parametrize(
    ("before", "question", "meant"),
    [
        ("Was ist Eurocities?", "Und wer hat es gegründet?", "Wer hat es gegründet? (Eurocities)"),
        ("Was ist Eurocities?", "Wie viele Städte gehören dazu?", "Wie viele Städte gehören dazu? (Eurocities)"),
        ("Wann trat Krakau Eurocities bei?", "Und Wien?", "Wann trat Wien Eurocities bei?"),
        ("When did Kraków join Eurocities?", "And Vienna?", "When did Vienna join Eurocities?"),
        ("When did Kraków join Eurocities?", "What about Cologne?", "When did Cologne join Eurocities?"),
        ("Kiedy Kraków dołączył do Eurocities?", "A Wiedeń?", "Kiedy Wiedeń dołączył do Eurocities?"),
        ("What is Tech4KRK?", "Who takes part in it?", "Who takes part in it? (Tech4KRK)"),
        ("Co to jest Tech4KRK?", "Kto bierze w tym udział?", "Kto bierze w tym udział? (Tech4KRK)"),
        ("Wer ist Barbara Novak?", "Wofür ist sie zuständig?", "Wofür ist sie zuständig? (Barbara Novak)"),
        ("Wer leitet das Bürgeramt in Köln?", "Seit wann?", "Seit wann?"),
        ("what is the digital twin", "who built it?", "Who built it? (digital twin)"),
    ],
)
def test_what_points_back_gets_its_topic(before: str, question: str, meant: str) -> None:
    assert standalone(question, [before]) == meant


@pytest.mark.parametrize(
    "question",
    [
        "Gibt es in Köln ein LoRaWAN?",
        "Wie viele Sensoren gibt es in Köln?",
        "Is there a digital twin in Kraków?",
        "Co to jest STRADOM?",
        "Wann wurde Eurocities gegründet?",
        "Und?",
    ],
)
def test_what_stands_alone_is_left_alone(question: str) -> None:
    assert standalone(question, ["Wer leitete die Wiener Delegation?"]) == question
    assert standalone(question, []) == question


def test_a_chain_keeps_its_topic() -> None:
    history = ["Was ist Eurocities?", "Wer hat es gegründet?"]
    assert standalone("Und wie viele Städte gehören heute dazu?", history).endswith("(Eurocities)")


@given(history=st.lists(st.text(max_size=60), max_size=4), question=st.text(max_size=60))
def test_nothing_is_added_but_words_that_were_said(history: list[str], question: str) -> None:
    said = {word.casefold() for text in (*history, question) for word in WORD.findall(text)}
    assert {word.casefold() for word in WORD.findall(standalone(question, history))} <= said


def test_a_follow_up_is_answered(assistant: Assistant) -> None:
    answer = assistant.ask("Wie viele Nutzer hat sie?", history=["Was ist mObywatel?"])
    assert answer.question == "Wie viele Nutzer hat sie?"
    assert any("10 Millionen" in citation.quote for citation in answer.citations)
