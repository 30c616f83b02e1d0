"""How much of what the machine can compute embedding uses: python -m tests.bench.embedding [PASSAGES]. Default: 256.

Prints the measured rate of matrix products of the model's own shapes and of the best square one, in bfloat16, the rate
at which passages are embedded, and the share that is. Both as time on the clock and as time of the processor, which
tells the truth on a machine that is busy. Operations: two for each weight that a token meets, and the two products of
attention; what else is computed (exponentials, norms, GELU) is what lowers the share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rag.embeddings import EmbeddingModel
from rag.settings import Settings

TRAINING = Path(__file__).with_name("training")
# multilingual-e5-small's layers, width and inner width.
LAYERS, WIDTH, INNER = 12, 384, 1536


def texts(count: int) -> list[str]:
    """Return passages of city documents."""
    found: list[str] = []
    for file in sorted(TRAINING.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            found += [text[:900] for text in json.loads(line).values() if isinstance(text, str) and len(text) > 200]
    return (found * (1 + count // len(found)))[:count]


def rate(work: Callable[[], object], operations: float, repeats: int) -> tuple[float, float]:
    """Return operations a second of the clock and of the processor, the best of three."""
    work()
    clock, processor = [], []
    for _ in range(3):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            work()
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - begun_cpu)
    return operations * repeats / min(clock), operations * repeats / min(processor)


def main(count: int) -> None:
    """Print the rates."""
    import torch

    model = EmbeddingModel(Settings())
    passages = texts(count)
    encoded = model.encode_passages(passages)
    lengths = [len(item.tokens) + 4 for item in encoded]  # with the prompt and the two special tokens
    weights = LAYERS * (4 * WIDTH * WIDTH + 2 * WIDTH * INNER)
    operations = sum(2 * weights * n + LAYERS * 4 * WIDTH * n * n for n in lengths)
    characters, tokens = sum(map(len, passages)), sum(lengths)
    print(f"{count} passages, {characters} characters, {tokens} tokens; {torch.get_num_threads()} threads")
    best = (0.0, 0.0)
    for rows, inner, columns in ((4096, WIDTH, INNER), (4096, INNER, WIDTH), (2048, 2048, 2048)):
        left = torch.randn(rows, inner).bfloat16()
        right = torch.randn(columns, inner).bfloat16()
        found = rate(
            lambda a=left, b=right: torch.nn.functional.linear(a, b),  # type: ignore[misc]
            2 * rows * inner * columns,
            20,
        )
        best = (max(best[0], found[0]), max(best[1], found[1]))
        shape = f"{rows}x{inner}x{columns}"
        print(f"product {shape}: {found[0] / 1e9:.0f} GFLOP/s, {found[1] / 1e9:.0f} a processor second")
    reached = rate(lambda: model.encode_passages(passages), operations, 1)
    for name, own, most in zip(("of the clock", "of the processor"), reached, best, strict=True):
        print(f"embedding, a second {name}: {own / 1e9:.0f} GFLOP/s, {own / most:.0%} of the best product")
    print(f"{reached[0] / operations * characters:.0f} characters a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 256)
