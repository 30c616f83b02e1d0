"""From a web address to pages: one page, the pages of a sitemap, or those that links lead to, on one host."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego

from ingest.addresses import host_of, normal_url
from ingest.fetching import MEGABYTE, Fetcher, Response, UnreachableError, gunzip
from ingest.pages import (
    PageFacts,
    as_file,
    file_name,
    format_of,
    is_noindex,
    may_be_read,
    may_be_sitemap,
    page_facts,
    read_sitemap,
    suffix_in,
)
from rag.errors import LoadError
from rag.records import WebStamp
from rag.settings import Settings

# Browsers allow twenty; real sites need two or three.
_MOST_REDIRECTS = 5
_REDIRECTS, _PERMANENT = (301, 302, 303, 307, 308), (301, 308)
# A server under load asks for a few seconds; one that wants more than a minute is asked again in the next run.
_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
# After so many requests in a row without an answer the host is down.
_MOST_UNREACHABLE = 5
# An index may list 50,000 sitemaps; the pages in this many are more than a run takes.
_MOST_SITEMAPS = 500
# Validators have some 40 characters; they are kept in every record.
_LONGEST_VALIDATOR = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was fetched: `source` is its address, `file` holds its bytes until the next outcome is asked for."""

    source: str
    file: Path
    stamp: WebStamp


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that a stored page is as it was."""

    source: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A stored page that is no longer what the server has at this address."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An address that could not be read, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An address that was left out on purpose, and why; the reason is empty where its format is not supported."""

    source: str
    reason: str


Outcome = Page | Unchanged | Gone | Failed | LeftOut


@dataclass(frozen=True, slots=True)
class _Link:
    """An address to read: `steps` from the start, found on `page` (None: named by the user)."""

    url: str
    steps: int
    page: str | None = None
    is_sitemap: bool = False


class _LeftOutError(LoadError):
    """Not a failure: the page or the rules of the run ask for it."""


class _CoveredError(LoadError):
    """The address leads to one that is read under its own name: which, if for good."""


class Crawl:
    """Reads web addresses within bounds and says of each page what came of it.

    `known` has the stamp of each stored page by its source. `depth` is how many links a page may be away from the
    address given, `limit` the number of pages in all. With `recheck`, stored pages of a site that were not met on it
    are asked for too, so that those that are gone come to light.
    """

    def __init__(
        self,
        settings: Settings,
        known: Mapping[str, WebStamp],
        *,
        depth: int = 0,
        limit: int = 500,
        recheck: bool = False,
        fetcher: Fetcher | None = None,
    ) -> None:
        # For progress: pages found so far, and those of them that were left out on purpose.
        self.found = 0
        self.left_out = 0
        self._known = known
        self._depth = depth
        self._limit = limit
        self._recheck = recheck
        self._max_bytes = settings.web_max_mb * MEGABYTE
        self._fetcher = fetcher or Fetcher(settings)
        self._robots: dict[str, Protego | LoadError] = {}
        self._seen: set[str] = set()
        self._sources: set[str] = set()
        self._gone: dict[str, str] = {}
        self._queue: deque[_Link] = deque()
        self._host = ""
        self._sitemaps = 0
        self._over = False
        self._unreachable = 0

    def read(self, urls: Sequence[str]) -> Iterator[Outcome]:
        """Yield what came of each page; a page that fails does not stop the others."""
        with tempfile.TemporaryDirectory(prefix="citycite-") as folder:
            for url in urls:
                yield from self._site(url, Path(folder))
        # Last, so that what a page was replaced by is stored, and not for pages that were then read after all.
        yield from (Gone(url, reason) for url, reason in self._gone.items() if url not in self._sources)

    def _site(self, given: str, folder: Path) -> Iterator[Outcome]:
        try:
            start = normal_url(given)
        except LoadError as error:
            self.found += 1
            yield Failed(given, str(error))
            return
        self._host, self._unreachable, self._over = host_of(start), 0, False
        sitemaps = self._sitemaps
        self._enqueue(_Link(start, 0))
        yield from self._drain(start, folder)
        is_site = self._depth > 0 or self._sitemaps > sitemaps
        if self._recheck and is_site and self._unreachable < _MOST_UNREACHABLE:
            for source in self._known:
                if host_of(source) == self._host:
                    self._enqueue(_Link(source, self._depth, page="the store"))
            yield from self._drain(start, folder)
        if self._over:
            yield LeftOut(start, f"leads to more than {self._limit} pages; take more in with --limit")

    def _drain(self, start: str, folder: Path) -> Iterator[Outcome]:
        while self._queue:
            link = self._queue.popleft()
            try:
                yield from self._visit(link, folder)
                self._unreachable = 0
            except _CoveredError as target:
                self.found -= 1
                if link.url in self._known and str(target):
                    self._gone[link.url] = f"now leads to {target}"
            except _LeftOutError as reason:
                self.left_out += 1
                yield LeftOut(link.url, str(reason))
            except LoadError as error:
                yield Failed(link.url, str(error))
                self._unreachable = self._unreachable + 1 if isinstance(error, UnreachableError) else 0
            if self._unreachable >= _MOST_UNREACHABLE and self._queue:
                yield Failed(
                    start,
                    f"gave no page {_MOST_UNREACHABLE} times in a row; {len(self._queue)} more of its pages were "
                    "not asked for: run again later",
                )
                self._queue.clear()

    def _enqueue(self, link: _Link) -> None:
        if link.url in self._seen:
            return
        if link.is_sitemap:
            if self._sitemaps >= _MOST_SITEMAPS:
                self._over = True
                return
            self._sitemaps += 1
        elif self.found >= self._limit:
            self._over = True
            return
        else:
            self.found += 1
        self._seen.add(link.url)
        self._queue.append(link)

    # -- one address ----------------------------------------------------------------------------------------------

    def _visit(self, link: _Link, folder: Path) -> Iterator[Outcome]:
        response, moved = self._follow(link)
        stored = [url for url in (link.url, response.url) if url in self._known]
        if response.status == 304 and stored:
            self._sources.add(response.url)
            yield Unchanged(response.url)
        elif response.status in (404, 410) and stored:
            self._gone |= dict.fromkeys(stored, f"is gone (HTTP {response.status})")
        elif response.status != 200:
            # An overloaded server is no better off for being asked for the next page.
            kind = UnreachableError if response.status in (429, 503) else LoadError
            raise kind(_status_problem(response.status, link.page))
        else:
            if link.page is None:
                self._host = host_of(response.url)
            yield from self._take(link, response, moved, folder)

    def _follow(self, link: _Link) -> tuple[Response, bool]:
        """Ask for an address and where it redirects to; tell as well whether it has moved there for good."""
        url, moved = link.url, True
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                response = self._ask(url, link)
            except LoadError as error:
                if url == link.url:
                    raise
                raise type(error)(f"leads to {url}, which {error}") from None
            if response.status not in _REDIRECTS or "location" not in response.headers:
                return response, moved and url != link.url
            moved = moved and response.status in _PERMANENT
            written = response.headers["location"]
            try:
                url = normal_url(written, url)
            except LoadError as error:
                raise LoadError(f"leads to {written[:200]}, which {error}") from None
            if link.page is not None and host_of(url) != self._host:
                raise _LeftOutError(f"leads to another host ({url})")
            if url != link.url and url in self._seen:
                raise _CoveredError(url if moved else "")
            self._seen.add(url)
        raise LoadError(f"redirects more than {_MOST_REDIRECTS} times, last to {url}; give the address it ends at")

    def _ask(self, url: str, link: _Link) -> Response:
        """Ask for one URL if robots.txt allows it, again after a pause if the server is overloaded or fails."""
        if not self._rules(url).can_fetch(url, self._fetcher.user_agent):
            reason = "is closed to citycite by the site's robots.txt"
            if link.page is None:
                raise LoadError(f"{reason}; ask the site's operator, or save the page and ingest the file")
            raise _LeftOutError(reason)
        headers = self._conditions(url, link)
        response = self._fetcher.get(url, headers)
        if response.status == 429 or response.status >= 500:
            pause = response.headers.get("retry-after", "")
            seconds = float(pause) if pause.isdecimal() and len(pause) < 10 else _PAUSE
            if seconds <= _LONGEST_PAUSE:
                time.sleep(seconds)
                response = self._fetcher.get(url, headers)
        return response

    def _conditions(self, url: str, link: _Link) -> dict[str, str]:
        """Return the headers that ask only for a change, where the stored page will do: not where its links count."""
        stamp = self._known.get(url)
        has_links = suffix_in(urlsplit(url).path) not in (".pdf", ".txt", ".md")
        if stamp is None or link.is_sitemap or (link.steps < self._depth and has_links):
            return {}
        conditions = {"If-None-Match": stamp.etag, "If-Modified-Since": stamp.last_modified}
        return {name: value for name, value in conditions.items() if value}

    def _rules(self, url: str) -> Protego:
        """Return what robots.txt says on the host of `url`; without one, all is allowed (RFC 9309)."""
        root = normal_url("/robots.txt", url)
        if root not in self._robots:
            try:
                self._robots[root] = self._read_rules(root)
            except LoadError as error:
                self._robots[root] = error
        rules = self._robots[root]
        if isinstance(rules, LoadError):
            raise type(rules)(str(rules))
        return rules

    def _read_rules(self, root: str) -> Protego:
        url = root
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._fetcher.get(url)
            if response.status not in _REDIRECTS or "location" not in response.headers:
                break
            try:
                url = normal_url(response.headers["location"], url)
            except LoadError as error:
                raise LoadError(
                    f"is not read, because {root} leads to an address that {error}; tell the operator"
                ) from None
        if response.status >= 500 or response.status == 429:
            raise LoadError(
                f"is not read, because {root} cannot be (HTTP {response.status}), and may forbid it; run again later"
            )
        rules = Protego.parse(response.body.decode("utf-8", errors="replace").lstrip("\ufeff"))
        pause = rules.crawl_delay(self._fetcher.user_agent) or 0.0
        if pause > _LONGEST_PAUSE:
            raise LoadError(
                f"is not read, because {root} asks for {pause:g} s between two pages, and citycite waits "
                f"{_LONGEST_PAUSE:g} s at most; ask the site's operator"
            )
        self._fetcher.slow_down(host_of(root), pause)
        return rules

    # -- what an answer holds -------------------------------------------------------------------------------------

    def _take(self, link: _Link, response: Response, moved: bool, folder: Path) -> Iterator[Outcome]:
        found = format_of(response.url, response.headers, response.body)
        is_list = link.page is None or link.is_sitemap
        if is_list and may_be_sitemap(response.url, found) and (yield from self._take_sitemap(link, response)):
            return
        if link.is_sitemap:
            raise LoadError(f"is no sitemap, but {found.content_type}; tell the site's operator")
        if found.suffix is None:
            if link.page is None:
                raise LoadError(f"has the content type {found.content_type}, which is not supported")
            raise _LeftOutError
        facts = page_facts(response.body, response.url, found) if found.is_html else PageFacts()
        if link.steps < self._depth and not facts.nofollow:
            yield from self._enqueue_links(link, response.url, facts)
        source = response.url
        if facts.canonical and host_of(facts.canonical) == host_of(source):
            source, moved = facts.canonical, moved or facts.canonical != source
        old = [url for url in (link.url, response.url) if url in self._known and url != source]
        if moved:
            self._gone |= dict.fromkeys(old, f"now has the address {source}")
        if facts.noindex or is_noindex(response.headers):
            if source in self._known:
                self._gone[source] = "now asks not to be indexed (noindex)"
                return
            raise _LeftOutError("asks not to be indexed (noindex)")
        if source in self._sources:
            raise _LeftOutError(f"calls itself {source}, which was read already")
        self._sources.add(source)
        file = folder / file_name(source, found.suffix)
        file.write_bytes(as_file(response.body, found))
        yield Page(source, file, _stamp(response) if source == response.url else WebStamp())
        file.unlink()

    def _enqueue_links(self, link: _Link, page: str, facts: PageFacts) -> Iterator[Outcome]:
        for url in facts.links:
            if host_of(url) != self._host or url in self._seen:
                continue
            if may_be_read(url):
                self._enqueue(_Link(url, link.steps + 1, page))
            elif len(self._seen) < 10 * self._limit:  # a trap may link a million pictures
                self._seen.add(url)
                yield LeftOut(url, "")

    def _take_sitemap(self, link: _Link, response: Response) -> Generator[Outcome, None, bool]:
        """Put what a sitemap lists into the queue; return False where it is none."""
        data = response.body
        if data.startswith(b"\x1f\x8b"):
            data = gunzip(data, self._max_bytes)
        listed = read_sitemap(data, response.url)
        if listed is None:
            return False
        if link.page is None:
            self.found -= 1  # a list, not a page
            self._sitemaps += 1
        elsewhere: list[str] = []
        entries = [(url, True) for url in listed.sitemaps] + [(url, False) for url in listed.pages]
        for url, is_sitemap in entries:
            if host_of(url) == self._host:
                self._enqueue(_Link(url, 0, response.url, is_sitemap))
            else:
                elsewhere.append(url)
        if len(elsewhere) == len(entries):
            found = f"only pages on another host ({elsewhere[0]})" if elsewhere else "no page"
            raise LoadError(f"lists {found}; give the address of the sitemap that lists them")
        if elsewhere:
            yield LeftOut(link.url, f"lists pages on another host as well: {len(elsewhere)}, such as {elsewhere[0]}")
        return True


def _stamp(response: Response) -> WebStamp:
    """Return the validators of an answer, as far as they can be sent back."""
    values = (response.headers.get(name, "") for name in ("etag", "last-modified"))
    return WebStamp(*(value if value.isascii() and len(value) <= _LONGEST_VALIDATOR else "" for value in values))


def _status_problem(status: int, page: str | None) -> str:
    """Return what an answer without a page means, and what to do; `page` is where the link stands."""
    link = f"the link to it in {page}" if page else "the address"
    if status in (401, 403, 407):
        return f"needs a sign-in or is closed (HTTP {status}); save the page as a file and ingest that"
    if status in (404, 410):
        return f"does not exist (HTTP {status}); check {link}"
    if status == 429:
        return "is refused after too many requests (HTTP 429); set CITYCITE_WEB_DELAY higher and run again later"
    if status >= 500:
        return f"cannot be had: the server fails (HTTP {status}); run again later"
    return f"is not answered with a page (HTTP {status}); check {link}"
