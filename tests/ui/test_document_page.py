"""The page of one document."""

import html
import re

import pytest

from tests.ui.stand_in import ACCESSION, DOCUMENTS, HOSTILE, broken_store
from ui.texts import text

ADDRESS = "/documents/krakau-eurocities%2Fbeitritt"
QUOTE = "Seit dem 15. Oktober zählt Krakau auch förmlich zu Eurocities, dem größten Städtenetzwerk Europas."


def _shown(page):
    article = re.search(r"<article.*</article>", page, re.DOTALL).group()
    return html.unescape(re.sub(r"<[^>]*>", "", article))


def _marked(page):
    return "".join(html.unescape(part) for part in re.findall(r"<mark[^>]*>(.*?)</mark>", page, re.DOTALL))


def test_the_quote_is_marked_in_the_whole_text(stand_in_client):
    start = ACCESSION.index(QUOTE)
    response = stand_in_client.get(f"{ADDRESS}?start={start}&end={start + len(QUOTE)}&lang=de")
    assert response.status_code == 200
    page = response.text
    assert _marked(page) == QUOTE
    assert page.count('id="quote"') == 1
    assert '<html lang="de">' in page
    assert '<article lang="de">' in page
    assert "<h2>Aufnahme</h2>" in page
    for expected in ("Krakau tritt Eurocities bei", "krakau-eurocities-beitritt.txt", "15.10.2025", "Seite 2"):
        assert expected in page
    assert "<script" not in page
    assert "src=" not in page


def test_nothing_of_the_text_is_lost(stand_in_client):
    page = stand_in_client.get(f"{ADDRESS}?lang=de").text
    without_pages = re.sub(r"Seite \d", "", _shown(page))
    assert re.sub(r"\s+", "", without_pages) == re.sub(r"\s+", "", ACCESSION)
    assert "<mark" not in page


def test_a_range_over_several_paragraphs_is_marked_in_each(stand_in_client):
    start, end = ACCESSION.index("\n\nVorgeschichte"), ACCESSION.index("Ausblick") + 3
    page = stand_in_client.get(f"{ADDRESS}?start={start}&end={end}").text
    assert page.count('id="quote"') == 1
    assert re.sub(r"\s+", "", _marked(page)) == re.sub(r"\s+", "", ACCESSION[start:end])


def test_hostile_text_stays_text(stand_in_client):
    page = stand_in_client.get(f"/documents/markt?start=0&end={len(HOSTILE)}").text
    # The label of its section is not in its first line, so it stands above the text.
    assert re.sub(r"\s+", "", _shown(page)) == re.sub(r"\s+", "", "<b>x</b>" + HOSTILE)
    tags = set(re.findall(r"<(\w+)", page))
    assert not tags & {"script", "img", "i", "b", "details", "code", "iframe"}
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    "query",
    ["start=5", "end=5", "start=5&end=5", "start=9&end=5", "start=-1&end=5", "start=0&end=99999", "start=a&end=5",
     "start=1.5&end=5", "start=&end=", f"start=0&end={'9' * 5000}", "start=%C2%B2&end=5"],
)  # fmt: skip
def test_a_range_that_is_none_is_refused_in_plain_words(stand_in_client, query):
    response = stand_in_client.get(f"{ADDRESS}?{query}&lang=de")
    assert response.status_code == 422
    assert response.headers["content-type"].startswith("text/html")
    assert "Diese Stelle gibt es nicht" in response.text
    assert f"{len(ACCESSION)} Zeichen" in response.text
    assert f'href="{ADDRESS.replace("%2F", "/")}?lang=de"' in response.text


@pytest.mark.parametrize(
    ("language", "expected"), [("de", "gibt es hier nicht"), ("en", "There is no document"), ("pl", "Nie ma tu")]
)
def test_an_unknown_document_is_not_found_in_the_readers_language(stand_in_client, language, expected):
    response = stand_in_client.get("/documents/%3Cscript%3E", headers={"Accept-Language": f"{language}-XX,fr;q=0.5"})
    assert f'<a href="/?lang={language}">{text("back_to_chat", language)}</a>' in response.text
    assert response.status_code == 404
    assert expected in response.text
    assert f'<html lang="{language}">' in response.text
    assert "<script" not in response.text


def test_a_broken_store_is_told_in_plain_words(stand_in, stand_in_client):
    stand_in.failure = broken_store()
    response = stand_in_client.get(ADDRESS, headers={"Accept-Language": "pl"})
    assert response.status_code == 503
    assert "chwilowo niedostępne" in response.text


def test_only_web_addresses_are_links(stand_in_client):
    page = stand_in_client.get(f"/documents/{DOCUMENTS[1].id}").text
    assert '<a href="https://www.example.org/vorlage" rel="noopener noreferrer">' in page
