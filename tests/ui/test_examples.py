"""First questions, found in the documents."""

import pytest

from rag.schema import Document
from tests.ui.stand_in import StandIn
from ui.examples import COUNT, Examples, _own_questions, _persons, _terms

TEXT = (
    "Was ist ein Masterplan? Das fragen viele. Und wer hat ihn gemacht? Bürgermeisterin Dr. Eva Muster stellte am "
    "Montag die Plattform LoRaWAN vor. Stadtrat Jan Beispiel half. Dazu kam mObywatel aus POLEN."
)


def test_questions_names_and_terms_are_taken_from_the_text():
    document = Document("d", "Titel", "d.txt", TEXT, "de")
    assert list(_own_questions(document, "de")) == ["Was ist ein Masterplan?"]  # the other one points back
    assert list(_own_questions(document, "en")) == []
    assert list(_persons(document, "pl")) == ["Kim jest Eva Muster?", "Kim jest Jan Beispiel?"]
    assert list(_terms(document, "en"))[:2] == ["What is LoRaWAN?", "What is mObywatel?"]


@pytest.mark.parametrize("language", ["de", "en", "pl"])
def test_each_example_is_answered_from_a_document_of_its_own(assistant, language):
    examples = Examples(assistant)
    examples._find(assistant.documents())
    found = examples.of(language, assistant.documents())
    answers = [assistant.ask(question) for question in found]
    assert len(found) == COUNT
    assert all(answer.language == language and not answer.abstained for answer in answers)
    assert len({answer.citations[0].document_id for answer in answers}) == COUNT


def test_the_city_s_own_come_first_and_nothing_is_asked():
    assert Examples(StandIn(), ["Wo?", "Wann?"]).of("de", []) == ("Wo?", "Wann?")
