"""The HTML of the conversation."""

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Answer, Citation, Document, Filters, Passage, Timings
from ui.markup import (
    Context,
    Turn,
    answer_html,
    literal,
    original_address,
    partial_answers,
    question_html,
    shown_source,
    surroundings,
)

TEXT = "Eins zwei drei. " * 40 + "Die Aufnahme war am 15. Oktober. " + "Vier fünf sechs. " * 40
QUOTE = "Die Aufnahme war am 15. Oktober."
DOCUMENT = Document("d", "Titel", "d.txt", TEXT, "de")
START = TEXT.index(QUOTE)
CITED = Citation(1, "a/b c", "Titel", "d.txt", 2, "Abschnitt", "2025-10-15", QUOTE, START, START + len(QUOTE), 0.9)
ANSWER = Answer(
    "Wann?", "de", f"{QUOTE} [1] Das war es. [7]", False, 0.9, "extractive", Timings(1, 1, 2), (CITED,)
)  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"])))
def test_literal_text_reads_as_itself_and_holds_nothing_to_interpret(content):
    written = literal(content)
    assert html.unescape(written) == content
    assert re.fullmatch(r"(?:[^\W_]|[ &#;])*", written)


def test_a_message_is_one_html_block():
    turn = Turn("Zeile\n\n# Überschrift", replace(ANSWER, answer="a\n\n* b [1]"), (Context("x\n\n- y", "", "de"),))
    for message in (question_html(turn, "de"), answer_html(turn, 1, "de", max_question=9)):
        assert message.startswith("<div")
        assert "\n" not in message


def test_only_marks_with_a_citation_are_links():
    message = answer_html(Turn("Wann?", ANSWER, (surroundings(DOCUMENT, CITED),)), 3, "de", max_question=9)
    assert re.findall(r'<a class="mark" href="([^"]+)">', message) == ["#source-3-1"]
    assert 'id="source-3-1"' in message
    assert "&#91;7&#93;" in message
    assert "documents/a%2Fb%20c?start" in html.unescape(message)
    assert "15.10.2025 · Seite 2 · Abschnitt" in html.unescape(message)


def test_the_opening_quote_is_in_the_language_of_its_document():
    english = replace(ANSWER, language="en", answer=f"{QUOTE} [1]\n\nSee also: [1]")
    message = html.unescape(
        answer_html(Turn("When?", english, (surroundings(DOCUMENT, CITED),)), 1, "en", max_question=9)
    )
    assert f'<p class="reply" lang="en"><span lang="de">{QUOTE}</span>' in message


def test_marks_within_a_quote_are_no_links():
    cited = replace(CITED, quote="Siehe [1].")
    answer = replace(ANSWER, answer="Siehe [1]. [1]", citations=(cited,))
    assert answer_html(Turn("Wann?", answer, (None,)), 1, "de", max_question=9).count('class="mark"') == 1


def test_context_surrounds_the_quote_and_is_cut_between_words():
    context = surroundings(DOCUMENT, CITED, 100)
    assert context.before.startswith("… ")
    assert context.after.endswith(" …")
    whole = context.before.removeprefix("… ") + QUOTE + context.after.removesuffix(" …")
    assert whole in TEXT
    start = TEXT.index(whole)
    assert TEXT[start - 1] == " "
    assert TEXT[start + len(whole)] == " "
    assert 80 < len(context.before) <= 102


def test_context_at_the_edges_of_a_document_is_not_cut():
    short = Document("d", "Titel", "d.txt", f"Vorher. {QUOTE} Nachher.", None)
    context = surroundings(short, replace(CITED, start=8, end=8 + len(QUOTE)))
    assert (context.before, context.after) == ("Vorher. ", " Nachher.")


def test_a_document_that_no_longer_holds_the_quote_gives_no_context():
    assert surroundings(replace(DOCUMENT, text="Anders."), CITED) is None
    message = html.unescape(answer_html(Turn("Wann?", ANSWER, (None,)), 1, "de", max_question=9))
    assert f"<mark>{QUOTE}</mark></blockquote>" in message


def test_an_answer_grows_by_sentences():
    parts = partial_answers(Turn("Wann?", ANSWER), 1, "de")
    assert len(parts) > 1
    assert [len(part) for part in parts] == sorted({len(part) for part in parts})
    assert "citation" not in parts[-1]


def test_an_abstention_has_no_citations():
    answer = replace(ANSWER, answer="Dazu steht nichts da.", abstained=True, citations=())
    message = html.unescape(answer_html(Turn("Wann?", answer), 1, "en", max_question=9))
    assert "No answer with a source" in message
    assert '<p lang="de">Dazu steht nichts da.</p>' in message
    assert "citations" not in message
    assert partial_answers(Turn("Wann?", answer), 1, "en") == []


def test_an_error_is_one_line_in_the_interface_language():
    message = html.unescape(answer_html(Turn("x", error="error_question"), 1, "pl", max_question=2000))
    assert "najwyżej 2000 znaków" in message


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("/srv/documents/rat/vorlage.pdf", "vorlage.pdf"),
        (r"\\server\amt\vorlage.pdf", "vorlage.pdf"),
        ("vorlage.pdf", "vorlage.pdf"),
        ("https://www.stadt.example/rat/vorlage.html", "https://www.stadt.example/rat/vorlage.html"),
        ("/", "/"),
    ],
)
def test_of_a_file_the_name_is_shown(source, shown):
    assert shown_source(source) == shown


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.9, "Gut belegt"), (0.75, "Gut belegt"), (0.6, "Wahrscheinlich die Antwort"), (0.41, "Vielleicht die Antwort")],
)
def test_how_sure_the_answer_is_stands_below_it_in_words(confidence, words):
    message = html.unescape(
        answer_html(Turn("Wann?", replace(ANSWER, confidence=confidence), (None,)), 1, "de", max_question=9)
    )
    assert words in message
    assert not re.search(r"\d\s*%", re.sub(r'href="[^"]*"', "", message))


def test_without_an_answer_the_nearest_passages_are_shown_and_not_called_one():
    abstained = replace(ANSWER, abstained=True, citations=(), answer="Dazu finde ich nichts.")
    passage = Passage("a/b", "<b>Titel</b>", "/x/d.txt", 2, None, None, "Ein *Satz*.\n\nNoch einer.", 10, 36, 0.5)
    message = answer_html(Turn("Wann?", abstained, nearby=((passage, "pl"),)), 1, "de", max_question=9)
    shown = html.unescape(message)
    assert "\n\n" not in message
    assert "<b>Titel</b>" in shown
    assert "<b>Titel</b>" not in message
    assert shown.index("Dazu finde ich nichts.") < shown.index("aber keine Antwort") < shown.index("Noch einer.")
    assert "documents/a%2Fb?start=10&end=36" in shown
    assert '<blockquote lang="pl">' in shown
    assert "aber keine Antwort" not in html.unescape(answer_html(Turn("Wann?", abstained), 1, "de", max_question=9))


def test_a_follow_up_says_how_it_was_understood():
    message = answer_html(
        Turn("Und Wien?", ANSWER, (None,), understood="Wann trat <Wien> bei?"), 1, "de", max_question=9
    )
    assert message.startswith("<div")
    assert "Verstanden als: Wann trat <Wien> bei?" in html.unescape(message)
    assert "<Wien>" not in message


def test_a_web_page_is_opened_at_the_quote_and_a_pdf_at_its_page():
    web = replace(
        CITED, source="https://example.org/seite?x=1#oben", quote="Die Stadt Bad-Muster hat, wie jedes Jahr, gefeiert."
    )
    assert original_address(web) == (
        "https://example.org/seite?x=1#:~:text=Die%20Stadt%20Bad%2DMuster%20hat%2C%20wie,jedes%20Jahr%2C%20gefeiert."
    )
    assert original_address(replace(CITED, source="/archiv/Magazin.PDF")) == "original/a%2Fb%20c#page=2"
    assert original_address(replace(CITED, source="/post/brief.eml!anlage.pdf")) is None
    assert original_address(CITED) is None
    assert original_address(replace(CITED, source="javascript:alert(1).pdf")) == "original/a%2Fb%20c#page=2"


def test_a_suggestion_and_the_filters_are_shown_with_an_answer_that_is_none():
    turn = Turn(
        "Wann Makrt?", replace(ANSWER, abstained=True, citations=()), filters=Filters(since="2020", language="de"),
        suggestion="Wann Markt?",
    )  # fmt: skip
    message = html.unescape(answer_html(turn, 1, "de", max_question=9, contact="<p>Rathaus</p>"))
    assert "Meinten Sie:" in message
    assert 'class="again" href="?lang=de&q=Wann+Markt%3F&since=2020&documents=de">Wann Markt?</a>' in message
    assert "Nur Dokumente: Ab Datum 2020; Sprache der Dokumente Deutsch" in message
    assert message.index("Rathaus") < message.index("Link zu dieser Frage")
