"""Question and passage read together: which sentence answers, and whether any does.

`rag.evidence` compares a question with sentences that were encoded without it. Here the packaged model reads both in
one text: question, title, and a window of the passage around each of the best sentences. It gives each token a score,
and one to "nothing here answers". A low-rank adapter of its upper layers taught it that (Hu et al., "LoRA", 2021,
arXiv:2106.09685); `tests/bench/train_comprehension.py` makes it. The loss is that of reading comprehension with
questions that have no answer (Rajpurkar et al., 2018, arXiv:1806.03822), over tokens instead of spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.evidence import Evidence, coefficients, in_order
from rag.question import Question

if TYPE_CHECKING:
    from rag.embeddings import EmbeddingModel
    from rag.encoder import Encoder

ADAPTER_FILE = Path(__file__).with_name("comprehension.npz")
# A weight for each number of a state, and an intercept: for tokens, and for "nothing here answers".
HEADS = ("answer", "nothing")
# Windows read for a question; of three or four nothing is better on the questions held out, and each takes 25 ms on two
# cores. Then the tokens of each part.
WINDOWS = 2
_WINDOW, _TITLE, _QUESTION = 64, 16, 40
# Half a window where whole texts are read.
_STRIDE = 40
# Special tokens of XLM-R's vocabulary.
_START, _END = 0, 2
# A sentence that begins before its window is judged by what is in it, where that is more than this.
_MIN_TOKENS = 8
# Scores beyond this tell no more.
_MOST = 12.0


@dataclass(frozen=True, slots=True)
class Window:
    """What the model reads at once: `ids`, of which those from `start` on, the last apart, are of the passage.

    They stand in its text at `offsets` (n, 2).
    """

    passage_id: str
    ids: tuple[int, ...]
    start: int
    offsets: np.ndarray


class Comprehension:
    """Reads the best sentences of a question again. Cheap to make; the adapter is loaded on first use."""

    def __init__(self, model: EmbeddingModel) -> None:
        """Read with the packaged model, whichever `model` finds the passages."""
        self._model = model

    @cached_property
    def _adapted(self) -> tuple[Encoder, dict[str, np.ndarray]]:
        adapter = unpacked(ADAPTER_FILE)
        heads = {name: adapter.pop(name) for name in HEADS}
        return self._model.packaged_encoder().adapted(adapter), heads

    def rank(self, question: Question, ranked: Sequence[Evidence]) -> list[Evidence]:
        """Return `ranked` with new odds, most probable first."""
        return in_order(combined(self.read(question.text, ranked)))

    def load(self) -> None:
        """Load the adapter now instead of with the first question."""
        _ = self._adapted

    def read(self, question: str, ranked: Sequence[Evidence]) -> list[Evidence]:
        """Return `ranked` with `read` set where a window holds the sentence."""
        windows = windows_of(question, ranked, self._adapted[0])
        found: dict[tuple[str, int], float] = {}
        for window, (scores, nothing) in zip(windows, self.scores(windows), strict=True):
            for item in ranked:
                key = (item.candidate.passage.id, item.start)
                if key[0] == window.passage_id and (inside := _inside(window, *_local(item))).any():
                    score = float(np.logaddexp.reduce(scores[inside])) - nothing
                    found[key] = max(found.get(key, -_MOST), min(score, _MOST))
        return [replace(item, read=found.get((item.candidate.passage.id, item.start))) for item in ranked]

    def odds(self, question: str, texts: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Read whole texts, in windows that overlap by half.

        Returns:
            For each text the log odds (n,) of its tokens to be of the answer, against that nothing answers, the best of
            the windows a token is in, and where the tokens stand (n, 2).
        """
        encoder = self._adapted[0]
        asked = encoder.tokens(f"query: {question}")[0][:_QUESTION]
        head = (_START, *asked, _END)
        windows, places = [], []
        encoded = [encoder.tokens(text) for text in texts]
        for number, (ids, offsets) in enumerate(encoded):
            for first in range(0, max(1, len(ids) - _STRIDE), _STRIDE):
                part = slice(first, first + 2 * _STRIDE)
                windows.append(Window(str(number), (*head, *ids[part], _END), len(head), offsets[part]))
                places.append((number, part))
        best = [np.full(len(offsets), -_MOST, np.float32) for _, offsets in encoded]
        for (number, part), (scores, nothing) in zip(places, self.scores(windows), strict=True):
            best[number][part] = np.maximum(best[number][part], scores - nothing)
        return [(odds, offsets) for odds, (_, offsets) in zip(best, encoded, strict=True)]

    def scores(self, windows: Sequence[Window]) -> list[tuple[np.ndarray, float]]:
        """Return for each window the scores (n,) of the passage's tokens, and the one for no answer."""
        encoder, heads = self._adapted
        states = encoder.states([window.ids for window in windows], self._model.threads)
        (answer, nothing) = (heads[name] for name in HEADS)
        return [
            (own[window.start : -1] @ answer[:-1] + answer[-1], float(own[0] @ nothing[:-1] + nothing[-1]))
            for window, own in zip(windows, states, strict=True)
        ]


def combined(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return `evidence` with odds made of its own and of what reading said."""
    fitted = coefficients()["comprehension"]
    return [
        replace(
            item,
            odds=float(
                combination(item) @ np.array(fitted[kind]["weights"]) + fitted[kind]["intercept"],
            ),
        )
        for item in evidence
        for kind in ["same_language" if item.same_language else "cross_language"]
    ]


def combination(item: Evidence) -> np.ndarray:
    """Return what the new odds are made of: the old ones, the score of reading, and whether there is none."""
    return np.array([item.odds, item.read or 0.0, float(item.read is None)])


def windows_of(question: str, ranked: Sequence[Evidence], encoder: Encoder) -> list[Window]:
    """Return the windows around the best of `ranked`, WINDOWS at most; none where one before it holds the sentence."""
    windows: list[Window] = []
    for item in ranked:
        if len(windows) == WINDOWS:
            break
        start, end = _local(item)
        if any(
            window.passage_id == item.candidate.passage.id
            and window.offsets[0, 0] <= start
            and end <= window.offsets[-1, 1]
            for window in windows
        ):
            continue
        made = window_around(question, item, encoder)
        if made is not None:
            windows.append(made)
    return windows


def window_around(question: str, item: Evidence, encoder: Encoder, lead: float = 0.5) -> Window | None:
    """Return the window of a sentence, None for one without tokens.

    Args:
        lead: of the room that the sentence leaves, the share in front of it.
    """
    passage, (start, end) = item.candidate.passage, _local(item)
    ids, offsets = encoder.tokens(passage.text)
    own = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
    if not len(own):
        return None
    first, last = _around(int(own[0]), int(own[-1]) + 1, len(ids), lead)
    asked = encoder.tokens(f"query: {question}")[0][:_QUESTION]
    title = encoder.tokens(f"passage: {item.candidate.title}:")[0][:_TITLE]
    head = (_START, *asked, _END, *title)
    return Window(passage.id, (*head, *ids[first:last], _END), len(head), offsets[first:last])


def unpacked(file: Path) -> dict[str, np.ndarray]:
    """Return the content of an adapter file: what is added to weights, by their names, and the two heads."""
    changes, heads = factors(file)
    return {name: left @ right for name, (left, right) in changes.items()} | heads


def factors(file: Path) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, np.ndarray]]:
    """Return what `packed` was given: the factors of each change, each row kept in 8 bits a number, and the heads."""
    kept = dict(np.load(file))
    names = {name.removesuffix(".left") for name in kept if name.endswith(".left")}
    changes = {name: (_rows(kept, f"{name}.left"), _rows(kept, f"{name}.right")) for name in names}
    return changes, {name: kept[name] for name in HEADS}


def packed(
    changes: Mapping[str, tuple[np.ndarray, np.ndarray]], heads: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return what an adapter file holds; each change (out, in) is given as its factors (out, r) and (r, in)."""
    kept = {name: heads[name].astype(np.float32) for name in HEADS}
    for name, factors in changes.items():
        for side, factor in zip(("left", "right"), factors, strict=True):
            scale = np.abs(factor).max(axis=1, keepdims=True) / 127 + 1e-12
            kept[f"{name}.{side}"] = np.rint(factor / scale).astype(np.int8)
            kept[f"{name}.{side}.scale"] = scale.astype(np.float32)
    return kept


def _rows(kept: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    rows: np.ndarray = kept[name] * kept[f"{name}.scale"]
    return rows


def _around(first: int, last: int, count: int, lead: float) -> tuple[int, int]:
    """Return a range of _WINDOW tokens, of `count`, with those from `first` to `last` in it."""
    begin = max(0, first - int(lead * max(0, _WINDOW - (last - first))))
    end = min(count, begin + _WINDOW)
    return (max(0, end - _WINDOW) if last - first < _WINDOW else begin), end


def _local(item: Evidence) -> tuple[int, int]:
    return item.start - item.candidate.passage.start, item.end - item.candidate.passage.start


def _inside(window: Window, start: int, end: int) -> np.ndarray:
    """Return which tokens of the window belong to a sentence; none where too little of it is there."""
    inside: np.ndarray = (window.offsets[:, 1] > start) & (window.offsets[:, 0] < end)
    # A token may take in the blank before its word.
    begins_here = window.offsets[0, 0] <= start + 1
    return inside if begins_here or inside.sum() > _MIN_TOKENS else np.zeros_like(inside)
