"""Filters: which documents may answer, however few they are."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Assistant
from rag.errors import UsageError
from rag.filtering import Catalogue, Choice
from rag.records import passage_ids
from rag.schema import Filters


@pytest.mark.parametrize("filters", [{"since": "2025-10"}, {"until": "2025"}, {"language": "pl"}, {"source": "PRESS"}])
def test_only_documents_that_pass_are_found(assistant: Assistant, filters: dict[str, str]) -> None:
    passing = {
        document.document_id
        for document in assistant.documents()
        if document.published is not None or not {"since", "until"} & set(filters)
        if (document.published or "") >= filters.get("since", "")
        if (document.published or "")[:4] <= filters.get("until", "9999")
        if filters.get("language", document.language) == document.language
        if filters.get("source", "").lower() in document.source
    }
    found = assistant.search("Krakau", 100, Filters(**filters))
    assert {passage.document_id for passage in found} == passing
    assert 0 < len(passing) < len(assistant.documents())


def test_an_answer_comes_from_what_passes_or_there_is_none(assistant: Assistant) -> None:
    question = "Wann trat Krakau Eurocities bei?"
    answer = assistant.ask(question, filters=Filters(source="/press/"))
    assert not answer.abstained
    assert all("/press/" in citation.source for citation in answer.citations)
    assert assistant.ask(question, filters=Filters(source="no such folder")).abstained
    assert assistant.ask(question, filters=Filters(since="2999")).citations == ()


def test_dates_are_inclusive_and_of_any_precision() -> None:
    record = {"published": "2024-03-12", "source": "/a.txt", "passages": 1}

    def passes(**filters: str) -> bool:
        return bool(Catalogue(Records({"a": record})).choose(Filters(**filters), "1").records)  # type: ignore[arg-type]

    assert passes(since="2024", until="2024")
    assert passes(since="2024-03", until="2024-03")
    assert passes(since="2024-03-12", until="2024-03-12")
    assert not passes(since="2024-03-13")
    assert not passes(until="2024-03-11")
    assert not passes(until="2023")
    record["published"] = None
    assert not passes(until="2030")
    assert not passes(since="1900")


def test_type_and_department_ignore_case() -> None:
    record = {"source": "/a.txt", "passages": 1, "type": "Press release", "department": "Kämmerei"}
    catalogue = Catalogue(Records({"a": record}))  # type: ignore[arg-type]
    assert catalogue.choose(Filters(type="press RELEASE", department="kämmerei"), "1").passages == 1
    assert catalogue.choose(Filters(type="minutes"), "1").passages == 0


@pytest.mark.parametrize("date", ["gestern", "2024-13", "12.03.2024", "2024-02-30", "24", "2024-3"])
def test_a_date_that_is_none_is_named(date: str) -> None:
    with pytest.raises(UsageError, match="2024-03-12"):
        Filters(since=date)


def test_a_span_the_wrong_way_round_is_named() -> None:
    with pytest.raises(UsageError, match="swap"):
        Filters(since="2024-05", until="2024-04")
    Filters(since="2024-05-03", until="2024-05")


@given(
    order=st.lists(st.integers(0, 9), min_size=1, max_size=200),
    chosen=st.sets(st.integers(0, 9)),
    count=st.integers(1, 30),
)
def test_the_best_that_pass_are_found_wherever_they_rank(order: list[int], chosen: set[int], count: int) -> None:
    sizes = {key: order.count(key) for key in range(10)}
    records = {str(key): {"passages": sizes[key]} for key in chosen if sizes[key]}
    choice = Choice(records, sum(sizes[int(key)] for key in records), len(order))
    found = choice.search(lambda number: list(enumerate(order))[:number], lambda item: str(item[1]), count)
    assert found == [(place, key) for place, key in enumerate(order) if key in chosen][:count]


def test_vectors_compared_one_by_one_rank_as_the_index_does(assistant: Assistant) -> None:
    store, records = assistant.store, assistant.store.records()
    vector = assistant.model.encode_question("Wann trat Krakau Eurocities bei?").vector
    by_index = store.nearest(vector, 20)
    one_by_one = store.nearest_of(passage_ids(records), vector, 20)
    assert [found.passage.id for found in one_by_one] == [found.passage.id for found in by_index]
    assert np.allclose([f.similarity for f in one_by_one], [f.similarity for f in by_index], atol=1e-3)
    assert all(a.similarity >= b.similarity for a, b in pairwise(one_by_one))


class Records:
    """Stands for a store that holds these records and nothing else."""

    def __init__(self, records: dict[str, dict[str, object]]) -> None:
        self._records = records

    def records(self) -> dict[str, dict[str, object]]:
        return self._records


def test_filters_without_a_value_are_all(assistant: Assistant) -> None:
    assert asdict(Filters()) == asdict(Filters(since=None))
    assert assistant.search("Krakau", 5) == assistant.search("Krakau", 5, Filters(source=""))
