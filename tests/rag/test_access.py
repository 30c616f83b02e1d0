"""No reader sees what his groups may not: neither in what is returned, nor in what it is computed from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rag.access import EVERYTHING, Reader, group_names
from rag.errors import NotFoundError, UsageError
from rag.evaluation.question_sets import GoldQuestion, QuestionSet
from rag.evaluation.run import evaluate
from rag.lexical import LexicalIndex, question_terms
from rag.pipeline import Assistant
from rag.schema import Filters
from rag.store import Store
from rag.transfer import contents, fill, rows
from rag.vector_index import VectorIndex, signs
from tests.rag.restricted import SECRETS, TOPICS, copied, document, restrict

PUBLIC = Reader(frozenset())
GROUPS = ("bau", "hr", "rat")
# Making an example that fails smaller takes minutes over a real store, and it is small as it is.
PHASES = (Phase.explicit, Phase.generate)
KEYS = [f"doc-{number}" for number in range(len(TOPICS))]

readers = st.builds(Reader, st.frozensets(st.sampled_from(GROUPS)), st.booleans())
said = st.one_of(st.none(), st.just(("*",)), st.lists(st.sampled_from(GROUPS), min_size=1, unique=True).map(tuple))
assignments = st.fixed_dictionaries(dict.fromkeys(KEYS, said))


def questions_for(secret, topic):
    misspelt = secret[:4] + secret[5] + secret[4] + secret[6:]
    return [f"Wer ist für {secret} zuständig?", f"Was betrifft {misspelt}?", f"Wann öffnet {topic}?",
            f"Wie hoch ist {topic}?"]  # fmt: skip


@pytest.fixture
def opened(restricted):
    return restricted


@pytest.fixture
def assistant(opened):
    """The assistant with nothing said of any document, whoever used it before."""
    restrict(opened.store, dict.fromkeys(KEYS))
    return opened


def betrayed(said, forbidden):
    """Return the words of documents that `reader` does not see and that `said` shows; a question may hold them."""
    return [SECRETS[number] for number in forbidden if SECRETS[number].lower() in str(said).lower()]


@settings(max_examples=8, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(assigned=assignments, reader=readers, number=st.integers(0, len(TOPICS) - 1), kind=st.integers(0, 3))
def test_nothing_of_a_document_that_a_reader_does_not_see_is_returned(opened, assigned, reader, number, kind):
    restrict(opened.store, assigned)
    forbidden = [n for n in range(len(TOPICS)) if not reader.sees(assigned[f"doc-{n}"])]
    question = questions_for(SECRETS[number], TOPICS[number][0])[kind]
    trail = opened.trail(question, reader=reader)
    assert betrayed((trail.quotes, trail.passages, trail.answer.citations, trail.answer.answer), forbidden) == []
    assert betrayed(opened.search(question, 100, reader=reader), forbidden) == []
    assert betrayed(opened.search(question, 100, Filters(source="/files/"), reader=reader), forbidden) == []
    suggested = opened.suggestion(question, reader=reader)
    assert number not in forbidden or suggested is None or SECRETS[number] not in suggested
    assert betrayed(opened.documents(reader=reader), forbidden) == []
    gold = QuestionSet("gold", (GoldQuestion("1", "de", question, ("x",)),))
    outcomes, _ = evaluate(gold, opened, reader=reader)
    assert betrayed([outcome.quotes for outcome in outcomes], forbidden) == []
    for n in range(len(TOPICS)):
        if n in forbidden:
            with pytest.raises(NotFoundError) as refused:
                opened.document(f"doc-{n}", reader=reader)
            with pytest.raises(NotFoundError) as missing:
                opened.document("doc-x", reader=reader)
            assert str(refused.value) == str(missing.value).replace("doc-x", f"doc-{n}")
        else:
            assert opened.document(f"doc-{n}", reader=reader).text == document(n).text


@settings(max_examples=2, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(assigned=assignments, reader=readers)
def test_a_reader_is_answered_as_from_a_store_of_his_documents_alone(opened, tmp_path_factory, assigned, reader):
    restrict(opened.store, assigned)
    own = [key for key in KEYS if reader.sees(assigned[key])]
    alone = Assistant(Store(tmp_path_factory.mktemp("alone") / "store"), opened.settings)
    alone.model = opened.model
    if own:
        copied(opened.store, alone.store, own, opened.model.name)
    try:
        for number in (0, 6):
            for question in questions_for(SECRETS[number], TOPICS[number][0])[:3]:
                here, there = opened.ask(question, reader=reader), alone.ask(question)
                assert here.answer == there.answer
                assert here.confidence == pytest.approx(there.confidence, abs=1e-4)
                assert [(c.document_id, c.start, c.end) for c in here.citations] == [
                    (c.document_id, c.start, c.end) for c in there.citations
                ]
                found = [(p.document_id, p.start) for p in opened.search(question, 20, reader=reader)]
                assert found == [(p.document_id, p.start) for p in alone.search(question, 20)]
                assert opened.suggestion(question, reader=reader) == alone.suggestion(question)
    finally:
        alone.close()


def test_a_hidden_document_changes_no_confidence_of_others(assistant):
    question = "Wer ist für Silfhundaro zuständig?"
    restrict(assistant.store, {key: ["hr"] for key in KEYS if key not in ("doc-4", "doc-5")})
    few = assistant.ask(question, reader=PUBLIC)
    restrict(assistant.store, {"doc-5": ["hr"]})
    restrict(assistant.store, {"doc-5": ["*"]})
    assert assistant.ask(question, reader=PUBLIC).confidence == pytest.approx(few.confidence, abs=1e-9)
    assert assistant.ask(question).confidence != pytest.approx(few.confidence, abs=1e-9)


def test_who_may_see_a_document_can_change_and_holds_at_the_next_question(assistant):
    question = "Wer ist für Kalimborast zuständig?"
    cited = lambda reader: {c.document_id for c in assistant.ask(question, reader=reader).citations}  # noqa: E731
    assert "doc-0" in cited(PUBLIC)
    restrict(assistant.store, {"doc-0": ["hr"]})
    assert "doc-0" not in cited(PUBLIC)
    assert "doc-0" in cited(Reader(frozenset({"hr"})))
    assert assistant.store.document("doc-0").groups == ("hr",)
    restrict(assistant.store, {"doc-0": None})
    assert "doc-0" in cited(PUBLIC)
    assert "doc-0" not in cited(Reader(frozenset(GROUPS), ungrouped=False))


def test_statements_that_differ_are_not_told_where_one_is_hidden(assistant):
    question = "Wie viel Euro beträgt die Hundesteuer im Jahr für den ersten Hund?"
    restrict(assistant.store, {"doc-1": ["hr"]})
    answer = assistant.ask(question, reader=PUBLIC)
    assert [c.document_id for c in answer.citations] and "2024" not in answer.answer  # noqa: PT018
    assert {c.document_id for c in answer.citations} <= set(KEYS) - {"doc-1"}
    assert "18" in assistant.ask(question).answer


def test_filters_and_readers_hold_together(assistant):
    restrict(assistant.store, {key: ["hr"] for key in KEYS[::2]})
    found = assistant.search("Stadt", 100, Filters(since="2022"), reader=PUBLIC)
    assert {item.document_id for item in found} == {"doc-1", "doc-3"}


def test_the_lexical_score_of_a_reader_who_sees_all_is_that_of_the_whole_index(assistant):
    restrict(assistant.store, {key: ["bau"] for key in KEYS[:5]})
    assistant.ask("Hundesteuer")
    index = LexicalIndex(assistant.store)
    for question in ("Wer ist für Kalimborast und das Parkhaus zuständig?", "Stadt Amt Euro"):
        terms = question_terms(question, "de")
        everything = {match.id: match.score for match in index.search(terms, 50)}
        # The same, computed by ourselves: as if one class were hidden that holds nothing.
        seen = index.seen(Reader(frozenset({"bau"}), ungrouped=True))
        assert seen is None
        classes = [row[0] for row in index._connection.execute("SELECT number FROM classes")]
        ours = index._search_among(terms, terms, 50, classes, index._statistics(terms, classes)[0])
        assert {match.id: pytest.approx(match.score, rel=1e-9) for match in ours} == everything
    index.close()


def test_frequencies_follow_documents_that_change_hands_and_go(assistant):
    index = LexicalIndex(assistant.store)
    index.update(assistant.store.refresh())
    before = index.counts()
    assert before["kalimborast"] > 0
    restrict(assistant.store, {"doc-0": ["hr"]})
    index.update(assistant.store.refresh())
    seen = index.counts(PUBLIC)
    assert "kalimborast" not in seen
    assert index.counts(Reader(frozenset({"hr"}), ungrouped=False))["kalimborast"] == before["kalimborast"]
    restrict(assistant.store, {"doc-0": None})
    index.update(assistant.store.refresh())
    assert index.counts(PUBLIC) == before
    index.close()


def test_the_nearest_by_signs_are_those_of_the_reader(tmp_path):
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(50, 70))
    assert signs(vectors).shape == (50, 2)
    assert np.bitwise_count(signs(vectors)[0] ^ signs(-vectors)[0]).sum() == 70


def test_the_vector_index_can_be_deleted_and_is_made_again(assistant):
    restrict(assistant.store, {"doc-0": ["hr"]})
    index = VectorIndex(assistant.store)
    index.update(assistant.store.refresh())
    vector = assistant.store.vectors([next(iter(assistant.store.passages(_ids(assistant, "doc-3"))))])
    ((_, rows),) = list(vector)
    found = index.nearest(rows[0], 30, PUBLIC)
    assert found[0].passage.document_id == "doc-3"
    assert found[0].similarity == pytest.approx(1.0, abs=1e-5)
    assert "doc-0" not in {item.passage.document_id for item in found}
    assert index.nearest(rows[0], 30, Reader(frozenset(), ungrouped=False)) == []
    index.close()


def _ids(assistant, key):
    from rag.records import passage_ids

    return passage_ids(assistant.store.records_of([key]))


@pytest.mark.parametrize(
    ("given", "problem"),
    [([], "no group"), ([" "], "no group"), (["a", ""], "holds ''"), (["a,b"], "comma"), (["x" * 201], "200")],
)
def test_bad_names_of_groups_are_refused(given, problem):
    with pytest.raises(ValueError, match=problem):
        group_names(given)


def test_names_of_groups_are_compared_in_one_spelling():
    assert group_names([" Bäu", "Ba\u0308u", "hr"]) == ("Bäu", "hr")


def test_a_reader_in_the_group_of_everybody_gains_nothing():
    assert not Reader(frozenset({"*"}), ungrouped=False).sees(("hr",))
    assert Reader(frozenset(), ungrouped=False).sees(("*",))
    assert EVERYTHING.sees(("hr",)) and EVERYTHING.sees(None)  # noqa: PT018


def test_an_empty_question_is_refused_for_every_reader(assistant):
    with pytest.raises(UsageError):
        assistant.ask(" ", reader=PUBLIC)


def test_groups_travel_with_the_rows_and_records_from_before_there_were_any_have_none(assistant, tmp_path):
    """Backups, moves between folder and server, and migrations go through `rag.transfer`."""
    restrict(assistant.store, {"doc-0": ["hr"], "doc-1": ["*"]})
    held, records = contents(assistant.store)
    batches = list(rows(assistant.store, records))
    restrict(assistant.store, {"doc-0": None, "doc-1": None})
    nobody, hr, careful = Reader(frozenset()), Reader(frozenset({"hr"})), Reader(frozenset(), ungrouped=False)

    def seen(name, filling):
        copy = Assistant(Store(tmp_path / name), assistant.settings)
        fill(copy.store, held, filling, lambda count: None)
        copy.model = assistant.model
        try:
            found = [{item.document_id for item in copy.documents(reader=reader)} for reader in (nobody, hr, careful)]
            assert {p.document_id for p in copy.search("Hundesteuer", 100, reader=nobody)} == found[0]
            return found
        finally:
            copy.close()

    everything = {f"doc-{number}" for number in range(len(TOPICS))}
    assert seen("copy", batches) == [everything - {"doc-0"}, everything, {"doc-1"}]
    before = [
        replace(batch, metadatas=[{k: v for k, v in m.items() if not k.startswith("groups")} for m in batch.metadatas])
        for batch in batches
    ]
    assert seen("before", before) == [everything, everything, set()]
