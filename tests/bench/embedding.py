"""How much of what the machine can compute embedding uses: python -m tests.bench.embedding [PASSAGES]. Default: 128.

Prints the measured rate of matrix products of the model's own shapes and of a square one, in bfloat16, the rate at
which passages are embedded, and the share that is of the best product; then the same for sentence-transformers, and how
long a question takes with each. All are measured in turn, round by round, because a machine that is shared computes up
to twice as fast in one minute as in the next; the share is that of the median round. Operations: two for each weight
that a token meets, and the two products of attention; what else is computed (exponentials, norms, GELU) is what lowers
the share.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

from rag.encoder import Encoder
from rag.packaged_model import packaged_model_folder
from rag.sentence_encoder import SentenceEncoder

TRAINING = Path(__file__).with_name("training")
# multilingual-e5-small's layers, width and inner width.
LAYERS, WIDTH, INNER = 12, 384, 1536
THREADS = len(os.sched_getaffinity(0))
ROUNDS = 5
QUESTIONS = [
    "Wann trat Krakau dem Netzwerk Eurocities bei?",
    "Wer leitet das Amt für Digitalisierung?",
    "How much does the new bridge cost the city?",
    "Ile osób wzięło udział w konferencji w Wiedniu?",
]


def texts(count: int) -> list[str]:
    """Return passages of city documents."""
    found: list[str] = []
    for file in sorted(TRAINING.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            found += [text[:900] for text in json.loads(line).values() if isinstance(text, str) and len(text) > 200]
    return (found * (1 + count // len(found)))[:count]


def measured(work: Callable[[], object], operations: float) -> float:
    """Return operations a second of the clock."""
    begun = time.perf_counter()
    work()
    return operations / (time.perf_counter() - begun)


def products() -> dict[str, Callable[[], float]]:
    """Return matrix products in bfloat16 on all threads, each measuring itself."""
    import torch

    def product(rows: int, inner: int, columns: int) -> Callable[[], float]:
        left, right = torch.randn(rows, inner).bfloat16(), torch.randn(columns, inner).bfloat16()

        def compute() -> float:
            torch.set_num_threads(THREADS)

            def repeated() -> None:
                for _ in range(20):
                    torch.nn.functional.linear(left, right)

            return measured(repeated, 20 * 2 * rows * inner * columns)

        return compute

    shapes = ((4096, WIDTH, INNER), (4096, INNER, WIDTH), (2048, 2048, 2048))
    return {"x".join(map(str, shape)): product(*shape) for shape in shapes}


def main(count: int) -> None:
    """Print the rates."""
    folder = packaged_model_folder()
    encoders = {"citycite": Encoder(folder, halved=True), "sentence-transformers": SentenceEncoder(folder, halved=True)}
    passages = texts(count)
    lengths = [len(item.tokens) + 4 for item in encoders["citycite"].encode(passages, "passage: ", THREADS)]
    weights = LAYERS * (4 * WIDTH * WIDTH + 2 * WIDTH * INNER)
    operations = sum(2 * weights * n + LAYERS * 4 * WIDTH * n * n for n in lengths)
    characters = sum(map(len, passages))
    print(f"{count} passages, {characters} characters, {sum(lengths)} tokens with the prompt; {THREADS} threads")
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, compute in products().items():
            rates[name].append(compute())
        rates["best"].append(max(rates[name][-1] for name in products()))
        for name, encoder in encoders.items():
            rates[name].append(measured(lambda e=encoder: e.encode(passages, "passage: ", THREADS), operations))  # type: ignore[misc]
            rates[f"{name} asked"].append(
                measured(lambda e=encoder: [e.encode([q], "query: ", 1) for q in QUESTIONS], 1)
            )  # type: ignore[misc]
    for name in products():
        print(f"product {name}: {median(rates[name]) / 1e9:.0f} GFLOP/s")
    for name in encoders:
        share = median(own / best for own, best in zip(rates[name], rates["best"], strict=True))
        own, asked = median(rates[name]), 1000 / median(rates[f"{name} asked"]) / len(QUESTIONS)
        print(
            f"{name}: {own / 1e9:.0f} GFLOP/s, {share:.0%} of the best product of the same round; "
            f"{own / operations * characters:.0f} characters a second; a question {asked:.0f} ms"
        )
    ratio = median(ours / theirs for ours, theirs in zip(*(rates[name] for name in encoders), strict=True))
    print(f"citycite / sentence-transformers, characters a second: {ratio:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 128)
