"""Two documents that contradict each other: the newer one answers, and both dates are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.pipeline import ingest
from rag import Assistant
from rag.settings import Settings
from rag.store import Store

OLD = "# Freibad am Stadtwald\n\nDas Freibad am Stadtwald öffnet in diesem Jahr am {} für alle Gäste.\n"
NEW = "# Bäder\n\nDas Freibad am Stadtwald öffnet in diesem Jahr bereits am {} für alle Gäste.\n"
QUESTION = "Wann öffnet das Freibad am Stadtwald?"


def assistant_over(folder: Path, texts: dict[str, tuple[str, str | None]]) -> Assistant:
    for name, (text, published) in texts.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
        if published:
            said = {"published": published, "type": "Pressemitteilung", "department": "Sportamt"}
            (folder / f"{name}.meta.json").write_text(json.dumps(said), "utf-8")
    settings = Settings(store=str(folder / "store"))
    report = ingest([str(folder)], Store(settings.store), settings)
    assert (report.added, report.failed) == (len(texts), 0)
    return Assistant.open(settings.store, settings)


@pytest.fixture(params=[("2021-05-03", "2024-03-12"), ("2024-03-12", "2021-05-03")])
def contradicting(request: pytest.FixtureRequest, tmp_path: Path) -> Assistant:
    first, second = request.param
    return assistant_over(tmp_path, {"a": (OLD.format("15. Mai"), first), "b": (NEW.format("20. Mai"), second)})


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (QUESTION, "die Antwort ist vom 12.03.2024 [1], eine ältere Angabe vom 03.05.2021 [2]"),
        (
            "When does the Freibad am Stadtwald open?",
            "the answer is of 12 Mar 2024 [1], an older statement of 3 May 2021 [2]",
        ),
    ],
)
def test_the_newer_statement_answers_and_the_older_one_is_named(
    contradicting: Assistant, question: str, said: str
) -> None:
    answer = contradicting.ask(question)
    assert not answer.abstained
    assert [citation.published for citation in answer.citations] == ["2024-03-12", "2021-05-03"]
    assert said in answer.answer
    assert answer.answer.startswith(answer.citations[0].quote)
    assert (answer.citations[0].type, answer.citations[0].department) == ("Pressemitteilung", "Sportamt")
    contradicting.close()


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ({"a": (OLD.format("15. Mai"), "2021-05-03"), "b": (NEW.format("15. Mai"), "2024-03-12")}, "they agree"),
        ({"a": (OLD.format("15. Mai"), None), "b": (NEW.format("20. Mai"), "2024-03-12")}, "one has no date"),
        (
            {
                "a": (OLD.format("15. Mai"), "2021-05-03"),
                "b": ("# Hallenbad\n\nDas Hallenbad an der Weststraße schließt am 20. Mai.\n", "2024-03-12"),
            },
            "they speak of different things",
        ),
    ],
)
def test_nothing_is_called_a_contradiction_that_is_none(
    tmp_path: Path, texts: dict[str, tuple[str, str | None]], why: str
) -> None:
    assistant = assistant_over(tmp_path, texts)
    answer = assistant.ask(QUESTION)
    assert "15. Mai" in answer.answer or why == "one has no date"
    assert "Verschiedenes" not in answer.answer
    assistant.close()
