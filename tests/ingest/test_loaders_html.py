"""Web pages: content without frame, structure, dates, and pages in poor shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.loaders import Extract, load
from rag.errors import LoadError

PARAGRAPH = (
    "Die Stadt nennt drei Zutaten für den Erfolg: eine Strategie, Fachleute aus vielen Ämtern und den Willen dazu."
)


def page(folder: Path, body: str, head: str = "") -> Extract:
    path = folder / "page.html"
    path.write_text(f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>", "utf-8")
    return load(path)


ARTICLE = f"""
<nav><ul><li><a href=/>Startseite</a></li><li><a href=/archiv>Archiv</a></li></ul></nav>
<div class=cookie-banner>Wir nutzen Cookies. <button>Alle akzeptieren</button></div>
<main><article>
<h1>Frankfurt zu Besuch</h1>
<p>{PARAGRAPH} Der Ge&shy;gen&shy;besuch folgt im Dezer- nat am 23.&nbsp;Juni.</p>
<h2>Die Runde</h2>
<ul><li>Marta Nowak, Leiterin des Amtes,</li><li>Piotr Bukowski, ihr Stellvertreter.</li></ul>
<h2>Zahlen</h2>
<table><tr><th>Jahr</th><th>Reise</th></tr><tr><td>2014</td><td>nach Krakau</td></tr></table>
<p><strong>Was kommt danach?</strong><br>{PARAGRAPH}</p>
<script>alert("nicht zeigen")</script>
</article>
<section class=share><h2>Teilen</h2><ul><li><a href=#>Auf Facebook teilen</a></li></ul></section>
<section class=imprint>
<p>Herausgeber: Amt<br>Veröffentlichungsdatum: 2016-06-28<br>Aktualisierungsdatum: 2016-07-22</p>
</section>
</main>
<footer><p>Impressum | Datenschutz</p></footer>
"""


def test_the_article_is_read_with_its_structure_and_without_the_frame(tmp_path: Path) -> None:
    extract = page(tmp_path, ARTICLE, "<title>Frankfurt zu Besuch – Stadtportal</title>")
    assert extract.text.split("\n\n") == [
        "Frankfurt zu Besuch",
        f"{PARAGRAPH} Der Gegenbesuch folgt im Dezernat am 23. Juni.",
        "Die Runde",
        "• Marta Nowak, Leiterin des Amtes,\n• Piotr Bukowski, ihr Stellvertreter.",
        "Zahlen",
        "Jahr: 2014 | Reise: nach Krakau",
        "Was kommt danach?",
        PARAGRAPH,
    ]
    assert [mark.label for mark in extract.sections] == [
        "Frankfurt zu Besuch",
        "Die Runde",
        "Zahlen",
        "Was kommt danach?",
    ]
    assert all(extract.text.startswith(mark.label, mark.start) for mark in extract.sections)
    assert extract.title == "Frankfurt zu Besuch"
    assert extract.published == "2016-06-28"


@pytest.mark.parametrize(
    ("head", "body", "date"),
    [
        ("", "<p>Veröffentlichungsdatum: 28.06.2016</p>", "2016-06-28"),
        ("", "<dl><dt>Veröffentlichungsdatum</dt><dd>28.06.2016</dd></dl>", "2016-06-28"),
        ("", "<span>Opublikowano: </span><span>28.06.2016</span>", "2016-06-28"),
        ('<meta property="article:published_time" content="2025-10-03T16:00:00+02:00">', "", "2025-10-03"),
        ('<meta name="DC.date.issued" content="2025-10-03">', "", "2025-10-03"),
        (
            '<script type="application/ld+json">{"@type":"Event","datePublished": "2025-10-03"}</script>',
            "",
            "2025-10-03",
        ),
        ("", '<div class=meta><time datetime="2024-05-03T10:00">3. Mai</time></div>', "2024-05-03"),
        ("", "<p>Köln, 3. Mai 2024 – Der Rat tagt.</p>", "2024-05-03"),
        ("", f'<p>{PARAGRAPH} Das Fest ist am <time datetime="2025-01-01">1. Januar</time>.</p>', None),
        ('<script type="application/ld+json">{"@type":"Event","startDate": "2025-10-03"}</script>', "", None),
        ('<meta name="date" content="bald">', "", None),
    ],
)
def test_the_date_of_publication_is_found(tmp_path: Path, head: str, body: str, date: str | None) -> None:
    assert page(tmp_path, f"<main><h1>Ein Titel</h1>{body}<p>{PARAGRAPH}</p></main>", head).published == date


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ('<title>X</title><meta property="og:title" content="Der Titel | Stadt">', "<h1>Der Titel</h1>", "Der Titel"),
        (
            '<title>X</title><meta property="og:title" content="Der wahre Titel">',
            "<h1>Stadt Köln</h1>",
            "Der wahre Titel",
        ),
        ("<title>Der Titel – Stadt Köln</title>", "<h2>Unter</h2>", "Der Titel"),
        ("", "", PARAGRAPH[:42]),
    ],
)
def test_the_title_is_the_headline_or_what_the_page_calls_itself(
    tmp_path: Path, head: str, body: str, title: str
) -> None:
    found = page(tmp_path, f"{body}<p>{PARAGRAPH}</p><p>{PARAGRAPH}</p>", head).title
    assert found is not None
    assert found.startswith(title)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<main><h1>Amt</h1><dl><dt>Ort</dt><dd>Markt 1<br>50667 Köln</dd><dt>Tel.</dt><dd>0221</dd></dl></main>",
            "Amt\n\nOrt: Markt 1, 50667 Köln\nTel.: 0221",
        ),
        (
            "<nav>Menü</nav><main><h1>Partner</h1><ul><li><a href=/>Krakau</a></li><li>Lyon</li></ul></main>",
            "Partner\n\n• Krakau\n• Lyon",
        ),
        (
            "<main><h1>Fragen</h1><details><summary>Was kostet es?</summary><p>Es kostet 37 Euro.</p></details></main>",
            "Fragen\n\nWas kostet es?\n\nEs kostet 37 Euro.",
        ),
        ("<ol><li>eins</li><li>zwei<ul><li>innen</li></ul></li></ol>", "1. eins\n2. zwei\n• innen"),
        ("<div>Der Rat tagt.<br>Er berät.<br><br>Er geht.</div>", "Der Rat tagt.\nEr berät.\n\nEr geht."),
        ("<p>Eins <b>zwei<p>Drei</i> vier <table><tr><td>Ort<td>Köln", "Eins zwei\n\nDrei vier\n\nOrt: Köln"),
        ("Nur Text ohne ein einziges Tag", "Nur Text ohne ein einziges Tag"),
    ],
)  # fmt: skip
def test_short_and_broken_pages_keep_their_structure(tmp_path: Path, body: str, text: str) -> None:
    assert page(tmp_path, body).text == text


def test_an_empty_main_part_does_not_hide_the_text_beside_it(tmp_path: Path) -> None:
    assert page(tmp_path, "<main id=app></main><div>Der Rat tagt.</div>").text == "Der Rat tagt."


def test_control_characters_do_not_stop_the_reading(tmp_path: Path) -> None:
    assert page(tmp_path, "<nav>Menü</nav>\x0c\x07&#8;&#x0C;<main>Der Rat\x0c tagt&#7;.</main>").text == "Der Rat tagt."


def test_a_form_around_the_whole_page_is_no_search_box(tmp_path: Path) -> None:
    body = f"<form><h2>Titel</h2><p>{PARAGRAPH}</p><p>{PARAGRAPH}</p><p>{PARAGRAPH}</p><p>{PARAGRAPH}</p></form>"
    assert page(tmp_path, f"<main>{body}</main>").text.count(PARAGRAPH) == 4


def test_nothing_of_the_main_part_is_lost(tmp_path: Path) -> None:
    body = "".join(
        f"<div><h3>Amt {number}</h3><a href=/{number}>Zimmer {number}, Telefon 0221-{number}</a></div>"
        for number in range(9)
    )
    extract = page(tmp_path, f"<main><h1>Ämter</h1><p>{PARAGRAPH}</p>{body}</main>")
    assert all(f"Telefon 0221-{number}" in extract.text for number in range(9))


def test_tags_that_are_never_closed_do_not_end_in_recursion(tmp_path: Path) -> None:
    text = page(tmp_path, "<h1>Titel</h1><p>Vorher.</p>" + "<font><div>" * 100 + "Tief innen.<p>Und noch einer.").text
    assert text.split() == "Titel Vorher. Tief innen. Und noch einer.".split()


@pytest.mark.parametrize(
    "body",
    [
        "<script>render()</script>",
        "<noscript>JavaScript einschalten!</noscript><div id=app></div>",
        "<img src=x>",
        "&nbsp;",
    ],
)
def test_a_page_without_text_says_so(tmp_path: Path, body: str) -> None:
    with pytest.raises(LoadError, match="has no readable text"):
        page(tmp_path, body)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("cp1252", "iso-8859-1"),
        ("cp1252", ""),
        ("cp1250", "windows-1250"),
        ("utf-8", "iso-8859-1"),
        ("utf-16", "utf-8"),
        ("cp1252", "nonsense"),
        ("cp1252", "hex"),
    ],
)
def test_the_encoding_is_the_declared_one_unless_the_bytes_say_otherwise(
    tmp_path: Path, encoding: str, declared: str
) -> None:
    text = "Kraków grüßt Köln" if encoding != "cp1250" else "Żółte łąki w Krakowie"
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    path = tmp_path / "page.htm"
    path.write_bytes(f"<html><head>{meta}</head><body><p>{text}</p></body></html>".encode(encoding))
    assert load(path).text == text


def test_an_xml_declaration_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<?xml version='1.0' encoding='UTF-8'?><html xmlns='http://www.w3.org/1999/xhtml'><body><p>Köln</p></body></html>"
    )
    assert load(path).text == "Köln"
