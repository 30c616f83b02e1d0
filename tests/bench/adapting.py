"""The packaged model as it is trained: a low-rank adapter in its upper layers, heads on its last states."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from rag.adapter import factors, packed
from rag.packaged_model import packaged_model_folder

# A rate of 1e-3 let the states of all texts become the same; the others were not compared.
WARM_STEPS, LEAST_RATE = 40, 0.03
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

_Batch = TypeVar("_Batch")


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
    """The packaged model with an adapter in its upper layers and heads; as `rag.encoder`, but it can be trained."""

    def __init__(self, heads: Sequence[str]) -> None:
        """Add nothing to the model yet; `heads` are the names of linear maps of a state to a number."""
        super().__init__()
        with safe_open(packaged_model_folder() / "model.safetensors", "pt") as weights:
            read = weights.get_tensor
            self.words = read("embeddings.word_embeddings.weight")
            segment = read("embeddings.token_type_embeddings.weight")[0]
            self.places = read("embeddings.position_embeddings.weight") + segment
            self.norm = _norm(read, "embeddings")
            self.layers = nn.ModuleList(_layer(read, _prefix(number)) for number in range(LAYERS))
        self.layers[:FIRST_LAYER].requires_grad_(False)
        self.heads = nn.ModuleDict({name: nn.Linear(WIDTH, 1) for name in heads})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the last states (texts, tokens, width) of tokens `ids`, of which `mask` says which are there."""
        texts, length = ids.shape
        states = _dropped(self.norm((functional.embedding(ids, self.words) + self.places[:length]).to(torch.bfloat16)))
        for layer in self.layers:
            heads = layer["heads_in"](states).view(texts, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(*heads, attn_mask=mask[:, None, None, :])
            attended = attended.transpose(1, 2).reshape(texts, length, WIDTH)
            states = layer["heads_norm"](_dropped(layer["heads_out"](attended)) + states)
            inner = functional.gelu(layer["inner"](states))
            states = layer["outer_norm"](_dropped(layer["outer"](inner)) + states)
        return states.float()

    def score(self, head: str, states: Tensor) -> Tensor:
        """Map `states` (..., width) to (...)."""
        scores: Tensor = self.heads[head](states).squeeze(-1)
        return scores

    def read(self, file: Path) -> None:
        """Go on from an adapter that was written; heads that it lacks stay as they are."""
        changes, heads = factors(file)
        for number, layer in enumerate(self.layers):
            for part, names in MAPS.items() if number >= FIRST_LAYER else ():
                own = [changes[f"{_prefix(number)}{name}.weight"] for name in names]
                layer[part].right.data = torch.from_numpy(own[0][1])
                layer[part].left.data = torch.from_numpy(np.concatenate([left for left, _ in own])) / STRENGTH
        for name, head in self.heads.items():
            if name in heads:
                head.weight.data = torch.from_numpy(heads[name][None, :-1].copy())
                head.bias.data = torch.from_numpy(heads[name][-1:].copy())

    def write(self, file: Path) -> None:
        """Write the adapter as `rag.adapter` reads it."""
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
            for name, head in self.heads.items()
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


def padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return the ids of `texts` and which of them are there, each (texts, tokens)."""
    longest = -(-max(map(len, texts)) // 8) * 8
    ids = torch.ones(len(texts), longest, dtype=torch.long)
    there = torch.zeros(len(texts), longest, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        there[row, : len(text)] = True
    return ids, there


def fit(
    network: Network, batches: Iterator[_Batch], loss_of: Callable[[Network, _Batch], Tensor], steps: int, rate: float
) -> None:
    """Train what is trainable with AdamW, for `steps` of `batches`; prints how it goes."""
    trained = [weights for weights in network.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    began, losses = time.monotonic(), []
    for step, batch in zip(range(steps), batches, strict=False):
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
