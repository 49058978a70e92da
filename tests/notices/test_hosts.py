"""Where a webhook may go: what the text of a URL and an address tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.notices.hosts import address_refusal, is_allowed, shown, target

HOSTS = ("hooks.example.org", "*.example.net", "localhost", "93.184.215.14")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/a/b?c=d",
        "https://HOOKS.example.org/",
        "https://hooks.example.org:8443/",
        "https://hooks.example.org./x",
        "https://one.example.net/x",
        "https://two.one.example.net/x",
        "https://93.184.215.14/x",
        "http://localhost:5005/x",
    ],
)
def test_url__to_a_host_of_the_list__may_be_used(url: str) -> None:
    assert target(url, HOSTS).url == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "begins with https"),
        ("hooks.example.org/x", "begins with https"),
        ("ftp://hooks.example.org/", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("https:///x", "begins with https"),
        ("http://hooks.example.org/", "begins with https"),
        ("https://other.example.org/", "not among"),
        ("https://example.net/", "not among"),
        ("https://evilexample.net/", "not among"),
        ("https://hooks.example.org.evil.com/", "not among"),
        ("https://127.0.0.1/", "not among"),
        ("https://[::1]/", "not among"),
        ("https://2130706433/", "not among"),
        ("https://0x7f.0.0.1/", "not among"),
        ("https://hooks.example.org@evil.com/", "holds no user"),
        ("https://user:pass@hooks.example.org/", "holds no user"),
        ("https://@hooks.example.org/", "holds no user"),
        ("https://hooks.example.org/#part", "holds no user"),
        ("https://hooks.example.org:22/", "port"),
        ("https://hooks.example.org:80/", "port"),
        ("https://hooks.example.org:99999/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://hooks.example.org/a b", "visible ASCII"),
        ("https://hooks.example.org\\@evil.com/", "visible ASCII"),
        ("https://hooks.example.org/\r\nX: y", "visible ASCII"),
        ("https://hooks.exämple.org/", "visible ASCII"),
        ("https://hooks.example.org/" + "x" * 2000, "visible ASCII"),
    ],
)
def test_url__that_may_not_be_used__is_refused_in_words(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        target(url, HOSTS)


@pytest.mark.parametrize(
    "pattern", ["*", "*.", "*.*", "*.org", "**.example.org", "hooks.*", "", "*example.org"]
)
def test_pattern__that_is_too_wide_or_odd__lets_nothing_through(pattern: str) -> None:
    assert not is_allowed("hooks.example.org", [pattern])


def test_pattern__never_reaches_this_machine() -> None:
    for host in ("localhost", "127.0.0.1", "::1"):
        assert not is_allowed(host, ["*.0.0.1", "*.localhost", "*.0.1", "*.1"])
        assert is_allowed(host, [host])


def test_list__that_is_empty__lets_nothing_through() -> None:
    assert not is_allowed("hooks.example.org", [])


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1", "this machine"),
        ("127.9.9.9", "this machine"),
        ("::1", "this machine"),
        ("0.0.0.0", "no machine's"),
        ("::", "hides another"),
        ("10.1.2.3", "not public"),
        ("172.16.0.1", "not public"),
        ("192.168.1.1", "not public"),
        ("192.0.2.7", "not public"),
        ("198.18.0.1", "not public"),
        ("100.64.0.1", "shared"),
        ("100.127.255.254", "shared"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("168.63.129.16", "Azure"),
        ("224.0.1.1", "no machine's"),
        ("255.255.255.255", "no machine's"),
        ("240.0.0.1", "no machine's"),
        ("ff02::1", "no machine's"),
        ("fc00::1", "not public"),
        ("fd00:ec2::254", "not public"),
        ("fec0::1", "no"),
        ("2001:db8::1", "not public"),
        ("::ffff:169.254.169.254", "hides another"),
        ("::ffff:93.184.215.14", "hides another"),
        ("::127.0.0.1", "hides another"),
        ("2002:7f00:1::", "hides another"),
        ("2001:0:7f00:1::", "hides another"),
        ("64:ff9b::a9fe:a9fe", "hides another"),
        ("64:ff9b:1::a01:203", "hides another"),
        ("2606:2800:21f:cb07::1%3", "not public"),
        ("nonsense", "no IP address"),
        ("", "no IP address"),
    ],
)
def test_address__that_is_not_a_public_machines__is_refused(address: str, says: str) -> None:
    assert says in address_refusal(address, "hooks.example.org")


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1"])
def test_address__of_a_public_machine__is_taken(address: str) -> None:
    assert address_refusal(address, "hooks.example.org") == ""


def test_this_machine__under_its_own_name__is_the_only_address_taken() -> None:
    assert address_refusal("127.0.0.1", "localhost") == ""
    assert address_refusal("::1", "localhost") == ""
    assert address_refusal("93.184.215.14", "localhost") == "it is not this machine"
    assert address_refusal("10.0.0.1", "localhost") == "it is not this machine"


@given(st.ip_addresses(v=4))
def test_address__of_ipv4__is_taken_only_if_it_is_public(address: object) -> None:
    if address_refusal(str(address), "hooks.example.org") == "":
        assert address.is_global and not address.is_multicast  # type: ignore[attr-defined]


@given(st.ip_addresses(v=4))
def test_address__hidden_in_another__is_never_taken(address: object) -> None:
    number = int(address)  # type: ignore[call-overload]
    high, low = number >> 16, number & 0xFFFF
    for text in (f"::ffff:{address}", f"2002:{high:x}:{low:x}::1", f"64:ff9b::{high:x}:{low:x}"):
        assert address_refusal(text, "hooks.example.org")


@given(st.text(max_size=80))
def test_url__whatever_it_is__is_refused_in_words_or_of_the_list(url: str) -> None:
    try:
        found = target(url, HOSTS)
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert is_allowed(found.host, HOSTS)


def test_url__in_a_list__does_not_tell_the_secret_in_its_path() -> None:
    assert shown("https://hooks.example.org/services/T0/B0/abcdefgh1234") == "https://hooks.example.org/…1234"
    assert shown("https://hooks.example.org/short") == "https://hooks.example.org/…"
    assert shown("https://hooks.example.org/?key=abcdefghijkl") == "https://hooks.example.org/…ijkl"
    assert shown("https://hooks.example.org/") == "https://hooks.example.org/"
