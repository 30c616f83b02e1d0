"""Which web addresses may be read: their one written form, and the network addresses that their host may have.

A page, a redirect or a name server can point anywhere. What it points to is held against these rules before a
connection is made, so that no web page makes citycite read a router, a database or a file of the house.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from rag.errors import LoadError

# --- Written form -----------------------------------------------------------------------------------------------------

DEFAULT_PORTS = {"http": 80, "https": 443}
# Servers and proxies refuse much longer ones; real pages stay far below.
_LONGEST_URL = 4000
_HOST = re.compile(r"(?!-)[a-z0-9._-]{1,253}")
# What RFC 3986 lets stand in a path and a query; "%" stays, since what is encoded must not be encoded again.
_IN_PATH = "/%:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?"


def is_web_address(source: str) -> bool:
    """Whether a source is the address of a page rather than a path."""
    return source[:8].lower().startswith(("http://", "https://"))


def normal_url(url: str, base: str = "") -> str:
    """Return `url`, relative to `base` where it is not complete, in the one form under which citycite knows a page.

    No fragment, no default port, scheme and host in lower case, letters beyond ASCII encoded, no "." and ".." in it.

    Raises:
        LoadError: it is no http or https address, or holds a user name or password.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
    except ValueError:
        raise LoadError("is no web address; check how it is written") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise LoadError("is no http or https address; only these are read from the web")
    if "@" in parts.netloc:
        raise LoadError("holds a user name or password, which is not supported; give an address without")
    host = _host(parts.hostname)
    netloc = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    path = quote(_without_dots(parts.path or "/"), safe=_IN_PATH)
    written = urlunsplit((parts.scheme, netloc, path, quote(parts.query, safe=_IN_QUERY), ""))
    if len(written) > _LONGEST_URL:
        raise LoadError(f"has {len(written)} characters; at most {_LONGEST_URL} are read")
    return written


def host_of(url: str) -> str:
    """Return host and port of a normal URL, the port only where it is not the scheme's own.

    Pages under http and https are on the same host.
    """
    return urlsplit(url).netloc


def _host(name: str) -> str:
    if ":" in name:
        try:
            return f"[{ipaddress.IPv6Address(name)}]"
        except ValueError:
            raise LoadError(f"has a host that is no IPv6 address: {name}; check how it is written") from None
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise LoadError(f"has a host name that does not exist: {name}; check how it is written") from None
    name = name.rstrip(".")
    if not _HOST.fullmatch(name):
        raise LoadError(f"has no host name that can be asked for: {name!r}; check how it is written")
    return name


def _without_dots(path: str) -> str:
    """Resolve "." and ".." in an absolute path."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            kept[-1:] = []
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


# --- Network addresses ------------------------------------------------------------------------------------------------

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# All IPv6 addresses assigned to hosts of the public internet (IANA, IPv6 global unicast).
_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
# In the registries of special addresses, but public to the ipaddress module of Python 3.11.
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
# A translator to IPv4 (RFC 6052) has the IPv4 address in the last 32 bits.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What an intranet uses. Link-local addresses are not among them: clouds hand out credentials at 169.254.169.254.
_INTRANET = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7"),
    )
)

# Returns the addresses of a host name, as text; raises OSError where there are none.
Resolver = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Ask the operating system for the addresses of a host; "2130706433" and "0x7f.1" are 127.0.0.1 to it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address belongs to a host of the public internet, whichever way it is written."""
    bare = _bare(address)
    if isinstance(bare, ipaddress.IPv6Address) and bare not in _PUBLIC_IPV6:
        return False
    special = any(bare in network for network in _SPECIAL if network.version == bare.version)
    return bare.is_global and not bare.is_multicast and not special


def is_permitted(address: str, *, allow_private: bool) -> bool:
    """Whether a page may be read from an address: a public one, or with `allow_private` one of the house."""
    bare = _bare(address)
    in_house = any(bare in network for network in _INTRANET if network.version == bare.version)
    return is_public(address) or (allow_private and in_house)


def permitted_addresses(host: str, port: int, resolver: Resolver, *, allow_private: bool) -> list[str]:
    """Return the addresses of a host.

    Raises:
        LoadError: there are none, or one of them may not be read from. One is enough: which of them a second look-up
            would give first is up to whoever runs the name server.
    """
    try:
        addresses = list(resolver(host.strip("[]"), port))
    except (OSError, UnicodeError):
        addresses = []
    if not addresses:
        raise LoadError(f"has a host name that is not known: {host}; check the spelling and the network")
    for address in addresses:
        if not is_permitted(address, allow_private=allow_private):
            remedy = "nothing is read from there"
            if is_permitted(address, allow_private=True):
                remedy = "set CITYCITE_WEB_ALLOW_PRIVATE=true to read pages of your own network"
            raise LoadError(f"has the address {address} ({host}), which is not public; {remedy}")
    return addresses


def _bare(address: str) -> Address:
    """Return an address without its zone, and the IPv4 address that an IPv6 address carries to a translator."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            return ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        return parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed
