"""Language of questions, stems, and cities under all their names."""

from __future__ import annotations

import json

import pytest

from rag.language import fold, local_date, question_language, stems
from rag.names import city_keys
from tests.conftest import CORPUS


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wann trat Krakau Eurocities bei?", "de"),
        ("When did Krakau join Eurocities?", "en"),
        ("Kiedy Kraków dołączył do Eurocities?", "pl"),
        ("Gründungsjahr Eurocities?", "de"),
        ("Krakau?", "de"),
        ("Ilu mieszkańców ma Kolonia?", "pl"),
        ("Who was in the delegation from Wien?", "en"),
    ],
)
def test_question_language(question: str, language: str) -> None:
    assert question_language(question) == language


def test_question_language_on_all_questions_of_the_corpus() -> None:
    wrong = [
        entry["question"]
        for entry in map(json.loads, (CORPUS / "questions.jsonl").read_text("utf-8").splitlines())
        if question_language(entry["question"]) != entry["language"]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "names",
    [
        "Krakau Kraków Cracow Krakow Krakaus Krakauer Krakowa Krakowie krakowski",
        "Köln Cologne Kolonia Kölner Kolonii Cologne's koloński",
        "Wien Vienna Wiedeń Wiener Wiednia wiedeńskiej Viennese",
        "Kopenhagen Copenhagen Kopenhaga Kopenhadze",
        "Frankfurt Frankfurter Frankfurcie Frankfurtu frankfurckiego",
        "Venedig Venice Venetian Venezianer wenecka",
    ],
)
def test_names_of_one_city_give_one_key(names: str) -> None:
    keys = city_keys(names)
    assert len(keys) == len(names.split())
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    "text", ["Das Essen war gut.", "a nice split of the halls", "Roman las książkę", "der Hof", "polski sklep"]
)
def test_common_words_are_no_cities(text: str) -> None:
    assert city_keys(text) == []


def test_stems_meet_across_inflection_and_spelling() -> None:
    assert set(stems("Städte", "de")) == set(stems("Stadt", "de"))
    assert "smartcity" in stems("Smart-City", "de")
    assert fold("Größe") == fold("GROSSE")
    assert fold("Łódź") == "lodz"


@pytest.mark.parametrize(
    ("iso", "language", "written"),
    [
        ("2025-10-05", "de", "05.10.2025"),
        ("2025-10-05", "pl", "05.10.2025"),
        ("2025-10-05", "en", "5 Oct 2025"),
        ("2025", "de", "2025"),
        ("Herbst", "en", "Herbst"),
    ],
)
def test_dates_are_written_as_readers_do(iso, language, written):
    assert local_date(iso, language) == written
