"""The measures, as pure functions over one value or one ranking a question.

Rankings are lists of grades in the order found (0: not relevant). Sources: recall, MRR and nDCG as in trec_eval
(nDCG with linear gain); token F1 and exact match as in SQuAD (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250),
without its English articles; calibration error as in Guo et al. 2017, https://arxiv.org/abs/1706.04599.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from rag.values import same, values

# Of unanswerable questions refused, at this share of answerable ones refused too.
FALSE_REFUSALS = 0.05
_BINS = 10
_WORD = re.compile(r"\w+")
_MARKS = re.compile(r"\[\d+\]")


def recall(grades: Sequence[float], relevant: int, count: int, *, any_relevant: bool) -> float:
    """Return the share of `relevant` documents among the first `count`; with `any_relevant`, 1 if there is one."""
    found = sum(grade > 0 for grade in grades[:count])
    return float(found > 0) if any_relevant else found / relevant


def reciprocal_rank(grades: Sequence[float]) -> float:
    """Return 1 / rank of the first relevant document, 0 without any."""
    return next((1 / rank for rank, grade in enumerate(grades, start=1) if grade > 0), 0.0)


def ndcg(grades: Sequence[float], ideal: Sequence[float], count: int) -> float:
    """Return the discounted gain of the first `count`, divided by that of the best order of the `ideal` grades."""
    best = _gain(sorted(ideal, reverse=True)[:count])
    return _gain(grades[:count]) / best if best else 0.0


def _gain(grades: Sequence[float]) -> float:
    return float(sum(grade / np.log2(rank + 1) for rank, grade in enumerate(grades, start=1)))


def holds_answer(quote: str, answers: Sequence[str]) -> bool:
    """Whether one of `answers` stands in `quote`; case and white space don't count."""
    text = " ".join(quote.split()).casefold()
    return any(" ".join(answer.split()).casefold() in text for answer in answers)


def states_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether one of `answers` stands in `text`, or all numbers and dates that it has do, in whatever language."""
    if holds_answer(text, answers):
        return True
    stated = values(_MARKS.sub(" ", text))
    wanted = [own for answer in answers if (own := values(answer))]
    return any(all(any(same(value, other) for other in stated) for value in own) for own in wanted)


def token_f1(quote: str, answers: Sequence[str]) -> float:
    """Return the best harmonic mean of word precision and recall between `quote` and one of `answers`."""
    return max((_f1(_words(quote), _words(answer)) for answer in answers), default=0.0)


def exact_match(quote: str, answers: Sequence[str]) -> bool:
    """Whether `quote` has the same words as one of `answers`."""
    return any(_words(quote) == _words(answer) for answer in answers)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _f1(left: list[str], right: list[str]) -> float:
    common = sum((Counter(left) & Counter(right)).values())
    return 2 * common / (len(left) + len(right)) if common else 0.0


def auroc(confidence: np.ndarray, answerable: np.ndarray) -> float:
    """Return the probability that an answerable question has more confidence than an unanswerable one, ties half."""
    positives = int(answerable.sum())
    negatives = len(answerable) - positives
    ranks = rankdata(confidence)
    return float((ranks[answerable].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def refused(confidence: np.ndarray, answerable: np.ndarray) -> float:
    """Return the share of unanswerable questions refused by the threshold that refuses 5 % of the answerable ones."""
    threshold = np.quantile(confidence[answerable], FALSE_REFUSALS)
    return float(np.mean(confidence[~answerable] < threshold))


def calibration_bins(confidence: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    """Return mean confidence, share of right answers and number for each tenth of the scale that is not empty."""
    numbers = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        (float(confidence[own].mean()), float(right[own].mean()), int(own.sum()))
        for own in (numbers == number for number in range(_BINS))
        if own.any()
    ]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the mean gap between confidence and share of right answers, weighted by number."""
    bins = calibration_bins(confidence, right)
    return sum(abs(sure - share) * number for sure, share, number in bins) / len(confidence)


def bootstrap(measure: Callable[[np.ndarray], float], size: int, samples: int = 1000) -> tuple[float, float]:
    """Return the 95 % percentile interval of `measure`, which is given indices drawn with replacement from `size`.

    Samples for which the measure is not defined (no unanswerable question was drawn, say) are left out.
    """
    random = np.random.default_rng(0)  # the same file gives the same interval
    values = []
    for _ in range(samples):
        value = measure(random.integers(0, size, size))
        if not np.isnan(value):
            values.append(value)
    low, high = np.quantile(values, [0.025, 0.975]) if values else (np.nan, np.nan)
    return float(low), float(high)
