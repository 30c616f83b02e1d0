"""Question sets: gold files of citycite, SQuAD JSON, BEIR folders. Each reader says which line or key is wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.errors import UsageError
from rag.language import question_language
from rag.schema import Document


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what is right.

    An answer is right when one of `answers` stands in the first quote; there are none where only retrieval is
    measured. `relevant` names documents with their grade, by id, or by the beginning of id or file name where the set
    is a gold file. `without` are documents to leave aside when this question is asked. `condition` is `answerable`,
    or the reason why it is not: `near`, `hard`, `easy`.
    """

    id: str
    language: str
    text: str
    answers: tuple[str, ...] = ()
    relevant: tuple[tuple[str, float], ...] = ()
    condition: str = "answerable"
    without: frozenset[str] = frozenset()
    group: str = ""

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return self.condition == "answerable"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions, and the documents they are about, unless those are in a store already (`documents` is None).

    `extractive`: the answers are short ranges of the text, so that token F1 and exact match mean something.
    `any_relevant`: documents are alternatives, one of which is enough; else recall is the share of them found.
    `by_prefix`: `relevant` names the beginning of a document's id or file name.
    """

    name: str
    questions: tuple[GoldQuestion, ...]
    documents: tuple[Document, ...] | None = None
    extractive: bool = False
    any_relevant: bool = True
    by_prefix: bool = False


def read_gold(path: Path) -> QuestionSet:
    """Read JSON lines of id, language, question, answers, documents, answerable; of a folder its questions.jsonl.

    Raises:
        UsageError: the file is missing or empty, or a line is not as it must be; the message names line and key.
    """
    file = path / "questions.jsonl" if path.is_dir() else path
    questions: list[GoldQuestion] = []
    seen: dict[str, int] = {}
    for number, entry in _json_lines(file):
        where = f"{file}, line {number}"
        question = _gold_question(entry, where)
        if question.id in seen:
            raise UsageError(f"{where}: id {question.id!r} was used in line {seen[question.id]}; ids must differ.")
        seen[question.id] = number
        questions.append(question)
    return QuestionSet(file.name, _some(questions, file), by_prefix=True)


def _gold_question(entry: dict[str, Any], where: str) -> GoldQuestion:
    answerable = _typed(entry, "answerable", bool, where)
    answers = _strings(entry, "answers", where)
    if answerable and not answers:
        raise UsageError(f"{where}: 'answers' is empty, but 'answerable' is true; name what the quote must hold.")
    return GoldQuestion(
        id=_typed(entry, "id", str, where),
        language=_typed(entry, "language", str, where),
        text=_typed(entry, "question", str, where),
        answers=answers if answerable else (),
        relevant=tuple((name, 1.0) for name in _strings(entry, "documents", where)) if answerable else (),
        condition="answerable" if answerable else "near",
    )


def read_squad(
    file: Path, *, questions_file: Path | None = None, whole_articles: bool = False, abstention: str | None = None
) -> QuestionSet:
    """Read SQuAD 1.1 or 2.0 JSON: each paragraph (or article) a document.

    Args:
        file: documents, questions and answers.
        questions_file: takes the questions' wording from here, by id.
        whole_articles: makes each article one document.
        abstention: `hard` asks each question a second time without its document, `easy` without any document of its
            article.

    Raises:
        UsageError: a file is missing, no SQuAD JSON, or lacks ids.
    """
    documents: list[Document] = []
    questions: list[GoldQuestion] = []
    articles: dict[str, frozenset[str]] = {}
    for number, article in enumerate(_squad_articles(file)):
        made = list(_squad_documents(article, number, whole_articles, file))
        articles[f"{number:04d}"] = frozenset(document.id for document, _ in made)
        documents.extend(document for document, _ in made)
        questions.extend(question for _, own in made for question in own)
    if questions_file is not None:
        questions = _reworded(questions, questions_file)
    language = _majority([question.text for question in questions])
    questions = [replace(question, language=language) for question in questions]
    if abstention is not None:
        questions += [_unanswerable(question, abstention, articles) for question in questions if question.answerable]
    return QuestionSet(file.name, _some(questions, file), tuple(documents), extractive=True)


def _squad_articles(file: Path) -> list[dict[str, Any]]:
    content = _json(file)
    articles = content.get("data") if isinstance(content, dict) else None
    if not isinstance(articles, list):
        raise UsageError(f"{file} is not SQuAD JSON: there is no list 'data' at the top.")
    return articles


def _squad_documents(
    article: dict[str, Any], number: int, whole: bool, file: Path
) -> Iterator[tuple[Document, list[GoldQuestion]]]:
    """Yield each document of an article with its questions; a stored text has one paragraph a line."""
    try:
        title = str(article.get("title", "")).replace("_", " ")
        paragraphs = [(" ".join(paragraph["context"].split()), paragraph["qas"]) for paragraph in article["paragraphs"]]
        if whole:
            paragraphs = [("\n\n".join(text for text, _ in paragraphs), [qa for _, qas in paragraphs for qa in qas])]
        for paragraph, (text, entries) in enumerate(paragraphs):
            key = f"{number:04d}-{paragraph:04d}"
            document = Document(id=key, title=title or key, source=key, text=text)
            yield document, [_squad_question(entry, key, f"{number:04d}") for entry in entries]
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} is not SQuAD JSON: article {number} lacks {error}.") from None


def _squad_question(entry: dict[str, Any], document_id: str, article: str) -> GoldQuestion:
    impossible = bool(entry.get("is_impossible"))
    answers = () if impossible else tuple(" ".join(str(answer["text"]).split()) for answer in entry["answers"])
    return GoldQuestion(
        id=str(entry["id"]),
        language="",
        text=str(entry["question"]),
        answers=tuple(dict.fromkeys(answers)),
        relevant=((document_id, 1.0),),
        condition="near" if impossible else "answerable",
        group=article,
    )


def _reworded(questions: list[GoldQuestion], file: Path) -> list[GoldQuestion]:
    texts = {
        str(entry["id"]): str(entry["question"])
        for article in _squad_articles(file)
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
    }
    missing = [question.id for question in questions if question.id not in texts]
    if missing:
        raise UsageError(f"{file} lacks {len(missing)} of {len(questions)} question ids, first {missing[0]}.")
    return [replace(question, text=texts[question.id]) for question in questions]


def _unanswerable(question: GoldQuestion, abstention: str, articles: dict[str, frozenset[str]]) -> GoldQuestion:
    own = frozenset(document for document, _ in question.relevant)
    return replace(
        question,
        id=f"{question.id}/{abstention}",
        answers=(),
        relevant=(),
        condition=abstention,
        without=own if abstention == "hard" else articles[question.group],
    )


def read_beir(folder: Path) -> QuestionSet:
    """Read corpus.jsonl, queries.jsonl and qrels/*.tsv (test.tsv where there are several).

    Raises:
        UsageError: a file is missing or a line is not as it must be.
    """
    documents = [
        Document(
            id=_typed(entry, "_id", str, f"{folder / 'corpus.jsonl'}, line {number}"),
            title=str(entry.get("title") or entry["_id"]),
            source=str(entry["_id"]),
            text=str(entry.get("text", "")).strip(),
        )
        for number, entry in _json_lines(folder / "corpus.jsonl")
    ]
    grades = _qrels(folder)
    questions = [
        GoldQuestion(id=key, language=question_language(text), text=text, relevant=tuple(grades[key].items()))
        for number, entry in _json_lines(folder / "queries.jsonl")
        if (key := _typed(entry, "_id", str, f"{folder / 'queries.jsonl'}, line {number}")) in grades
        and (text := str(entry.get("text", "")))
    ]
    return QuestionSet(
        folder.name,
        _some(questions, folder),
        tuple(document for document in documents if document.text),
        any_relevant=False,
    )


def _qrels(folder: Path) -> dict[str, dict[str, float]]:
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise UsageError(f"{folder} is not a BEIR folder: there is no qrels/*.tsv in it.")
    file = next((file for file in files if file.stem == "test"), files[0])
    grades: dict[str, dict[str, float]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
            if number == 1 and row[-1:] == ["score"]:
                continue
            try:
                query, document, grade = row[0], row[1], float(row[2])
            except (IndexError, ValueError):
                raise UsageError(f"{file}, line {number}: expected query id, document id, score.") from None
            if grade > 0:
                grades.setdefault(query, {})[document] = grade
    return grades


def _some(questions: list[GoldQuestion], source: Path) -> tuple[GoldQuestion, ...]:
    if not questions:
        raise UsageError(f"{source} holds no questions.")
    return tuple(questions)


def _majority(texts: list[str]) -> str:
    """Return the language of many questions, which a trained detector tells well, of any language."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)
    return str(identifier.classify(" ".join(texts[:200]))[0])


def _json(file: Path) -> object:
    try:
        return json.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}.") from None


def _json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8; save it as UTF-8.") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{file}, line {number} is not JSON: {error}.") from None
        if not isinstance(entry, dict):
            raise UsageError(f"{file}, line {number}: expected an object in braces.")
        yield number, entry


def _typed(entry: dict[str, Any], key: str, kind: type, where: str) -> Any:  # noqa: ANN401 - of type `kind`
    value = entry.get(key)
    if not isinstance(value, kind):
        raise UsageError(f"{where}: {key!r} is {value!r}; it must be a {kind.__name__}.")
    return value


def _strings(entry: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise UsageError(f"{where}: {key!r} is {value!r}; it must be a list of texts.")
    return tuple(value)
