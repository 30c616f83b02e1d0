"""Any sentence-transformers model but the packaged one, in the shape of `rag.encoder`."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.embeddings import Encoded, encoded
from rag.errors import ModelError

# Texts computed at once. Larger batches were no faster on two cores and need more memory.
BATCH = 16


class SentenceEncoder:
    """The model in memory. Safe between threads, one of which computes at a time."""

    def __init__(self, folder: Path, *, halved: bool) -> None:
        """Load the model from `folder` in bfloat16 (`halved`) or float32.

        Raises:
            ModelError: the folder holds no model that sentence-transformers can load.
        """
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._lock = threading.Lock()  # the tokenizer's padding state is not safe between threads
        try:
            model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"The model in {folder} cannot be loaded: {str(error).splitlines()[0]}") from error
        self._model = (model.to(torch.bfloat16) if halved else model).eval()
        self.prompts = dict(model.prompts)
        self.dimensions = int(model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str], prompt: str, threads: int) -> list[Encoded]:
        """Encode texts, each with `prompt` in front of it, in the order given.

        Args:
            threads: processor threads; a single text takes one.
        """
        from torch import set_num_threads

        with self._lock:
            # More threads gain nothing on so little as a single text, and cost much where cores are shared.
            set_num_threads(1 if len(texts) == 1 else threads)
            features: list[dict[str, Any]] = self._model.encode(  # type: ignore[assignment]
                list(texts), prompt=prompt, output_value=None, batch_size=BATCH, show_progress_bar=False
            )
            offsets = self._model.tokenizer(
                [prompt + text for text in texts],
                truncation=True,
                max_length=self._model.max_seq_length,
                return_offsets_mapping=True,
            )["offset_mapping"]
        return [_as_encoded(feature, pairs, len(prompt)) for feature, pairs in zip(features, offsets, strict=True)]


def _as_encoded(feature: dict[str, Any], pairs: Sequence[tuple[int, int]], prompt_length: int) -> Encoded:
    tokens = feature["token_embeddings"].float().cpu().numpy()
    vector = feature["sentence_embedding"].float().cpu().numpy()
    offsets = np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
    return encoded(tokens[: len(offsets)], vector, offsets, prompt_length)
