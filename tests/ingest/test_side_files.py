"""Side files: what they say, which one wins, and broken ones named with their line."""

from __future__ import annotations

import json
import os
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
    started = time.process_time()
    with pytest.raises(LoadError, match=reason) as raised:
        details(file)
    assert str(raised.value).startswith("its side file ")
    assert "\n" not in str(raised.value)
    assert time.process_time() - started < 5


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
    started = time.process_time()
    side_files = SideFiles()
    for _ in range(1000):
        assert side_files.details_of(file) == Details()
    assert time.process_time() - started < 10


@pytest.mark.parametrize("value", ["2024-03-01T10:00:00Z", "01.03.2024, 10:00 Uhr", "March 1, 2024"])
def test_dates_may_have_a_time(file: Path, value: str) -> None:
    beside(file, "plan.meta.json", {"published": value})
    assert details(file).published == "2024-03-01"


# --- Hostile ones -----------------------------------------------------------------------------------------------------


def hostile_json() -> dict[str, str | bytes]:
    return {
        "huge": b'{"title": "' + b"x" * 1_000_001 + b'"}',
        "binary": bytes(range(256)) * 40,
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(5000),
        "deep": "[" * 400_000,
        "deep-closed": '{"a":' * 100_000 + "1" + "}" * 100_000,
        "number": '{"title": ' + "9" * 900_000 + "}",
        "many": json.dumps({f"feld {number}": number for number in range(40_000)}),
        "twice": "{" + ", ".join(['"title": "a"'] * 50_000) + "}",
        "nested": {"title": {"a": [1, {"b": 2}]}},
        "long": {"x" * 200: "a"},
        "date": {"published": '=HYPERLINK("http://evil.example")'},
        "no-language": {"language": "\x1b[31mde"},
        "no-object": "null",
    }  # type: ignore[dict-item]


@pytest.mark.parametrize("kind", sorted(hostile_json()))
def test_hostile_json_is_refused_in_one_line_and_in_time(file: Path, kind: str) -> None:
    beside(file, "plan.meta.json", hostile_json()[kind])
    begun = time.process_time()
    with pytest.raises(LoadError) as caught:
        details(file)
    assert time.process_time() - begun < 10
    said = str(caught.value)
    assert "plan.meta.json" in said
    assert len(said) < 400
    assert "\n" not in said


def hostile_tables() -> dict[str, str | bytes]:
    return {
        "huge": "file,title\n" + "x" * 20_000_000,
        "binary": b"file,title\n" + bytes(range(256)) * 40,
        "columns": "file," + "," * 300_000 + "\nplan.txt,Titel",
        "same": "file," + ",".join(["title"] * 900) + "\nplan.txt,Titel",
        "quote": 'file,title\nplan.txt,"' + "x" * 200_000,
        "field": "file,title\nplan.txt," + "x" * 200_000,
        "twice": "file,title\n" + "plan.txt,Titel\n" * 100_000,
        "wrong": "file,published\nplan.txt,bald\n",
    }


@pytest.mark.parametrize("kind", sorted(hostile_tables()))
def test_a_hostile_table_is_refused_in_one_line_and_in_time(file: Path, kind: str) -> None:
    beside(file, "metadata.csv", hostile_tables()[kind])
    begun = time.process_time()
    with pytest.raises(LoadError) as caught:
        details(file)
    assert time.process_time() - begun < 10
    said = str(caught.value)
    assert "metadata.csv" in said
    assert len(said) < 400
    assert "\n" not in said


def test_a_table_of_200_000_other_files_is_read_and_a_few_lines_are_named(file: Path) -> None:
    rows = "\n".join(f"datei-{number}.pdf,Titel {number}" for number in range(200_000))
    table = beside(file, "metadata.csv", f"file,title,note\n{rows}\nplan.txt,=1+1,+49 2151\n")
    begun = time.process_time()
    side_files = SideFiles()
    # What a spreadsheet would take for a formula is text like any other.
    assert side_files.details_of(file) == Details("=1+1", fields=(("note", "+49 2151"),))
    problems = side_files.problems([table])
    assert time.process_time() - begun < 30
    assert len(problems) == 21
    assert problems[-1][1] == "has 199980 further lines that are about no file beside it; delete them"


def test_half_characters_are_left_out(file: Path) -> None:
    beside(file, "plan.meta.json", '{"title": "Plan \\ud800", "feld\\udfff": "\\udc00"}')
    assert details(file) == Details("Plan")


def test_what_is_no_file_is_not_read(file: Path) -> None:
    os.mkfifo(file.parent / "plan.meta.json")
    with pytest.raises(LoadError, match=r"plan\.meta\.json is no file"):
        details(file)
    (file.parent / "plan.meta.json").unlink()
    (file.parent / "metadata.csv").symlink_to("/dev/zero")
    with pytest.raises(LoadError, match=r"metadata\.csv is no file"):
        details(file)
