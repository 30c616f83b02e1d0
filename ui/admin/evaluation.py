"""The gold file asked in the background, and how its figures have changed over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.responses import HTMLResponse, Response

from rag.errors import NotFoundError
from rag.evaluation import as_dict, evaluate, read_gold, summarise
from rag.evaluation.report import render
from ui.admin.area import Area, Visit
from ui.admin.jobs import Job
from ui.admin.office import Office
from ui.admin.uploads import RefusedError
from ui.journal import Run

# The figures in the trend, and whether more is better; each is a share of questions.
MEASURES: Final = ("answered_right", "first_quote", "refused", "recall@1")
_GOOD: Final = frozenset({"right", "right abstention"})
# Pages of single runs; older runs stay in the trend.
REPORTS: Final = 50
# The chart, in its own units.
WIDTH, HEIGHT, LEFT, TOP = 640, 220, 40, 10
_REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """A figure over the runs: points of the chart, each with its value."""

    measure: str
    points: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose verdict differs from that of the run before."""

    id: str
    before: str
    now: str
    is_good: bool


def add_to(area: Area) -> None:
    """Add the pages and the action."""
    area.page("/evaluation")(show)
    area.page("/evaluation/report")(report)
    area.action("/evaluation/run")(start)


def show(visit: Visit) -> Response:
    """Show the trend, the last runs, and what has changed with the last one."""
    office = visit.office
    runs = office.journal.runs()
    questions = {line.id: line.question for line in office.gold.lines()}
    return visit.page(
        "evaluation", runs=list(reversed(runs))[:20], measures=MEASURES, curves=curves(runs),
        moved=moved(runs), questions=questions, jobs=office.jobs.latest("evaluation")[:1], lines=len(questions),
        width=WIDTH, height=HEIGHT, left=LEFT, top=TOP,
        reports={int(file.stem) for file in office.reports.glob("*.html") if file.stem.isdecimal()},
    )  # fmt: skip


def curves(runs: list[Run]) -> list[Curve]:
    """Return the figures as points of the chart, the oldest run left."""
    step = (WIDTH - LEFT - 10) / max(1, len(runs) - 1)
    found = []
    for measure in MEASURES:
        points = [
            (round(LEFT + number * step, 1), round(TOP + (HEIGHT - 2 * TOP - 20) * (1 - value), 1), value)
            for number, run in enumerate(runs)
            if (value := run.figures.get("all", {}).get(measure, {}).get("value")) is not None
        ]
        if points:
            found.append(Curve(measure, tuple(points)))
    return found


def moved(runs: list[Run]) -> list[Moved]:
    """Return what the last run answers otherwise than the one before, what has become worse first."""
    if len(runs) < 2:
        return []
    before, now = runs[-2].verdicts, runs[-1].verdicts
    found = [
        Moved(key, before[key], verdict, verdict in _GOOD)
        for key, verdict in now.items()
        if key in before and (before[key] in _GOOD) != (verdict in _GOOD)
    ]
    return sorted(found, key=lambda item: (item.is_good, item.id))


def start(visit: Visit) -> Response:
    """Have all questions of the gold file asked."""
    office = visit.office
    if any(not job.is_over for job in office.jobs.latest("evaluation")):
        raise RefusedError("evaluation_running")
    if not office.gold.lines():
        raise RefusedError("evaluation_empty")
    office.jobs.add("evaluation", office.gold.file.name, lambda job: run(office, job)).over.wait(1.0)
    return visit.go("/evaluation")


def run(office: Office, job: Job) -> None:
    """Ask the gold file's questions; keep the figures, and the page with every question."""
    questions = read_gold(office.gold.file)
    total = len(questions.questions)
    outcomes, _ = evaluate(questions, office.assistant, lambda done: office.jobs.progress(job, total, done))
    summary = summarise(outcomes, questions)
    threshold = office.settings.threshold
    verdicts = {outcome.question.id: outcome.verdict for outcome in outcomes}
    number = office.journal.add_run(len(outcomes), threshold, as_dict(summary), verdicts)
    facts = {"Threshold": f"{threshold:g}", "Model": office.settings.embedding_model}
    office.reports.mkdir(parents=True, exist_ok=True)
    (office.reports / f"{number}.html").write_text(render(questions.name, outcomes, summary, None, facts), "utf-8")
    for old in sorted(office.reports.glob("*.html"), key=lambda file: file.stat().st_mtime)[:-REPORTS]:
        old.unlink(missing_ok=True)
    job.said.append(("job_evaluated", {"questions": len(outcomes)}))


def report(visit: Visit) -> Response:
    """Show the page of one run."""
    number = visit.field("id", 12)
    file = visit.office.reports / f"{number}.html"
    if not (number.isascii() and number.isdecimal()) or not file.is_file():
        raise NotFoundError(f"There is no report of run {number!r} any more.")
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _REPORT_POLICY}
    return HTMLResponse(file.read_text("utf-8"), headers=headers)
