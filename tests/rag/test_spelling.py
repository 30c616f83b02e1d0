"""Words put right that no document holds."""

import pytest

from rag.spelling import suggestion

COUNTS = {"krakau": 9, "eurociti": 7, "masterplan": 3, "wochenmarkt": 2, "wochenmarkten": 1, "grosse": 4, "lorawan": 2}
SPELT = {
    "krakau": "Krakau", "eurociti": "Eurocities", "masterplan": "Masterplan", "wochenmarkt": "Wochenmarkt",
    "wochenmarkten": "Wochenmärkten", "lorawan": "LoRaWAN",
}  # fmt: skip


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("Wann trat Krakau Eurocites bei?", "Wann trat Krakau Eurocities bei?"),
        ("When did Krakau join Eurocites?", "When did Krakau join Eurocities?"),
        ("Wann öffnet der Wochenmrakt?", "Wann öffnet der Wochenmarkt?"),
        ("masterpaln kosten", "masterplan kosten"),
        ("Was kostet das Lorawna-Netz?", None),  # a compound is no word that could be looked up
        ("Wann trat Krakau Eurocities bei?", None),
        ("Wie viele Elefanten leben dort?", None),
        ("Was ist Grosse?", None),
        ("Wer ist Mark?", None),  # short words have neighbours by chance
        ("", None),
    ],
)
def test_a_word_gives_way_to_the_nearest_that_documents_hold(question, right):
    found = suggestion(question, COUNTS, SPELT.get)
    assert (found or "").casefold() == (right or "").casefold()


def test_a_suggestion_has_an_answer(assistant):
    assert assistant.suggestion("Wann trat Krakau Eurocites bei?") == "Wann trat Krakau Eurocities bei?"
    assert assistant.suggestion("Was kostet der Mastreplan?") is None  # there is no answer to it either
    assert assistant.suggestion("Wann trat Krakau Eurocities bei?") is None
