"""Posts to a webhook: to an address that was looked at, within 5 seconds, following nobody. Of the answer only the
status is read: what a receiver writes is shown to no one.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from endpoints.notices.errors import NotSent
from endpoints.notices.hosts import Target, address_refusal

if TYPE_CHECKING:
    from aiohttp import ClientSession, TCPConnector

DEADLINE_SECONDS = 5.0
_DELIVERED = range(200, 300)
_REDIRECTS = range(300, 400)


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> None:
    """Send, from resolving to the status within the deadline; NotSent otherwise. No proxy, no cookie, no redirect."""
    status = asyncio.run(_bounded(target, body, headers))
    if status in _REDIRECTS:
        raise NotSent(f"{target.host} redirects ({status}), and redirects are not followed.")
    if status not in _DELIVERED:
        raise NotSent(f"{target.host} answered {status}.")


async def _bounded(target: Target, body: bytes, headers: Mapping[str, str]) -> int:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            addresses = await checked_addresses(target)
            return await send(target, addresses, body, headers)
    except TimeoutError as error:
        raise NotSent(f"{target.host} did not answer within {DEADLINE_SECONDS:g} s.") from error


async def checked_addresses(target: Target) -> list[str]:
    """All addresses of the host. NotSent when there is none, or when a single one must not be reached."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NotSent(f"The name {target.host} could not be resolved.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if refusal := address_refusal(address, target.host):
            raise NotSent(f"{target.host} is at {address}, and nothing is sent there: {refusal}.")
    return addresses


async def send(
    target: Target,
    addresses: list[str],
    body: bytes,
    headers: Mapping[str, str],
    *,
    tls: ssl.SSLContext | None = None,
) -> int:
    """Post to one of these addresses, under the host's own name, and return the status."""
    # Here and not above: the web process never sends, and must not pay for the client.
    import aiohttp

    try:
        async with _session(_connector(target, addresses, tls)) as session:
            answer = await session.post(
                target.url, data=body, headers={"User-Agent": "opsportal", **headers}, allow_redirects=False
            )
            answer.close()
            return answer.status
    except aiohttp.ClientConnectorCertificateError as error:
        raise NotSent(f"The certificate of {target.host} is not valid for it.") from error
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise NotSent(f"No TLS connection to {target.host} could be made.") from error
    except (aiohttp.ClientConnectorError, OSError) as error:
        # What the errors say of themselves may quote the receiver.
        raise NotSent(f"No connection to {target.host} could be made.") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise NotSent(f"{target.host} gave no answer that is HTTP.") from error


def _session(connector: TCPConnector) -> ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS),
    )


def _connector(target: Target, addresses: list[str], tls: ssl.SSLContext | None) -> TCPConnector:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult
    from yarl import URL

    class Pinned(AbstractResolver):
        """Answers with the addresses that were looked at: between the look and the connection nobody is asked."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            return [_resolved(host, address, port) for address in addresses]

        async def close(self) -> None:
            return None

    parsed = URL(target.url)
    # The client reads the URL with another parser: what the two disagree about is no URL.
    if (parsed.host, parsed.port) != (target.host, target.port):
        raise NotSent("The URL can be read in two ways, so nothing was sent.")
    return aiohttp.TCPConnector(
        resolver=Pinned(), ssl=tls if tls is not None else True, limit=1, force_close=True
    )


def _resolved(host: str, address: str, port: int) -> Any:
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
        "proto": socket.IPPROTO_TCP,
        "flags": socket.AI_NUMERICHOST,
    }
