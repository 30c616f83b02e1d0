"""One request: where it may connect to, how long it may last, how much it may bring, and what is said when it fails."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingest import fetching
from ingest.fetching import Fetcher, UnreachableError, gunzip
from rag.errors import LoadError
from rag.settings import Settings
from tests.ingest.web_site import Reply, Site, running_site

CERTIFICATE = Path(__file__).parent / "stadt.example.pem"


def fetcher(**settings: float | bool) -> Fetcher:
    return Fetcher(Settings(**{"web_delay": 0.0, "web_allow_private": True, "web_max_mb": 1} | settings))  # type: ignore[arg-type]


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site() as made:
        yield made


def test_the_answer_is_what_the_server_sent(site: Site) -> None:
    site.pages["/a?b=ü".replace("ü", "%C3%BC")] = Reply("grüße".encode(), "text/plain", headers={"ETag": '"1"'})
    response = fetcher().get(f"{site.url}/a?b=%C3%BC", {"If-None-Match": '"0"'})
    assert (response.status, response.body.decode(), response.headers["etag"]) == (200, "grüße", '"1"')
    asked = site.log[0].headers
    assert asked["Host"] == f"127.0.0.1:{site.port}"
    assert asked["If-None-Match"] == '"0"'
    assert asked["User-Agent"].startswith("citycite/")


def test_a_private_address_is_refused_before_anything_is_sent(site: Site) -> None:
    with pytest.raises(LoadError, match=r"127\.0\.0\.1.*not public; set CITYCITE_WEB_ALLOW_PRIVATE=true"):
        fetcher(web_allow_private=False).get(f"{site.url}/")
    assert not site.log


def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    """A name server that answers with another address each time is asked once a request, and never believed."""
    answers = [["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "169.254.169.254"]]
    asked: list[tuple[str, int]] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return answers[len(asked) - 1]

    site.page("/")
    ours = Fetcher(Settings(web_delay=0, web_allow_private=True), rebinding)
    url = f"http://stadt.example:{site.port}/"
    assert ours.get(url).status == 200
    assert asked == [("stadt.example", site.port)]
    assert site.log[0].headers["Host"] == f"stadt.example:{site.port}"
    for _ in range(2):
        with pytest.raises(LoadError, match=r"169\.254\.169\.254 \(stadt\.example\), which is not public"):
            ours.get(url)
    assert len(asked) == 3
    assert len(site.log) == 1


def test_the_next_address_is_tried_where_the_first_does_not_answer(site: Site) -> None:
    site.page("/")
    ours = Fetcher(Settings(web_delay=0, web_allow_private=True), lambda host, port: ["::1", "127.0.0.1"])
    assert ours.get(f"http://stadt.example:{site.port}/").status == 200


# --- Size -------------------------------------------------------------------------------------------------------------


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"a" * 100_000)


def test_an_announced_size_is_refused_unread_and_an_endless_page_at_the_limit(site: Site) -> None:
    def announced(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "60000000")
        handler.end_headers()
        handler.wfile.flush()
        refused.wait(60)  # whoever reads on would read nothing until then

    refused = threading.Event()
    site.pages |= {"/announced": announced, "/endless": endless}
    started = time.monotonic()
    for path in ("/announced", "/endless"):
        with pytest.raises(LoadError, match=r"has more than 1 MB; set CITYCITE_WEB_MAX_MB higher"):
            fetcher(web_timeout=100.0).get(site.url + path)
    assert time.monotonic() - started < 60
    refused.set()


def test_a_compressed_page_is_unpacked_and_a_bomb_is_not(site: Site) -> None:
    def put(path: str, body: bytes, encoding: str = "gzip") -> None:
        site.pages[path] = Reply(body, headers={"Content-Encoding": encoding})

    put("/page", gzip.compress(b"Rathaus") + gzip.compress(b" Krefeld") + b"\0\0")
    put("/bomb", gzip.compress(b"\0" * 200_000_000))
    put("/broken", gzip.compress(b"Rathaus" * 100)[:30])
    put("/nonsense", b"Rathaus")
    put("/brotli", b"Rathaus", "br")
    assert fetcher().get(f"{site.url}/page").body == b"Rathaus Krefeld"
    problems = {"/bomb": "more than 1 MB", "/broken": "cut off", "/nonsense": "unpacked", "/brotli": "compressed as br"}
    for path, message in problems.items():
        with pytest.raises(LoadError, match=message):
            fetcher().get(site.url + path)
    with pytest.raises(LoadError, match="more than 1 MB"):
        gunzip(gzip.compress(b"\0" * 2_000_000), 1_000_000)


# --- Time -------------------------------------------------------------------------------------------------------------


def test_a_server_that_drips_runs_out_of_time(site: Site) -> None:
    def drip(handler: BaseHTTPRequestHandler, head: bool) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"" if head else b"\r\n"))
        while not over.wait(0.1):
            handler.wfile.write(b"X-a: b\r\n")

    over = threading.Event()
    site.pages |= {"/head": lambda handler: drip(handler, True), "/body": lambda handler: drip(handler, False)}
    site.pages["/silent"] = lambda handler: over.wait(100)
    for path in ("/head", "/body", "/silent"):
        started = time.monotonic()
        with pytest.raises(UnreachableError, match=r"did not answer in full within 0\.5 s.*CITYCITE_WEB_TIMEOUT"):
            fetcher(web_timeout=0.5).get(site.url + path)
        assert 0.4 < time.monotonic() - started < 60
    over.set()


def test_requests_to_one_host_keep_their_distance(site: Site) -> None:
    ours = fetcher(web_delay=0.15)
    host = f"127.0.0.1:{site.port}"
    # From before the first: when a request arrives says too little of when it was sent.
    started = time.monotonic()
    for number in range(3):
        ours.get(f"{site.url}/")
        assert site.log[-1].at - started >= number * 0.15
    ours.slow_down(host, 0.4)
    ours.get(f"{site.url}/")
    assert site.log[-1].at - started >= 2 * 0.15 + 0.4
    ours.slow_down(host, 100)
    with running_site() as other:
        ours.get(f"{other.url}/")
    assert time.monotonic() - started < 60


# --- Failures ---------------------------------------------------------------------------------------------------------


def test_who_does_not_answer_as_a_web_server_is_named(site: Site) -> None:
    site.pages["/hangs-up"] = lambda handler: handler.connection.close()
    site.pages["/nonsense"] = lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")
    site.pages["/short"] = lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc")
    for path in ("/hangs-up", "/nonsense", "/short"):
        with pytest.raises(UnreachableError, match=r"did not answer as a web server does|cannot be reached"):
            fetcher().get(site.url + path)
    with pytest.raises(UnreachableError, match=r"cannot be reached at 127\.0\.0\.1:9 \(.*refused.*check address"):
        fetcher().get("http://127.0.0.1:9/")


def with_tls(server: ThreadingHTTPServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)


def test_certificates_are_checked_against_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    fetching._tls_context.cache_clear()
    with running_site(with_tls, "https") as site:
        site.page("/")

        def ask(name: str) -> int:
            ours = Fetcher(Settings(web_delay=0, web_allow_private=True), lambda host, port: ["127.0.0.1"])
            return ours.get(f"https://{name}:{site.port}/").status

        with pytest.raises(UnreachableError, match=r"no valid certificate \(self-signed certificate\).*SSL_CERT_FILE"):
            ask("stadt.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        fetching._tls_context.cache_clear()
        assert ask("stadt.example") == 200
        with pytest.raises(UnreachableError, match=r"no valid certificate \(Hostname mismatch"):
            ask("andere.example")
    fetching._tls_context.cache_clear()


def test_https_on_a_port_without_it_is_named(site: Site) -> None:
    with pytest.raises(UnreachableError, match=r"no secure connection .* http instead of https"):
        fetcher().get(site.url.replace("http:", "https:") + "/")
