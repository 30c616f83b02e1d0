"""What the coverage report says of real files of every kind, and what it keeps between runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from ingest.coverage import coverage
from ingest.pipeline import ingest
from ingest.resemblance import near_duplicates, resemblance, sketch
from rag.embeddings import EmbeddingModel
from rag.records import document_metadata, to_document
from rag.schema import Document
from rag.settings import Settings
from rag.store import Store
from rag.unread import Unread, read_unread
from ui.cli import cli

SETTINGS = Settings(max_file_mb=1)
MINUTES = (
    "Der Rat der Stadt hat in seiner Sitzung am Dienstag beschlossen, die Straßenbahn vom Hauptbahnhof bis zur Messe "
    "zu verlängern. Die Verwaltung legt dem Ausschuss für Verkehr im Herbst einen Plan mit Kosten und Zeiten vor. Die "
    "Bürgerinnen und Bürger werden an drei Abenden beteiligt, und die Ergebnisse stehen danach auf der Seite der "
    "Stadt. Der Haushalt sieht dafür zwei Millionen Euro vor, die zur Hälfte das Land trägt."
)


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel(SETTINGS)


@pytest.fixture(autouse=True)
def _one_model(model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pipeline.EmbeddingModel", lambda settings: model)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def _encrypted(path: Path) -> None:
    canvas = Canvas(str(path), encrypt=StandardEncryption("geheim", ownerPassword="geheim"))
    canvas.drawString(72, 720, "Geheim.")
    canvas.save()


def _with_running_heads(path: Path) -> None:
    canvas = Canvas(str(path))
    for page, sentence in enumerate(MINUTES.split(". "), 1):
        canvas.drawString(72, 800, "Niederschrift des Rates der Stadt")
        for line in range(8):
            canvas.drawString(72, 700 - 14 * line, f"{sentence[line * 20 : line * 20 + 20]}")
        canvas.drawString(72, 40, f"Seite {page}")
        canvas.showPage()
    canvas.save()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "akten"
    made.mkdir()
    (made / "gut.txt").write_text(MINUTES, "utf-8")
    (made / "fast.txt").write_text(MINUTES.replace("Dienstag", "Mittwoch"), "utf-8")
    (made / "fremd.txt").write_text("Krefeld, 12. März 2024\n\nDas Bad öffnet am 15. Mai. " * 3, "utf-8")
    (made / "seite.html").write_text(
        "<html><head><title>Markt</title><meta name=date content=2023-05-06></head><body>"
        "<nav>Startseite <b>Kontakt</b></nav><script>var x = 'nie';</script><article><h1>Markt</h1>"
        "<p>Der Wochenmarkt findet jeden Samstag auf dem Neumarkt statt. Er beginnt um 7 Uhr.</p></article>"
        "<footer>Alle Rechte <i>&lt;script&gt;</i> vorbehalten</footer></body></html>",
        "utf-8",
    )
    shifted = "".join(chr((ord(c) - 97 + 9) % 26 + 97) if c.isalpha() and c.isascii() else c for c in MINUTES.lower())
    (made / "kaputt.txt").write_text(shifted, "utf-8")
    (made / "gesperrt.txt").write_text(" ".join(MINUTES), "utf-8")
    _with_running_heads(made / "rat.pdf")
    _encrypted(made / "geheim.pdf")
    (made / "rest.pdf").write_bytes(b"%PDF-1.7\nkaputt")
    (made / "leer.txt").write_bytes(b"")
    (made / "gross.txt").write_bytes(b"Ein Satz. " * 200_000)
    (made / "film.mp4").write_bytes(b"0")
    return made


def test_each_source_is_listed_with_what_was_left_out_and_why_it_is_not_searchable(
    folder: Path, store: Store, tmp_path: Path
) -> None:
    ingest([str(folder)], store, SETTINGS)
    (folder / "neu.txt").write_text("Noch nicht gelesen.", "utf-8")
    store.close()
    page = tmp_path / "report.html"
    result = CliRunner().invoke(
        cli, ["coverage", str(folder), "--json", "--report", str(page), "--store", store.location],
        catch_exceptions=False,
    )  # fmt: skip
    said = json.loads(result.stdout)
    found = {Path(item["source"]).name: item for item in said["sources"]}
    assert {name: (item["state"], item["kind"]) for name, item in found.items()} == {
        "gut.txt": ("searchable", ""),
        "fast.txt": ("searchable", ""),
        "fremd.txt": ("searchable", ""),
        "seite.html": ("searchable", ""),
        "rat.pdf": ("searchable", ""),
        "kaputt.txt": ("low text quality", "low text quality"),
        "gesperrt.txt": ("low text quality", "low text quality"),
        "geheim.pdf": ("not searchable", "encrypted"),
        "rest.pdf": ("not searchable", "broken"),
        "leer.txt": ("not searchable", "empty"),
        "gross.txt": ("not searchable", "too large"),
        "film.mp4": ("not searchable", "no supported format"),
        "neu.txt": ("not searchable", "not ingested"),
    }
    assert "password" in found["geheim.pdf"]["reason"]
    assert found["gut.txt"]["characters"] == len(MINUTES)
    assert found["gut.txt"]["dropped"] == 0
    lines = found["seite.html"]["dropped_sample"].splitlines()
    assert lines == ["Startseite", "Kontakt", "Alle Rechte", "<script>", "vorbehalten"]
    assert found["seite.html"]["dropped"] == sum(map(len, lines))
    assert found["rat.pdf"]["pages"] == 4
    assert "Niederschrift des Rates der Stadt" in found["rat.pdf"]["dropped_sample"].splitlines()
    assert found["rat.pdf"]["dropped"] == 4 * (len("Niederschrift des Rates der Stadt") + len("Seite 1"))
    assert [[Path(name).name for name in names] for names in said["near_duplicates"]] == [["fast.txt", "gut.txt"]]
    assert said["totals"]["states"] == {"searchable": 5, "low text quality": 2, "not searchable": 6}
    html = page.read_text("utf-8")
    assert "&lt;script&gt;" in html
    assert "http" not in html.replace("http-equiv", "")
    assert "<script>" not in html
    shown = CliRunner().invoke(cli, ["coverage", "--store", store.location])
    assert f"not searchable\t{folder}/leer.txt\tempty: " in shown.stdout
    assert "5 of 12 sources" in shown.stderr


def test_what_failed_is_kept_until_it_is_read_or_gone(folder: Path, store: Store) -> None:
    for name in ("gut.txt", "leer.txt", "geheim.pdf", "film.mp4"):
        (folder / name).rename(folder.parent / name)
    for file in folder.iterdir():
        file.unlink()
    for name in ("gut.txt", "leer.txt", "geheim.pdf", "film.mp4"):
        (folder.parent / name).rename(folder / name)
    other = folder.parent / "kaputt.pdf"
    other.write_bytes(b"%PDF-1.7\nkaputt")
    ingest([str(folder)], store, SETTINGS)
    ingest([str(other)], store, SETTINGS)

    def unread() -> dict[str, str]:
        return {Path(item.source).name: item.kind for item in read_unread(Store(store.location))}

    assert unread() == {
        "leer.txt": "empty", "geheim.pdf": "encrypted", "film.mp4": "no supported format", "kaputt.pdf": "broken",
    }  # fmt: skip
    (folder / "leer.txt").write_text("Nun steht etwas darin.", "utf-8")
    (folder / "film.mp4").unlink()
    (folder / "gut.txt").write_bytes(b"")
    ingest([str(folder)], store, SETTINGS)
    assert unread() == {"gut.txt": "empty", "geheim.pdf": "encrypted", "kaputt.pdf": "broken"}
    (item,) = [item for item in coverage(store, [str(folder)]).sources if item.source.endswith("gut.txt")]
    assert (item.state, item.kind, item.characters) == ("outdated", "empty", len(MINUTES))


def test_a_store_of_nothing_but_failures_can_be_reported(folder: Path, store: Store) -> None:
    ingest([str(folder / "leer.txt")], store, SETTINGS)
    assert read_unread(store) == [Unread(str(folder / "leer.txt"), "empty", read_unread(store)[0].reason)]
    assert coverage(store).totals["states"] == {"not searchable": 1}


def test_near_duplicates_are_found_among_many_and_others_are_not() -> None:
    words = MINUTES.split()
    texts = {f"{number:05}": " ".join(f"{word}{number}" for word in words) for number in range(300)}
    texts |= {f"near-{number}": MINUTES.replace("zwei", str(number)) for number in range(5)}
    texts["half"] = " ".join([*words[: len(words) // 2], *(f"{word}x" for word in words[len(words) // 2 :])])
    texts |= {f"short-{number}": "Das Amt ist zu." for number in range(2)}
    groups = near_duplicates({name: sketch(text) for name, text in texts.items()})
    assert groups == [[f"near-{number}" for number in range(5)]]


def test_resemblance_is_that_of_the_texts() -> None:
    one = frozenset(range(64))
    assert resemblance(one, one) == 1
    assert resemblance(one, frozenset(range(64, 128))) == 0
    assert resemblance(frozenset(range(20)), frozenset(range(10, 30))) == pytest.approx(1 / 3)


def test_the_rule_that_gave_the_date_is_kept(folder: Path, store: Store) -> None:
    (folder / "stand.txt").write_text("Das Amt ist montags zu.", "utf-8")
    (folder / "stand.meta.json").write_text('{"published": "2024-03-01"}', "utf-8")
    (folder / "vorn.md").write_text("---\ndate: 2022-01-02\n---\nDas Amt ist offen.", "utf-8")
    (folder / "xmp.pdf").write_bytes(
        (folder / "rat.pdf").read_bytes() + b"<dc:date><rdf:Seq><rdf:li>2021-02-03</rdf:li></rdf:Seq></dc:date>"
    )
    ingest([str(folder)], store, SETTINGS)
    dates = {Path(item.source).name: (item.published, item.published_from) for item in store.summaries()}
    assert dates["stand.txt"] == ("2024-03-01", "side file")
    assert dates["seite.html"] == ("2023-05-06", "page metadata")
    assert dates["vorn.md"] == ("2022-01-02", "front matter")
    assert dates["fremd.txt"] == ("2024-03-12", "dateline")
    assert dates["xmp.pdf"] == ("2021-02-03", "PDF metadata")
    assert dates["gut.txt"] == (None, None)
    key = next(item.document_id for item in store.summaries() if item.source.endswith("seite.html"))
    store.close()
    shown = CliRunner().invoke(cli, ["show", key, "--store", store.location]).stdout
    assert "published_from: page metadata" in shown.splitlines()
    listed = json.loads(CliRunner().invoke(cli, ["documents", "--json", "--store", store.location]).stdout)
    assert {item["published_from"] for item in listed} >= {"dateline", None}


def test_records_of_older_stores_know_none_of_it(folder: Path, store: Store) -> None:
    document = Document("a", "A", "/a.txt", "Text.", published="2024-01-01", published_from="dateline")
    record = document_metadata(document, "hash", "version", 1)
    for name in ("published_from", "reading", "text_hash", "further", "mail"):
        del record[name]
    read = to_document("a", "Text.", record)
    assert (read.published, read.published_from, read.sources) == ("2024-01-01", None, ("/a.txt",))
    ingest([str(folder / "gut.txt")], store, SETTINGS)
    from rag.store import DOCUMENTS

    collection = store._collection(DOCUMENTS)
    (key,) = collection.get()["ids"]
    collection.update(ids=[key], metadatas=[{"reading": "", "text_hash": "", "published_from": ""}])
    (item,) = coverage(store).sources
    assert (item.state, item.dropped, item.dropped_sample) == ("searchable", None, "")
