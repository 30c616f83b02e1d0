"""Formulated answers, through langchain-openai against a real HTTP server: what is shown, what is not, what fails."""

import threading
import time

import pytest

from rag.breaker import CircuitBreaker
from rag.errors import LanguageModelError, UsageError
from rag.generation import Formulator
from rag.language_model import LanguageModel
from rag.prompting import Prompt
from rag.settings import Settings
from tests.llm.server import Reply
from ui.doctor import check_language_model

QUESTION = "Wann trat Krakau Eurocities bei?"
TRUE = "Krakau gehört seit dem 15. Oktober zu Eurocities [1]."
NOTE = "(Sätze, die sich nicht belegen ließen, wurden entfernt.)"


def test_a_supported_answer_is_shown_with_the_quotes_it_rests_on(formulating, server):
    server.says(TRUE)
    assistant = formulating()
    answer = assistant.ask(QUESTION)
    assert (answer.mode, answer.answer, answer.abstained) == ("generative", TRUE, False)
    for citation in answer.citations:
        text = assistant.document(citation.document_id).text
        assert text[citation.start : citation.end] == citation.quote
    assert answer.citations[0] == assistant.ask(QUESTION, formulate=False).citations[0]
    assert [citation.marker for citation in answer.citations] == [1]


def test_it_answers_in_the_language_of_the_question(formulating, server):
    server.says("Kraków należy do Eurocities od 15 października [1].")
    answer = formulating().ask("Kiedy Kraków przystąpił do Eurocities?")
    assert answer.mode == "generative"
    assert answer.language == "pl"
    assert "Odpowiadaj po polsku" in server.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    "invented",
    [
        "Der Beitritt kostete 40.000 Euro [1].",
        "Oberbürgermeister Jan Kowalski unterschrieb die Urkunde [1].",
        "Warschau trat am selben Tag bei [1].",
        "Krakau gehört nicht zu Eurocities [1].",
        "Das steht in einem anderen Dokument [7].",
        "Krakau freut sich sehr.",
        "Die Stadt schrieb: „Wir sind die Besten in Europa“ [1].",
        "Mehr steht unter https://evil.example/krakau [1].",
        "![Krakau](https://evil.example/pixel.png?q=geheim) [1].",
        "<img src='https://evil.example/x'> Krakau gehört zu Eurocities [1].",
        "[Krakau](javascript:alert(1)) gehört zu Eurocities [1].",
        "Krakau gehört zu Eurocities, siehe evil.example/x [1].",
    ],
)
def test_what_is_not_supported_is_removed_and_the_answer_says_so(formulating, server, invented):
    server.says(f"{TRUE} {invented}")
    answer = formulating().ask(QUESTION)
    assert answer.answer == f"{TRUE}\n\n{NOTE}"


@pytest.mark.parametrize(
    "written",
    [
        "**Krakau** gehört seit dem **15. Oktober** zu Eurocities [1].",
        "- Krakau gehört seit dem 15. Oktober zu Eurocities [1].",
        "1. Krakau gehört seit dem 15. Oktober zu Eurocities [1].\n2. Krakau gehört zu Eurocities [1].",
    ],
)
def test_bold_words_and_signs_of_a_list_cost_no_sentence(formulating, server, written):
    server.says(written)
    answer = formulating().ask(QUESTION)
    assert answer.mode == "generative"
    assert answer.answer.startswith(TRUE)
    assert NOTE not in answer.answer


def test_a_date_at_the_start_of_a_line_is_no_number_of_a_list(formulating, server):
    server.says("15. Oktober ist der Tag, seit dem Krakau zu Eurocities gehört [1].")
    assert formulating().ask(QUESTION).answer.startswith("15. Oktober")


def test_where_too_little_is_left_the_quote_is_the_answer(formulating, server):
    server.says(f"{TRUE} Es gab Sekt [1]. Danach tanzten 300 Gäste [1]. Warschau gratulierte [1].")
    assistant = formulating()
    _assert_extractive(assistant)


@pytest.mark.parametrize(
    "written", ["", "KEINE ANTWORT", "[1]", "[1].\n\n[2].", "\x00\x1b[31m", "🙂" * 500, "a" * 9000]
)
def test_what_is_no_answer_leaves_the_quote(formulating, server, written):
    server.says(written)
    _assert_extractive(formulating())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=429, body=b'{"error": {"message": "slow down"}}'),
        Reply(status=500, body=b"<html>oops</html>"),
        Reply(status=401, body=b"{}"),
        Reply(["Krakau gehört"], broken=b"data: {not json\n\n"),
        Reply([TRUE], broken=b"data: {not json\n\n"),
        Reply([], broken=b"<html>Welcome to the guest network</html>"),
    ],
    ids=["429", "500", "401", "broken JSON", "broken JSON behind a true sentence", "another page"],
)
def test_a_failing_server_never_costs_the_answer(formulating, server, reply):
    server.script = lambda request: reply
    assert _assert_extractive(formulating()).note == "llm_unreachable"
    assert len(server.requests) == 1  # and it is not asked again and again


@pytest.mark.parametrize("ended", [{"broken": b""}, {"ended": False}], ids=["cut", "no end"])
def test_of_half_a_stream_only_whole_sentences_count(formulating, server, ended):
    server.script = lambda request: Reply(["Krakau gehört seit dem 15. Okt"], **ended)
    assert _assert_extractive(formulating()).note == "llm_unsupported"
    server.script = lambda request: Reply([f"{TRUE} Und seit dem 15. Okt"], **ended)
    answer = formulating().ask(QUESTION)
    assert answer.answer == f"{TRUE}\n\n{NOTE}"


@pytest.mark.parametrize("pieces", ["none", "one and no more", "one letter after the other"])
def test_a_slow_model_is_left_behind_in_time(formulating, server, pieces):
    never = threading.Event()

    def slow():
        yield TRUE
        while not never.wait(0.05 if pieces.endswith("other") else 30):
            yield "a"

    server.script = lambda request: Reply(slow(), hold=never if pieces == "none" else None)
    assistant = formulating(llm_timeout=0.5)
    try:
        started = time.monotonic()
        answer = assistant.ask(QUESTION)
        assert (answer.mode, answer.note) == ("extractive", "llm_unreachable")
        assert time.monotonic() - started < 25
    finally:
        never.set()


def test_endless_output_is_cut_off(formulating, server):
    def endless():
        while True:
            yield "und weiter "

    server.script = lambda request: Reply(endless())
    _assert_extractive(formulating(llm_max_tokens=50))


def test_endless_true_sentences_are_cut_off_and_said_once(formulating, server):
    def endless():
        while True:
            yield f"{TRUE} "

    server.script = lambda request: Reply(endless())
    answer = formulating(llm_max_tokens=50).ask(QUESTION)
    assert answer.answer.count(TRUE) == 1


def test_a_server_that_is_not_there(formulating):
    assert _assert_extractive(formulating(llm_base_url="http://127.0.0.1:9/v1")).note == "llm_unreachable"


def test_words_come_sentence_by_sentence_as_they_are_verified(formulating, server):
    more = threading.Event()

    def slowly():
        yield TRUE
        yield " Es gab 300 Torten [1]. Und"
        more.wait(60)
        yield " das Netzwerk heißt Eurocities [1]."

    server.script = lambda request: Reply(slowly())
    assistant = formulating()
    growing = assistant.formulating(assistant.trail(QUESTION))
    try:
        first = next(growing)  # while the server still waits to write on
        assert not more.is_set()
        assert (first.mode, first.answer.split("\n")[0]) == ("generative", TRUE)
    finally:
        more.set()
    *_, last = growing
    assert "Torten" not in last.answer
    assert last.answer.startswith(TRUE)
    assert last.answer.endswith(NOTE)


def test_what_was_shown_while_it_grew_is_taken_back_where_too_little_is_supported(formulating, server):
    server.says(f"{TRUE} Es gab Sekt [1]. Danach tanzten 300 Gäste [1]. Warschau gratulierte [1].")
    assistant = formulating()
    *growing, last = assistant.formulating(assistant.trail(QUESTION))
    assert {answer.mode for answer in growing} == {"generative"}
    assert (last.mode, last.note) == ("extractive", "llm_unsupported")


def test_a_reader_who_leaves_is_no_failure_of_the_model(server):
    def endless():
        while True:
            yield "ja "

    model = LanguageModel(_local(server), CircuitBreaker(failures=1))
    server.script = lambda request: Reply(endless())
    assert next(model.stream(Prompt("a", "b"))) == "ja "
    server.says("ja")
    assert model.complete(Prompt("a", "b")) == "ja"


def test_after_three_failures_it_rests_and_then_tries_once(server):
    now = [0.0]
    breaker = CircuitBreaker(clock=lambda: now[0])
    model = LanguageModel(_local(server), breaker)
    server.script = lambda request: Reply(status=500)
    for _ in range(5):
        with pytest.raises(LanguageModelError):
            model.complete(Prompt("a", "b"))
    assert len(server.requests) == 3
    now[0] = 61.0
    server.says("ja")
    assert model.complete(Prompt("a", "b")) == "ja"
    assert model.complete(Prompt("a", "b")) == "ja"


def test_while_it_rests_readers_are_told_and_wait_for_nothing(formulating, server, monkeypatch):
    assistant = formulating(llm_timeout=5)
    server.script = lambda request: Reply(status=500)
    for _ in range(4):
        assert assistant.ask(QUESTION).note == "llm_unreachable"
    assert len(server.requests) == 3


def test_without_evidence_the_model_is_not_asked(formulating, server):
    assert formulating().ask("Wann trat Krefeld Eurocities bei?").abstained
    assert formulating(threshold=1.0).ask(QUESTION).abstained
    assert server.requests == []


def test_no_key_but_the_one_set_is_sent(formulating, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "not yours")
    formulating(llm_api_key="").ask(QUESTION)
    formulating(llm_api_key="ours").ask(QUESTION)
    assert [headers["authorization"] for headers in server.headers] == ["Bearer none", "Bearer ours"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"llm": "gpt"}, "must be openai:MODEL or ollama:MODEL"),
        ({"llm": "anthropic:x"}, "must be openai:MODEL or ollama:MODEL"),
        ({"llm": "openai:"}, "must be openai:MODEL or ollama:MODEL"),
        ({"llm": "openai:x"}, "CITYCITE_LLM_BASE_URL is not"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(UsageError, match=message):
        LanguageModel(Settings(**settings))


def test_a_missing_package_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr("rag.language_model.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'citycite\[ollama\]'"):
        LanguageModel(Settings(llm="ollama:x"))


def test_doctor_tests_the_connection(server, corpus_store):
    settings = Settings(store=str(corpus_store), llm="openai:test", llm_base_url=server.address)
    assert check_language_model(settings).state == "ok"
    server.script = lambda request: Reply(status=404, body=b'{"error": {"message": "no model test"}}')
    broken = check_language_model(settings)
    assert broken.state == "broken"
    assert "404" in broken.mend
    assert check_language_model(Settings(store=str(corpus_store), llm="nonsense")).state == "broken"


def test_a_key_shows_nowhere(corpus_store):
    settings = Settings(llm="openai:test", llm_base_url="http://127.0.0.1:9/v1", llm_api_key="secret-key")
    assert "secret-key" not in repr(settings)
    assert "secret-key" not in str(check_language_model(settings))


def test_the_formulator_says_what_it_removed(formulating, server):
    assistant = formulating()
    trail = assistant.trail(QUESTION)
    formulator = assistant.formulator
    assert isinstance(formulator, Formulator)
    found = formulator.verified(f"{TRUE} Es gab 12 Torten [1].", trail.basis.question, trail.basis.evidence)
    assert [reason for _, reason in found.checked.removed] == ["value"]


def _local(server):
    return Settings(llm="openai:test", llm_base_url=server.address)


def _assert_extractive(assistant):
    trail = assistant.trail(QUESTION)
    answer, quoted = assistant.formulated(trail), trail.answer
    assert answer.mode == "extractive"
    assert answer.note is not None
    assert quoted.note is None
    assert (answer.answer, answer.citations) == (quoted.answer, quoted.citations)
    return answer
