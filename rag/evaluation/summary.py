"""Outcomes to figures: each measure with its 95 % interval, over all questions and by language."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rag.errors import UsageError
from rag.evaluation.metrics import (
    auroc,
    bootstrap,
    calibration_error,
    exact_match,
    holds_answer,
    ndcg,
    recall,
    reciprocal_rank,
    refused,
    token_f1,
)
from rag.evaluation.question_sets import QuestionSet
from rag.evaluation.run import Formulation, Outcome

DEPTHS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a figure means. `better` is +1 where more is better, -1 where less is."""

    meaning: str
    better: int = 1


MEASURES: dict[str, Measure] = {
    "recall@1": Measure("right document first"),
    "recall@3": Measure("right document among the first 3"),
    "recall@5": Measure("right document among the first 5"),
    "recall@10": Measure("right document among the first 10"),
    "mrr": Measure("mean of 1 / rank of the first right document"),
    "ndcg@10": Measure("discounted gain of the first 10 documents"),
    "first_quote": Measure("answerable questions whose first quote holds the answer, shown or not"),
    "any_quote": Measure("answerable questions one of whose quotes holds the answer, shown or not"),
    "answered_right": Measure("answerable questions that were answered, with the answer in the first quote or words"),
    "formulated": Measure("answers that were shown in a language model's words"),
    "claim_support": Measure("sentences that the language model wrote which the passages support; the rest is removed"),
    "llm_failures": Measure("answers for which the language model failed or took too long", -1),
    "token_f1": Measure("words that first quote and answer have in common"),
    "exact_match": Measure("first quotes that are the answer, word for word"),
    "quote_length": Measure("characters of the first quote", -1),
    "quotes_verbatim": Measure("quotes that stand in their document, character for character"),
    "citation_precision": Measure("quotes shown that are verbatim ranges of a right document"),
    "auroc": Measure("chance that an answerable question gets more confidence than an unanswerable one"),
    "refused_at_5": Measure("unanswerable questions refused where 5 % of the answerable ones are refused too"),
    "refused": Measure("unanswerable questions refused at the threshold set"),
    "false_refusals": Measure("answerable questions refused at the threshold set", -1),
    "ece": Measure("gap between confidence and share of right answers", -1),
    "latency_p50": Measure("milliseconds an answer takes, median", -1),
    "latency_p95": Measure("milliseconds an answer takes, 95th percentile", -1),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % bootstrap interval, and how many questions it rests on."""

    value: float
    low: float
    high: float
    questions: int


Summary = dict[str, dict[str, Figure]]


def summarise(outcomes: Sequence[Outcome], questions: QuestionSet, samples: int = 1000) -> Summary:
    """Return the figures over `all` and for each language; measures that the set cannot give are left out."""
    languages = sorted({outcome.question.language for outcome in outcomes})
    groups: dict[str, list[Outcome]] = {"all": list(outcomes)}
    if len(languages) > 1:
        groups |= {name: [item for item in outcomes if item.question.language == name] for name in languages}
    return {name: _figures(own, questions, samples) for name, own in groups.items() if own}


def _figures(outcomes: list[Outcome], questions: QuestionSet, samples: int) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for name, values in _values(outcomes, questions).items():
        if values:
            figures[name] = _figure(partial(_mean, np.array(values, float)), len(values), samples)
    for name, measure, size in _joint(outcomes):
        figures[name] = _figure(measure, size, samples)
    return {name: figures[name] for name in MEASURES if name in figures}


def _mean(values: np.ndarray, index: np.ndarray) -> float:
    return float(values[index].mean())


def _quantile(values: np.ndarray, share: float, index: np.ndarray) -> float:
    return float(np.quantile(values[index], share))


def _figure(measure: Callable[[np.ndarray], float], size: int, samples: int) -> Figure:
    low, high = bootstrap(measure, size, samples)
    return Figure(measure(np.arange(size)), low, high, size)


def _values(outcomes: list[Outcome], questions: QuestionSet) -> dict[str, list[float]]:
    """Return the measures that are means over questions, as one value a question."""
    answerable = [item for item in outcomes if item.question.answerable]
    ranked = [item for item in answerable if item.ideal]
    answered = [item for item in answerable if item.question.answers]
    others = [item for item in outcomes if not item.question.answerable]
    quotes = [quote for item in outcomes for quote in item.quotes]
    shown = [quote for item in ranked if not item.abstained for quote in item.quotes]
    values: dict[str, list[float]] = {
        f"recall@{depth}": [
            recall(item.grades, len(item.ideal), depth, any_relevant=questions.any_relevant) for item in ranked
        ]
        for depth in DEPTHS
    }
    values["mrr"] = [reciprocal_rank(item.grades) for item in ranked]
    values["ndcg@10"] = [ndcg(item.grades, item.ideal, 10) for item in ranked]
    values["first_quote"] = [item.quote_right for item in answered]
    values["any_quote"] = [
        any(holds_answer(quote.text, item.question.answers) for quote in item.quotes) for item in answered
    ]
    values["answered_right"] = [item.verdict == "right" for item in answered]
    values["quote_length"] = [len(item.quotes[0].text) for item in outcomes if item.quotes]
    values["quotes_verbatim"] = [quote.verbatim for quote in quotes]
    values["citation_precision"] = [quote.verbatim and quote.right_document for quote in shown]
    values["refused"] = [item.abstained for item in others]
    values["false_refusals"] = [item.abstained for item in answerable]
    values |= _in_words([item.formulation for item in outcomes if item.mode == "generative" and item.formulation])
    if questions.extractive:
        first = [(item.quotes[0].text if item.quotes else "", item.question.answers) for item in answered]
        values["token_f1"] = [token_f1(quote, answers) for quote, answers in first]
        values["exact_match"] = [exact_match(quote, answers) for quote, answers in first]
    return values


def _in_words(formulations: list[Formulation]) -> dict[str, list[float]]:
    """Return the measures of what a language model wrote; `claim_support` has a value a sentence."""
    return {
        "formulated": [item.text is not None for item in formulations],
        "claim_support": [value for item in formulations for value in [1.0] * item.supported + [0.0] * item.removed],
        "llm_failures": [item.failed for item in formulations],
    }


def side_by_side(extractive: Summary, generative: Summary) -> Summary:
    """Return the figures of both modes in one summary: each group, and beside it `generative` or `generative.GROUP`."""
    merged: Summary = {}
    for group, figures in extractive.items():
        merged[group] = figures
        merged["generative" if group == "all" else f"generative.{group}"] = generative[group]
    return merged


def measured(summary: Summary) -> list[str]:
    """Return the measures that any group has, in the order of `MEASURES`."""
    return [name for name in MEASURES if any(name in figures for figures in summary.values())]


def _joint(outcomes: list[Outcome]) -> list[tuple[str, Callable[[np.ndarray], float], int]]:
    """Return the measures over several questions together, as functions of indices into them."""
    confidence = np.array([item.confidence for item in outcomes])
    answerable = np.array([item.question.answerable for item in outcomes], bool)
    milliseconds = np.array([item.milliseconds for item in outcomes])
    size = len(outcomes)

    def mixed(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[np.ndarray], float]:
        return lambda index: (
            measure(confidence[index], answerable[index]) if 0 < answerable[index].sum() < len(index) else math.nan
        )

    joint: list[tuple[str, Callable[[np.ndarray], float], int]] = []
    if 0 < answerable.sum() < size:
        joint += [("auroc", mixed(auroc), size), ("refused_at_5", mixed(refused), size)]
    judged = [item for item in outcomes if item.question.answers or not item.question.answerable]
    if judged:
        sure = np.array([item.confidence for item in judged])
        right = np.array([item.right for item in judged], float)
        joint.append(("ece", lambda index: calibration_error(sure[index], right[index]), len(judged)))
    for name, share in (("latency_p50", 0.5), ("latency_p95", 0.95)):
        joint.append((name, partial(_quantile, milliseconds, share), size))
    return joint


def as_dict(summary: Summary) -> dict[str, Any]:
    """Return the figures as plain JSON types, rounded to what the number of questions can tell."""
    return {
        group: {
            name: {
                "value": round(figure.value, 4),
                "low": round(figure.low, 4),
                "high": round(figure.high, 4),
                "questions": figure.questions,
            }
            for name, figure in figures.items()
        }
        for group, figures in summary.items()
    }


def compare(summary: Summary, baseline: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return, by group and measure, how much each figure is above the one in `baseline` (as written by `as_dict`).

    Raises:
        UsageError: the baseline does not hold figures.
    """
    try:
        return {
            group: {
                name: round(figure.value - float(baseline[group][name]["value"]), 4)
                for name, figure in figures.items()
                if name in baseline.get(group, {})
            }
            for group, figures in summary.items()
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UsageError("The baseline holds no figures; make it with citycite eval --json.") from None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure must reach, or must not exceed where less is better. `group` is a language or `all`."""

    group: str
    metric: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read `[LANGUAGE.]METRIC=X`.

        Raises:
            UsageError: it is not written so, or there is no such metric.
        """
        name, _, bound = text.partition("=")
        group, _, metric = name.strip().rpartition(".")
        if metric not in MEASURES:
            raise UsageError(f"--fail-under {text!r} names no metric; there are: {', '.join(MEASURES)}.")
        try:
            return cls(group or "all", metric, float(bound))
        except ValueError:
            raise UsageError(f"--fail-under {text!r} is not METRIC=X, as in recall@1=0.95 or de.mrr=0.8.") from None


def falls_short(summary: Summary, limits: Sequence[Limit]) -> list[str]:
    """Return a line for each limit that is missed.

    Raises:
        UsageError: a limit names what this question set does not measure.
    """
    missed = []
    for limit in limits:
        figure = summary.get(limit.group, {}).get(limit.metric)
        if figure is None:
            raise UsageError(f"--fail-under names {limit.group}.{limit.metric}, which these questions do not measure.")
        better = MEASURES[limit.metric].better
        if (figure.value - limit.bound) * better < 0:
            word = "under" if better > 0 else "over"
            missed.append(f"{limit.group}.{limit.metric} is {figure.value:.4f}, {word} the limit of {limit.bound:g}")
    return missed
