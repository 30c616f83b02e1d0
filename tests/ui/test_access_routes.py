"""Over a real store: no route shows a byte of what a reader may not see; the API says who may."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rag.settings import Settings
from tests.rag.restricted import SECRETS, TOPICS, restrict
from ui.api import create_app
from ui.sign_in.keys import Keys

GROUPS = ("bau", "hr", "rat")
KEYS = [f"doc-{number}" for number in range(len(TOPICS))]
PEER = ("10.0.0.9", 1)

said = st.one_of(st.none(), st.just(("*",)), st.lists(st.sampled_from(GROUPS), min_size=1, unique=True).map(tuple))


@pytest.fixture(scope="module")
def app(restricted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes")
    given = {"store": restricted.store.location, "data": str(folder), "rate_limit": 0, "rate_limit_address": 0}
    made = create_app(restricted, Settings(sign_in="proxy", trusted_proxies=PEER[0], **given))
    yield made, folder
    restrict(restricted.store, dict.fromkeys(KEYS))


def reader(app, groups):
    headers = {"X-Forwarded-User": "anna", "X-Forwarded-Groups": ",".join(groups)}
    return TestClient(app, client=PEER, headers=headers, raise_server_exceptions=False)


def shown(client, question):
    answers = [
        client.post("/api/v1/ask", json={"question": question}),
        client.post("/api/v1/ask", json={"question": question, "filters": {"since": "2021"}}),
        client.get("/api/v1/search", params={"query": question, "top_k": 100}),
        client.get("/api/v1/documents"), client.get("/feedback", params={"question": "x", "helpful": "no"}),
        client.post("/api/v1/ask/stream", json={"question": question, "history": [f"Was ist {question}"]}),
        client.post(
            "/v1/chat/completions", json={"model": "citycite", "messages": [{"role": "user", "content": question}]}
        ),
    ]  # fmt: skip
    for key in KEYS:
        answers += [client.get(f"{path}/{key}") for path in ("/api/v1/documents", "/documents", "/original")]
    assert all(answer.status_code in {200, 404} for answer in answers)
    return "".join(answer.text for answer in answers)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    assigned=st.fixed_dictionaries(dict.fromkeys(KEYS, said)),
    groups=st.frozensets(st.sampled_from(GROUPS)),
    topic=st.sampled_from([topic for topic, *_ in TOPICS]),
)
def test_no_route_shows_a_byte_of_what_a_reader_may_not_see(restricted, app, assigned, groups, topic):
    restrict(restricted.store, assigned)
    text = shown(reader(app[0], groups), f"Wann öffnet {topic} und wer ist zuständig?")
    for number, secret in enumerate(SECRETS):
        groups_said = assigned[f"doc-{number}"]
        may = groups_said is None or "*" in groups_said or bool(groups & set(groups_said))
        assert (secret in text) == may, (secret, groups, groups_said)


def test_who_may_see_a_document_is_set_through_the_api(restricted, app):
    restrict(restricted.store, dict.fromkeys(KEYS))
    application, folder = app
    asks, sets = (
        TestClient(application, headers={"Authorization": f"Bearer {key}"})
        for key in (
            Keys(folder).add("asks", frozenset({"bau"}), frozenset({"ask"}), None),
            Keys(folder).add("sets", frozenset({"hr"}), frozenset({"ask", "documents"}), None),
        )
    )
    question = {"question": "Wer ist für Kalimborast zuständig?"}
    assert '"doc-0"' in asks.post("/api/v1/ask", json=question).text
    assert asks.put("/api/v1/access/doc-0", json={"groups": ["hr"]}).status_code == 403
    done = sets.put("/api/v1/access/doc-0", json={"groups": ["hr", " hr"]})
    assert (done.status_code, done.json()) == (200, {"groups": ["hr"]})
    cited = [citation["document_id"] for citation in asks.post("/api/v1/ask", json=question).json()["citations"]]
    assert "doc-0" not in cited
    assert '"doc-0"' in sets.post("/api/v1/ask", json=question).text
    assert sets.put("/api/v1/access/doc-0", json={"groups": []}).status_code == 422
    assert sets.put("/api/v1/access/doc-0", json={"groups": ["a,b"]}).status_code == 422
    assert sets.put("/api/v1/access/doc-x", json={"groups": ["hr"]}).status_code == 404
    assert sets.put("/api/v1/access/doc-0", json={"groups": ["rat"]}).json() == {"groups": ["rat"]}
    # Now it is hidden from the key itself, which cannot tell it from one that is not there.
    assert sets.put("/api/v1/access/doc-0", json={"groups": None}).status_code == 404
    restrict(restricted.store, {"doc-0": None})
    assert "doc-0" in asks.get("/api/v1/documents").text
