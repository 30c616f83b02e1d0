"""What a small real model writes, and what the claim check makes of it; on demand, slow.

    pip install xllamacpp
    python -m tests.bench.weak_model ask MODEL.gguf SENTENCES.jsonl      # over the sample corpus
    python -m tests.bench.weak_model attack MODEL.gguf ATTACKS.jsonl     # the hundred injection attacks
    python -m tests.bench.weak_model judged _ JUDGED.jsonl               # figures over sentences judged by hand

`ask` and `attack` write a line an answer as they go and go on where they stopped. `judged` reads lines with `sentence`,
`passages`, `language`, `passage_language` and `verdict` (`supported` or `unsupported`), written by whoever has read the
sentences of `ask` against their passages; a sentence without a mark is held against all of them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingest.pipeline import ingest
from rag.claims import check_claim
from rag.evaluation import read_gold
from rag.formulated import UnsupportedError
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store
from tests.bench.claims import with_model
from tests.bench.corpus_baseline import CORPUS
from tests.llm.attacks import OUTSIDE, PLACES, hundred_attacks, write_documents
from tests.llm.real_model import CONTEXT, llama_server

# On shared cores an answer of this model takes minutes; nobody waits for it here.
_SECONDS = 900.0
_TOKENS = 120
_STRIDE = 4


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["ask", "attack", "judged"])
    parser.add_argument("gguf", nargs="?", help="file of the model")
    parser.add_argument("file", nargs="?", type=Path, help="where the lines go")
    parser.add_argument("--threads", type=int, default=1, help="of the model")
    options = parser.parse_args()
    if not options.gguf or not options.file:
        parser.error("name the model's file and a file for the lines")
    if options.what == "judged":
        print(judged(options.file))
        return
    with tempfile.TemporaryDirectory() as folder, llama_server(options.gguf, options.threads) as address:
        settings = _settings(Path(folder), address, attacking=options.what == "attack")
        with closing(Assistant.open(settings=settings)) as assistant:
            questions = _questions() if options.what == "ask" else list(hundred_attacks())
            for order, question in _left(questions, options.file):
                line = written(assistant, question) | {"order": order}
                with options.file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                print(line["mode"], question, "|", line["written"][:100].replace("\n", " "), flush=True)
    if options.what == "attack":
        print(f"answers with something from outside: {sum(bool(OUTSIDE.search(a)) for a in _formulated(options.file))}")


def written(assistant: Assistant, question: str) -> dict[str, Any]:
    """Ask, and return what the model wrote, and what was kept and removed of it with the reason."""
    trail = assistant.trail(question)
    line: dict[str, Any] = {"question": question, "mode": "none", "written": "", "kept": [], "removed": []}
    if trail.basis is None or assistant.formulator is None:
        return line
    model, said = assistant.formulator.language_model, []

    def overheard(*prompt: Any, **bounds: Any) -> Iterator[str]:
        for piece in type(model).stream(model, *prompt, **bounds):
            said.append(piece)
            yield piece

    model.stream = overheard  # type: ignore[method-assign]
    basis = trail.basis
    try:
        *_, found = assistant.formulator.formulate(basis.question, basis.evidence)
        line |= {"mode": "generative", "answer": found.text}
        checked = found.checked
    except UnsupportedError as error:
        line |= {"mode": "extractive", "answer": trail.answer.answer}
        checked = error.checked
    finally:
        del model.stream  # type: ignore[method-assign]
    passages = [f"{item.candidate.title}\n{item.candidate.passage.text}" for item in basis.evidence]
    languages = [item.candidate.passage.language for item in basis.evidence]
    return line | {
        "language": basis.question.language, "written": "".join(said), "passages": passages, "languages": languages,
        "kept": [asdict(sentence) for sentence in checked.kept], "removed": checked.removed,
    }  # fmt: skip


def judged(file: Path) -> str:
    """Return what share of the judged sentences is wrong, and what the check caught and kept."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    model = with_model()
    counts: Counter[tuple[bool, bool]] = Counter()
    for line in lines:
        verdict = check_claim(
            line["sentence"],
            line["passages"],
            language=line["language"],
            passage_language=line["passage_language"],
            similarity=model.similarity,
            reading=model.reading,
        )
        counts[line["verdict"] == "supported", verdict.supported] += 1
    wrong, right = counts[False, False] + counts[False, True], counts[True, True] + counts[True, False]
    return (
        f"{len(lines)} sentences, {wrong} wrong ({wrong / len(lines):.3f}); "
        f"caught {counts[False, False]} of {wrong}, kept {counts[True, True]} of {right}"
    )


def _questions() -> list[tuple[str, str]]:
    """Return the answerable ones, in an order in which the first few are from all parts of the set."""
    asked = [("", question.text) for question in read_gold(CORPUS).questions if question.answerable]
    return [pair for start in range(_STRIDE) for pair in asked[start::_STRIDE]]


def _left(questions: list[tuple[str, str]], file: Path) -> list[tuple[str, str]]:
    """Return the questions that `file` has no line for."""
    done = {json.loads(line)["question"] for line in file.read_text("utf-8").splitlines()} if file.exists() else set()
    return [pair for pair in questions if pair[1] not in done]


def _formulated(file: Path) -> list[str]:
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [line["answer"] for line in lines if line["mode"] == "generative"]


def _settings(folder: Path, address: str, *, attacking: bool) -> Settings:
    """Return settings over a store of the corpus, or of documents that hold attacks."""
    settings = Settings(
        store=str(folder / "store"),
        llm="openai:local",
        llm_base_url=address,
        llm_timeout=_SECONDS,
        llm_context=CONTEXT,
        llm_max_tokens=_TOKENS,
        **({"threshold": 0.05} if attacking else {}),
    )
    source = CORPUS
    if attacking:
        source = folder / "attacks"
        source.mkdir()
        write_documents(source, PLACES)
    with closing(Store(settings.store)) as store:
        ingest([str(source)], store, settings)
    return settings


if __name__ == "__main__":
    main()
