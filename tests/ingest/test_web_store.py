"""Web pages in the store: added, unchanged, updated, removed, next to files, from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.pipeline import Report, document_id, ingest
from rag.records import web_stamp
from rag.settings import Settings
from rag.store import Store
from tests.ingest.web_site import Reply, Site, running_site
from ui.cli import main

SETTINGS = Settings(web_delay=0, web_allow_private=True, web_timeout=30)
TOWN_HALL = "<h1>Rathaus</h1><p>Das Rathaus ist offen.</p>"


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as made:
        made.page("/", f"<nav><a href=/bad>Bad</a> <a href=/satzung.txt>Satzung</a></nav>{TOWN_HALL}")
        made.page(
            "/bad",
            "<article><h1>Freibad</h1><p>Das Freibad öffnet am 15. Mai. Die Karte kostet vier Euro.</p></article>",
            '<meta property="article:published_time" content="2024-05-03">',
            ETag='"1"',
        )
        made.pages["/satzung.txt"] = Reply("Die Hundesteuer beträgt 90 Euro.".encode(), "text/plain")
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def run(store: Store, *paths: str, **options: bool | int) -> Report:
    return ingest(paths, store, SETTINGS, **options)  # type: ignore[arg-type]


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed, report.failed


def test_a_site_goes_in_and_a_second_time_costs_one_request_a_page(
    site: Site, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "markt.txt"
    file.write_text("Der Markt ist am Samstag.", "utf-8")
    seen: list[tuple[int, int]] = []
    report = ingest(
        [str(file), f"{site.url}/"], store, SETTINGS, depth=1, progress=lambda total, done: seen.append((total, done))
    )
    assert counts(report) == (4, 0, 0, 0, 0)
    assert seen[-1] == (4, 4)
    assert all(done <= total for total, done in seen)
    bad = store.document(document_id(f"{site.url}/bad"))
    assert bad.source == f"{site.url}/bad"
    assert bad.id.startswith("bad-")
    assert (bad.title, bad.published, bad.language) == ("Freibad", "2024-05-03", "de")
    assert "15. Mai" in bad.text
    assert web_stamp(store.records()[bad.id]).etag == '"1"'

    monkeypatch.setattr("rag.embeddings.EmbeddingModel._load", lambda self: pytest.fail("the model was loaded"))
    generation = store.generation
    site.log.clear()
    assert counts(run(store, f"{site.url}/", depth=1)) == (0, 0, 3, 0, 0)
    assert site.asked() == ["/ 200", "/bad 304", "/satzung.txt 200"]
    assert store.generation == generation

    monkeypatch.undo()
    for module in ("hashes", "web_reading"):  # pages read by an older one are read again
        monkeypatch.setattr(f"ingest.{module}.EXTRACTION_VERSION", "new")
    site.log.clear()
    assert counts(run(store, f"{site.url}/bad")) == (0, 1, 0, 0, 0)
    assert site.asked() == ["/bad 200"]


def test_only_a_new_text_is_an_update(site: Site, store: Store) -> None:
    url = f"{site.url}/bad"
    run(store, url)
    key = document_id(url)
    before = store.records()[key]
    site.page(
        "/bad",
        "<article><h1>Freibad</h1><p>Das Freibad öffnet am 15. Mai. Die Karte kostet vier Euro.</p></article>",
        '<meta property="article:published_time" content="2024-05-03"><meta name=token content=8f3a>',
        ETag='"2"',
    )
    assert counts(run(store, url)) == (0, 0, 1, 0, 0)
    after = store.records()[key]
    assert after["version"] == before["version"]
    assert web_stamp(after).etag == '"2"'
    site.log.clear()
    assert counts(run(store, url)) == (0, 0, 1, 0, 0)
    assert site.asked() == ["/bad 304"]

    site.page("/bad", "<p>Das Freibad öffnet am 20. Mai.</p>", ETag='"3"')
    assert counts(run(store, url)) == (0, 1, 0, 0, 0)
    assert "20. Mai" in store.document(key).text
    assert web_stamp(store.records()[key]).etag == '"3"'


def test_a_page_that_is_gone_stays_until_prune(site: Site, store: Store) -> None:
    run(store, f"{site.url}/", depth=1)
    del site.pages["/bad"]
    report = run(store, f"{site.url}/", depth=1)
    assert counts(report) == (0, 0, 2, 0, 1)
    assert report.failures[0].source == f"{site.url}/bad"
    assert report.failures[0].reason == (
        "is gone (HTTP 404); its document stays in the store, and --prune takes it out"
    )
    assert store.count() == 3
    site.page("/", f"<nav><a href=/satzung.txt>Satzung</a></nav>{TOWN_HALL}")  # the link is gone as well
    assert counts(run(store, f"{site.url}/", depth=1, prune=True)) == (0, 0, 2, 1, 0)
    assert {summary.source for summary in store.summaries()} == {f"{site.url}/", f"{site.url}/satzung.txt"}


def test_what_cannot_be_read_is_reported_and_prune_of_a_folder_leaves_pages_alone(
    site: Site, store: Store, tmp_path: Path
) -> None:
    site.pages["/leer"] = Reply(b"<html><body><script>x()</script></body></html>")
    site.pages["/kaputt"] = Reply(b"%PDF-1.4 kaputt", "application/pdf")
    run(store, f"{site.url}/bad")
    report = run(store, f"{site.url}/leer", f"{site.url}/kaputt", f"{site.url}/bad")
    assert counts(report) == (0, 0, 1, 0, 2)
    assert [failure.source for failure in report.failures] == [f"{site.url}/leer", f"{site.url}/kaputt"]
    assert "no readable text" in report.failures[0].reason
    assert "PDF" in report.failures[1].reason
    assert counts(run(store, str(tmp_path), prune=True))[3] == 0
    assert store.count() == 1


def test_the_command_line_follows_links_and_says_what_it_left_out(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.pages["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /bad", "text/plain")
    site.page("/", "<p>Das Rathaus ist offen.</p><a href=/bad>B</a><a href=/a.zip>Z</a><a href=/satzung.txt>S</a>")

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["citycite", *arguments, "--store", str(tmp_path / "s")])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    code, out, err = command("ingest", f"{site.url}/")
    assert (code, out) == (1, "added 0, updated 0, unchanged 0, removed 0, failed 1\n")
    assert f"failed: {site.url}/: has the address 127.0.0.1 (127.0.0.1), which is not public" in err
    assert not site.log
    monkeypatch.setenv("CITYCITE_WEB_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("CITYCITE_WEB_DELAY", "0")
    code, out, err = command("ingest", f"{site.url}/", "--depth", "1", "--limit", "3")
    assert (code, out) == (0, "added 2, updated 0, unchanged 0, removed 0, failed 0\n")
    assert f"note: {site.url}/bad: is closed to citycite by the site's robots.txt\n" in err
    assert f"skipped: {site.url}/a.zip: no supported format\n" in err
    code, out, err = command("ingest", f"{site.url}/", "--depth", "1", "--limit", "1", "--json")
    report = json.loads(out)
    assert report["unchanged"] == 1
    assert report["skipped"] == [f"{site.url}/a.zip"]
    assert report["notes"] == [
        {"source": f"{site.url}/", "note": "leads to more than 1 pages; take more in with --limit"}
    ]
    assert command("ingest", site.url, "--depth", "-1")[0] == 2
