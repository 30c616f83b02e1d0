"""The measures against trec_eval and scikit-learn, and against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from rag.evaluation.metrics import (
    auroc,
    bootstrap,
    calibration_bins,
    calibration_error,
    exact_match,
    holds_answer,
    ndcg,
    recall,
    reciprocal_rank,
    refused,
    token_f1,
)


@given(
    ranking=st.lists(st.integers(0, 30), unique=True, min_size=1, max_size=20),
    relevant=st.dictionaries(st.integers(0, 30), st.integers(1, 3), min_size=1, max_size=6),
)
def test_retrieval_measures_agree_with_trec_eval(ranking, relevant):
    run = {"q": {f"d{number}": float(len(ranking) - rank) for rank, number in enumerate(ranking)}}
    truth = {"q": {f"d{number}": grade for number, grade in relevant.items()}}
    names = {"recall.1,3,5,10", "recip_rank", "ndcg_cut.10"}
    theirs = pytrec_eval.RelevanceEvaluator(truth, names).evaluate(run)["q"]

    grades = [float(relevant.get(number, 0)) for number in ranking]
    for depth in (1, 3, 5, 10):
        ours = recall(grades, len(relevant), depth, any_relevant=False)
        assert ours == pytest.approx(theirs[f"recall_{depth}"])
    assert reciprocal_rank(grades) == pytest.approx(theirs["recip_rank"])
    assert ndcg(grades, list(map(float, relevant.values())), 10) == pytest.approx(theirs["ndcg_cut_10"])


def test_one_of_several_alternatives_is_enough_for_recall():
    assert recall([0, 1, 0], 3, 3, any_relevant=True) == 1
    assert recall([0, 1, 0], 3, 1, any_relevant=True) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_area_under_the_curve_agrees_with_scikit_learn(pairs):
    confidence, answerable = np.array([p[0] for p in pairs]) / 5, np.array([p[1] for p in pairs])
    if 0 < answerable.sum() < len(answerable):
        assert auroc(confidence, answerable) == pytest.approx(roc_auc_score(answerable, confidence))


def test_refused_counts_unanswerable_below_the_threshold_that_costs_five_percent():
    answerable = np.repeat([True, False], 100)
    confidence = np.concatenate([np.arange(100) / 100, np.full(60, 0.01), np.full(40, 0.5)])
    assert refused(confidence, answerable) == 0.6


@pytest.mark.parametrize(
    ("quote", "answers", "expected"),
    [
        ("Am 15. Oktober trat die Stadt bei.", ["15. Oktober"], True),
        ("Am 15.\nOktober trat die Stadt bei.", ["15. oktober"], True),
        ("Im Oktober trat die Stadt bei.", ["15. Oktober", "15 October"], False),
        ("Am 15. Oktober", [], False),
    ],
)
def test_an_answer_counts_when_it_stands_in_the_quote(quote, answers, expected):
    assert holds_answer(quote, answers) is expected


def test_token_f1_takes_the_nearest_answer():
    assert token_f1("der rote Bus", ["rote Bus", "Bahn"]) == pytest.approx(0.8)
    assert token_f1("der rote Bus", ["Bahn"]) == 0
    assert exact_match("Der rote Bus.", ["der rote Bus"])
    assert not exact_match("Der rote Bus.", ["rote Bus"])


def test_calibration_is_perfect_when_confidence_is_the_share_of_right_answers():
    confidence = np.repeat([0.25, 0.75], 100)
    right = np.concatenate([np.repeat([1, 0], [25, 75]), np.repeat([1, 0], [75, 25])]).astype(float)
    assert calibration_error(confidence, right) == pytest.approx(0)
    assert calibration_bins(confidence, right) == [(0.25, 0.25, 100), (0.75, 0.75, 100)]
    assert calibration_error(np.ones(10), np.zeros(10)) == pytest.approx(1)


def test_bootstrap_interval_covers_the_mean_and_narrows_with_more_questions():
    values = np.random.default_rng(1).integers(0, 2, 1000).astype(float)
    low, high = bootstrap(lambda index: float(values[index].mean()), 1000)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 1000), rel=0.15)
    assert bootstrap(lambda index: math.nan, 10) == pytest.approx((math.nan, math.nan), nan_ok=True)
