"""The report: one HTML file with figures, plots and every question, which asks nothing of any other host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, Template

from rag.evaluation.metrics import calibration_bins
from rag.evaluation.run import Outcome
from rag.evaluation.summary import MEASURES, Summary, measured

_SHARES = {name for name in MEASURES if name not in ("quote_length", "latency_p50", "latency_p95")}
_FAILURES = ("wrong", "needless abstention", "needless answer")


def render(
    title: str,
    outcomes: Sequence[Outcome],
    summary: Summary,
    change: dict[str, dict[str, float]] | None = None,
    facts: dict[str, str] | None = None,
) -> str:
    """Return the page.

    Args:
        change: by group and measure, what `compare` gave against the baseline.
        facts: lines about the run, such as the threshold and the model.
    """
    return page_template("report.html.jinja").render(
        title=title,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        facts=facts or {},
        measures=MEASURES,
        summary=summary,
        names=measured(summary),
        change=change or {},
        shown=_shown,
        change_class=_change_class,
        reliability=_reliability(outcomes),
        trade_off=_trade_off(outcomes),
        outcomes=sorted(outcomes, key=lambda item: (item.verdict not in _FAILURES, item.question.id)),
        failures=sum(item.verdict in _FAILURES for item in outcomes),
        is_failure=lambda item: item.verdict in _FAILURES,
        languages=sorted({item.question.language for item in outcomes}),
        verdicts=sorted({item.verdict for item in outcomes}),
    )


def _shown(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name in _SHARES else f"{value:.0f}"


def _change_class(name: str, change: float) -> str:
    better = change * MEASURES[name].better
    return "better" if better > 0 else "worse" if better < 0 else ""


def _reliability(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the points of the reliability plot: in each tenth of the scale, confidence and share of right answers."""
    judged = [item for item in outcomes if item.question.answers or not item.question.answerable]
    if not judged:
        return []
    sure = np.array([item.confidence for item in judged])
    right = np.array([item.right for item in judged], float)
    return [{"x": x, "y": y, "n": n} for x, y, n in calibration_bins(sure, right)]


def _trade_off(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Return, for every threshold, the shares of answerable and of unanswerable questions refused."""
    answerable = np.sort([item.confidence for item in outcomes if item.question.answerable])
    others = np.sort([item.confidence for item in outcomes if not item.question.answerable])
    if not len(answerable) or not len(others):
        return []
    cuts = np.linspace(0, 1, 201)
    needless = np.searchsorted(answerable, cuts) / len(answerable)
    rightly = np.searchsorted(others, cuts) / len(others)
    return [(float(x), float(y)) for x, y in zip(needless, rightly, strict=True)] + [(1.0, 1.0)]


@cache
def page_template(name: str, package: str = "rag.evaluation") -> Template:
    """Return a template of `package`, which may extend `base.html.jinja`; what it is given is escaped."""
    loader = ChoiceLoader([PackageLoader(package, "."), PackageLoader("rag.evaluation", ".")])
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(name)
