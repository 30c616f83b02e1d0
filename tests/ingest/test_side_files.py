"""Side files: what they say, which one wins, and broken ones named with their line."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest

from ingest.side_files import Details, SideFiles, is_side_file
from rag.errors import LoadError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.txt"
    path.write_text("Der Plan.", "utf-8")
    return path


def beside(file: Path, name: str, content: str | bytes | dict[str, object]) -> Path:
    path = file.parent / name
    if isinstance(content, dict):
        content = json.dumps(content, ensure_ascii=False)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def details(file: Path) -> Details:
    return SideFiles().details_of(file)


SAID = {
    "title": " Der\nMasterplan ", "Published": "1. März 2024", "language": "de-AT", "type": "Bericht",
    "Department": "Bauamt", "Aktenzeichen": 17, "offen": True, "Orte": ["Köln", "Kraków"], "leer": None, "blank": " ",
}  # fmt: skip
READ = Details(
    "Der Masterplan", "2024-03-01", "de", "Bericht", "Bauamt",
    (("Aktenzeichen", "17"), ("Orte", "Köln, Kraków"), ("offen", "true")),
)  # fmt: skip


@pytest.mark.parametrize("name", ["plan.txt.meta.json", "plan.meta.json"])
def test_json_beside_a_file_is_about_it(file: Path, name: str) -> None:
    assert details(file) == Details()
    assert details(file).fingerprint() == b""
    beside(file, name, SAID)
    assert details(file) == READ
    assert is_side_file(Path(name))
    assert hash(details(file))


@pytest.mark.parametrize(
    ("separator", "encoding"), [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-16"), (";", "utf-8-sig"), (",", "cp1252")]
)
def test_a_row_of_the_table_is_about_its_file(file: Path, separator: str, encoding: str) -> None:
    rows = [
        ["Titel", "FILE", "title", "published", "Größe"],
        ["", "other.txt", "Nein", "", ""],
        ["", "", "", "", ""],
        ["x", "plan.txt", f'"Größe{separator} ""neu""\nund alt"', "2024-03-01", "3 m²"],
    ]
    beside(file, "other.txt", "Anderes.")
    table = beside(file, "metadata.csv", "\r\n".join(separator.join(row) for row in rows).encode(encoding))
    fields = (("Größe", "3 m²"), ("Titel", "x"))
    title = " ".join(f'Größe{separator} "neu" und alt'.split())
    assert details(file) == Details(title, "2024-03-01", fields=fields)
    assert SideFiles().problems([table]) == []


def test_the_more_exact_side_file_wins_field_by_field(file: Path) -> None:
    beside(file, "metadata.csv", "file,title,type,department,a\nplan.txt,Tabelle,Tabelle,Tabelle,Tabelle\n")
    beside(file, "plan.meta.json", {"title": "Stamm", "type": "Stamm", "department": ""})
    beside(file, "plan.txt.meta.json", {"title": "Genau"})
    found = details(file)
    assert (found.title, found.type, found.department) == ("Genau", "Stamm", None)
    assert found.fields == (("a", "Tabelle"),)


def test_names_with_umlauts_are_found_however_the_system_spells_them(tmp_path: Path) -> None:
    file = tmp_path / unicodedata.normalize("NFD", "Gebühr.txt")
    file.write_text("Text")
    beside(file, "metadata.csv", "file;title\nGebühr.txt;Gebühren\n")
    beside(file, "Gebühr.meta.json", {"type": "Satzung"})
    assert (details(file).title, details(file).type) == ("Gebühren", "Satzung")


def test_what_holds_for_attachments() -> None:
    assert READ.of_attachments() == Details(department="Bauamt", fields=READ.fields)


def test_different_details_have_different_fingerprints() -> None:
    told = [Details(title="a"), Details(type="a"), Details(department="a"), Details(fields=(("a", "a"),)), READ]
    assert len({each.fingerprint() for each in told}) == len(told)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("plan.meta.json", '{\n"title": "x",\n}', r"plan\.meta\.json, line 3: is no JSON"),
        ("plan.meta.json", "[1]", "line 1: is no JSON object"),
        ("plan.meta.json", "", "plan.meta.json is empty"),
        ("plan.meta.json", b"\x00\x01\x02" * 50, "plan.meta.json is binary"),
        ("plan.meta.json", "[" * 100_000, "is no JSON"),
        ("plan.meta.json", '{"a": ' + "9" * 5000 + "}", "is no JSON that can be read"),
        ("plan.meta.json", '{"title": "x",\n"title": "y"}', "'title' twice"),
        ("plan.meta.json", '{"title": "x",\n\n"type": {"a": 1}}', "line 3: 'type' is no text"),
        ("plan.txt.meta.json", '{"title": "x",\n"published": "31.02.2024"}', r"line 2: published is '31\.02\.2024'"),
        ("plan.txt.meta.json", '{"published": "2024-01-01 oder so"}', "line 1: published is"),
        ("plan.txt.meta.json", '{"published": 2024}', "line 1: published is '2024'"),
        ("plan.txt.meta.json", '{"language": "deutsch"}', "line 1: language is 'deutsch'; write a code"),
        ("plan.meta.json", {f"f{n}": 1 for n in range(101)}, "has 101 fields"),
        ("plan.meta.json", {"f": "x" * 6000}, "more than 5000 characters"),
        ("plan.meta.json", {"": "x"}, "a name has 1 to 100"),
        ("plan.meta.json", b" " * 1_100_000, "has 1 MB; at most 1"),
        ("metadata.csv", "name,title\nplan.txt,x", r"metadata\.csv, line 1: has no column 'file'"),
        ("metadata.csv", "file,a,a\nplan.txt,x,y", "line 1: has two columns 'a'"),
        ("metadata.csv", 'file,title\n\nother.txt,"zwei\nZeilen"\nplan.txt,x\nplan.txt,y', "line 6: .* a second time"),
        ("metadata.csv", "file,title\nplan.txt,x, y", "line 2: has more values than columns"),
        ("metadata.csv", 'file,title\nplan.txt,"x', "line 2: is no CSV"),
        ("metadata.csv", "file,published\nother.txt,x\nplan.txt,gestern", "line 3: published is 'gestern'"),
        ("metadata.csv", b"PK\x03\x04", "metadata.csv is a ZIP archive"),
    ],
)  # fmt: skip
def test_broken_side_files_are_named_with_their_line(file: Path, name: str, content: str, reason: str) -> None:
    beside(file, "other.txt", "Anderes.")
    beside(file, name, content)
    started = time.perf_counter()
    with pytest.raises(LoadError, match=reason) as raised:
        details(file)
    assert str(raised.value).startswith("its side file ")
    assert "\n" not in str(raised.value)
    assert time.perf_counter() - started < 5


def test_a_bad_row_harms_no_other_file(file: Path) -> None:
    other = beside(file, "other.txt", "Anderes.")
    beside(file, "metadata.csv", "file,published\nother.txt,gestern\nplan.txt,2024-05-01")
    side_files = SideFiles()
    assert side_files.details_of(file).published == "2024-05-01"
    with pytest.raises(LoadError, match="line 2"):
        side_files.details_of(other)


def test_what_is_about_no_file_is_named(file: Path) -> None:
    table = beside(file, "metadata.csv", "file,title\nfehlt.txt,x\nplan.txt,y\nunter/plan.txt,z\n,w")
    orphan = beside(file, "alt.txt.meta.json", {"title": "x"})
    fine = beside(file, "plan.meta.json", {"title": "x"})
    found = SideFiles().problems([table, orphan, fine])
    assert [(path.name, reason.partition(";")[0]) for path, reason in found] == [
        ("metadata.csv", "line 2: there is no file 'fehlt.txt' beside it"),
        ("metadata.csv", "line 4: 'unter/plan.txt' is in another folder"),
        ("metadata.csv", "line 5: names no file"),
        ("alt.txt.meta.json", "is about no file: there is no alt.txt beside it"),
    ]


def test_a_large_table_is_read_once(file: Path) -> None:
    beside(file, "metadata.csv", "file,title\n" + "".join(f"akte-{n}.txt,Akte {n}\n" for n in range(100_000)))
    started = time.perf_counter()
    side_files = SideFiles()
    for _ in range(1000):
        assert side_files.details_of(file) == Details()
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("value", ["2024-03-01T10:00:00Z", "01.03.2024, 10:00 Uhr", "March 1, 2024"])
def test_dates_may_have_a_time(file: Path, value: str) -> None:
    beside(file, "plan.meta.json", {"published": value})
    assert details(file).published == "2024-03-01"
