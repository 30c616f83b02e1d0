"""Web addresses: one written form for each page, and no way to an address of the house."""

from __future__ import annotations

import pytest

from ingest.addresses import host_of, is_permitted, is_public, normal_url, permitted_addresses, resolve
from rag.errors import LoadError

REFUSED = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::192.168.0.1",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:53aa:64c::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "193.99.144.80", "172.32.0.1", "2606:4700::1111", "2a02:2e0:3fe::1", "::ffff:8.8.8.8",
          "64:ff9b::808:808", "2002:808:808::1"]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)
    assert not is_permitted(address, allow_private=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)
    assert is_permitted(address, allow_private=False)


def test_private_may_be_allowed_but_never_link_local_or_multicast() -> None:
    allowed = {address for address in REFUSED if is_permitted(address, allow_private=True)}
    assert allowed == {
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "::1",
        "fc00::1", "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1",
        "64:ff9b::192.168.0.1", "2002:7f00:1::", "2002:c0a8:101::1",
    }  # fmt: skip


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "localhost", "[::1]"])
def test_the_many_ways_to_write_this_machine(host: str) -> None:
    with pytest.raises(LoadError, match=r"not public; set CITYCITE_WEB_ALLOW_PRIVATE=true"):
        permitted_addresses(host, 80, resolve, allow_private=False)
    assert permitted_addresses(host, 80, resolve, allow_private=True)


def test_one_forbidden_address_among_several_is_enough() -> None:
    def several(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "2606:4700::1111", "192.168.0.10"]

    with pytest.raises(LoadError, match=r"192\.168\.0\.10 \(stadt\.example\), which is not public"):
        permitted_addresses("stadt.example", 443, several, allow_private=False)
    assert permitted_addresses("stadt.example", 443, several, allow_private=True) == several("", 0)
    with pytest.raises(LoadError, match="nothing is read from there"):
        permitted_addresses("stadt.example", 80, lambda host, port: ["1.1.1.1", "169.254.169.254"], allow_private=True)


def test_an_unknown_host_is_named() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError(host)

    for resolver in (unknown, lambda host, port: []):
        with pytest.raises(LoadError, match=r"host name that is not known: stadt\.example; check the spelling"):
            permitted_addresses("stadt.example", 80, resolver, allow_private=True)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://Stadt.Example", "https://stadt.example/"),
        ("HTTP://stadt.example:80/a#b", "http://stadt.example/a"),
        ("https://stadt.example:443/?", "https://stadt.example/"),
        ("https://stadt.example:8443/a?b=1#c", "https://stadt.example:8443/a?b=1"),
        ("https://stadt.example./a/../b/./c/..", "https://stadt.example/b/"),
        ("https://stadt.example/../../etc", "https://stadt.example/etc"),
        ("https://stadt.example//a", "https://stadt.example//a"),
        ("https://köln.example/straße café", "https://xn--kln-sna.example/stra%C3%9Fe%20caf%C3%A9"),
        ("https://stadt.example/100%25?q=ä&r=%C3%A4", "https://stadt.example/100%25?q=%C3%A4&r=%C3%A4"),
        ("http://[::FFFF:127.0.0.1]:80/", "http://[::ffff:7f00:1]/"),
        ("https://stadt.example/a\n\tb", "https://stadt.example/ab"),
    ],
)
def test_a_page_has_one_written_form(written: str, normal: str) -> None:
    assert normal_url(written) == normal
    assert normal_url(normal) == normal


def test_links_are_relative_to_their_page() -> None:
    page = "https://stadt.example/amt/start.html?x=1"
    links = {
        "../presse/": "/presse/",
        "?y=2": "/amt/start.html?y=2",
        "//stadt.example/a": "/a",
        "b c.pdf": "/amt/b%20c.pdf",
    }
    assert {link: normal_url(link, page).removeprefix("https://stadt.example") for link in links} == links


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "no http or https address"),
        ("ftp://stadt.example/a", "no http or https address"),
        ("gopher://127.0.0.1:70/_", "no http or https address"),
        ("javascript:alert(1)", "no http or https address"),
        ("https:///a", "no http or https address"),
        ("https://user:pass@stadt.example/", "user name or password"),
        ("https://stadt.example\\@127.0.0.1/", "user name or password"),
        ("https://@stadt.example/", "user name or password"),
        ("https://stadt.example:99999/", "no web address"),
        ("https://[::1/", "no web address"),
        ("https://[nonsense]/", "no web address|no IPv6 address"),
        ("https://sta dt.example/", "no host name that can be asked for"),
        ("https://-a.example/", "no host name that can be asked for"),
        ("https://stadt.example/" + "a" * 5000, "at most 4000"),
    ],
)
def test_what_is_no_address_of_a_page_is_named(url: str, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        normal_url(url)


def test_the_host_is_the_same_under_http_and_https() -> None:
    assert host_of(normal_url("http://stadt.example:80/a")) == host_of(normal_url("https://stadt.example/b"))
    assert host_of(normal_url("http://stadt.example:8080/")) != host_of(normal_url("http://stadt.example/"))
