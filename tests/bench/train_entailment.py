"""Train the adapter of `rag.entailment`: the packaged model learns whether a passage says what a claim says.

    python -m tests.bench.train_entailment --start rag/comprehension.npz

Learnt from tests/bench/claim_training.jsonl: claims about the documents of tests/bench/training/, half of them changed
in one thing. Claims about every eighth document are held out, and what it prints at the end is of these. Nothing is
learnt from tests/bench/claim_pairs/.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from rag.embeddings import EmbeddingModel
from rag.encoder import Encoder
from rag.entailment import ADAPTER_FILE, HEAD, Entailment, texts_of
from rag.settings import Settings
from tests.bench.adapting import Network, fit, padded
from tests.bench.training_data import FOLDER, WRITTEN

CLAIMS = Path(__file__).with_name("claim_training.jsonl")
EPOCHS, RATE = 3, 3e-4
AT_ONCE = 24
HELD_OUT = 8


@dataclass(frozen=True, slots=True)
class TrainingClaim:
    """A sentence about a document; `change` is what is wrong with it, empty where nothing is."""

    text: str
    language: str
    change: str
    document: str
    passage: str
    passage_language: str

    @property
    def held_out(self) -> bool:
        """Whether nothing is learnt from it."""
        return zlib.crc32(self.document.encode()) % HELD_OUT == 0


def training_claims() -> list[TrainingClaim]:
    """Return all of them, in the order of the file."""
    names = [name for names in WRITTEN for name in names]
    lines = [line for name in names for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
    documents = {entry["id"]: entry for entry in map(json.loads, lines)}
    return [
        TrainingClaim(
            claim["sentence"],
            claim["language"],
            claim.get("change", ""),
            entry["id"],
            f"{documents[entry['id']]['title']}\n{documents[entry['id']]['text']}",
            documents[entry["id"]]["language"],
        )
        for entry in map(json.loads, CLAIMS.read_text("utf-8").splitlines())
        for claim in entry["claims"]
    ]


def batches(claims: Sequence[TrainingClaim], encoder: Encoder) -> Iterator[list[tuple[tuple[int, ...], bool]]]:
    """Yield for ever the texts to read at once, of like length, and whether each is supported."""
    chance = random.Random(1)
    made = [(texts_of(claim.text, [claim.passage], encoder)[0], not claim.change) for claim in claims]
    while True:
        chance.shuffle(made)
        for at in range(0, len(made), 8 * AT_ONCE):
            some = sorted(made[at : at + 8 * AT_ONCE], key=lambda pair: len(pair[0]))
            parts = [some[start : start + AT_ONCE] for start in range(0, len(some), AT_ONCE)]
            chance.shuffle(parts)
            yield from parts


def loss_of(network: Network, batch: Sequence[tuple[tuple[int, ...], bool]]) -> Tensor:
    """Return the mean surprise at which are supported."""
    odds = network.score(HEAD, network(*padded([ids for ids, _ in batch]))[:, 0])
    return functional.binary_cross_entropy_with_logits(odds, torch.tensor([float(right) for _, right in batch]))


def report(claims: Sequence[TrainingClaim]) -> None:
    """Print how well the adapter, as it lies in the package, tells the claims apart."""
    entailment = Entailment(EmbeddingModel(Settings()))
    odds = np.array([entailment.odds(claim.text, [claim.passage]) for claim in claims])
    supported = np.array([not claim.change for claim in claims])
    print(f"{len(claims)} claims held out, AUROC {roc_auc_score(supported, odds):.3f}")
    least = np.quantile(odds[supported], 0.1)
    changes = Counter(claim.change for claim in claims if claim.change)
    missed = Counter(claim.change for claim, own in zip(claims, odds, strict=True) if claim.change and own >= least)
    print(f"  at odds of {least:.2f}, where 0.9 of the supported are kept, missed:")
    print("  " + ", ".join(f"{name} {missed[name]} of {count}" for name, count in changes.most_common()))


def main() -> None:
    """Train, write, and print what is held out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--start", type=Path, help="an adapter to go on from, instead of the model as it is")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    claims = training_claims()
    learnt = [claim for claim in claims if not claim.held_out]
    network = Network([HEAD])
    if arguments.start is not None:
        network.read(arguments.start)
    encoder = EmbeddingModel(Settings()).packaged_encoder()
    steps = int(arguments.epochs * len(learnt) / AT_ONCE)
    fit(network, batches(learnt, encoder), loss_of, steps, arguments.rate)
    network.write(ADAPTER_FILE)
    report([claim for claim in claims if claim.held_out])


if __name__ == "__main__":
    main()
