"""Fit the evidence scorer: token means, sentence scores, confidence.

    python -m tests.bench.train_evidence --german xquad.de.json --english xquad.en.json

The files are one question set in German and English with the same paragraphs and question ids (SQuAD JSON). Each
question is asked three times: as it is, with its paragraph taken out (the article stays), with its article taken out.
What is printed is cross-validated by article; what is written to rag/evidence.json and rag/token_means.npz is fitted
on all. A question with its paragraph taken out must not find an answer.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from ingest.pipeline import write_documents
from rag.embeddings import MEANS_FILE, EmbeddingModel
from rag.evidence import COEFFICIENTS_FILE, FEATURES, PASSAGES, candidate_quotes, features
from rag.pipeline import open_parts
from rag.question import analyse
from rag.retrieval import HybridRetriever
from rag.settings import Settings
from rag.store import Store
from tests.bench.squad import SquadQuestion, read_squad

FOLDS = 6
# A third of all asked, as in an office where most questions have an answer and the misses are mostly near ones.
CONFIDENCE_WEIGHTS = {"answerable": 1.0, "hard": 0.35, "easy": 0.15}
# Enough that 8 are left when all passages of the article are taken out.
CANDIDATES = 24
# Strength of the penalty; between 0.1 and 1 the figures stay within 0.003.
PENALTY = 0.3


@dataclass
class Sample:
    """One question under one condition: features of its candidate quotes and whether each holds the answer."""

    kind: str
    language: str
    condition: str
    article: int
    table: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray


def write_means(model: EmbeddingModel, passages: dict[str, list[str]], questions: dict[str, list[str]]) -> None:
    """Write the mean token vectors of passages, and of questions by language."""
    means = {"passage": np.mean([_mean(model.encode_passages(texts)) for texts in passages.values()], axis=0)}
    for language, texts in questions.items():
        means[f"question_{language}"] = _mean(model.encode_questions(texts))
    np.savez(MEANS_FILE, **{name: mean.astype(np.float32) for name, mean in means.items()})


def _mean(encoded: list) -> np.ndarray:
    return np.concatenate([text.tokens for text in encoded]).mean(axis=0)


def samples(
    model: EmbeddingModel, documents: list, questions: list[SquadQuestion], languages: tuple[str, str]
) -> Iterator[Sample]:
    """Yield three samples a question, from the same retrieval that answers users."""
    kind = "same_language" if languages[0] == languages[1] else "cross_language"
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        write_documents(documents, store, model)
        retriever = HybridRetriever(parts=open_parts(store, model))
        for question in tqdm(questions, desc=f"{languages[1]} over {languages[0]}"):
            analysed = analyse(question.text, model)
            found = retriever.candidates(analysed, CANDIDATES)
            for condition in CONFIDENCE_WEIGHTS:
                kept = [
                    candidate
                    for candidate in found
                    if condition == "answerable"
                    or (condition == "hard" and candidate.passage.document_id != question.document_id)
                    or (condition == "easy" and int(candidate.passage.document_id[:3]) != question.article)
                ][:PASSAGES]
                quotes = candidate_quotes(kept)
                holds = [
                    kept[quote.passage].passage.document_id == question.document_id
                    and any(
                        a.lower() in kept[quote.passage].passage.text[quote.start : quote.end].lower()
                        for a in question.answers
                    )
                    for quote in quotes
                ]
                yield Sample(
                    kind,
                    languages[1],
                    condition,
                    question.article,
                    features(analysed, kept, quotes),
                    np.array(holds, float),
                    np.array([quote.end - quote.start for quote in quotes]),
                )
        store.close()


def fit_sentences(train: list[Sample]) -> tuple[StandardScaler, LogisticRegression]:
    """Fit the score of a single quote."""
    table = np.concatenate([sample.table for sample in train])
    labels = np.concatenate([sample.labels for sample in train])
    scaler = StandardScaler().fit(table)
    return scaler, LogisticRegression(C=PENALTY, max_iter=3000).fit(scaler.transform(table), labels)


def best(sample: Sample, fitted: tuple[StandardScaler, LogisticRegression]) -> tuple[float, bool]:
    """Return log-odds of the best quote and whether it holds the answer."""
    scaler, model = fitted
    odds = model.decision_function(scaler.transform(sample.table))
    return float(odds.max()), bool(sample.labels[odds.argmax()])


def cross_validated(all_samples: list[Sample]) -> list[tuple[Sample, float, bool]]:
    """Score every sample with a model that has not seen its article."""
    scored = []
    for fold in range(FOLDS):
        train = [sample for sample in all_samples if sample.article % FOLDS != fold]
        fitted = fit_sentences(train)
        scored += [(s, *best(s, fitted)) for s in all_samples if s.article % FOLDS == fold]
    return scored


def report(scored: list[tuple[Sample, float, bool]], name: str) -> dict[str, float]:
    """Print and return the cross-validated figures."""
    answerable = [(odds, hit) for sample, odds, hit in scored if sample.condition == "answerable"]
    figures = {"first quote": float(np.mean([hit for _, hit in answerable]))}
    cut = np.quantile([odds for odds, _ in answerable], 0.05)
    for condition in ("hard", "easy"):
        others = [odds for sample, odds, _ in scored if sample.condition == condition]
        truth = [1] * len(answerable) + [0] * len(others)
        figures[f"AUROC {condition}"] = float(roc_auc_score(truth, [odds for odds, _ in answerable] + others))
        figures[f"refused at 5 % {condition}"] = float(np.mean(np.array(others) < cut))
    print(name, {key: round(value, 3) for key, value in figures.items()})
    return figures


def fit_confidence(scored: list[tuple[Sample, float, bool]]) -> tuple[float, float]:
    """Fit slope and intercept from the best quote's log-odds to the probability that the answer is right."""
    odds = np.array([[odd] for _, odd, _ in scored])
    right = [sample.condition == "answerable" and hit for sample, _, hit in scored]
    weights = [CONFIDENCE_WEIGHTS[sample.condition] for sample, _, _ in scored]
    model = LogisticRegression(C=1e6).fit(odds, right, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--german", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True)
    arguments = parser.parse_args()
    sets = {"de": read_squad(arguments.german, "de"), "en": read_squad(arguments.english, "en")}
    model = EmbeddingModel(Settings())
    polish = (Path(__file__).parent / "questions.pl.txt").read_text("utf-8").splitlines()
    write_means(
        model,
        {language: [document.text for document in documents] for language, (documents, _) in sets.items()},
        {language: [question.text for question in questions] for language, (_, questions) in sets.items()}
        | {"pl": polish},
    )
    model = EmbeddingModel(Settings())  # reads the new means
    gathered = [
        sample
        for documents in ("de", "en")
        for questions in ("de", "en")
        for sample in samples(model, sets[documents][0], sets[questions][1], (documents, questions))
    ]
    fitted: dict = {
        "trained_on": f"{arguments.german.name} and {arguments.english.name}, "
        f"{len(sets['de'][1])} questions each, on {date.today().isoformat()}",
        "features": FEATURES,
        "sentence": {},
        "confidence": {},
        "cross_validated": {},
    }
    for kind in ("same_language", "cross_language"):
        own = [sample for sample in gathered if sample.kind == kind]
        scored = cross_validated(own)
        fitted["cross_validated"][kind] = report(scored, kind)
        for language in ("de", "en"):
            report([item for item in scored if item[0].language == language], f"  questions in {language}")
        scaler, regression = fit_sentences(own)
        fitted["sentence"][kind] = {
            "mean": scaler.mean_.round(6).tolist(),
            "scale": scaler.scale_.round(6).tolist(),
            "weights": regression.coef_[0].round(6).tolist(),
            "intercept": round(float(regression.intercept_[0]), 6),
        }
        fitted["confidence"][kind] = fit_confidence(scored)
    COEFFICIENTS_FILE.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
