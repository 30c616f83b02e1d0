"""Readers of question sets: what they give, and how they refuse what is not as it must be."""

from __future__ import annotations

import json

import pytest

from rag.errors import UsageError
from rag.evaluation import read_beir, read_gold, read_squad

GOLD = {"id": "a", "language": "de", "question": "Wann?", "answers": ["1986"], "documents": ["x"], "answerable": True}
SQUAD = {
    "data": [
        {
            "title": "Alte_Brücke",
            "paragraphs": [
                {
                    "context": "Die Brücke steht  seit 1901.",
                    "qas": [{"id": "1", "question": "Seit wann steht die Brücke?", "answers": [{"text": "1901"}]}],
                },
                {
                    "context": "Sie ist 90 Meter lang.",
                    "qas": [{"id": "2", "question": "Wie hoch ist sie?", "answers": [], "is_impossible": True}],
                },
            ],
        },
        {
            "title": "Park",
            "paragraphs": [
                {
                    "context": "Der Park hat zwölf Hektar.",
                    "qas": [{"id": "3", "question": "Wie groß ist der Park?", "answers": [{"text": "zwölf Hektar"}]}],
                }
            ],
        },
    ]
}


@pytest.fixture
def squad(tmp_path):
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(SQUAD), "utf-8")
    return file


def test_gold_lines_become_questions_and_a_folder_stands_for_its_file(tmp_path):
    lines = [GOLD, GOLD | {"id": "b", "answerable": False, "answers": [], "documents": []}]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n", "utf-8")

    questions = read_gold(tmp_path).questions

    assert [question.answerable for question in questions] == [True, False]
    assert questions[0].relevant == (("x", 1.0),)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2: expected an object"),
        (json.dumps(GOLD), "id 'a' was used in line 1"),
        (json.dumps(GOLD | {"id": "b", "question": 7}), "'question' is 7; it must be a str"),
        (json.dumps(GOLD | {"id": "b", "answers": "1986"}), "it must be a list of texts"),
        (json.dumps(GOLD | {"id": "b", "answers": []}), "'answers' is empty"),
    ],
)
def test_a_wrong_gold_line_is_named(tmp_path, line, complaint):
    file = tmp_path / "gold.jsonl"
    file.write_text(json.dumps(GOLD) + "\n" + line + "\n", "utf-8")
    with pytest.raises(UsageError, match=complaint) as raised:
        read_gold(file)
    assert str(file) in str(raised.value)


def test_missing_empty_and_wrongly_encoded_gold_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_gold(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="holds no questions"):
        read_gold(tmp_path / "empty.jsonl")
    (tmp_path / "latin.jsonl").write_bytes("Straße".encode("cp1252"))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_gold(tmp_path / "latin.jsonl")


def test_squad_paragraphs_become_documents(squad):
    questions = read_squad(squad)
    assert [document.text for document in questions.documents] == [
        "Die Brücke steht seit 1901.",
        "Sie ist 90 Meter lang.",
        "Der Park hat zwölf Hektar.",
    ]
    assert [(question.id, question.condition) for question in questions.questions] == [
        ("1", "answerable"),
        ("2", "near"),
        ("3", "answerable"),
    ]
    assert {question.language for question in questions.questions} == {"de"}
    assert questions.documents[0].title == "Alte Brücke"


def test_whole_articles_are_one_document_each(squad):
    questions = read_squad(squad, whole_articles=True)
    assert len(questions.documents) == 2
    assert questions.questions[1].relevant[0][0] == questions.documents[0].id


def test_the_unanswerable_half_leaves_out_the_paragraph_or_the_article(squad):
    first, second = (read_squad(squad, abstention=kind).questions[3] for kind in ("hard", "easy"))
    assert (first.id, first.answerable, first.without) == ("1/hard", False, {"0000-0000"})
    assert (second.id, second.answerable, second.without) == ("1/easy", False, {"0000-0000", "0000-0001"})


def test_the_wording_may_come_from_another_file_with_the_same_ids(squad, tmp_path):
    other = json.loads(json.dumps(SQUAD).replace("Seit wann steht", "Since when has"))
    file = tmp_path / "other.json"
    file.write_text(json.dumps(other), "utf-8")
    assert read_squad(squad, questions_file=file).questions[0].text.startswith("Since when has")

    other["data"].pop()
    file.write_text(json.dumps(other), "utf-8")
    with pytest.raises(UsageError, match="lacks 1 of 3 question ids, first 3"):
        read_squad(squad, questions_file=file)


@pytest.mark.parametrize("content", ["{}", "[]", '{"data": [{"title": "x"}]}', '{"data": [1]}', "no"])
def test_what_is_no_squad_file_is_refused(tmp_path, content):
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(UsageError, match=r"x\.json is not"):
        read_squad(file)


def make_beir(folder):
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "title": "T", "text": "Text"}\n{"_id": "d10", "text": "B"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "Was?"}\n{"_id": "q2", "text": "Wer?"}\n')
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td1\t1\n")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td10\t0\n")
    return folder


def test_a_beir_folder_gives_documents_queries_and_the_grades_of_its_test_part(tmp_path):
    questions = read_beir(make_beir(tmp_path))
    assert [document.id for document in questions.documents] == ["d1", "d10"]
    assert [(question.id, question.relevant) for question in questions.questions] == [("q1", (("d1", 2.0),))]
    assert not questions.any_relevant


def test_beir_folders_with_parts_missing_or_wrong_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"corpus\.jsonl cannot be read"):
        read_beir(tmp_path)
    folder = make_beir(tmp_path)
    (folder / "qrels" / "test.tsv").write_text("q1\td1\n")
    with pytest.raises(UsageError, match="line 1: expected query id"):
        read_beir(folder)
    for file in (folder / "qrels").iterdir():
        file.unlink()
    with pytest.raises(UsageError, match="no qrels"):
        read_beir(folder)
