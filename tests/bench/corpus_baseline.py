"""Accept how the sample corpus's questions are answered now: python -m tests.bench.corpus_baseline

Writes corpus/baseline.json, which `make test` compares with. Run it on purpose, and look at the difference in review.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from ingest.pipeline import ingest
from rag.evaluation import Summary, as_dict, evaluate, read_gold, summarise
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store

CORPUS = Path(__file__).parents[2] / "corpus"
BASELINE = CORPUS / "baseline.json"
# Time differs from machine to machine.
LEFT_OUT = ("latency_p50", "latency_p95")


def measure(assistant: Assistant) -> Summary:
    """Return the figures of the corpus's questions over a store of the corpus."""
    questions = read_gold(CORPUS)
    outcomes, _ = evaluate(questions, assistant)
    return summarise(outcomes, questions)


def kept(summary: Summary) -> dict[str, Any]:
    """Return what the baseline holds of a summary."""
    return {
        group: {name: figure for name, figure in figures.items() if name not in LEFT_OUT}
        for group, figures in as_dict(summary).items()
    }


def main() -> None:
    """Measure over a store of its own and write."""
    with tempfile.TemporaryDirectory() as folder:
        ingest([str(CORPUS)], Store(folder), Settings())
        assistant = Assistant.open(folder)
        summary = measure(assistant)
        assistant.close()
    BASELINE.write_text(json.dumps({"figures": kept(summary)}, indent=1) + "\n", "utf-8")
    print(f"written: {BASELINE}", file=sys.stderr)


if __name__ == "__main__":
    main()
