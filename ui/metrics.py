"""What is counted while the server runs, for Prometheus: numbers alone, no questions, no names, no addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from rag.errors import CityciteError
from rag.schema import Answer

if TYPE_CHECKING:
    from rag import Assistant

# A question takes some tens of milliseconds, with a language model up to half a minute.
_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
REQUESTS: Final = Counter("citycite_requests", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS: Final = Histogram(
    "citycite_request_seconds", "Seconds that a request took, a stream to its end", ["route"], buckets=_SECONDS
)
UNDER_WAY: Final = Gauge("citycite_requests_under_way", "Requests being answered")
ANSWERS: Final = Counter("citycite_answers", "Questions answered or abstained from", ["outcome", "mode", "language"])
STEP_SECONDS: Final = Histogram("citycite_step_seconds", "Seconds of an answer, by step", ["step"], buckets=_SECONDS)
DOCUMENTS: Final = Gauge("citycite_documents", "Documents in the store")
JOBS: Final = Gauge("citycite_jobs", "Uploads and other jobs of the admin area, by state", ["state"])
STORE_REACHABLE: Final = Gauge("citycite_store_reachable", "1 where the store could be read just now, else 0")


def observe_answer(answer: Answer) -> None:
    """Count an answer and how long its steps took."""
    outcome = "abstained" if answer.abstained else "answered"
    ANSWERS.labels(outcome, answer.mode, answer.language).inc()
    for step in ("retrieve", "answer", "total"):
        STEP_SECONDS.labels(step).observe(getattr(answer.timings_ms, step) / 1000)


def observe_store(assistant: Assistant, job_states: Callable[[], dict[str, int]]) -> None:
    """Take down how the ingest stands."""
    try:
        DOCUMENTS.set(assistant.count())
        STORE_REACHABLE.set(1)
    except CityciteError:  # readyz says why
        STORE_REACHABLE.set(0)
    for state, number in job_states().items():
        JOBS.labels(state).set(number)
