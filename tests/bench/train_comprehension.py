"""Train the adapter of `rag.comprehension`: the packaged model learns to read question and passage together.

    python -m tests.bench.train_evidence --german xquad.de.json --english xquad.en.json --samples samples.pickle
    python -m tests.bench.train_comprehension --samples samples.pickle
    python -m tests.bench.train_evidence ... --samples samples.pickle     # fits what is made of the new scores

Trained on the documents of tests/bench/training/ but one fold; on that fold and on the public questions nothing is
learnt, so that what train_evidence prints is held out. Each answerable question is read with a window that holds the
answer and one of those that its retrieval found beside it; a question without an answer with one of its best. A round
takes fifteen minutes on two cores with instructions for bfloat16.

The adapter in the repository comes of four runs, each but the first with the last one as `--start`: three rounds over
6,400 questions with windows of 96 tokens and no dropout; then as it is here, one round more of them at a rate of 2e-4;
three rounds at 3e-4 over 7,800; one and a half at 3e-4 over all, 9,900.
"""

from __future__ import annotations

import argparse
import pickle
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rag.comprehension import ADAPTER_FILE, HEADS, Window, window_around
from rag.embeddings import EmbeddingModel
from rag.encoder import Encoder
from rag.evidence import Evidence
from rag.settings import Settings
from tests.bench.adapting import Network, fit, padded
from tests.bench.train_evidence import unread_by_training
from tests.bench.training_data import Sample

EPOCHS, RATE = 3, 5e-4
QUESTIONS = 24
Example = tuple[Window, np.ndarray]  # and which tokens of the passage are the answer's


def answer_tokens(window: Window, text: str, answers: Sequence[str]) -> np.ndarray:
    """Return which tokens of the window, of the passage with `text`, belong to an answer that stands in it whole."""
    marked = np.zeros(len(window.offsets), bool)
    begin, end = window.offsets[0, 0], window.offsets[-1, 1]
    lowered = text.lower()
    if len(lowered) != len(text):
        return marked
    for answer in answers:
        at = lowered.find(answer.lower(), begin)
        while at >= 0 and at + len(answer) <= end:
            marked |= (window.offsets[:, 1] > at) & (window.offsets[:, 0] < at + len(answer))
            at = lowered.find(answer.lower(), at + 1)
    return marked


def examples(sample: Sample, encoder: Encoder, chance: random.Random) -> list[Example]:
    """Return a window with the answer, where there is one, and one without that looks as if it had it."""
    made = []
    right = [item for item, label in zip(sample.evidence, sample.labels, strict=True) if label]
    wrong = [item for item, label in zip(sample.evidence, sample.labels, strict=True) if not label]
    wrong.sort(key=lambda item: -item.odds)
    if right:
        example = _example(sample, chance.choice(right), encoder, chance)
        if example is not None and example[1].any():
            made.append(example)
    for _ in range(5 if wrong else 0):
        item = wrong[min(int(chance.expovariate(1 / 3)), len(wrong) - 1)]
        example = _example(sample, item, encoder, chance)
        if example is not None and not example[1].any():
            return [*made, example]
    return made


def _example(sample: Sample, item: Evidence, encoder: Encoder, chance: random.Random) -> Example | None:
    window = window_around(sample.asked.text, item, encoder, chance.random())
    if window is None:
        return None
    own = item.candidate.passage.document_id == sample.asked.document_id
    return window, answer_tokens(window, item.candidate.passage.text, sample.asked.answers if own else ())


def batches(samples: Sequence[Sample], encoder: Encoder, chance: random.Random) -> Iterator[list[Example]]:
    """Yield for ever what to learn from at once: examples of about QUESTIONS questions, of like length."""
    while True:
        order = list(samples)
        chance.shuffle(order)
        for at in range(0, len(order), QUESTIONS * 4):
            made = [item for sample in order[at : at + QUESTIONS * 4] for item in examples(sample, encoder, chance)]
            made.sort(key=lambda item: len(item[0].ids))
            size = -(-len(made) // 4)
            parts = [made[start : start + size] for start in range(0, len(made), size)]
            chance.shuffle(parts)
            yield from parts


def loss_of(network: Network, batch: Sequence[Example]) -> Tensor:
    """Return the mean surprise at what answers: one of the answer's tokens, or that nothing does."""
    ids, there = padded([window.ids for window, _ in batch])
    passage, answers = torch.zeros_like(there), torch.zeros_like(there)
    for row, (window, marked) in enumerate(batch):
        passage[row, window.start : len(window.ids) - 1] = True
        answers[row, window.start : len(window.ids) - 1] = torch.from_numpy(marked)
    states = network(ids, there)
    scores, nothing = network.score("answer", states), network.score("nothing", states[:, 0])
    never = torch.finfo(torch.float32).min
    all_of_it = torch.logsumexp(torch.cat([scores.masked_fill(~passage, never), nothing[:, None]], 1), 1)
    found = torch.logsumexp(scores.masked_fill(~answers, never), 1)
    return (all_of_it - torch.where(answers.any(1), found, nothing)).mean()


def train(samples: Sequence[Sample], epochs: float, rate: float, file: Path, start: Path | None = None) -> None:
    """Train on `samples` and write the adapter; `start` is one to go on from."""
    torch.manual_seed(1)
    encoder = EmbeddingModel(Settings()).packaged_encoder()
    network = Network(HEADS)
    if start is not None:
        network.read(start)
    steps = int(epochs * len(samples) / QUESTIONS)
    fit(network, batches(samples, encoder, random.Random(1)), loss_of, steps, rate)
    network.write(file)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, required=True, help="as train_evidence has kept them")
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--adapter", type=Path, default=ADAPTER_FILE, help="the file to write")
    parser.add_argument("--start", type=Path, help="an adapter to go on from, instead of the model as it is")
    arguments = parser.parse_args()
    gathered: list[Sample] = pickle.loads(arguments.samples.read_bytes())
    learnt = [
        sample for sample in gathered if sample.condition in ("answerable", "near") and not unread_by_training(sample)
    ]
    train(learnt, arguments.epochs, arguments.rate, arguments.adapter, arguments.start)


if __name__ == "__main__":
    main()
