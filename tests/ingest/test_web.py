"""A crawl against a real server: which pages it asks for, what it makes of the answers, and what it leaves alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler

import pytest

from ingest.fetching import Fetcher
from ingest.web import Crawl, Failed, Gone, LeftOut, Outcome, Page, Unchanged
from rag.records import WebStamp
from rag.settings import Settings
from tests.ingest.web_site import PARAGRAPH, Reply, Site, running_site

SETTINGS = Settings(web_delay=0, web_allow_private=True, web_timeout=30)


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as made:
        yield made


class Came:
    """The outcomes of a crawl, sorted, with the site's address cut off."""

    def __init__(self, site: Site, outcomes: Iterator[Outcome]) -> None:
        self.pages: dict[str, bytes] = {}
        self.stamps: dict[str, WebStamp] = {}
        self.failed: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.gone: dict[str, str] = {}
        self.unchanged: list[str] = []
        for outcome in outcomes:
            path = outcome.source.removeprefix(site.url)
            match outcome:
                case Page(file=file, stamp=stamp):
                    self.pages[path] = file.read_bytes()
                    self.stamps[path] = stamp
                case Failed(reason=reason):
                    self.failed[path] = reason
                case LeftOut(reason=reason):
                    self.left_out[path] = reason
                case Gone(reason=reason):
                    self.gone[path] = reason
                case Unchanged():
                    self.unchanged.append(path)


def crawl(
    site: Site,
    *starts: str,
    known: Mapping[str, WebStamp] | None = None,
    depth: int = 0,
    limit: int = 500,
    recheck: bool = False,
    settings: Settings = SETTINGS,
    fetcher: Fetcher | None = None,
) -> Came:
    stored = {site.url + path: stamp for path, stamp in (known or {}).items()}
    running = Crawl(settings, stored, depth=depth, limit=limit, recheck=recheck, fetcher=fetcher)
    return Came(site, running.read([start if "://" in start else site.url + start for start in starts]))


def links(*targets: str) -> str:
    return f"<p>{PARAGRAPH}</p>" + "".join(f"<a href='{target}'>mehr</a>" for target in targets)


# --- Which pages ------------------------------------------------------------------------------------------------------


def test_one_page_is_one_page(site: Site) -> None:
    site.page("/amt", links("/anderes", "/satzung.pdf"))
    came = crawl(site, "/amt#oben")
    assert list(came.pages) == ["/amt"]
    assert PARAGRAPH.encode() in came.pages["/amt"]
    assert [asked.path for asked in site.log] == ["/robots.txt", "/amt"]


def test_links_are_followed_on_the_host_as_far_as_depth_says(site: Site) -> None:
    site.page("/start/", links("eins", "../zwei?b=1#c", "https://anderswo.example/", "http://127.0.0.1:9/", "bild.jpg"))
    site.page("/start/eins", links("/start/", "/drei", "/satzung.pdf"))
    site.page("/zwei?b=1", links("/start/eins"))
    site.page("/drei", links("/vier"))
    site.pages["/satzung.pdf"] = Reply(b"%PDF-1.4", "application/pdf")
    assert list(crawl(site, "/start/").pages) == ["/start/"]
    came = crawl(site, "/start/", depth=1)
    assert list(came.pages) == ["/start/", "/start/eins", "/zwei?b=1"]
    assert came.left_out == {"/start/bild.jpg": ""}
    site.log.clear()
    came = crawl(site, "/start/", depth=2)
    assert list(came.pages) == ["/start/", "/start/eins", "/zwei?b=1", "/drei", "/satzung.pdf"]
    assert not came.failed
    assert len(site.asked()) == 5


def test_the_limit_holds_and_says_so(site: Site) -> None:
    site.page("/", links(*(f"/{number}" for number in range(9))))
    for number in range(9):
        site.page(f"/{number}")
    came = crawl(site, "/", depth=1, limit=4)
    assert list(came.pages) == ["/", "/0", "/1", "/2"]
    assert came.left_out == {"/": "leads to more than 4 pages; take more in with --limit"}
    assert not crawl(site, "/", depth=1, limit=10).left_out


def test_a_page_may_keep_its_links_to_itself(site: Site) -> None:
    site.page("/", links("/a"), '<meta name="robots" content="nofollow">')
    assert list(crawl(site, "/", depth=1).pages) == ["/"]


def test_pages_in_a_sitemap_are_read(site: Site) -> None:
    site.sitemap("/sitemap.xml", "/a", "/b", "https://anderswo.example/c")
    site.page("/a", links("/tief"))
    site.page("/b")
    site.page("/tief")
    came = crawl(site, "/sitemap.xml", limit=2)
    assert list(came.pages) == ["/a", "/b"]
    assert came.left_out == {
        "/sitemap.xml": "lists pages on another host as well: 1, such as https://anderswo.example/c"
    }
    assert list(crawl(site, "/sitemap.xml", depth=1).pages) == ["/a", "/b", "/tief"]


def test_an_index_leads_to_packed_sitemaps_and_not_in_circles(site: Site) -> None:
    site.sitemap("/index.xml", "/eins.xml.gz", "/zwei.xml", "/index.xml", "/fehlt.xml", kind="sitemap")
    site.sitemap("/eins.xml.gz", "/a", packed=True)
    site.sitemap("/zwei.xml", "/b", "/a")
    site.page("/a")
    site.page("/b")
    came = crawl(site, "/index.xml")
    assert list(came.pages) == ["/a", "/b"]
    assert came.failed == {"/fehlt.xml": f"does not exist (HTTP 404); check the link to it in {site.url}/index.xml"}


def test_a_sitemap_that_lists_nothing_here_fails(site: Site) -> None:
    site.sitemap("/leer.xml")
    site.sitemap("/fremd.xml", "https://anderswo.example/c")
    site.pages["/feed.xml"] = Reply(b"<rss/>", "application/xml")
    site.pages["/kaputt.xml"] = Reply(b"kein XML", "application/xml")
    failed = crawl(site, "/leer.xml", "/fremd.xml", "/feed.xml", "/kaputt.xml").failed
    assert failed["/leer.xml"].startswith("lists no page")
    assert failed["/fremd.xml"].startswith("lists only pages on another host (https://anderswo.example/c)")
    assert failed["/feed.xml"] == "has the content type application/xml, which is not supported"
    assert failed["/kaputt.xml"].startswith("is no XML that can be read")


# --- robots -----------------------------------------------------------------------------------------------------------


def test_robots_txt_is_obeyed_with_wildcards_and_the_longest_rule(site: Site) -> None:
    site.pages["/robots.txt"] = Reply(
        b"User-agent: *\nDisallow: /*.pdf$\nAllow: /\nDisallow: /intern\nAllow: /intern/presse\n\n"
        b"User-agent: anderer\nDisallow: /",
        "text/plain",
    )
    site.page("/", links("/a", "/intern/x", "/intern/presse", "/satzung.pdf", "/satzung.pdf?druck"))
    for path in ("/a", "/intern/x", "/intern/presse", "/satzung.pdf", "/satzung.pdf?druck"):
        site.page(path)
    came = crawl(site, "/", depth=1)
    assert list(came.pages) == ["/", "/a", "/intern/presse", "/satzung.pdf?druck"]
    closed = "is closed to citycite by the site's robots.txt"
    assert came.left_out == {"/intern/x": closed, "/satzung.pdf": closed}
    assert not site.asked("/intern/x") + site.asked("/satzung.pdf")
    assert crawl(site, "/intern/x").failed["/intern/x"].startswith(f"{closed}; ask the site's operator")
    assert all(asked.headers["User-Agent"].startswith("citycite/") for asked in site.log)


def test_rules_for_citycite_by_name_and_its_delay(site: Site) -> None:
    site.pages["/robots.txt"] = Reply(b"User-agent: citycite\nCrawl-delay: 0.3\nDisallow: /zu", "text/plain")
    site.page("/", links("/zu", "/auf"))
    site.page("/auf")
    assert list(crawl(site, "/", depth=1).pages) == ["/", "/auf"]
    gaps = [later.at - earlier.at for earlier, later in zip(site.log, site.log[1:], strict=False)]
    assert len(gaps) == 2
    assert min(gaps) > 0.25


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(status=503, headers={"Retry-After": "0"}), r"robots\.txt cannot be \(HTTP 503\).*run again later"),
        (Reply(b"User-agent: *\nCrawl-delay: 9999", "text/plain"), "asks for 9999 s between two pages"),
        (Reply(status=302, headers={"Location": "file:///etc/passwd"}), "leads to an address that is no http"),
    ],
)
def test_a_robots_txt_that_cannot_be_followed_closes_the_site(site: Site, reply: Reply, message: str) -> None:
    site.pages["/robots.txt"] = reply
    site.page("/")
    came = crawl(site, "/")
    assert not came.pages
    assert not site.asked("/")
    assert re.search(message, came.failed["/"])


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_without_a_robots_txt_all_is_open(site: Site, status: int) -> None:
    site.pages["/robots.txt"] = Reply(status=status)
    site.page("/")
    assert list(crawl(site, "/").pages) == ["/"]


def test_a_robots_txt_may_lie_behind_a_redirect(site: Site) -> None:
    site.redirect("/robots.txt", "/r.txt")
    site.pages["/r.txt"] = Reply(b"User-agent: *\nDisallow: /", "text/plain")
    site.page("/")
    assert "robots.txt" in crawl(site, "/").failed["/"]


def test_noindex_is_left_out_with_a_note(site: Site) -> None:
    site.page("/", links("/meta", "/kopf"), '<meta name="robots" content="noindex">')
    site.page("/meta", head='<meta name="robots" content="none">')
    site.page("/kopf", X_Robots_Tag="noindex")
    came = crawl(site, "/", depth=1)
    assert came.left_out == dict.fromkeys(("/", "/meta", "/kopf"), "asks not to be indexed (noindex)")
    assert not came.pages


# --- Redirects and names ----------------------------------------------------------------------------------------------


def test_a_redirect_leads_to_the_page_under_its_own_address(site: Site) -> None:
    site.redirect("/alt", "neu?x=1#teil", 302)
    site.page("/neu?x=1", ETag='"1"')
    came = crawl(site, "/alt")
    assert list(came.pages) == ["/neu?x=1"]
    assert came.stamps["/neu?x=1"].etag == '"1"'


def test_a_redirect_may_be_written_with_umlauts(site: Site) -> None:
    site.page("/gr%C3%B6%C3%9Fe")
    for path, raw in {"/utf8": "größe".encode(), "/latin1": "größe".encode("latin-1")}.items():
        head = b"HTTP/1.0 301 Moved\r\nLocation: /" + raw + b"\r\n\r\n"
        site.pages[path] = lambda handler, head=head: handler.wfile.write(head)
        assert list(crawl(site, path).pages) == ["/gr%C3%B6%C3%9Fe"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("file:///etc/passwd", "leads to file:///etc/passwd, which is no http or https address"),
        ("ftp://stadt.example/", "leads to ftp://stadt.example/, which is no http or https address"),
        ("http://user:geheim@127.0.0.1/", "which holds a user name or password"),
        ("http://169.254.169.254/latest/", "which has the address 169.254.169.254 .*not public"),
        ("http://0.0.0.0:80/", "which has the address 0.0.0.0 .*not public"),
    ],
)
def test_a_redirect_to_where_nothing_is_read_is_refused(site: Site, target: str, message: str) -> None:
    site.redirect("/", target, 302)
    came = crawl(site, "/")
    assert not came.pages
    assert re.search(message, came.failed["/"])


def test_a_public_page_cannot_lead_into_the_house(site: Site) -> None:
    """The public page is played by a name that is let through once, and the house by this machine."""

    class Outside(Fetcher):
        def get(self, url: str, headers: Mapping[str, str] | None = None):  # type: ignore[no-untyped-def]
            return inner.get(url, headers) if url.startswith(site.url) else super().get(url, headers)

    inner = Fetcher(SETTINGS)
    with running_site() as house:
        house.page("/admin")
        site.redirect("/", f"{house.url}/admin")
        site.pages["/robots.txt"] = Reply(b"", "text/plain")
        came = crawl(site, "/", fetcher=Outside(Settings(web_delay=0)))
        assert "which has the address 127.0.0.1 (127.0.0.1), which is not public" in came.failed["/"]
        assert not house.log


def test_redirects_end_after_five(site: Site) -> None:
    for number in range(6):
        site.redirect(f"/{number}", f"/{number + 1}")
    site.page("/6")
    assert list(crawl(site, "/1").pages) == ["/6"]
    assert crawl(site, "/0").failed["/0"].startswith(f"redirects more than 5 times, last to {site.url}/6")
    site.redirect("/kreis", "/kreis")
    assert "redirects more than 5 times" in crawl(site, "/kreis").failed["/kreis"]


def test_the_first_address_may_lead_to_another_host_a_link_may_not(site: Site) -> None:
    with running_site() as other:
        other.page("/", links("/a"))
        other.page("/a")
        site.redirect("/", f"{other.url}/")
        came = crawl(site, "/", depth=1)
        assert list(came.pages) == [f"{other.url}/", f"{other.url}/a"]
        site.page("/start", links("/fort"))
        site.redirect("/fort", f"{other.url}/")
        other.log.clear()
        came = crawl(site, "/start", depth=1)
        assert came.left_out == {"/fort": f"leads to another host ({other.url}/)"}
        assert not other.log


def test_a_page_is_read_once_under_its_canonical_address(site: Site) -> None:
    canonical = f"<link rel=canonical href='{site.url}/a#x'>"
    site.page("/", links("/a?druck=1", "/a", "/fremd", "/zu"))
    site.page("/a?druck=1", head=canonical, ETag='"druck"')
    site.page("/a", head=canonical)
    site.page("/fremd", head="<link rel=canonical href='https://anderswo.example/'>")
    site.redirect("/zu", "/a")
    came = crawl(site, "/", depth=1)
    assert list(came.pages) == ["/", "/a", "/fremd"]
    assert came.left_out == {"/a": f"calls itself {site.url}/a, which was read already"}
    assert came.stamps["/a"] == WebStamp()  # that of another address would not fit


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_each_failure_is_one_line_and_the_others_are_read(site: Site) -> None:
    site.page("/", links("/401", "/403", "/404", "/500", "/418", "/langsam", "/gut"))
    for status in (401, 403, 418):
        site.pages[f"/{status}"] = Reply(status=status)
    site.pages["/500"] = Reply(status=500, headers={"Retry-After": "0"})
    site.pages["/langsam"] = lambda handler: time.sleep(2)
    site.page("/gut")
    came = crawl(site, "/", depth=1, settings=SETTINGS.model_copy(update={"web_timeout": 0.5}))
    assert list(came.pages) == ["/", "/gut"]
    sign_in = "needs a sign-in or is closed (HTTP {}); save the page as a file and ingest that"
    link = f"check the link to it in {site.url}/"
    assert came.failed == {
        "/401": sign_in.format(401),
        "/403": sign_in.format(403),
        "/404": f"does not exist (HTTP 404); {link}",
        "/500": "cannot be had: the server fails (HTTP 500); run again later",
        "/418": f"is not answered with a page (HTTP 418); {link}",
        "/langsam": "did not answer in full within 0.5 s; run again later, or set CITYCITE_WEB_TIMEOUT higher",
    }
    assert site.asked("/500") == ["/500 500", "/500 500"]
    assert site.asked("/401") == ["/401 401"]


def test_a_server_that_recovers_is_asked_once_more(site: Site) -> None:
    def recovering(handler: BaseHTTPRequestHandler) -> None:
        failing = len(site.asked("/")) == 1
        handler.send_response(503 if failing else 200)
        handler.send_header("Retry-After", "1")
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"" if failing else b"<p>Wieder da.</p>")

    site.pages["/"] = recovering
    assert crawl(site, "/").pages == {"/": b"<p>Wieder da.</p>"}
    first, second = (asked.at for asked in site.log if asked.path == "/")
    assert second - first > 0.9


def test_a_server_that_asks_for_an_hour_is_not_waited_for(site: Site) -> None:
    site.pages["/"] = Reply(status=429, headers={"Retry-After": "3600"})
    started = time.monotonic()
    assert "HTTP 429" in crawl(site, "/").failed["/"]
    assert time.monotonic() - started < 60
    assert len(site.asked("/")) == 1


def test_a_host_that_died_is_not_asked_for_all_its_pages(site: Site) -> None:
    paths = [f"/{number}" for number in range(20)]
    site.page("/", links(*paths))
    for path in paths:
        site.pages[path] = lambda handler: handler.connection.close()
    came = crawl(site, "/", depth=1)
    assert len(site.asked()) == 6
    assert len(came.failed) == 6
    assert came.failed["/"] == (
        "gave no page 5 times in a row; 15 more of its pages were not asked for: run again later"
    )


def test_formats_that_are_not_supported_are_listed(site: Site) -> None:
    site.page("/", links("/download?id=1", "/plan.zip", "/text"))
    site.pages["/download?id=1"] = Reply(b"PK", "application/zip")
    site.pages["/text"] = Reply(b"Nur Text.", "text/plain")
    came = crawl(site, "/", depth=1)
    assert came.left_out == {"/download?id=1": "", "/plan.zip": ""}
    assert came.pages["/text"] == b"Nur Text."
    assert not site.asked("/plan.zip")
    assert "content type application/zip" in crawl(site, "/download?id=1").failed["/download?id=1"]


def test_wrong_addresses_fail_and_the_rest_is_read(site: Site) -> None:
    site.page("/")
    came = crawl(site, "http://nirgends.invalid/", "https://user@stadt.example/", "http://127.0.0.1:9/", "/")
    assert list(came.pages) == ["/"]
    assert "host name that is not known: nirgends.invalid" in came.failed["http://nirgends.invalid/"]
    assert "user name or password" in came.failed["https://user@stadt.example/"]
    assert "cannot be reached at 127.0.0.1:9" in came.failed["http://127.0.0.1:9/"]


# --- A second time ----------------------------------------------------------------------------------------------------


def test_a_stored_page_is_asked_for_with_its_stamp(site: Site) -> None:
    site.page("/etag", ETag='"1"')
    site.page("/datum", Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")
    site.page("/neu", ETag='"2"')
    site.sitemap("/s.xml", "/etag", "/datum", "/neu")
    first = crawl(site, "/s.xml")
    assert first.stamps["/etag"] == WebStamp(etag='"1"')
    site.page("/neu", ETag='"3"')
    second = crawl(site, "/s.xml", known=first.stamps)
    assert second.unchanged == ["/etag", "/datum"]
    assert list(second.pages) == ["/neu"]
    assert site.asked("/etag") == ["/etag 200", "/etag 304"]
    assert crawl(site, "/etag", known={"/etag": WebStamp()}).pages  # a store without stamps


def test_validators_that_cannot_be_sent_back_are_not_kept(site: Site) -> None:
    site.page("/umlaut", ETag='"größe"')
    site.page("/lang", ETag='"' + "a" * 5000 + '"')
    assert list(crawl(site, "/umlaut", "/lang").stamps.values()) == [WebStamp(), WebStamp()]


def test_a_page_whose_links_are_wanted_is_read_whatever_its_stamp(site: Site) -> None:
    site.page("/", links("/a"), ETag='"1"')
    site.page("/a", ETag='"1"')
    first = crawl(site, "/", depth=1)
    site.page("/", links("/a", "/b"), ETag='"1"')
    site.page("/b")
    second = crawl(site, "/", depth=1, known=first.stamps)
    assert list(second.pages) == ["/", "/b"]
    assert second.unchanged == ["/a"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_stored_page_that_is_gone_is_told_from_one_that_never_was(site: Site, status: int) -> None:
    site.sitemap("/s.xml", "/a", "/b")
    site.pages["/a"] = site.pages["/b"] = Reply(status=status)
    came = crawl(site, "/s.xml", known={"/a": WebStamp(etag='"1"')})
    assert came.gone == {"/a": f"is gone (HTTP {status})"}
    assert list(came.failed) == ["/b"]


def test_stored_pages_that_nothing_leads_to_are_asked_for_on_request(site: Site) -> None:
    site.page("/", links("/a"))
    site.page("/a")
    site.page("/verwaist")
    known = {"/a": WebStamp(), "/verwaist": WebStamp(), "/weg": WebStamp()}
    assert not crawl(site, "/", depth=1, known=known).gone
    came = crawl(site, "/", depth=1, known=known, recheck=True)
    assert came.gone == {"/weg": "is gone (HTTP 404)"}
    assert list(came.pages) == ["/", "/a", "/verwaist"]
    assert not crawl(site, "/", known=known, recheck=True).gone  # one page is not its site


def test_a_stored_page_that_moved_for_good_is_gone_from_its_old_address(site: Site) -> None:
    site.redirect("/alt", "/neu", 301)
    site.redirect("/heute", "/wartung", 302)
    site.page("/neu")
    site.page("/wartung")
    site.page("/umbenannt?x", head="<link rel=canonical href=/umbenannt>")
    known = dict.fromkeys(("/alt", "/heute", "/umbenannt?x"), WebStamp())
    came = crawl(site, "/alt", "/heute", "/umbenannt?x", known=known)
    assert came.gone == {
        "/alt": f"now has the address {site.url}/neu",
        "/umbenannt?x": f"now has the address {site.url}/umbenannt",
    }
    assert list(came.pages) == ["/neu", "/wartung", "/umbenannt"]


def test_two_pages_that_name_each_other_canonical_both_stay(site: Site) -> None:
    site.page("/a", head="<link rel=canonical href=/b>")
    site.page("/b", head="<link rel=canonical href=/a>")
    came = crawl(site, "/a", "/b", known={"/a": WebStamp(), "/b": WebStamp()})
    assert sorted(came.pages) == ["/a", "/b"]
    assert not came.gone


def test_a_stored_page_that_no_longer_wants_to_be_indexed_is_gone(site: Site) -> None:
    site.page("/a", head='<meta name="robots" content="noindex">')
    assert crawl(site, "/a", known={"/a": WebStamp()}).gone == {"/a": "now asks not to be indexed (noindex)"}
