"""How well the claim check tells supported sentences from others: python -m tests.bench.claims [--failures]

Prints, for each part of the gold set, the share of unsupported sentences caught and of supported ones kept. The rules
and thresholds were made on `dev`. `last` was held out until it was measured once (docs/accuracy.md has the figures);
since then its mistakes have been looked at, so it is development too. `fresh` is by another hand, which had seen
neither the rules nor the other pairs; its mistakes have not been looked at. `documents` is by helping hands that knew
whole documents and no rule, and its mistakes are looked at: development. On the questions of most of those documents
the adapter was trained that asks back; "not learnt" are the sentences about the others.
"""

from __future__ import annotations

import argparse
from collections import Counter

from rag.claims import Verdict, check_claim
from rag.comprehension import Comprehension
from rag.embeddings import EmbeddingModel
from rag.settings import Settings
from rag.support import SupportModel
from tests.bench.claims_gold import GoldClaim, gold_claims

SPLITS = ("dev", "last", "documents", "fresh")


def verdicts(split: str, model: SupportModel | None) -> list[tuple[GoldClaim, Verdict]]:
    """Check every sentence of one part."""
    return [
        (
            gold,
            check_claim(
                gold.sentence,
                gold.passages,
                language=gold.language,
                passage_language=gold.passage_language,
                similarity=model.similarity if model else None,
                reading=model.reading if model else None,
            ),
        )
        for gold in gold_claims(split)
    ]


def shares(checked: list[tuple[GoldClaim, Verdict]]) -> tuple[float, float]:
    """Return the share of unsupported sentences caught, and of supported ones kept."""
    caught = [not verdict.supported for gold, verdict in checked if not gold.supported]
    kept = [verdict.supported for gold, verdict in checked if gold.supported]
    return sum(caught) / len(caught), sum(kept) / len(kept)


def with_model() -> SupportModel:
    """Return what the packaged model says."""
    model = EmbeddingModel(Settings())
    return SupportModel(model, Comprehension(model))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failures", action="store_true", help="name the sentences judged wrongly")
    parser.add_argument("splits", nargs="*", default=SPLITS, help="parts of the gold set (all)")
    options = parser.parse_args()
    if unknown := set(options.splits) - set(SPLITS):
        parser.error(f"no part of the gold set: {', '.join(sorted(unknown))}; there are {', '.join(SPLITS)}")
    model = with_model()
    for split in options.splits:
        checked = verdicts(split, model)
        parts = {
            language: [pair for pair in checked if language in ("all", pair[0].language)]
            for language in ("all", "de", "en", "pl")
        }
        if any(gold.learnt for gold, _ in checked):
            parts["not learnt"] = [pair for pair in checked if not pair[0].learnt]
        for name, part in parts.items():
            caught, kept = shares(part)
            print(f"{split:9} {name:10} {len(part):4} sentences, caught {caught:.3f}, kept {kept:.3f}")
        changes = Counter(gold.change for gold, _ in checked if not gold.supported)
        missed = Counter(gold.change for gold, verdict in checked if not gold.supported and verdict.supported)
        print(f"{split:9} missed: " + ", ".join(f"{n} {missed[n]} of {changes[n]}" for n in sorted(missed)))
        ruled = Counter((verdict.reason, gold.supported) for gold, verdict in checked if verdict.reason)
        rules = sorted({reason for reason, _ in ruled})
        print(f"{split:9} caught/lost by: " + ", ".join(f"{n} {ruled[n, False]}/{ruled[n, True]}" for n in rules))
        if options.failures:
            for gold, verdict in checked:
                if verdict.supported != gold.supported:
                    print(f"  {'lost' if gold.supported else 'missed'} {gold.id}: {gold.sentence} {verdict.reason}")


if __name__ == "__main__":
    main()
