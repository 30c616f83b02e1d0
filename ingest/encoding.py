"""Where passages are encoded: here, in the background; `ingest.cluster` has them encoded on other machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from rag.embeddings import EmbeddingModel, Encoded


class Encoding(Protocol):
    """Encodes passages in the background, while others are read and stored."""

    ahead: int
    """Calls that may wait or run beside the one whose result is being stored. Each holds up to BLOCK passages, with
    the vectors of their tokens: 60 MB."""

    def submit(self, texts: Sequence[str], contexts: Sequence[str]) -> Callable[[], list[Encoded]]:
        """Begin to encode passages as `EmbeddingModel.encode_passages` does; return what waits for the result.

        That may raise ModelError. It is called once, and in the order of the calls here.
        """

    def close(self) -> None:
        """Give up what has not begun, and let go of what it runs on."""


class EncodingHere:
    """Encodes with a model of this process."""

    ahead = 1

    def __init__(self, model: EmbeddingModel) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="citycite-encode")

    def submit(self, texts: Sequence[str], contexts: Sequence[str]) -> Callable[[], list[Encoded]]:
        """Encode passages after those submitted before; the model takes all cores for each."""
        return self._thread.submit(self._model.encode_passages, texts, contexts).result

    def close(self) -> None:
        """Wait for what has begun, and give up the rest."""
        self._thread.shutdown(cancel_futures=True)
