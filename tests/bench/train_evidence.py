"""Fit the evidence scorer: token means, sentence scores, what reading adds, how far to trust the best.

    python -m tests.bench.train_evidence --german xquad.de.json --english xquad.en.json

The two files are one question set in German and English with the same paragraphs and question ids (SQuAD JSON); the
documents of tests/bench/training/ come on top. An answerable question is asked once as it is, once with its document
taken out, once with all documents of its article taken out. What is printed is cross-validated by article or document;
what is written to rag/evidence.json and rag/token_means.npz is fitted on all: what reading adds, and the confidence, on
all that the adapter of `rag.comprehension` was not trained on. An hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from ingest.pipeline import write_documents
from ingest.splitting import passage_spans
from rag.comprehension import Comprehension, Window, combination
from rag.confidence import CONFIDENCE_FEATURES, confidence_features
from rag.embeddings import MEANS_FILE, EmbeddingModel
from rag.evidence import COEFFICIENTS_FILE, FEATURES, Evidence, in_order, penalty, weigh
from rag.pipeline import open_parts
from rag.question import analyse
from rag.retrieval import Candidate, HybridRetriever
from rag.settings import Settings
from rag.store import Store
from tests.bench.training_data import FOLDS, HELD_OUT, Asked, QuestionSet, Sample, holds, squad_set, written_sets

# Weight of a question in the fit of the confidence. The near misses among the written questions are nearer than most
# that people ask; the public set has no near misses, so that its hard half stands for them.
PUBLIC_WEIGHTS = {"answerable": 1.5, "hard": 1.5, "easy": 0.1}
WRITTEN_WEIGHTS = {"answerable": 1.0, "near": 0.6, "hard": 0.5, "easy": 0.1}
# The city documents look like what the product is for, the encyclopedia does not.
CITY_WEIGHT = 4.0
# Strength of the penalties; between a third and three times these the figures stay within 0.003.
SENTENCE_PENALTY = 0.3
CONFIDENCE_PENALTY = 0.03
# Enough that 8 are left when all passages of an article are taken out.
CANDIDATES = 24
KINDS = ("same_language", "cross_language")
PROCESSES = 2


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


def gather(questions: QuestionSet) -> list[Sample]:
    """Return the samples of each question, from the same retrieval that answers users."""
    torch.set_num_threads(1)
    model = EmbeddingModel(Settings())
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        write_documents(questions.documents, store, model)
        retriever = HybridRetriever(parts=open_parts(store, model))
        for asked in tqdm(questions.questions, desc=questions.name, mininterval=30):
            analysed = analyse(asked.text, model)
            found = retriever.candidates(analysed, CANDIDATES)
            for condition in ("answerable", "hard", "easy") if asked.answers else ("near",):
                evidence = weigh(analysed, [item for item in found if _is_kept(item, asked, condition, questions)])
                if evidence:
                    samples.append(_sample(questions, asked, condition, evidence))
        store.close()
    return samples


def _sample(questions: QuestionSet, asked: Asked, condition: str, evidence: Sequence[Evidence]) -> Sample:
    # Token matches are large, and have gone into the rows already.
    slim = {
        item.candidate.passage.id: replace(item.candidate, matches=np.zeros((0, 0)), offsets=np.zeros((0, 2), int))
        for item in evidence
    }
    kept = [
        replace(item, candidate=slim[item.candidate.passage.id], row=item.row.astype(np.float32)) for item in evidence
    ]
    return Sample(
        set_name=questions.name,
        is_city=questions.is_city,
        is_public=" over " in questions.name,
        condition=condition,
        asked=asked,
        evidence=kept,
        labels=np.array([holds(asked, item, item.start, item.end) for item in kept]),
    )


def _is_kept(candidate: Candidate, asked: Asked, condition: str, questions: QuestionSet) -> bool:
    document = candidate.passage.document_id
    if condition == "hard":
        return document != asked.document_id
    if condition == "easy":
        return questions.article_of[document] != questions.article_of[asked.document_id]
    return True


Fitted = dict[str, tuple[StandardScaler, LogisticRegression]]


def fit_sentences(train: Sequence[Sample]) -> Fitted:
    """Fit the score of a single quote, for each kind."""
    fitted: Fitted = {}
    for kind in KINDS:
        own = [
            (item.row, label, CITY_WEIGHT if sample.is_city else 1.0)
            for sample in train
            for item, label in zip(sample.evidence, sample.labels, strict=True)
            if item.same_language == (kind == "same_language")
        ]
        table = np.array([row for row, _, _ in own])
        scaler = StandardScaler().fit(table)
        model = LogisticRegression(C=SENTENCE_PENALTY, max_iter=3000).fit(
            scaler.transform(table), [label for _, label, _ in own], [weight for _, _, weight in own]
        )
        fitted[kind] = (scaler, model)
    return fitted


def ranked_by(sample: Sample, fitted: Fitted) -> Sample:
    """Return a sample with the odds of its evidence anew, the best first."""
    table = np.array([item.row for item in sample.evidence])
    same = [item.same_language for item in sample.evidence]
    by_kind = [model.decision_function(scaler.transform(table)) for scaler, model in fitted.values()]
    odds = np.where(same, *by_kind) - penalty(table)
    return sample.reordered(replace(item, odds=float(new)) for item, new in zip(sample.evidence, odds, strict=True))


class Remembering(Comprehension):
    """Reads each window once for a question that is asked under several conditions, one after the other."""

    def __init__(self, model: EmbeddingModel) -> None:
        super().__init__(model)
        self._known: dict[tuple[int, ...], tuple[np.ndarray, float]] = {}

    def scores(self, windows: Sequence[Window]) -> list[tuple[np.ndarray, float]]:
        """Return what is known, and read the rest."""
        unknown = [window for window in windows if window.ids not in self._known]
        if unknown:
            self._known |= dict(zip([window.ids for window in unknown], super().scores(unknown), strict=True))
        return [self._known[window.ids] for window in windows]

    def forget(self) -> None:
        """Begin with another question."""
        self._known.clear()


def read(samples: Sequence[Sample]) -> list[Sample]:
    """Return samples with what reading says of their evidence."""
    comprehension, asked, done = Remembering(EmbeddingModel(Settings())), None, []
    for sample in tqdm(samples, desc="reading", mininterval=30):
        if sample.asked != asked:
            comprehension.forget()
            asked = sample.asked
        done.append(sample.reordered(comprehension.read(sample.asked.text, sample.evidence)))
    return done


def fit_combination(train: Sequence[Sample]) -> dict[str, LogisticRegression]:
    """Fit, for each kind, the odds of a single quote from its old odds and what reading says."""
    fitted = {}
    for kind in KINDS:
        own = [
            (combination(item), label, CITY_WEIGHT if sample.is_city else 1.0)
            for sample in train
            for item, label in zip(sample.evidence, sample.labels, strict=True)
            if item.same_language == (kind == "same_language")
        ]
        rows, labels, weights = zip(*own, strict=True)
        fitted[kind] = LogisticRegression(C=1e3, max_iter=3000).fit(np.array(rows), labels, weights)
    return fitted


@dataclass
class Scored:
    """A sample with the features of its confidence, and whether its first quote holds the answer."""

    sample: Sample
    row: np.ndarray
    hit: bool


def score(sample: Sample, fitted: dict[str, LogisticRegression]) -> Scored:
    """Rank the evidence of a sample by what reading adds."""
    ranked = in_order(
        replace(item, odds=float(model.decision_function(combination(item)[None])[0]))
        for item in sample.evidence
        for model in [fitted["same_language" if item.same_language else "cross_language"]]
    )
    return Scored(sample, confidence_features(sample.asked.text, ranked), sample.shows_answer(ranked[0], ranked))


@dataclass
class Confidence:
    """A logistic regression whose weights keep to the directions of `CONFIDENCE_FEATURES`."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float

    def of(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Return the confidence for each row of features."""
        return expit((np.array(rows) - self.mean) / self.scale @ self.weights + self.intercept)


def fit_confidence(scored: Sequence[Scored]) -> Confidence:
    """Fit the probability that the first quote is right."""
    table = np.array([item.row for item in scored])
    mean, scale = table.mean(axis=0), table.std(axis=0) + 1e-9
    scaled = (table - mean) / scale
    sign = np.where([item.hit for item in scored], 1.0, -1.0)
    weight = np.array(
        [(PUBLIC_WEIGHTS if item.sample.is_public else WRITTEN_WEIGHTS)[item.sample.condition] for item in scored]
    )

    def loss(fitted: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (scaled @ fitted[:-1] + fitted[-1])
        pull = -sign * expit(-margin) * weight
        value = weight @ np.logaddexp(0, -margin) + fitted[:-1] @ fitted[:-1] / (2 * CONFIDENCE_PENALTY)
        return value, np.append(scaled.T @ pull + fitted[:-1] / CONFIDENCE_PENALTY, pull.sum())

    bounds = [(0 if way > 0 else None, 0 if way < 0 else None) for way in CONFIDENCE_FEATURES.values()]
    found = minimize(loss, np.zeros(len(bounds) + 1), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)])
    return Confidence(mean, scale, found.x[:-1], float(found.x[-1]))


def unread_by_training(sample: Sample) -> bool:
    """Whether the adapter of `rag.comprehension` was not trained on this sample."""
    return sample.is_public or sample.asked.group % FOLDS == HELD_OUT


def _fold(sample: Sample) -> int:
    # Of the written questions those of one fold are left.
    return (sample.asked.group if sample.is_public else sample.asked.group // FOLDS) % FOLDS


def cross_ranked(gathered: Sequence[Sample]) -> list[Sample]:
    """Rank the samples that are to be read with a model that has not seen their group."""
    ranked: dict[int, Sample] = {}
    for fold in range(FOLDS):
        fitted = fit_sentences([sample for sample in gathered if sample.asked.group % FOLDS != fold])
        ranked |= {
            number: ranked_by(sample, fitted)
            for number, sample in enumerate(gathered)
            if sample.asked.group % FOLDS == fold and unread_by_training(sample)
        }
    return [ranked[number] for number in sorted(ranked)]


def cross_validated(samples: Sequence[Sample]) -> tuple[list[Scored], list[float]]:
    """Score every sample with models that have not seen its group, and give its confidence likewise."""
    folds = np.array([_fold(sample) for sample in samples])
    scored: dict[int, Scored] = {}
    for fold in range(FOLDS):
        fitted = fit_combination([sample for sample, own in zip(samples, folds, strict=True) if own != fold])
        scored |= {number: score(samples[number], fitted) for number in np.flatnonzero(folds == fold).tolist()}
    in_turn = [scored[number] for number in range(len(samples))]
    sure = np.zeros(len(samples))
    for fold in range(FOLDS):
        fitted_on = [item for item, own in zip(in_turn, folds, strict=True) if own != fold]
        held_out = folds == fold
        sure[held_out] = fit_confidence(fitted_on).of([in_turn[number].row for number in np.flatnonzero(held_out)])
    return in_turn, sure.tolist()


def report(scored: Sequence[Scored], sure: Sequence[float], name: str) -> dict[str, float]:
    """Print and return the figures of some samples."""
    by_condition: dict[str, list[float]] = {}
    for item, own in zip(scored, sure, strict=True):
        by_condition.setdefault(item.sample.condition, []).append(own)
    answerable = by_condition.pop("answerable")
    hits = [item.hit for item in scored if item.sample.condition == "answerable"]
    figures = {"first quote holds the answer": round(float(np.mean(hits)), 3)}
    cut = np.quantile(answerable, 0.05)
    for condition, others in by_condition.items():
        truth = [1] * len(answerable) + [0] * len(others)
        figures[f"AUROC {condition}"] = round(float(roc_auc_score(truth, answerable + others)), 3)
        figures[f"refused at 5 % {condition}"] = round(float(np.mean(np.array(others) < cut)), 3)
    print(f"{name:32}", figures)
    return figures


def fit(gathered: Sequence[Sample], samples: Sequence[Sample], trained_on: str) -> dict:
    """Return the content of rag/evidence.json; print the cross-validated figures.

    Args:
        gathered: all samples.
        samples: those that the adapter was not trained on, ranked by models that have not seen them, and read.
    """
    scored, sure = cross_validated(samples)
    figures = {}
    for name in dict.fromkeys(sample.set_name for sample in samples):
        own = [number for number, sample in enumerate(samples) if sample.set_name == name]
        figures[name] = report([scored[number] for number in own], [sure[number] for number in own], name)
    sure_of = fit_confidence(scored)
    return {
        "trained_on": trained_on,
        "features": FEATURES,
        "sentence": {
            kind: _rounded(mean=scaler.mean_, scale=scaler.scale_, weights=model.coef_[0])
            | {"intercept": round(float(model.intercept_[0]), 6)}
            for kind, (scaler, model) in fit_sentences(gathered).items()
        },
        "comprehension": {
            kind: _rounded(weights=model.coef_[0]) | {"intercept": round(float(model.intercept_[0]), 6)}
            for kind, model in fit_combination(samples).items()
        },
        "confidence": {"features": list(CONFIDENCE_FEATURES)}
        | _rounded(mean=sure_of.mean, scale=sure_of.scale, weights=sure_of.weights)
        | {"intercept": round(sure_of.intercept, 6)},
        "cross_validated": figures,
    }


def _rounded(**named: np.ndarray) -> dict:
    return {name: values.astype(float).round(6).tolist() for name, values in named.items()}


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--german", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True)
    parser.add_argument("--samples", type=Path, help="keep the gathered samples here (pickle), or take them from it")
    arguments = parser.parse_args()
    files = {"de": arguments.german, "en": arguments.english}
    public = [squad_set(files[d], d, files[q], q) for d in files for q in files]
    sets = [*public, *written_sets()]
    if arguments.samples and arguments.samples.exists():
        gathered = pickle.loads(arguments.samples.read_bytes())
    else:
        polish = (Path(__file__).parent / "questions.pl.txt").read_text("utf-8").splitlines()
        write_means(EmbeddingModel(Settings()), sets, {"pl": polish})
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
            gathered = [sample for samples in pool.map(gather, sets) for sample in samples]
        if arguments.samples:
            arguments.samples.write_bytes(pickle.dumps(gathered))
    trained_on = (
        f"{arguments.german.name} and {arguments.english.name} ({len(public[0].questions)} questions each) and "
        f"{sum(len(item.questions) for item in sets[len(public) :])} questions on "
        f"{sum(len(item.documents) for item in sets[len(public) :])} documents of tests/bench/training, "
        f"on {date.today().isoformat()}"
    )
    COEFFICIENTS_FILE.write_text(
        json.dumps(fit(gathered, read(cross_ranked(gathered)), trained_on), indent=1) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
