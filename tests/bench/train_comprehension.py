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
import math
import pickle
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from rag.comprehension import ADAPTER_FILE, Window, factors, packed, window_around
from rag.embeddings import EmbeddingModel
from rag.encoder import Encoder
from rag.evidence import Evidence
from rag.packaged_model import packaged_model_folder
from rag.settings import Settings
from tests.bench.train_evidence import unread_by_training
from tests.bench.training_data import Sample

EPOCHS = 3
# A rate of 1e-3 let the states of all texts become the same; the others were not compared.
RATE, WARM_STEPS, LEAST_RATE = 5e-4, 40, 0.03
QUESTIONS = 24
# Without it three more rounds made public questions worse: the model then knows the documents by heart.
DROPOUT = 0.1
RANK, STRENGTH = 8, 2.0
# Layers below are left as they are: a fifth less to compute.
FIRST_LAYER = 4
LAYERS, WIDTH, HEADS = 12, 384, 12
# The adapted maps of a layer, and what their weights are called.
MAPS = {
    "heads_in": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "heads_out": ("attention.output.dense",),
    "inner": ("intermediate.dense",),
    "outer": ("output.dense",),
}
NORMS = {"heads_norm": "attention.output", "outer_norm": "output"}
Example = tuple[Window, np.ndarray]  # and which tokens of the passage are the answer's


class Adapted(nn.Module):
    """A linear map whose frozen weights a product of two small matrices is added to."""

    def __init__(self, weight: Tensor, bias: Tensor, rank: int) -> None:
        super().__init__()
        self.register_buffer("weight", weight.to(torch.bfloat16))
        self.register_buffer("bias", bias.to(torch.bfloat16))
        self.right = nn.Parameter(torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1]))
        self.left = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, states: Tensor) -> Tensor:
        """Map `states` (..., in) to (..., out)."""
        change = functional.linear(states, self.right.to(states.dtype))
        return functional.linear(states, self.weight, self.bias) + functional.linear(
            change, (self.left * STRENGTH).to(states.dtype)
        )


class Network(nn.Module):
    """The packaged model with an adapter in its upper layers and two heads; as `rag.encoder`, but it can be trained."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        with safe_open(file, "pt") as weights:
            read = weights.get_tensor
            self.words = read("embeddings.word_embeddings.weight")
            segment = read("embeddings.token_type_embeddings.weight")[0]
            self.places = read("embeddings.position_embeddings.weight") + segment
            self.norm = _norm(read, "embeddings")
            self.layers = nn.ModuleList(_layer(read, _prefix(number)) for number in range(LAYERS))
        self.layers[:FIRST_LAYER].requires_grad_(False)
        self.answer, self.nothing = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)
        for head in (self.answer, self.nothing):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores (texts, tokens) of tokens and (texts,) of no answer."""
        texts, length = ids.shape
        states = _dropped(self.norm((functional.embedding(ids, self.words) + self.places[:length]).to(torch.bfloat16)))
        for layer in self.layers:
            heads = layer["heads_in"](states).view(texts, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(*heads, attn_mask=mask[:, None, None, :])
            attended = attended.transpose(1, 2).reshape(texts, length, WIDTH)
            states = layer["heads_norm"](_dropped(layer["heads_out"](attended)) + states)
            inner = functional.gelu(layer["inner"](states))
            states = layer["outer_norm"](_dropped(layer["outer"](inner)) + states)
        last = states.float()
        return self.answer(last).squeeze(-1), self.nothing(last[:, 0]).squeeze(-1)

    def read(self, file: Path) -> None:
        """Go on from an adapter that was written."""
        changes, heads = factors(file)
        for number, layer in enumerate(self.layers):
            for part, names in MAPS.items() if number >= FIRST_LAYER else ():
                own = [changes[f"{_prefix(number)}{name}.weight"] for name in names]
                layer[part].right.data = torch.from_numpy(own[0][1])
                layer[part].left.data = torch.from_numpy(np.concatenate([left for left, _ in own])) / STRENGTH
        for name, head in (("answer", self.answer), ("nothing", self.nothing)):
            head.weight.data = torch.from_numpy(heads[name][None, :-1].copy())
            head.bias.data = torch.from_numpy(heads[name][-1:].copy())

    def write(self, file: Path) -> None:
        """Write the adapter as `rag.comprehension` reads it."""
        changes = {}
        for number, layer in enumerate(self.layers):
            for part, names in MAPS.items() if number >= FIRST_LAYER else ():
                right = layer[part].right.detach().numpy()
                lefts = np.split(layer[part].left.detach().numpy() * STRENGTH, len(names))
                changes |= {
                    f"{_prefix(number)}{name}.weight": (left, right) for name, left in zip(names, lefts, strict=True)
                }
        heads = {
            name: np.append(head.weight.detach().numpy()[0], head.bias.detach().numpy())
            for name, head in (("answer", self.answer), ("nothing", self.nothing))
        }
        np.savez_compressed(file, **packed(changes, heads))


def _dropped(states: Tensor) -> Tensor:
    return functional.dropout(states, DROPOUT)


def _prefix(number: int) -> str:
    return f"encoder.layer.{number}."


def _norm(read: Callable[[str], Tensor], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(WIDTH, eps=1e-12)
    norm.weight.data, norm.bias.data = read(f"{name}.LayerNorm.weight"), read(f"{name}.LayerNorm.bias")
    return norm.requires_grad_(False).to(torch.bfloat16)


def _layer(read: Callable[[str], Tensor], own: str) -> nn.ModuleDict:
    maps = {
        part: Adapted(
            *(torch.cat([read(f"{own}{name}.{kind}") for name in names]) for kind in ("weight", "bias")),
            2 * RANK if part == "heads_in" else RANK,
        )
        for part, names in MAPS.items()
    }
    return nn.ModuleDict(maps | {part: _norm(read, f"{own}{name}") for part, name in NORMS.items()})


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


def padded(windows: Sequence[Window]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, which of them are there, and which belong to the passage, each (windows, tokens)."""
    longest = -(-max(len(window.ids) for window in windows) // 8) * 8
    ids = torch.ones(len(windows), longest, dtype=torch.long)
    there, passage = (torch.zeros(len(windows), longest, dtype=torch.bool) for _ in range(2))
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = torch.tensor(window.ids)
        there[row, : len(window.ids)] = True
        passage[row, window.start : len(window.ids) - 1] = True
    return ids, there, passage


def loss_of(network: Network, batch: Sequence[Example]) -> Tensor:
    """Return the mean surprise at what answers: one of the answer's tokens, or that nothing does."""
    ids, there, passage = padded([window for window, _ in batch])
    scores, nothing = network(ids, there)
    answers = torch.zeros_like(passage)
    for row, (window, marked) in enumerate(batch):
        answers[row, window.start : len(window.ids) - 1] = torch.from_numpy(marked)
    never = torch.finfo(torch.float32).min
    all_of_it = torch.logsumexp(torch.cat([scores.masked_fill(~passage, never), nothing[:, None]], 1), 1)
    found = torch.logsumexp(scores.masked_fill(~answers, never), 1)
    return (all_of_it - torch.where(answers.any(1), found, nothing)).mean()


def train(samples: Sequence[Sample], epochs: float, rate: float, file: Path, start: Path | None = None) -> None:
    """Train on `samples` and write the adapter; `start` is one to go on from."""
    torch.manual_seed(1)
    chance = random.Random(1)
    encoder = EmbeddingModel(Settings()).packaged_encoder()
    network = Network(packaged_model_folder() / "model.safetensors")
    if start is not None:
        network.read(start)
    trained = [weights for weights in network.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    steps, began, losses = int(epochs * len(samples) / QUESTIONS), time.monotonic(), []
    for step, batch in zip(range(steps), batches(samples, encoder, chance), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_STEPS) * max(LEAST_RATE, 1 - step / steps)
        loss = loss_of(network, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if step % 20 == 19:
            passed = time.monotonic() - began
            print(f"{step + 1} of {steps} steps, {passed:.0f} s, loss {np.mean(losses[-20:]):.3f}", flush=True)
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
