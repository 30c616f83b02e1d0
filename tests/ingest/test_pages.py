"""What an answer holds: its format, links and wishes of a page, entries of a sitemap."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.pages import as_file, file_name, format_of, is_noindex, may_be_read, page_facts, read_sitemap
from rag.errors import LoadError

URL = "https://stadt.example/amt/start.html"


@pytest.mark.parametrize(
    ("url", "content_type", "body", "suffix"),
    [
        ("/a", "text/html; charset=utf-8", b"", ".html"),
        ("/a.pdf", "text/html", b"<p>Nicht gefunden", ".html"),
        ("/a", "application/xhtml+xml", b"", ".html"),
        ("/a", "application/pdf", b"", ".pdf"),
        ("/a.aspx", "application/octet-stream", b"%PDF-1.7", ".pdf"),
        ("/a.pdf", "application/octet-stream", b"", ".pdf"),
        ("/a", "text/plain", b"", ".txt"),
        ("/a.md", "text/plain", b"", ".md"),
        ("/a", "text/markdown", b"", ".md"),
        ("/a", None, b" <!DOCTYPE html><p>", ".html"),
        ("/a", None, b"\x00\x01", None),
        ("/a.png", "image/png", b"\x89PNG", None),
        ("/a", "application/zip", b"PK", None),
        ("/a", "application/json", b"{}", None),
    ],
)
def test_the_format_comes_from_type_name_and_bytes(
    url: str, content_type: str | None, body: bytes, suffix: str | None
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    assert format_of(f"https://stadt.example{url}", headers, body).suffix == suffix


def test_a_download_is_named_in_its_head() -> None:
    headers = {
        "content-type": "application/force-download",
        "content-disposition": 'attachment; filename="Satzung.PDF"',
    }
    assert format_of("https://stadt.example/get.php?id=5", headers, b"").suffix == ".pdf"


@pytest.mark.parametrize("charset", ["iso-8859-2", "windows-1250"])
def test_the_encoding_in_the_head_counts(charset: str) -> None:
    body = "<p>Żółta łąka</p>".encode(charset)
    found = format_of(URL, {"content-type": f"text/html; charset={charset}"}, body)
    assert as_file(body, found).decode() == "<p>Żółta łąka</p>"


@pytest.mark.parametrize("charset", ["iso-8859-1", "nonsense", "utf-16"])
def test_text_in_utf8_stays_so_whatever_the_head_says(charset: str) -> None:
    body = "<p>Größe</p>".encode()
    found = format_of(URL, {"content-type": f"text/html; charset={charset}"}, body)
    assert as_file(body, found) == body


def test_a_page_names_its_links_once_and_in_order() -> None:
    body = b"""<html><head><LINK REL=Canonical HREF="/amt/#top"></head><body>
    <a href=b.html>B</a> <a href="b.html#teil">B</a> <a href="../satzung.pdf">S</a> <map><area href=/karte></map>
    <a href="mailto:a@b.de">m</a> <a href="javascript:x()">j</a> <a href="#top">t</a> <a href="tel:115">t</a> <a>n</a>
    <a href="http://[">k</a> <a rel="external nofollow" href=/werbung>w</a> <a href="https://anderswo.example">x</a>"""
    facts = page_facts(body, URL, format_of(URL, {"content-type": "text/html"}, body))
    assert facts.links == (
        "https://stadt.example/amt/b.html", "https://stadt.example/satzung.pdf", "https://stadt.example/karte",
        "https://anderswo.example/",
    )  # fmt: skip
    assert facts.canonical == "https://stadt.example/amt/"
    assert (facts.noindex, facts.nofollow) == (False, False)


def test_links_are_relative_to_the_base_that_a_page_names() -> None:
    body = b"<base href='/portal/'><a href=a>a</a>"
    facts = page_facts(body, URL, format_of(URL, {"content-type": "text/html"}, body))
    assert facts.links == ("https://stadt.example/portal/a",)


@pytest.mark.parametrize(
    ("meta", "noindex", "nofollow"),
    [
        ('<meta name="robots" content="NoIndex, follow">', True, False),
        ('<meta name="ROBOTS" content="none">', True, True),
        ('<meta name="citycite" content="nofollow">', False, True),
        ('<meta name="googlebot" content="noindex">', False, False),
        ('<meta name="robots" content="index,follow">', False, False),
    ],
)
def test_a_page_says_what_robots_may_do(meta: str, noindex: bool, nofollow: bool) -> None:
    body = f"<html><head>{meta}</head><body>a</body></html>".encode()
    facts = page_facts(body, URL, format_of(URL, {"content-type": "text/html"}, body))
    assert (facts.noindex, facts.nofollow) == (noindex, nofollow)


@pytest.mark.parametrize(
    ("header", "noindex"),
    [("noindex", True), ("nofollow, NONE", True), ("citycite: noindex", True), ("googlebot: noindex", False),
     ("unavailable_after: 25 Jun 2030 15:00:00 GMT", False), ("noarchive", False)],
)  # fmt: skip
def test_the_head_of_an_answer_says_it_too(header: str, noindex: bool) -> None:
    assert is_noindex({"x-robots-tag": header}) is noindex
    assert not is_noindex({})


def test_a_broken_page_has_no_links_and_no_traceback() -> None:
    for body in (b"", b"\x00\x01\x02" * 100, b"<a href=/x>" * 5 + b"\xff\xfe", b"<" * 1000):
        page_facts(body, URL, format_of(URL, {"content-type": "text/html"}, body))
    deep = b"<div>" * 5000 + b"<a href=/tief>t</a>"
    page_facts(deep, URL, format_of(URL, {"content-type": "text/html"}, deep))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("/", True), ("/a", True), ("/a.html", True), ("/a.php?x=1", True), ("/a.aspx", True), ("/A.PDF", True),
     ("/www.gdansk.pl", True), ("/a.jpg", False), ("/a.zip", False), ("/a.css", False), ("/a.js", False),
     ("/a.mp4", False), ("/a.webp", False), ("/a.tar.gz", False), ("/a.exe", False)],
)  # fmt: skip
def test_pictures_and_archives_are_not_asked_for(path: str, wanted: bool) -> None:
    assert may_be_read(f"https://stadt.example{path}") is wanted


def test_a_file_is_called_as_its_address() -> None:
    assert file_name("https://stadt.example/a/Satzung%20Hundesteuer.php?id=1", ".pdf") == "Satzung-Hundesteuer.pdf"
    assert file_name("https://stadt.example/", ".html") == "page.html"
    assert file_name("https://stadt.example/..%2f..%2fetc%2fpasswd", ".txt") == "passwd.txt"
    assert len(file_name("https://stadt.example/" + "a" * 3000, ".html")) < 100


# --- Sitemaps ---------------------------------------------------------------------------------------------------------

_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def test_pages_and_sitemaps_are_listed_pictures_are_not() -> None:
    data = f"""<?xml version="1.0" encoding="UTF-8"?><!-- c --><urlset {_NAMESPACE} xmlns:i="x">
      <url><loc> https://stadt.example/a?x=1&amp;y=2 </loc><i:image><i:loc>https://stadt.example/a.jpg</i:loc></i:image></url>
      <url><loc>/b</loc></url><url><loc>https://stadt.example/b</loc></url><url><loc>mailto:x</loc></url></urlset>"""
    found = read_sitemap(data.encode(), "https://stadt.example/sitemap.xml")
    assert found is not None
    assert found.pages == ("https://stadt.example/a?x=1&y=2", "https://stadt.example/b")
    assert found.sitemaps == ()
    index = f"<sitemapindex {_NAMESPACE}><sitemap><loc>https://stadt.example/s.xml</loc></sitemap></sitemapindex>"
    listed = read_sitemap(index.encode(), URL)
    assert listed is not None
    assert listed.sitemaps == ("https://stadt.example/s.xml",)


def test_other_xml_is_no_sitemap_and_broken_xml_says_so() -> None:
    assert read_sitemap(b"<rss><channel/></rss>", URL) is None
    for data in (b"", b"Kein XML", b"<urlset"):
        with pytest.raises(LoadError, match="no XML that can be read"):
            read_sitemap(data, URL)
    cut = f"<urlset {_NAMESPACE}><url><loc>/a</loc></url><url><lo".encode()
    listed = read_sitemap(cut, URL)
    assert listed is not None
    assert listed.pages == ("https://stadt.example/a",)


def test_entities_are_not_expanded_and_files_not_read(tmp_path: Path) -> None:
    (tmp_path / "geheim").write_text("geheim")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    for entities, written in {
        f'<!ENTITY l0 "geheim">{laughs}': "&l11;",
        '<!ENTITY l "geheim">': "&l;",
        f'<!ENTITY f SYSTEM "{(tmp_path / "geheim").as_uri()}">': "&f;",
    }.items():
        entries = f"<url><loc>/vorher</loc></url><url><loc>/{written}</loc></url>"
        data = f"<!DOCTYPE urlset [{entities}]><urlset {_NAMESPACE}>{entries}</urlset>"
        listed = read_sitemap(data.encode(), URL)
        assert listed is not None
        assert listed.pages[0] == "https://stadt.example/vorher"
        assert not any("geheim" in page for page in listed.pages)


def test_a_sitemap_ends_at_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pages._MOST_ENTRIES", 500)
    data = f"<urlset {_NAMESPACE}>" + "".join(f"<url><loc>/{number}</loc></url>" for number in range(600))
    listed = read_sitemap(data.encode(), URL)
    assert listed is not None
    assert len(listed.pages) == 500
