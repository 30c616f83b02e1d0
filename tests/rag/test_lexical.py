"""The lexical index: finds words across inflection, names across languages, and follows the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.lexical import LexicalIndex, question_terms
from rag.records import NewVersion, StoredPassage, passage_id
from rag.schema import Document, Language
from rag.store import Store

TEXTS = {
    "beitritt": ("de", "Krakau ist seit dem 15. Oktober Mitglied von Eurocities."),
    "aktenzeichen": ("de", "Der Rat beschloss die Vorlage S19-15268 unter dem Aktenzeichen 4 K 12/23."),
    "wohngeld": ("de", "Den Antrag auf Wohngeld stellen Sie beim Bürgeramt der Stadt Köln."),
    "frankfurt": ("pl", "Delegacja z Frankfurtu odwiedziła Kraków w czerwcu."),
}


def put(store: Store, key: str, language: str, text: str, version: str = "v1") -> None:
    document = Document(id=key, title="Mitteilung", source=f"/{key}", text=text, language=language)
    vector = np.ones(4, np.float32) / 2
    passage = StoredPassage(passage_id(key, version, 0), key, version, 0, len(text), text, language, vector)
    with store.writing():
        store.create("test", 4)
        store.write([NewVersion(document, f"{text}{version}", [passage])])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    for key, (language, text) in TEXTS.items():
        put(made, key, language, text)
    return made


def find(index: LexicalIndex, question: str, language: Language) -> list[str]:
    return [match.id.split(":")[0] for match in index.search(question_terms(question, language), 10)]


@pytest.mark.parametrize(
    ("question", "language", "first"),
    [
        ("Wann wurde Krakau Mitglied?", "de", "beitritt"),
        ("Was steht in S19-15268?", "de", "aktenzeichen"),
        ("Aktenzeichen 4 K 12/23", "de", "aktenzeichen"),
        ("Wo beantrage ich Wohngeld?", "de", "wohngeld"),
        ("Which office in Cologne?", "en", "wohngeld"),
        ("Bürgerämter in Köln", "de", "wohngeld"),
        ("Kto odwiedził Kraków?", "pl", "frankfurt"),
        ("Who from Frankfurt visited Cracow?", "en", "frankfurt"),
        ("EUROCITIES", "de", "beitritt"),
    ],
)
def test_finds(store: Store, question: str, language: Language, first: str) -> None:
    index = LexicalIndex(store)
    index.update(store.generation)
    assert find(index, question, language)[0] == first


def test_nothing_found_is_an_empty_list(store: Store) -> None:
    index = LexicalIndex(store)
    index.update(store.generation)
    assert find(index, "Quantenphysik", "de") == []
    assert find(index, "?!", "de") == []
    assert find(index, '"; DROP TABLE passages; -- * NEAR(a b)', "en") == []


def test_in_a_large_store_the_rarest_words_find_and_all_words_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Store(tmp_path / "large")
    for number in range(30):
        rare = "Kalimborast" if number % 10 == 0 else "Verwaltung"
        put(made, f"d{number}", "de", f"Die Stadt und ihr Amt für {rare}, Nummer {number}.")
    index = LexicalIndex(made)
    index.update(made.refresh())
    terms = question_terms("Stadt Amt Kalimborast Xyzzy", "de")
    everything = {match.id: match.score for match in index.search(terms, 50)}
    assert len(everything) == 30
    monkeypatch.setattr("rag.lexical._POSTINGS", 20)
    few = {match.id: match.score for match in index.search(terms, 50)}
    assert few.keys() == {passage_id(f"d{number}", "v1", 0) for number in (0, 10, 20)}
    assert few == {key: pytest.approx(everything[key]) for key in few}
    only_common = question_terms("Stadt Xyzzy", "de")
    assert len(index.search(only_common, 50)) == 30
    index.close()


def test_follows_additions_changes_and_removals(store: Store) -> None:
    index = LexicalIndex(store)
    index.update(store.generation)
    put(store, "neu", "de", "Die Müllabfuhr kommt am Dienstag.")
    put(store, "wohngeld", "de", "Das Standesamt ist umgezogen.", version="v2")
    with store.writing():
        store.remove(["beitritt"])
    assert not index.is_current(store.generation)
    index.update(store.generation)
    assert index.is_current(store.generation)
    assert find(index, "Müllabfuhr", "de") == ["neu"]
    assert find(index, "Wohngeld", "de") == []
    assert find(index, "Standesamt", "de") == ["wohngeld"]
    assert find(index, "Eurocities", "de") == []


def test_a_damaged_or_missing_index_is_rebuilt(store: Store) -> None:
    index = LexicalIndex(store)
    index.update(store.generation)
    index.close()
    file = store.derived_folder / "lexical.sqlite"
    file.write_bytes(b"kein Index" * 1000)
    index = LexicalIndex(store)
    index.update(store.generation)
    assert find(index, "Wohngeld", "de") == ["wohngeld"]
    index.close()
    file.unlink()
    index = LexicalIndex(store)
    index.update(store.generation)
    assert find(index, "Wohngeld", "de") == ["wohngeld"]
