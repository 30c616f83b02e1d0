"""The gold set of the claim check: sentences, the passages they cite, and whether they are supported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "claim_pairs"


@dataclass(frozen=True, slots=True)
class GoldClaim:
    """A sentence about passages. `change` names what is wrong with an unsupported one; `split` is one of three."""

    id: str
    split: str
    language: str
    sentence: str
    passages: tuple[str, ...]
    passage_language: str
    supported: bool
    change: str


def gold_claims(split: str | None = None) -> list[GoldClaim]:
    """Return the pairs of one part, or all."""
    topics = {row["topic"]: row for row in _rows("passages")}
    return [
        GoldClaim(
            id=row["id"],
            split=topics[row["topic"]]["split"],
            language=row["language"],
            sentence=row["sentence"],
            passages=tuple(topics[row["topic"]]["passages"]),
            passage_language=topics[row["topic"]]["language"],
            supported=row["verdict"] == "supported",
            change=row.get("change", ""),
        )
        for row in _rows("pairs")
        if split is None or topics[row["topic"]]["split"] == split
    ]


def _rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
