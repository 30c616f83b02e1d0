"""A claim read together with the passages that it cites: do they say it?

The packaged model reads both in one text, as `rag.comprehension` does with a question. A low-rank adapter of its own
taught it to tell what a passage says from what merely sounds like it; `tests/bench/train_entailment.py` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.adapter import unpacked
from rag.statements import PARTED

if TYPE_CHECKING:
    from rag.embeddings import EmbeddingModel
    from rag.encoder import Encoder

ADAPTER_FILE = Path(__file__).with_name("entailment.npz")
HEAD = "supported"
# Tokens of a claim, and of what is read with it; the model takes 512 in all.
CLAIM, PASSAGE = 80, 420
# Special tokens of XLM-R's vocabulary.
_START, _END = 0, 2


class Entailment:
    """Reads claims. Cheap to make; the adapter is loaded on first use."""

    def __init__(self, model: EmbeddingModel) -> None:
        """Read with the packaged model, whichever `model` finds the passages."""
        self._model = model

    @cached_property
    def _adapted(self) -> tuple[Encoder, np.ndarray]:
        changes, heads = unpacked(ADAPTER_FILE)
        return self._model.packaged_encoder().adapted(changes), heads[HEAD]

    def odds(self, claim: str, passages: Sequence[str]) -> float:
        """Return the log-odds that `passages` say what `claim` says."""
        encoder, head = self._adapted
        texts = texts_of(claim, passages, encoder)
        return max(float(states[0] @ head[:-1] + head[-1]) for states in encoder.states(texts, self._model.threads))


def texts_of(claim: str, passages: Sequence[str], encoder: Encoder) -> list[tuple[int, ...]]:
    """Return the token ids to read: of the claim with all passages where they fit, else with each of them alone."""
    head = (_START, *encoder.tokens(f"query: {claim}")[0][:CLAIM], _END)
    together = encoder.tokens(f"passage: {PARTED.join(passages)}")[0]
    if len(together) <= PASSAGE or len(passages) == 1:
        return [(*head, *together[:PASSAGE], _END)]
    return [text for passage in passages for text in texts_of(claim, [passage], encoder)]
