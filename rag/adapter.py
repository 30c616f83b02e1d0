"""The file of a low-rank adapter: what is added to some of the packaged model's weights, and heads on its last states.

Hu et al., "LoRA", 2021 (arXiv:2106.09685). The factors are kept in 8 bits a number, so that an adapter takes 0.7 MB.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

Factors = tuple[np.ndarray, np.ndarray]


def unpacked(file: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return what is added to weights, by their names, and the heads: weights for a state, then a bias."""
    changes, heads = factors(file)
    return {name: left @ right for name, (left, right) in changes.items()}, heads


def factors(file: Path) -> tuple[dict[str, Factors], dict[str, np.ndarray]]:
    """Return what `packed` was given, as far as 8 bits hold it."""
    kept = dict(np.load(file))
    names = {name.removesuffix(".left") for name in kept if name.endswith(".left")}
    changes = {name: (_rows(kept, f"{name}.left"), _rows(kept, f"{name}.right")) for name in names}
    return changes, {name: values for name, values in kept.items() if "." not in name}


def packed(changes: Mapping[str, Factors], heads: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what an adapter file holds.

    Args:
        changes: of each weight (out, in) the factors (out, r) and (r, in).
        heads: by names without a dot.
    """
    kept = {name: values.astype(np.float32) for name, values in heads.items()}
    for name, pair in changes.items():
        for side, factor in zip(("left", "right"), pair, strict=True):
            scale = np.abs(factor).max(axis=1, keepdims=True) / 127 + 1e-12
            kept[f"{name}.{side}"] = np.rint(factor / scale).astype(np.int8)
            kept[f"{name}.{side}.scale"] = scale.astype(np.float32)
    return kept


def _rows(kept: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    rows: np.ndarray = kept[name] * kept[f"{name}.scale"]
    return rows
