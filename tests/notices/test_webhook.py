"""Posts to real sockets: what is sent, where the connection goes, and that nobody waits for ever or is quoted."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from endpoints.notices.errors import NotSent
from endpoints.notices.hosts import Target, target
from endpoints.notices.webhook import checked_addresses, post, send
from tests.notices.certificates import server_certificate
from tests.support.receivers import Hook, hook

HOSTS = ("127.0.0.1", "localhost")


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as box:
        yield box


def test_post__to_a_receiver__arrives_with_body_and_headers(receiver: Hook) -> None:
    post(
        target(receiver.url("/a?b=c"), HOSTS), b'{"id":1}', {"Content-Type": "application/json", "X-One": "1"}
    )
    (got,) = receiver.posts
    assert (got.line, got.body) == ("POST /a?b=c HTTP/1.1", b'{"id":1}')
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-one"] == "1"
    assert got.headers["user-agent"] == "opsportal"
    assert "cookie" not in got.headers


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "299 Fine"])
def test_post__that_is_taken__is_sent(receiver: Hook, status: str) -> None:
    receiver.answer = f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode()
    post(target(receiver.url(), HOSTS), b"{}", {})
    assert len(receiver.posts) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_post__that_is_refused__says_the_status_and_quotes_nothing(receiver: Hook, status: int) -> None:
    receiver.answer = (
        f"HTTP/1.1 {status} SECRET-REASON\r\nX-S: SECRET\r\nContent-Length: 6\r\n\r\nSECRET".encode()
    )
    with pytest.raises(NotSent) as raised:
        post(target(receiver.url(), HOSTS), b"{}", {})
    assert raised.value.reason == f"127.0.0.1 answered {status}."


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_post__that_is_redirected__goes_nowhere_else(receiver: Hook, status: int) -> None:
    with hook() as elsewhere:
        receiver.answer = (
            f"HTTP/1.1 {status} Go\r\nLocation: {elsewhere.url()}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        with pytest.raises(NotSent, match="redirects are not followed"):
            post(target(receiver.url(), HOSTS), b"{}", {})
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "answer",
    [b"SECRET\r\n\r\n", b"", b"HTTP/1.1 SECRET\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 40_000],
)
def test_post__answered_by_what_is_no_http__fails_without_quoting_it(receiver: Hook, answer: bytes) -> None:
    receiver.answer = answer
    with pytest.raises(NotSent) as raised:
        post(target(receiver.url(), HOSTS), b"{}", {})
    assert "SECRET" not in raised.value.reason


def test_post__to_a_receiver_that_drips__ends_at_the_deadline(receiver: Hook) -> None:
    receiver.answer, receiver.drip = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100, 0.2
    began = time.monotonic()
    with pytest.raises(NotSent, match="within 5 s"):
        post(target(receiver.url(), HOSTS), b"{}", {})
    assert 4.5 < time.monotonic() - began < 7


def test_post__to_a_port_where_nobody_listens__says_so(receiver: Hook) -> None:
    with pytest.raises(NotSent, match="No connection"):
        post(target("http://127.0.0.1:1/x", HOSTS), b"{}", {})


def test_post__whatever_the_environment_says__goes_through_no_proxy(
    receiver: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hook() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        post(target(receiver.url(), HOSTS), b"{}", {})
        assert (len(receiver.posts), proxy.connections) == (1, 0)


def test_name__that_does_not_exist__is_told() -> None:
    gone = Target("https://no-such-host.invalid/", "no-such-host.invalid", 443, True)
    with pytest.raises(NotSent, match="could not be resolved"):
        asyncio.run(checked_addresses(gone))


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "168.63.129.16", "::ffff:10.0.0.1"])
def test_host__at_an_address_of_the_inside__is_never_connected_to(host: str) -> None:
    inside = Target(f"https://{host}/", host, 443, True)
    with pytest.raises(NotSent, match="nothing is sent there"):
        asyncio.run(checked_addresses(inside))


def test_connection__goes_to_the_address_that_was_checked_under_the_hosts_own_name(tmp_path: Path) -> None:
    """The name is in no DNS: whoever asked it again would find nothing."""
    with server_certificate("hooks.example.org", tmp_path) as (serving, trusting), hook(serving) as box:
        goal = Target(f"https://hooks.example.org:{box.port}/x", "hooks.example.org", box.port, True)
        status = asyncio.run(send(goal, ["127.0.0.1"], b"{}", {}, tls=trusting))
    assert status == 204
    assert box.posts[0].headers["host"] == f"hooks.example.org:{box.port}"


def test_certificate__of_another_host__is_not_accepted(tmp_path: Path) -> None:
    with server_certificate("other.example.org", tmp_path) as (serving, trusting), hook(serving) as box:
        goal = Target(f"https://hooks.example.org:{box.port}/x", "hooks.example.org", box.port, True)
        with pytest.raises(NotSent, match="certificate"):
            asyncio.run(send(goal, ["127.0.0.1"], b"{}", {}, tls=trusting))
    assert box.posts == []


def test_certificate__that_nobody_vouches_for__is_not_accepted(tmp_path: Path) -> None:
    with server_certificate("hooks.example.org", tmp_path) as (serving, _), hook(serving) as box:
        goal = Target(f"https://hooks.example.org:{box.port}/x", "hooks.example.org", box.port, True)
        with pytest.raises(NotSent, match="certificate"):
            asyncio.run(send(goal, ["127.0.0.1"], b"{}", {}, tls=ssl.create_default_context()))
    assert box.posts == []


def test_url__that_two_parsers_read_differently__is_not_sent_to(receiver: Hook) -> None:
    odd = Target(receiver.url(), "hooks.example.org", receiver.port, False)
    with pytest.raises(NotSent, match="two ways"):
        asyncio.run(send(odd, ["127.0.0.1"], b"{}", {}))
    assert receiver.connections == 0
