"""What `citycite eval` does: read a question set, ask it, print and write the figures."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from ingest.pipeline import write_documents
from rag.errors import UsageError
from rag.evaluation import (
    Limit,
    Outcome,
    QuestionSet,
    compare,
    evaluate,
    falls_short,
    read_beir,
    read_gold,
    read_squad,
    side_by_side,
    summarise,
)
from rag.evaluation.report import render
from rag.evaluation.summary import Summary, as_dict, measured
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `citycite eval`, as given."""

    source: Path
    format: str
    questions: Path | None
    abstention: str | None
    whole_articles: bool
    baseline: Path | None
    report: Path | None
    fail_under: tuple[str, ...]
    as_json: bool
    mode: str = "extractive"


def run(options: Options, settings: Settings) -> int:
    """Evaluate and print; return the exit code: 1 where a limit is missed, 130 after Ctrl-C."""
    questions = read(options)
    limits = [Limit.parse(text) for text in options.fail_under]
    baseline = _baseline(options.baseline) if options.baseline else None
    if options.report is not None and not options.report.parent.is_dir():
        raise UsageError(f"--report: there is no folder {options.report.parent}; make it first.")
    formulate = options.mode == "generative"
    if formulate and not settings.llm:
        raise UsageError("--mode generative needs a language model: set CITYCITE_LLM, for example openai:MODEL.")
    with _assistant(questions, settings) as assistant, _bar(len(questions.questions), "Asking") as bar:
        outcomes, complete = evaluate(questions, assistant, lambda done: bar.update(done - bar.n), formulate=formulate)
    if not outcomes:
        return 130
    summary = summarise(outcomes, questions)
    if formulate:
        summary = side_by_side(summary, summarise([outcome.in_words() for outcome in outcomes], questions))
    change = compare(summary, baseline) if baseline is not None else None
    if options.as_json:
        click.echo(json.dumps(_json(options, outcomes, summary, change, complete), ensure_ascii=False, indent=1))
    else:
        click.echo(table(summary, change))
    if options.report is not None:
        facts = {"Threshold": f"{settings.threshold:g}", "Model": settings.embedding_model}
        facts |= {"Language model": settings.llm} if formulate else {}
        options.report.write_text(render(questions.name, outcomes, summary, change, facts), "utf-8")
        click.echo(f"Report: {options.report}", err=True)
    if not complete:
        click.echo(f"Stopped: figures are over {len(outcomes)} of {len(questions.questions)} questions.", err=True)
        return 130
    missed = falls_short(summary, limits)
    for line in missed:
        click.echo(line, err=True)
    return 1 if missed else 0


def read(options: Options) -> QuestionSet:
    """Read the question set in the format named."""
    if not options.source.exists():
        raise UsageError(f"There is no {options.source}; name a file or folder with questions.")
    if options.format == "squad":
        return read_squad(
            options.source,
            questions_file=options.questions,
            whole_articles=options.whole_articles,
            abstention=options.abstention,
        )
    given = {
        "--questions": options.questions,
        "--abstention": options.abstention,
        "--whole-articles": options.whole_articles,
    }
    for name, value in given.items():
        if value:
            raise UsageError(f"{name} goes with --format squad only.")
    return read_gold(options.source) if options.format == "gold" else read_beir(options.source)


@contextmanager
def _assistant(questions: QuestionSet, settings: Settings) -> Iterator[Assistant]:
    """Open the store, or index the documents that come with the questions into a temporary one."""
    if questions.documents is None:
        with closing(Assistant.open(settings=settings)) as assistant:
            yield assistant
        return
    with (
        tempfile.TemporaryDirectory(prefix="citycite-eval-", ignore_cleanup_errors=True) as folder,
        closing(Assistant(Store(folder), settings)) as assistant,
    ):
        with _bar(len(questions.documents), "Indexing") as bar:
            write_documents(questions.documents, assistant.store, assistant.model, lambda: _step(bar))
        yield assistant


def _step(bar: Any) -> None:  # noqa: ANN401
    bar.update()


def _bar(total: int, description: str) -> Any:  # noqa: ANN401 - tqdm ships no types
    return tqdm(total=total, desc=description, file=sys.stderr, dynamic_ncols=True)


def _baseline(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
        figures: dict[str, Any] = content["figures"]
    except OSError as error:
        raise UsageError(f"The baseline {file} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file} is no baseline; make one with citycite eval ... --json > {file}.") from None
    return figures


def _json(
    options: Options,
    outcomes: Sequence[Outcome],
    summary: Summary,
    change: dict[str, dict[str, float]] | None,
    complete: bool,
) -> dict[str, Any]:
    compared = {} if change is None else {"change": change}
    return {
        "source": str(options.source),
        "format": options.format,
        "mode": options.mode,
        "complete": complete,
        "figures": as_dict(summary),
        **compared,
        "questions": [outcome.as_dict() for outcome in outcomes],
    }


def table(summary: Summary, change: dict[str, dict[str, float]] | None = None) -> str:
    """Return the figures as text: a line a measure, a column a language, each with its 95 % interval."""
    width = 26 if change is None else 34
    lines = [f"{'':20}" + "".join(f"{group:>{width}}" for group in summary)]
    for name in measured(summary):
        cells = []
        for group, figures in summary.items():
            if name not in figures:
                cells.append(f"{'-':>{width}}")
                continue
            figure = figures[name]
            digits = 0 if figure.value > 1 else 3
            text = f"{figure.value:.{digits}f} ({figure.low:.{digits}f}-{figure.high:.{digits}f})"
            moved = (change or {}).get(group, {}).get(name)
            cells.append(f"{text if moved is None else f'{text} {moved:+.{digits}f}':>{width}}")
        lines.append(f"{name:20}" + "".join(cells))
    return "\n".join(lines)
