"""The embedding model, loaded on first use: one pass gives the vector of a text and of its tokens."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import ModelError
from rag.packaged_model import MODEL_NAME, packaged_model_folder
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.encoder import Encoder
    from rag.sentence_encoder import SentenceEncoder

# Of one call: the progress bar would stand still over more.
BLOCK = 256
# Made by tests/bench/train_evidence.py for the packaged model.
MEANS_FILE = Path(__file__).with_name("token_means.npz")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as the model sees it.

    `vector` has shape (d,), unit length. `tokens` has shape (n, d), not normalised, special tokens and prompt left
    out; token i stands in the text from `offsets[i, 0]` to `offsets[i, 1]` (code points).
    """

    vector: np.ndarray
    tokens: np.ndarray
    offsets: np.ndarray


def encoded(states: np.ndarray, vector: np.ndarray, offsets: np.ndarray, prompt_length: int) -> Encoded:
    """Leave out of a text's `states` (n, d) what is not its own.

    Args:
        offsets: (n, 2), where each token stands in prompt and text together.
        prompt_length: in code points.
    """
    # Special tokens have no width; a token that begins inside the prompt belongs to it.
    own = (offsets[:, 1] > offsets[:, 0]) & (offsets[:, 0] >= prompt_length)
    norm = float(np.linalg.norm(vector)) or 1.0  # bfloat16 leaves norms off by up to 0.003
    return Encoded(vector / norm, states[own], offsets[own] - prompt_length)


class EmbeddingModel:
    """Encodes questions and passages, each with the prompt that the model was trained with."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.embedding_model
        self._precision = settings.precision
        self._threads = settings.threads
        self._encoder: Encoder | SentenceEncoder | None = None
        self._means: dict[str, np.ndarray] | None = None

    @property
    def is_packaged(self) -> bool:
        """Whether this is the model that shipped coefficients and means were computed with."""
        return self.name == MODEL_NAME

    @property
    def dimensions(self) -> int:
        """Length of a vector. Loads the model."""
        return self._loaded().dimensions

    def mean(self, kind: str, language: str | None) -> np.ndarray:
        """Return a mean (d,) over texts of one language; zeros for a model it was not computed for.

        Args:
            kind: `passage_vector`, `passage_token`, `question_vector` or `question_token`.
            language: one without means of its own gets those of German.
        """
        if self._means is None:
            self._means = dict(np.load(MEANS_FILE)) if self.is_packaged else {}
        found = self._means.get(f"{kind}_{language}", self._means.get(f"{kind}_de"))
        return found if found is not None else np.zeros(self.dimensions, np.float32)

    def centred_vector(self, encoded: Encoded, kind: str, language: str | None) -> np.ndarray:
        """Return the vector (d,) of a `passage` or `question` less what all texts of its language share, unit length.

        Vectors of one language lie close together whatever they are about: uncentred, a Polish question finds Polish
        passages. Centred, the right passage is among the first 32 of 373 in 87 % instead of 72 % (city documents).
        """
        rest: np.ndarray = encoded.vector - self.mean(f"{kind}_vector", language)
        return rest / (float(np.linalg.norm(rest)) or 1.0)

    def encode_question(self, text: str) -> Encoded:
        """Encode one question."""
        return self._encode([text], "query")[0]

    def encode_questions(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode many questions at once, in the order given."""
        return self._encode(texts, "query")

    def encode_passages(self, texts: Sequence[str], contexts: Sequence[str] | None = None) -> list[Encoded]:
        """Encode passages, in the order given.

        Args:
            contexts: for each text what it stands under, such as its title. It is read in front of the text; its
                tokens are kept with negative offsets.
        """
        made: list[Encoded] = []
        heads = [f"{context}: " if context else "" for context in contexts or [""] * len(texts)]
        for at in range(0, len(texts), BLOCK):
            batch = heads[at : at + BLOCK]
            block = self._encode(
                [head + text for head, text in zip(batch, texts[at : at + BLOCK], strict=True)], "document"
            )
            made.extend(
                replace(text, offsets=text.offsets - len(head)) for text, head in zip(block, batch, strict=True)
            )
        return made

    def _encode(self, texts: Sequence[str], kind: str) -> list[Encoded]:
        model = self._loaded()
        return model.encode(texts, model.prompts.get(kind) or "", self.threads)

    @property
    def threads(self) -> int:
        """How many processor threads one call takes."""
        return self._threads or _all_threads()

    def packaged_encoder(self) -> Encoder:
        """Return the packaged model, also where passages are found with another one."""
        with _LOADING:
            return _packaged(packaged_model_folder(), halved=self._is_halved())

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._encoder is not None

    def _loaded(self) -> Encoder | SentenceEncoder:
        if self._encoder is None:
            self._encoder = self._load()
        return self._encoder

    def _load(self) -> Encoder | SentenceEncoder:
        folder = packaged_model_folder() if self.is_packaged else Path(self.name)
        if not (folder / "config.json").exists() and not (folder / "modules.json").exists():
            raise ModelError(
                f"No sentence-transformers model in {folder.resolve()}: CITYCITE_EMBEDDING_MODEL is either "
                f"{MODEL_NAME} (packaged) or the path of a model folder; model hubs are never asked."
            )
        with _LOADING:
            if self.is_packaged:
                return _packaged(folder, halved=self._is_halved())
            return _other(folder, halved=self._is_halved())

    def _is_halved(self) -> bool:
        return self._precision == "bfloat16" or (self._precision == "auto" and computes_bfloat16())


_LOADING = threading.Lock()


# One process needs one model, however many stores it opens: it is 0.1 to 0.5 GB, and takes seconds to load.
@lru_cache(maxsize=1)
def _packaged(folder: Path, *, halved: bool) -> Encoder:
    from rag.encoder import Encoder

    _all_threads()
    return Encoder(folder, halved=halved)


@lru_cache(maxsize=1)
def _other(folder: Path, *, halved: bool) -> SentenceEncoder:
    from rag.sentence_encoder import SentenceEncoder

    _all_threads()
    return SentenceEncoder(folder, halved=halved)


@lru_cache(maxsize=1)
def _all_threads() -> int:
    """Return how many threads torch takes by itself, as it was before it was told otherwise."""
    import torch

    return torch.get_num_threads()


def computes_bfloat16() -> bool:
    """Whether the CPU has instructions for bfloat16; without them it is emulated, slower than float32."""
    import torch

    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
