"""One HTTP request: to an address that was checked, within a time, of a bounded size.

httpcore makes the connection through a backend of ours. It resolves the host name, checks every address, and connects
to one of those: a name server that answers differently a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import importlib.metadata
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from urllib.parse import urlsplit

import httpcore

from ingest.addresses import DEFAULT_PORTS, Resolver, host_of, permitted_addresses, resolve
from rag.errors import LoadError
from rag.settings import Settings

MEGABYTE = 1_000_000
_CHUNK = 65_536


class UnreachableError(LoadError):
    """The host did not answer properly: the next page of it will hardly fare better."""


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to one request. Header names are in lower case; `body` is unpacked, and empty unless status is 200."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher:
    """Asks for one URL at a time and waits between two requests to the same host."""

    def __init__(self, settings: Settings, resolver: Resolver = resolve) -> None:
        self._settings = settings
        self._resolver = resolver
        # By host: when it was last asked, and the pause it wants, in seconds.
        self._asked: dict[str, float] = {}
        self._pauses: dict[str, float] = {}

    @cached_property
    def user_agent(self) -> str:
        """What citycite calls itself, to servers and when robots.txt is read."""
        return f"citycite/{importlib.metadata.version('citycite')}"

    def slow_down(self, host: str, pause: float) -> None:
        """Wait at least `pause` seconds between requests to `host`."""
        self._pauses[host] = pause

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """Ask for a normal URL; redirects are not followed.

        Raises:
            UnreachableError: no connection, no certificate, no answer in time, or none that is HTTP.
            LoadError: the address may not be read from, or the answer is too large or damaged.
        """
        self._wait(host_of(url))
        try:
            return self._exchange(url, dict(headers or {}))
        except httpcore.TimeoutException:
            raise UnreachableError(
                f"did not answer in full within {self._settings.web_timeout:g} s; run again later, or set "
                "CITYCITE_WEB_TIMEOUT higher"
            ) from None
        except httpcore.NetworkError as error:
            raise UnreachableError(_network_problem(error, host_of(url))) from None
        except httpcore.ProtocolError as error:
            raise UnreachableError(
                f"did not answer as a web server does ({error}); check address and port, or run again later"
            ) from None

    def _wait(self, host: str) -> None:
        if host in self._asked:
            pause = max(self._settings.web_delay, self._pauses.get(host, 0.0))
            time.sleep(max(0.0, self._asked[host] + pause - time.monotonic()))
        self._asked[host] = time.monotonic()

    def _exchange(self, url: str, headers: dict[str, str]) -> Response:
        deadline = time.monotonic() + self._settings.web_timeout
        backend = _CheckedBackend(self._resolver, self._settings.web_allow_private, deadline)
        sent = {
            "Host": host_of(url),
            "User-Agent": self.user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "Connection": "close",
        }
        parts = urlsplit(url)
        target = httpcore.URL(
            scheme=parts.scheme.encode(),
            host=(parts.hostname or "").encode(),
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            target=(parts.path + (f"?{parts.query}" if parts.query else "")).encode(),
        )
        with (
            httpcore.ConnectionPool(ssl_context=_tls_context(), network_backend=backend) as pool,
            pool.stream("GET", target, headers=list((sent | headers).items())) as answer,
        ):
            received = _headers(answer.headers)
            body = self._body(received, answer.iter_stream()) if answer.status == 200 else b""
            return Response(url, answer.status, received, body)

    def _body(self, headers: Mapping[str, str], chunks: Iterable[bytes]) -> bytes:
        limit = self._settings.web_max_mb * MEGABYTE
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            raise too_large(limit)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            chunks = inflate(_limited(chunks, limit))
        elif encoding not in ("", "identity"):
            raise LoadError(f"is compressed as {encoding}, which was not asked for; tell the site's operator")
        return b"".join(_limited(chunks, limit))


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    pairs = [(name.decode("latin-1").lower(), _header(value)) for name, value in raw]
    # A server may say several things to robots, one a line; of other headers the last counts.
    robots = ", ".join(value for name, value in pairs if name == "x-robots-tag")
    return dict(pairs) | ({"x-robots-tag": robots} if robots else {})


def _header(value: bytes) -> str:
    """Return a header's value; servers write redirects to names with umlauts in UTF-8, against the standard."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def too_large(limit: int) -> LoadError:
    """Return the error for a page of more than `limit` bytes."""
    return LoadError(f"has more than {limit // MEGABYTE} MB; set CITYCITE_WEB_MAX_MB higher to read it", "too large")


def inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip or zlib data in small pieces, so that whoever counts them can stop a bomb.

    Raises:
        LoadError: it is damaged or cut off.
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, as the first bytes say
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if unpacker.eof:  # a gzip file may hold several parts
                    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
                yield unpacker.decompress(rest, _CHUNK)
                # Zeros behind the end are padding.
                rest = unpacker.unused_data.lstrip(b"\0") if unpacker.eof else unpacker.unconsumed_tail
            while not unpacker.eof and (more := unpacker.decompress(b"", _CHUNK)):
                yield more
    except zlib.error:
        raise LoadError("is damaged: its compressed data cannot be unpacked; run again, or tell the operator") from None
    if not unpacker.eof:
        raise LoadError("is cut off: its compressed data has no end; run again, or tell the site's operator")


def gunzip(data: bytes, limit: int) -> bytes:
    """Unpack `data` to at most `limit` bytes.

    Raises:
        LoadError: it is damaged or too large.
    """
    return b"".join(_limited(inflate([data]), limit))


def _limited(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise too_large(limit)
        yield chunk


# --- Connection -------------------------------------------------------------------------------------------------------


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked and to no other, and lets the whole exchange last until `deadline`."""

    def __init__(self, resolver: Resolver, allow_private: bool, deadline: float) -> None:
        self._backend = httpcore.SyncBackend()
        self._resolver = resolver
        self._allow_private = allow_private
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers."""
        addresses = permitted_addresses(host, port, self._resolver, allow_private=self._allow_private)
        for others, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            # A share of the time for each: a first address that swallows all packets must not use it up.
            share = _left(self._deadline) / (others + 1)
            try:
                stream = self._backend.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not others:
                    raise
            else:
                return _TimedStream(stream, self._deadline)
        raise AssertionError("permitted_addresses gives one at least")


class _TimedStream(httpcore.NetworkStream):
    """A stream in which no step goes beyond `deadline`; a limit for each read would let a server drip for hours."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the request is over")
    return left


@cache
def _tls_context() -> ssl.SSLContext:
    """Trust whom the operating system trusts, so that a city's own authority counts; without any, certifi's list."""
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _network_problem(error: Exception, host: str) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"has no valid certificate ({cause.verify_message.rstrip('.')}); tell the operator, or name the "
                "certificates of your own authority in SSL_CERT_FILE"
            )
        if isinstance(cause, ssl.SSLError):
            return f"allows no secure connection ({cause.reason or cause}); check whether it is http instead of https"
        cause = cause.__cause__ or cause.__context__
    return f"cannot be reached at {host} ({error}); check address and network, or run again later"
