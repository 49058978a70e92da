"""Where a webhook may go: hosts by the operator's list, addresses by what they are. Pure.

A URL is somebody's input, and the portal stands where others can't reach: so the host must be on the list, every
address that its name resolves to must be a public one, and the connection goes to an address that was looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

LONGEST_URL = 2000
PORTS = (443, 8443)
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names that mean this machine by themselves, with no name server in between."""

# Public by the registries, but Azure's machines answer their own guests there: metadata, DNS, extensions.
_REFUSED = frozenset({IPv4Address("168.63.129.16")})
# An IPv4 address hides in each: who checks the outer one only has checked nothing.
_WRAPPED: dict[IPv6Network, str] = {
    IPv6Network(network): words
    for network, words in (
        ("::ffff:0:0/96", "an IPv4 address in IPv6"),
        ("::ffff:0:0:0/96", "an IPv4 address in IPv6"),
        ("::/96", "an IPv4 address in IPv6"),
        ("2002::/16", "6to4"),
        ("2001::/32", "Teredo"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
    )
}
_SHARED = ip_network("100.64.0.0/10")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be sent to, as far as its text tells. `host` has no brackets; `shown` hides the path's secret."""

    url: str
    host: str
    port: int
    is_tls: bool

    @property
    def is_local(self) -> bool:
        return self.host in LOCAL


def target(url: str, allowed: Collection[str]) -> Target:
    """The URL taken apart; ValueError with a sentence when nothing may be sent there."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError(f"A URL has at most {LONGEST_URL} visible ASCII characters and no spaces.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise ValueError("This is not a URL.") from error
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("A webhook's URL begins with https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("A webhook's URL holds no user, no password and no part behind #.")
    if not is_allowed(host, allowed):
        raise ValueError(f"The host {host} is not among those that OPSPORTAL_WEBHOOK_HOSTS allows.")
    is_tls = parts.scheme == "https"
    if host not in LOCAL:
        if not is_tls:
            raise ValueError("A webhook's URL begins with https://.")
        if port not in (None, *PORTS):
            raise ValueError(f"A webhook goes to port {' or '.join(map(str, PORTS))}.")
    return Target(url, host, port or (443 if is_tls else 80), is_tls)


def is_allowed(host: str, patterns: Collection[str]) -> bool:
    """Whether the list names the host, or everything below (`*.example.org`) one of its names.

    This machine and bare addresses are allowed only by the very same text: no pattern reaches them.
    """
    name = host.lower()
    wanted = [pattern.lower().rstrip(".") for pattern in patterns]
    if name in wanted:
        return True
    if name in LOCAL or _is_address(name):
        return False
    return any(
        name.endswith(pattern[1:]) and name != pattern[2:] for pattern in wanted if _is_wildcard(pattern)
    )


def address_refusal(address: str, host: str) -> str:
    """Why the portal does not connect to an address that `host` resolved to; "" when it does.

    This machine is reached under its own names only: another name that leads here is somebody's trap.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return "it is no IP address"
    if found.is_loopback:
        return "" if host in LOCAL else "it is this machine"
    if host in LOCAL:
        return "it is not this machine"
    if isinstance(found, IPv6Address) and (words := _wrapped(found)):
        return f"it hides another address ({words})"
    return _kind_refused(found)


def shown(address: str) -> str:
    """A webhook's URL for lists: its path is often a password, so only host and end are told."""
    parts = urlsplit(address)
    tail = address[len(f"{parts.scheme}://{parts.netloc}") :]
    if len(tail) <= 1:
        return address
    return f"{parts.scheme}://{parts.netloc}/…{tail[-4:] if len(tail) > 12 else ''}"


def _kind_refused(found: IPv4Address | IPv6Address) -> str:
    if found in _REFUSED:
        return "it is Azure's own, for machines"
    if found.is_link_local:
        return "it is link-local, where clouds keep their metadata"
    if isinstance(found, IPv4Address) and found in _SHARED:
        return "it is shared by a provider's customers"
    if found.is_multicast or found.is_reserved or found.is_unspecified:
        return "it is no machine's address"
    if found.is_private or not found.is_global:
        return "it is not public"
    if isinstance(found, IPv6Address) and (found.is_site_local or found.scope_id):
        return "it is not public"
    return ""


def _wrapped(found: IPv6Address) -> str:
    return next((words for network, words in _WRAPPED.items() if found in network), "")


def _is_wildcard(pattern: str) -> bool:
    """`*.example.org`, and not `*`, `*.`, `*.org` or a star elsewhere."""
    rest = pattern.removeprefix("*.")
    return rest != pattern and "*" not in rest and "." in rest.strip(".")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        # What old resolvers read as an address: 2130706433, 0x7f.1
        return host.replace(".", "").isdigit() or host.startswith("0x")
    return True
