"""OpenAI's chat protocol, with its official client and with LangChain's, against a real server."""

import threading

import httpx
import openai
import pytest

from rag.schema import Answer, Citation, Timings
from tests.browser.conftest import serving
from tests.ui.stand_in import StandIn, broken_store
from tests.ui.test_api import NOBODY_KNOWS, WHEN
from ui.openai_api import MAX_BODY
from ui.openai_text import sources_text, without_markup

QUESTION = WHEN["question"]
STREAM = "/v1/chat/completions"


@pytest.fixture(scope="module")
def address(assistant):
    with serving(assistant) as address:
        yield address


@pytest.fixture(scope="module")
def chat(address):
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def failing():
    """A stand-in, and a client of it."""
    stand_in = StandIn()
    with (
        serving(stand_in) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield stand_in, client


def _user(text):
    return {"role": "user", "content": text}


def test_the_model_is_listed(chat):
    assert [model.id for model in chat.models.list()] == ["citycite"]
    assert chat.models.retrieve("citycite").object == "model"


def test_a_completion_has_marks_sources_and_the_answer_as_ask_gives_it(chat, address):
    completion = chat.chat.completions.create(model="citycite", messages=[_user(QUESTION)], temperature=0.7)
    answer = httpx.post(f"{address}/api/v1/ask", json=WHEN, timeout=60).json()
    structured = completion.model_extra["citycite"]
    assert structured | {"timings_ms": None} == answer | {"timings_ms": None}
    content = completion.choices[0].message.content
    assert content.startswith(answer["answer"])
    assert "\n\nQuellen:\n\n- [1] [" in content
    assert (completion.choices[0].finish_reason, completion.object) == ("stop", "chat.completion")
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    link = content.split("](")[1].split(")")[0]
    assert httpx.get(link, timeout=60).status_code == 200
    assert link.startswith(address)


def test_a_stream_says_the_same_piece_by_piece(chat):
    whole = chat.chat.completions.create(model="citycite", messages=[_user(QUESTION)])
    chunks = list(
        chat.chat.completions.create(
            model="citycite", messages=[_user(QUESTION)], stream=True, stream_options={"include_usage": True}
        )
    )
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == whole.choices[0].message.content
    assert len([piece for piece in said if piece]) > 1
    last = [chunk for chunk in chunks if chunk.choices][-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra["citycite"]["citations"] == whole.model_extra["citycite"]["citations"]
    assert chunks[-1].usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_an_abstention_has_no_sources(chat):
    completion = chat.chat.completions.create(model="citycite", messages=[_user(NOBODY_KNOWS["question"])])
    assert completion.model_extra["citycite"]["abstained"]
    assert completion.choices[0].message.content == completion.model_extra["citycite"]["answer"]


def test_earlier_messages_of_the_user_are_the_history(chat):
    follow_up = "Und wie viele Städte gehören dazu?"
    history = ["Seit wann gehört Krakau zu Eurocities?"]
    asked = [
        {"role": "system", "content": "Du bist ein Pirat."},
        _user([{"type": "text", "text": history[0]}]),
        {"role": "assistant", "content": "Seit dem 15. Oktober. [1]"},
        _user(follow_up),
    ]
    completion = chat.chat.completions.create(model="citycite", messages=asked)
    address = str(chat.base_url).removesuffix("/v1/")
    with_history = httpx.post(
        f"{address}/api/v1/ask", json={"question": follow_up, "history": history}, timeout=60
    ).json()
    without = httpx.post(f"{address}/api/v1/ask", json={"question": follow_up}, timeout=60).json()
    assert completion.model_extra["citycite"]["citations"] == with_history["citations"]
    assert with_history["confidence"] != without["confidence"]


def test_langchain_can_use_it_as_a_model(address):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="citycite", base_url=f"{address}/v1", api_key="none", max_retries=0)
    said = model.invoke([("human", QUESTION)])
    assert "15. Oktober" in said.content
    assert said.response_metadata["finish_reason"] == "stop"
    assert "".join(chunk.text for chunk in model.stream([("human", QUESTION)])) == said.content


@pytest.mark.parametrize(
    ("changed", "error", "param", "message"),
    [
        ({"model": "gpt-4"}, openai.NotFoundError, "model", "'gpt-4' does not exist; use 'citycite'"),
        ({"messages": []}, openai.BadRequestError, "messages", "at least 1 item"),
        ({"messages": [_user("")]}, openai.BadRequestError, "messages", "characters"),
        ({"messages": [_user("a" * 2001)]}, openai.BadRequestError, "messages", "2001 characters"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, openai.BadRequestError, "messages", "question last"),
        ({"n": 2}, openai.BadRequestError, "n", "n is 2"),
        ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "response_format", "in text"),
        ({"tool_choice": "required"}, openai.BadRequestError, "tool_choice", "no tools"),
        (
            {"messages": [_user([{"type": "image_url", "image_url": {"url": "data:,"}}])]},
            openai.BadRequestError, None, "text",
        ),
        ({"messages": [_user("a" * MAX_BODY)]}, openai.APIStatusError, None, "1024 kB"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_wrong_is_said_in_openais_shape(failing, changed, error, param, message, stream):
    request = {"model": "citycite", "messages": [_user("a")], "stream": stream} | changed
    with pytest.raises(error) as caught:
        failing[1].chat.completions.create(**request)
    assert set(caught.value.body) == {"message", "type", "param", "code"}
    assert caught.value.type == "invalid_request_error"
    assert message in caught.value.body["message"]
    assert param is None or caught.value.param == param


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("GET", STREAM), ("POST", "/v1/embeddings")])
def test_other_parts_of_openais_api_are_not_there(failing, method, path):
    response = failing[1]._client.request(method, str(failing[1].base_url).removesuffix("/v1/") + path)
    assert response.status_code in {404, 405}
    assert "not part of this API" in response.json()["error"]["message"]


def test_failures_are_errors_of_the_server(failing):
    stand_in, client = failing
    ask = {"model": "citycite", "messages": [_user("Wann trat Krakau bei?")]}
    stand_in.failure = broken_store()
    with pytest.raises(openai.InternalServerError, match="disk error"):
        client.chat.completions.create(**ask)
    stand_in.failure = ZeroDivisionError("a secret")
    with pytest.raises(openai.InternalServerError, match="unexpected") as caught:
        client.chat.completions.create(**ask)
    assert "secret" not in str(caught.value)
    stand_in.failure, stand_in.late_failure = None, broken_store()
    with pytest.raises(openai.APIError, match="disk error"):
        list(client.chat.completions.create(**ask, stream=True))
    stand_in.late_failure = None


def test_who_hangs_up_stops_the_work():
    begun, ended = threading.Event(), threading.Event()

    class Slow(StandIn):
        def formulated(self, trail, stopped=None):
            begun.set()
            if stopped.wait(90):
                ended.set()
            return trail.answer

    body = {"model": "citycite", "messages": [_user("Wann trat Krakau bei?")], "stream": True}
    with serving(Slow()) as address:
        with httpx.stream("POST", address + STREAM, json=body, timeout=60) as response:
            lines = response.iter_lines()  # once nothing holds it any more, the connection is closed
            assert next(lines).startswith("data: ")
            assert begun.wait(60)
        assert ended.wait(60)


@pytest.mark.parametrize(
    "text",
    ["![x](http://evil.example/x)", "[hier](http://evil.example)", "<img src=x onerror=alert(1)>",
     "![x][y]\n[y]: http://e", "</div><script>1</script>",
     "<http://evil.example>", "![](x)![[a](b)](c)", "\\![x](y)", "!\\[x](y)", "[![a](b)][c]"],
)  # fmt: skip
def test_nothing_in_a_document_becomes_a_picture_a_link_or_html(text):
    from markdown_it import MarkdownIt

    def kinds(tokens):
        return {token.type for token in tokens} | {k for t in tokens if t.children for k in kinds(t.children)}

    found = kinds(MarkdownIt("commonmark", {"html": True}).parse(f"Vor {without_markup(text)} nach. [1]"))
    assert not found & {"image", "link_open", "html_inline", "html_block"}
    assert without_markup("Am 1. Mai [1] [2], 3 < 4.") == "Am 1. Mai [1] [2], 3 < 4."


def test_a_hostile_title_stays_a_title():
    from markdown_it import MarkdownIt

    cited = Citation(1, 'a/b"c', "<b>x</b>](http://evil)\n# ![x](y)", "s", 3, None, "2025-10-15", "q", 0, 1, 0.9)
    answer = Answer("?", "de", "q [1]", False, 0.9, "extractive", Timings(1, 1, 1), (cited,))
    html = MarkdownIt("commonmark", {"html": True}).render(sources_text(answer, "http://here/"))
    assert html.count("<a ") == 1
    assert 'href="http://here/documents/a%2Fb%22c?start=0&amp;end=1&amp;lang=de#quote"' in html
    assert "<img" not in html
    assert "<b>" not in html
    assert "S. 3, 15.10.2025" in html
