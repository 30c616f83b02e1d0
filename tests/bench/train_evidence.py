"""Fit the evidence scorer: token means, sentence scores, confidence.

    python -m tests.bench.train_evidence --german xquad.de.json --english xquad.en.json

The two files are one question set in German and English with the same paragraphs and question ids (SQuAD JSON); the
city documents of tests/bench/training/ come on top. An answerable question is asked once as it is, once with its
document taken out, once with all documents of its article taken out. What is printed is cross-validated by article
or document; what is written to rag/evidence.json and rag/token_means.npz is fitted on all.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from ingest.pipeline import write_documents
from ingest.splitting import passage_spans
from rag.embeddings import MEANS_FILE, EmbeddingModel
from rag.evidence import COEFFICIENTS_FILE, FEATURES, PASSAGES, candidate_quotes, features, kind_penalty
from rag.pipeline import open_parts
from rag.question import analyse
from rag.retrieval import Candidate, HybridRetriever
from rag.settings import Settings
from rag.store import Store
from tests.bench.training_data import Asked, QuestionSet, city_set, squad_set

FOLDS = 6
# Weight of a question in the fit of the confidence: about three quarters of what an office asks has an answer, and
# most of the rest misses narrowly.
CONFIDENCE_WEIGHTS = {"answerable": 1.0, "near": 1.0, "hard": 0.2, "easy": 0.05}
# The city documents look like what the product is for, the encyclopedia does not, and has four times the questions.
CITY_WEIGHT = 4.0
# Strength of the penalty; between 0.1 and 1 the figures stay within 0.003.
PENALTY = 0.3
# Enough that 8 are left when all passages of an article are taken out.
CANDIDATES = 24
KINDS = ("same_language", "cross_language")


@dataclass
class Sample:
    """One question under one condition: features of its candidate quotes, and whether each holds the answer."""

    set_name: str
    language: str
    condition: str
    group: int
    table: np.ndarray
    labels: np.ndarray
    same_language: np.ndarray


def write_means(model: EmbeddingModel, sets: Sequence[QuestionSet], more_questions: dict[str, list[str]]) -> None:
    """Write the mean vectors and token vectors of passages and of questions, by language."""
    passages: dict[str, list[str]] = {}
    questions: dict[str, list[str]] = {language: list(texts) for language, texts in more_questions.items()}
    for item in sets:
        for document in item.documents:
            passages.setdefault(str(document.language), []).extend(
                document.text[start:end] for start, end in passage_spans(document.text, [])
            )
        for asked in item.questions:
            questions.setdefault(asked.language, []).append(asked.text)
    means: dict[str, np.ndarray] = {}
    for kind, by_language, encode in (
        ("passage", passages, model.encode_passages),
        ("question", questions, model.encode_questions),
    ):
        for language, texts in by_language.items():
            encoded = encode(list(dict.fromkeys(texts)))
            means[f"{kind}_vector_{language}"] = np.mean([text.vector for text in encoded], axis=0)
            means[f"{kind}_token_{language}"] = np.concatenate([text.tokens for text in encoded]).mean(axis=0)
    np.savez(MEANS_FILE, **{name: mean.astype(np.float32) for name, mean in means.items()})


def samples(model: EmbeddingModel, questions: QuestionSet) -> Iterator[Sample]:
    """Yield the samples of each question, from the same retrieval that answers users."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        write_documents(questions.documents, store, model)
        retriever = HybridRetriever(parts=open_parts(store, model))
        for asked in tqdm(questions.questions, desc=questions.name):
            analysed = analyse(asked.text, model)
            found = retriever.candidates(analysed, CANDIDATES)
            for condition in ("answerable", "hard", "easy") if asked.answers else ("near",):
                kept = [item for item in found if _is_kept(item, asked, condition, questions)][:PASSAGES]
                quotes = candidate_quotes(kept)
                if not quotes:
                    continue
                yield Sample(
                    set_name=questions.name,
                    language=asked.language,
                    condition=condition,
                    group=asked.group,
                    table=features(analysed, kept, quotes),
                    labels=np.array([_holds(asked, kept[q.passage], q.start, q.end) for q in quotes], float),
                    same_language=np.array([kept[q.passage].passage.language == asked.language for q in quotes]),
                )
        store.close()


def _is_kept(candidate: Candidate, asked: Asked, condition: str, questions: QuestionSet) -> bool:
    document = candidate.passage.document_id
    if condition == "hard":
        return document != asked.document_id
    if condition == "easy":
        return questions.article_of[document] != questions.article_of[asked.document_id]
    return True


def _holds(asked: Asked, candidate: Candidate, start: int, end: int) -> bool:
    quote = candidate.passage.text[start:end].lower()
    return candidate.passage.document_id == asked.document_id and any(a.lower() in quote for a in asked.answers)


Fitted = dict[str, tuple[StandardScaler, LogisticRegression]]


def fit_sentences(train: Sequence[Sample]) -> Fitted:
    """Fit the score of a single quote, for each kind."""
    fitted: Fitted = {}
    for kind in KINDS:
        masks = [sample.same_language == (kind == "same_language") for sample in train]
        table = np.concatenate([sample.table[mask] for sample, mask in zip(train, masks, strict=True)])
        labels = np.concatenate([sample.labels[mask] for sample, mask in zip(train, masks, strict=True)])
        weights = np.concatenate(
            [
                np.full(mask.sum(), CITY_WEIGHT if sample.set_name == "city documents" else 1.0)
                for sample, mask in zip(train, masks, strict=True)
            ]
        )
        scaler = StandardScaler().fit(table)
        model = LogisticRegression(C=PENALTY, max_iter=3000).fit(scaler.transform(table), labels, weights)
        fitted[kind] = (scaler, model)
    return fitted


@dataclass
class Scored:
    """A sample with the log-odds of its best quote, whether that holds the answer, and the quote's kind."""

    sample: Sample
    odds: float
    hit: bool
    kind: str


def score(sample: Sample, fitted: Fitted) -> Scored:
    """Return the best quote of a sample."""
    by_kind = [model.decision_function(scaler.transform(sample.table)) for scaler, model in fitted.values()]
    odds = np.where(sample.same_language, *by_kind) - kind_penalty(sample.table)
    best = int(odds.argmax())
    return Scored(sample, float(odds[best]), bool(sample.labels[best]), KINDS[int(not sample.same_language[best])])


def cross_validated(gathered: Sequence[Sample]) -> list[Scored]:
    """Score every sample with a model that has not seen its group."""
    scored: list[Scored] = []
    for fold in range(FOLDS):
        fitted = fit_sentences([sample for sample in gathered if sample.group % FOLDS != fold])
        scored += [score(sample, fitted) for sample in gathered if sample.group % FOLDS == fold]
    return scored


def report(scored: Sequence[Scored], name: str) -> dict[str, float]:
    """Print and return the figures of some samples."""
    answerable = [item for item in scored if item.sample.condition == "answerable"]
    figures = {"first quote holds the answer": float(np.mean([item.hit for item in answerable]))}
    cut = np.quantile([item.odds for item in answerable], 0.05)
    for condition in ("near", "hard", "easy"):
        others = [item.odds for item in scored if item.sample.condition == condition]
        if others:
            truth = [1] * len(answerable) + [0] * len(others)
            scores = [item.odds for item in answerable] + others
            figures[f"AUROC {condition}"] = float(roc_auc_score(truth, scores))
            figures[f"refused at 5 % {condition}"] = float(np.mean(np.array(others) < cut))
    print(f"{name:32}", {key: round(value, 3) for key, value in figures.items()})
    return figures


def fit_confidence(scored: Sequence[Scored]) -> tuple[float, float]:
    """Fit slope and intercept from the best quote's log-odds to the probability that the answer is right."""
    right = [item.hit for item in scored]
    weights = [
        CONFIDENCE_WEIGHTS[item.sample.condition] * (CITY_WEIGHT if item.sample.set_name == "city documents" else 1)
        for item in scored
    ]
    model = LogisticRegression(C=1e6).fit([[item.odds] for item in scored], right, weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def fit(gathered: Sequence[Sample], trained_on: str) -> dict:
    """Return the content of rag/evidence.json; print the cross-validated figures."""
    scored = cross_validated(gathered)
    figures = {}
    for name in dict.fromkeys(sample.set_name for sample in gathered):
        own = [item for item in scored if item.sample.set_name == name]
        figures[name] = report(own, name)
        for language in ("de", "en", "pl") if name == "city documents" else ():
            report([item for item in own if item.sample.language == language], f"  {name}, asked in {language}")
    fitted = fit_sentences(gathered)
    return {
        "trained_on": trained_on,
        "features": FEATURES,
        "sentence": {
            kind: {
                "mean": scaler.mean_.round(6).tolist(),
                "scale": scaler.scale_.round(6).tolist(),
                "weights": model.coef_[0].round(6).tolist(),
                "intercept": round(float(model.intercept_[0]), 6),
            }
            for kind, (scaler, model) in fitted.items()
        },
        "confidence": {kind: fit_confidence([item for item in scored if item.kind == kind]) for kind in KINDS},
        "cross_validated": figures,
    }


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--german", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True)
    arguments = parser.parse_args()
    files = {"de": arguments.german, "en": arguments.english}
    sets = [squad_set(files[d], d, files[q], q) for d in files for q in files] + [city_set()]
    polish = (Path(__file__).parent / "questions.pl.txt").read_text("utf-8").splitlines()
    write_means(EmbeddingModel(Settings()), sets, {"pl": polish})
    model = EmbeddingModel(Settings())  # reads the new means
    gathered = [sample for questions in sets for sample in samples(model, questions)]
    trained_on = (
        f"{arguments.german.name} and {arguments.english.name} ({len(sets[0].questions)} questions each) and "
        f"{len(sets[-1].questions)} questions on {len(sets[-1].documents)} city documents of tests/bench/training, "
        f"on {date.today().isoformat()}"
    )
    COEFFICIENTS_FILE.write_text(json.dumps(fit(gathered, trained_on), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
