"""An optional cross-encoder, which reads question and passage together and puts the first passages in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError
from rag.retrieval import Candidate

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# Passages read again. On the question sets measured the right document is among the first 10 always; reading one takes
# as long as embedding it.
RERANKED = 10


class Reranker:
    """A sentence-transformers CrossEncoder in a local folder; loads on first use. Safe between threads."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._model: CrossEncoder | None = None
        self._lock = threading.Lock()
        if not (self._folder / "config.json").is_file():
            raise ModelError(
                f"No cross-encoder in {self._folder.resolve()}: CITYCITE_CROSS_ENCODER is the path of a "
                "sentence-transformers CrossEncoder folder, or empty; model hubs are never asked."
            )

    def rerank(self, question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return `candidates` with the first ones in the order of the cross-encoder."""
        head, tail = list(candidates[:RERANKED]), list(candidates[RERANKED:])
        if not head:
            return []
        with self._lock:
            scores = self._loaded().predict(
                [(question, candidate.passage.text) for candidate in head], show_progress_bar=False
            )
        scored = [replace(candidate, reranked=float(score)) for candidate, score in zip(head, scores, strict=True)]
        return sorted(scored, key=lambda candidate: (-(candidate.reranked or 0.0), candidate.passage.id)) + tail

    def _loaded(self) -> CrossEncoder:
        if self._model is None:
            os.environ["HF_HUB_OFFLINE"] = "1"
            from sentence_transformers import CrossEncoder

            try:
                self._model = CrossEncoder(str(self._folder), device="cpu", local_files_only=True)
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                raise ModelError(
                    f"The cross-encoder in {self._folder} cannot be loaded: {str(error).splitlines()[0]}"
                ) from error
            if self._model.num_labels != 1:
                labels, self._model = self._model.num_labels, None
                raise ModelError(f"The cross-encoder in {self._folder} gives {labels} scores a pair; one is needed.")
        return self._model
