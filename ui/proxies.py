"""Proxies in front of the server: whose headers are believed, and where a request really comes from."""

from __future__ import annotations

import ipaddress

from starlette.requests import HTTPConnection

from rag.errors import UsageError
from rag.settings import Settings


class Proxies:
    """The trusted proxies of the settings.

    Raises:
        UsageError: one of them is no address or network.
    """

    def __init__(self, settings: Settings) -> None:
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for given in filter(None, (item.strip() for item in settings.trusted_proxies.split(","))):
            try:
                self._networks.append(ipaddress.ip_network(given, strict=False))
            except ValueError:
                raise UsageError(
                    f"CITYCITE_TRUSTED_PROXIES names {given!r}, which is no address or network; write 10.0.0.5 or "
                    "10.0.0.0/24, with commas between."
                ) from None

    def __bool__(self) -> bool:
        """Tell whether any is trusted."""
        return bool(self._networks)

    def sent(self, request: HTTPConnection) -> bool:
        """Tell whether a request comes from one of them."""
        return self._is_proxy(peer(request))

    def address(self, request: HTTPConnection) -> str:
        """Return where a request comes from, as far as it can be known; behind trusted proxies, what they say."""
        if not self.sent(request):
            return network(peer(request))
        for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            if hop.strip() and not self._is_proxy(hop.strip()):
                return network(hop.strip())
        return network(peer(request))

    def is_encrypted(self, request: HTTPConnection) -> bool:
        """Tell whether the browser came over HTTPS."""
        forwarded = request.headers.get("x-forwarded-proto", "") if self.sent(request) else ""
        return "https" in (request.url.scheme, forwarded.lower())

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def peer(request: HTTPConnection) -> str:
    """Return the address at the other end of the connection."""
    return request.client.host if request.client else ""


def network(address: str) -> str:
    """Return what counts as one address: an IPv6 client has as many as it likes in its /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)
