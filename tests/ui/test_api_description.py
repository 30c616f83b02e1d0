"""The description of the API: complete, with examples that are true, and kept to under random requests."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import TypeAdapter
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from tests.ui.stand_in import StandIn
from ui import models
from ui.api import create_app
from ui.api_examples import ANSWER, CITATION, DOCUMENT, PASSAGES, SUMMARY

# Enough that each parameter is wrong in each way that schemathesis knows, within some seconds.
EXAMPLES = 12


@pytest.fixture(scope="module")
def application():
    """The real routes over the stand-in: what is tried is the frame, hundreds of times."""
    return create_app(StandIn())


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_api_keeps_to_its_description(application, mode):
    """Its own pytest plugin would make a test of each operation, but does not know this pytest."""
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 8
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # nothing can be wrong in it

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def keeps(case):
            # That a date exists, or that a question is not blank, is more than a schema can say.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        keeps()


def _operations(description):
    return [
        (f"{method} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_words_and_examples(application):
    for name, operation in _operations(TestClient(application).get("/api/v1/openapi.json").json()):
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        assert "_" not in operation["operationId"] or operation["operationId"] in {"ask_stream"}, name
        for status, response in operation["responses"].items():
            assert response["description"], (name, status)
            for kind, content in response["content"].items():
                assert content.get("example"), (name, status, kind)
                assert kind == "application/problem+json" or int(status) < 400, (name, status)
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (name, parameter["name"])


@pytest.mark.parametrize(
    ("body", "example"),
    [
        (models.AnswerBody, ANSWER),
        (list[models.PassageBody], PASSAGES),
        (models.DocumentSummaryBody, SUMMARY),
    ],
)
def test_examples_are_what_the_api_answers(body, example):
    adapter = TypeAdapter(body)
    assert adapter.dump_python(adapter.validate_python(example), mode="json") == example


def test_quotes_in_the_examples_stand_in_the_document():
    text = DOCUMENT["text"]
    assert text[CITATION["start"] : CITATION["end"]] == CITATION["quote"]
    assert text[PASSAGES[0]["start"] : PASSAGES[0]["end"]] == PASSAGES[0]["text"]
    assert len(text) == SUMMARY["characters"]
    assert models.DocumentBody.model_validate({"id" if k == "document_id" else k: v for k, v in DOCUMENT.items()})


def test_the_stand_in_answers_what_the_schema_says():
    """The tests that need a stand-in for failures would prove nothing if it had another shape."""
    assert models.AnswerBody.model_validate(StandIn().ask("Wann trat Krakau Eurocities bei?")).citations
