"""The packaged model's forward pass: a BERT encoder over texts of any lengths at once, without padding.

sentence-transformers gives the same vectors (a test compares them) and runs every other model. For the default one this
is worth its lines: no padding is computed, the weights lie in the order the processor's matrix unit reads them in, the
cores work on different texts instead of waiting for each other within one product, and neither `transformers` nor
`sentence_transformers` has to be imported. `python -m tests.bench.embedding` measures both.

The architecture: Devlin et al., "BERT", 2019 (arXiv:1810.04805); the pooling: Wang et al., "Multilingual E5 Text
Embeddings", 2024 (arXiv:2402.05672).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors import safe_open
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from rag.embeddings import Encoded, encoded

# Of texts that are computed at once. The widest result, four times the model's width, then takes 1.5 MB and stays in
# the cache of one core; 256 and 1,024 were no faster.
TOKENS_AT_ONCE = 512
# For each number of tokens computed at once oneDNN keeps programs of its own, in all 0.3 GB and more: so numbers go in
# steps, small ones for questions.
_STEP, _SMALL_STEP, _SMALL = 32, 8, 64

_Norm = tuple[Tensor, Tensor]
_Batch = TypeVar("_Batch")
_Result = TypeVar("_Result")


class Encoder:
    """The model in memory. Safe between threads: nothing changes after it is made."""

    def __init__(self, folder: Path, *, halved: bool) -> None:
        """Load the weights in bfloat16 (`halved`) or float32.

        Args:
            folder: of a BERT encoder as sentence-transformers writes it, with mean pooling.
        """
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        pooling = json.loads((folder / "config_sentence_transformers.json").read_text("utf-8"))
        self.prompts: dict[str, str] = pooling["prompts"]
        self.dimensions = int(config["hidden_size"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(config["max_position_embeddings"])
        self._network = _Network(folder / "model.safetensors", config, torch.bfloat16 if halved else torch.float32)

    def encode(self, texts: Sequence[str], prompt: str, threads: int) -> list[Encoded]:
        """Encode texts, each with `prompt` in front of it, in the order given.

        Args:
            threads: processor threads, each at work on texts of its own.
        """
        encodings = self._tokenizer.encode_batch([prompt + text for text in texts])

        def compute(batch: list[Encoding]) -> list[Encoded]:
            states = self._network.states([encoding.ids for encoding in batch])
            return [_pooled(*pair, len(prompt)) for pair in zip(states, batch, strict=True)]

        return _spread(compute, list(_batches(encodings)), threads)

    def tokens(self, text: str) -> tuple[list[int], np.ndarray]:
        """Return the ids of a text's tokens, without special ones, and (n, 2) where each stands in it."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return encoding.ids, np.asarray(encoding.offsets, dtype=np.int32).reshape(-1, 2)

    def states(self, texts: Sequence[Sequence[int]], threads: int) -> list[np.ndarray]:
        """Return for the token ids of each text its states (n, d), float32; shared out evenly among the threads."""

        def compute(batch: Sequence[Sequence[int]]) -> list[np.ndarray]:
            return [states.float().numpy() for states in self._network.states(batch)]

        size = max(1, -(-len(texts) // threads))
        return _spread(compute, [texts[at : at + size] for at in range(0, len(texts), size)], threads)

    def adapted(self, changes: Mapping[str, np.ndarray]) -> Encoder:
        """Return an encoder with `changes` added to the weights they name; layers that have none are shared."""
        other = copy(self)
        other._network = self._network.adapted(changes)
        return other


def _spread(compute: Callable[[_Batch], list[_Result]], batches: Sequence[_Batch], threads: int) -> list[_Result]:
    """Return what `compute` makes of the batches, each worked on by one of the threads."""

    def alone(batch: _Batch) -> list[_Result]:
        torch.set_num_threads(1)  # of this thread: within one product threads mostly wait for each other
        with torch.inference_mode():
            return compute(batch)

    workers = min(threads, len(batches))
    if workers <= 1:
        return [text for batch in batches for text in alone(batch)]
    with ThreadPoolExecutor(workers) as pool:
        return [text for batch in pool.map(alone, batches) for text in batch]


def _batches(encodings: Sequence[Encoding]) -> Iterator[list[Encoding]]:
    """Yield `encodings` in order, in groups of at most TOKENS_AT_ONCE; a longer one alone."""
    batch: list[Encoding] = []
    tokens = 0
    for encoding in encodings:
        if batch and tokens + len(encoding.ids) > TOKENS_AT_ONCE:
            yield batch
            batch, tokens = [], 0
        batch.append(encoding)
        tokens += len(encoding.ids)
    if batch:
        yield batch


def _pooled(states: Tensor, encoding: Encoding, prompt_length: int) -> Encoded:
    values = states.float().numpy()
    offsets = np.asarray(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    return encoded(values, values.mean(axis=0), offsets, prompt_length)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer: attention to the other tokens of the text, then two linear maps, each added to what came in."""

    heads_in: Callable[[Tensor], Tensor]
    heads_out: Callable[[Tensor], Tensor]
    heads_norm: _Norm
    inner: Callable[[Tensor], Tensor]
    outer: Callable[[Tensor], Tensor]
    outer_norm: _Norm


class _Network:
    """Weights, and the states of the last layer for token ids."""

    def __init__(self, file: Path, config: dict[str, float], kind: torch.dtype) -> None:
        self._kind = kind
        self._width, self._heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self._file = file
        with safe_open(file, "pt") as weights:
            # Left in the file, which the system maps into memory: of a quarter of a million words a text has few.
            self._words = weights.get_tensor("embeddings.word_embeddings.weight")
            # XLM-R marks no segments; the type embedding of segment 0 applies to every token.
            segment = weights.get_tensor("embeddings.token_type_embeddings.weight")[0]
            self._places = weights.get_tensor("embeddings.position_embeddings.weight") + segment
            read = self._reading(weights.get_tensor, {})
            self._norm = read("embeddings.LayerNorm.weight"), read("embeddings.LayerNorm.bias")
            self._layers = [_layer(read, number) for number in range(int(config["num_hidden_layers"]))]

    def adapted(self, changes: Mapping[str, np.ndarray]) -> _Network:
        """Return the network with `changes` added to the weights they name."""
        other = copy(self)
        with safe_open(self._file, "pt") as weights:
            read = self._reading(weights.get_tensor, changes)
            other._layers = [
                _layer(read, number) if any(name.startswith(_prefix(number)) for name in changes) else layer
                for number, layer in enumerate(self._layers)
            ]
        return other

    def _reading(self, tensor: Callable[[str], Tensor], changes: Mapping[str, np.ndarray]) -> Callable[..., Tensor]:
        """Return what reads weights by name, those of several names joined."""

        def one(name: str) -> Tensor:
            found = tensor(name)
            return found + torch.from_numpy(changes[name]) if name in changes else found

        return lambda *names: torch.cat([one(name) for name in names]).to(self._kind)

    def states(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, ...]:
        """Return for the token ids of each text its states, shape (n, d)."""
        count = len(texts)
        texts = [*texts, *_filler(sum(map(len, texts)))]
        lengths = [len(text) for text in texts]
        ids = torch.tensor([token for text in texts for token in text])
        places = torch.cat([torch.arange(length) for length in lengths])
        states = self._normed((self._words[ids] + self._places[places]).to(self._kind), self._norm)
        for layer in self._layers:
            attended = self._attention(layer.heads_in(states), lengths)
            states = self._normed(layer.heads_out(attended) + states, layer.heads_norm)
            states = self._normed(layer.outer(gelu(layer.inner(states))) + states, layer.outer_norm)
        return torch.split(states, lengths)[:count]

    def _attention(self, projected: Tensor, lengths: list[int]) -> Tensor:
        """Let the tokens of each text attend to each other: (n, 3d), queries, keys and values, to (n, d)."""
        heads = projected.view(len(projected), 3, self._heads, -1).permute(1, 2, 0, 3).contiguous()
        attended = [
            scaled_dot_product_attention(*text.unsqueeze(1)).squeeze(0).transpose(0, 1)
            for text in torch.split(heads, lengths, dim=2)
        ]
        return torch.cat(attended).reshape(-1, self._width)

    def _normed(self, states: Tensor, norm: _Norm) -> Tensor:
        return layer_norm(states, (self._width,), *norm, self._epsilon)


def _filler(tokens: int) -> list[list[int]]:
    """Return a text, or none, that brings `tokens` to the next step."""
    missing = -tokens % (_SMALL_STEP if tokens <= _SMALL else _STEP)
    return [[0] * missing] if missing else []


def _prefix(number: int) -> str:
    return f"encoder.layer.{number}."


def _layer(read: Callable[..., Tensor], number: int) -> _Layer:
    """Return layer `number`; `read` gives the weights of a name."""
    own = _prefix(number)

    def norm(name: str) -> _Norm:
        return read(f"{own}{name}.LayerNorm.weight"), read(f"{own}{name}.LayerNorm.bias")

    def mapped(*names: str) -> Callable[[Tensor], Tensor]:
        return _linear(*(read(*(f"{own}{name}.{part}" for name in names)) for part in ("weight", "bias")))

    return _Layer(
        mapped(*(f"attention.self.{part}" for part in ("query", "key", "value"))),
        mapped("attention.output.dense"),
        norm("attention.output"),
        mapped("intermediate.dense"),
        mapped("output.dense"),
        norm("output"),
    )


def _linear(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the map of `weight` (out, in) and `bias`; in bfloat16 with the weights laid out in advance."""
    if weight.dtype != torch.bfloat16:
        return lambda states: linear(states, weight, bias)
    # What torch does by itself for a frozen module. Not public, but torch is pinned; a test compares the results.
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, TOKENS_AT_ONCE)
    apply = torch.ops.mkldnn._linear_pointwise
    return lambda states: apply(states, packed, bias, "none", [], "")
