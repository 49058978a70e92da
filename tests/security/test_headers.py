"""What a real web process with production settings says to browsers, and whom it believes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from endpoints.access.models import LoginAttempts
from endpoints.audit.models import Personal
from opsportal.embedded.throwaway import Servers
from opsportal.settings import base
from tests.support import databases, processes
from tests.support.people import PASSWORD, make_endpoint, make_person, make_workspace

pytestmark = pytest.mark.processes

HOST = "portal.example.org"
BY_PROXY = {"Host": HOST, "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def portal(
    servers: Servers,
    migrated_template: str,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Behind a proxy that is trusted, as in production."""
    with (
        databases.cloned(servers, migrated_template) as database,
        django_db_blocker.unblock(),
        databases.default_database(database.url),
    ):
        with override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS):
            workspace = make_workspace("mlw-prod-weu")
            make_person("vera", {workspace.slug: ["reviewer"]})
            make_endpoint(workspace)
        told = processes.environment(
            database,
            DJANGO_SETTINGS_MODULE="opsportal.settings.production",
            ALLOWED_HOSTS=f"{HOST},127.0.0.1",
            OPSPORTAL_PUBLIC_URL=f"https://{HOST}",
            OPSPORTAL_TRUST_PROXY_HEADERS="true",
        )
        with processes.web(told, tmp_path_factory.mktemp("web")) as (url, _):
            yield url


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return dict(found)


def sign_in(portal: str, **headers: str) -> httpx.Response:
    """The answer to a right user name and password, sent as the page sends it."""
    form = httpx.get(f"{portal}/login", headers=BY_PROXY)
    token = form.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    return httpx.post(
        f"{portal}/login",
        data={"username": "vera", "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers=BY_PROXY
        | {
            "Cookie": f"__Host-csrf={cookies_of(form)['__Host-csrf'].value}",
            "Referer": f"https://{HOST}/login",
        }
        | headers,
    )


def test_cookies__in_production__are_for_this_host_by_https_and_out_of_scripts_reach(portal: str) -> None:
    answer = sign_in(portal)
    assert answer.status_code == 302
    cookies = cookies_of(answer)
    assert set(cookies) == {"__Host-session", "__Host-csrf"}
    for cookie in cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookies["__Host-session"]["samesite"] == "Lax"
    assert cookies["__Host-csrf"]["samesite"] == "Strict"
    assert int(cookies["__Host-session"]["max-age"]) <= 8 * 3600


@pytest.mark.parametrize("path", ["/fleet", "/login", "/api/v1/me", "/no/such/page"])
def test_plain_http__is_sent_on_to_https(portal: str, path: str) -> None:
    answer = httpx.get(f"{portal}{path}", headers={"Host": HOST})
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}{path}")
    assert not answer.headers.get("set-cookie")


# Address, what is sent with it, and the status.
ANSWERS = {
    "a page": ("GET", "/fleet", {}, 200),
    "a piece of a page": ("GET", "/fleet", {"HX-Request": "true"}, 200),
    "an export": ("GET", "/fleet?format=csv", {}, 200),
    "nothing there": ("GET", "/no/such/page", {}, 404),
    "nothing there for the API": ("GET", "/api/v1/no-such", {}, 404),
    "the API": ("GET", "/api/v1/me", {}, 200),
    "its description": ("GET", "/api/v1/openapi.json", {}, 200),
    "no token": ("POST", "/settings/zone", {}, 403),
    "a wrong method": ("DELETE", "/fleet", {}, 403),
    "an unreadable one": ("GET", "/fleet?q=%00", {}, 400),
    "a body that is no form": ("POST", "/login", {"Content-Type": "multipart/form-data"}, 403),
    "somebody's own page": ("GET", "/settings/tokens", {}, 200),
}


@pytest.fixture(scope="module")
def session(portal: str) -> str:
    return cookies_of(sign_in(portal))["__Host-session"].value


@pytest.mark.parametrize("name", ANSWERS)
def test_answer__whatever_it_is__protects_and_is_not_kept(portal: str, session: str, name: str) -> None:
    method, path, headers, status = ANSWERS[name]
    cookie = {"Cookie": f"__Host-session={session}"}
    answer = httpx.request(method, f"{portal}{path}", headers=BY_PROXY | cookie | headers, content=b"")
    assert answer.status_code == status
    said = answer.headers
    policy = said["Content-Security-Policy"]
    assert "unsafe" not in policy
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "form-action 'self'" in policy
    assert said["X-Frame-Options"] == "DENY"
    assert said["X-Content-Type-Options"] == "nosniff"
    assert said["Referrer-Policy"] == "same-origin"
    assert said["Cross-Origin-Opener-Policy"] == "same-origin"
    assert said["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert "no-store" in said["Cache-Control"]
    assert "Server" not in said
    assert not said.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": f"{HOST}.evil.example"},
        {"Host": f"{HOST}:443@evil.example"},
        {"Host": ""},
    ],
    ids=lambda one: one["Host"],
)
def test_host__that_is_not_ours__is_refused(portal: str, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{portal}/login", headers=BY_PROXY | headers)
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Port": "1234"},
        {"Forwarded": "host=evil.example"},
        {"X-Original-URL": "/settings/tokens"},
        {"X-Rewrite-URL": "/settings/tokens"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Forwarded-Prefix": "/evil"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_header__that_rewrites_a_request_elsewhere__is_not_believed(
    portal: str, session: str, headers: dict[str, str]
) -> None:
    cookie = {"Cookie": f"__Host-session={session}"}
    answer = httpx.get(f"{portal}/fleet", headers=BY_PROXY | cookie | headers)
    assert answer.status_code == 200
    assert "<h1" in answer.text
    assert "evil" not in answer.text
    away = httpx.get(f"{portal}/fleet", headers=BY_PROXY | headers)
    assert away.headers["Location"] == "/login?next=/fleet"


@pytest.mark.parametrize("path", ["/" + "a/" * 3000, "/w/" + "x" * 6000 + "/", "/fleet?q=" + "%F0" * 2000])
def test_address__far_too_long__is_answered(portal: str, session: str, path: str) -> None:
    cookie = {"Cookie": f"__Host-session={session}"}
    answer = httpx.get(f"{portal}{path}", headers=BY_PROXY | cookie)
    assert answer.status_code in (200, 400, 404, 414)


def test_upload__of_a_file__is_taken_nowhere_else(portal: str) -> None:
    """One page takes a calendar, in memory; nothing is written to disk for anybody, signed in or not."""
    form = httpx.get(f"{portal}/login", headers=BY_PROXY)
    token = form.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    answer = httpx.post(
        f"{portal}/login",
        data={"username": "vera", "password": "wrong", "csrfmiddlewaretoken": token},
        files={"upload": ("x.bin", b"x" * 3_000_000)},
        headers=BY_PROXY
        | {
            "Cookie": f"__Host-csrf={cookies_of(form)['__Host-csrf'].value}",
            "Referer": f"https://{HOST}/login",
        },
    )
    assert answer.status_code in (400, 403, 413)


def test_address_of_a_caller__is_the_proxys_word_only_for_the_proxys_neighbour(portal: str) -> None:
    """What a client claims before the proxy's own entry is not believed: throttle and ledger count on it."""
    sign_in(portal, **{"X-Forwarded-For": "203.0.113.7, 198.51.100.9"})
    assert Personal.objects.filter(field="ip").latest("pk").text == "198.51.100.9"
    assert not LoginAttempts.objects.filter(failures__gt=1).exists()


def raw(portal: str, request: bytes) -> bytes:
    """What comes back on a bare connection, until it is closed or silent."""
    where = urlsplit(portal)
    answer = b""
    with (
        socket.create_connection((where.hostname or "", where.port or 0), timeout=5) as line,
        suppress(OSError),
    ):
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        while chunk := line.recv(65536):
            answer += chunk
    return answer


ON = f"Host: {HOST}\r\nX-Forwarded-Proto: https\r\n".encode()
MALFORMED = {
    "no host": b"GET /login HTTP/1.0\r\n\r\n",
    "nul in the path": b"GET /\x00 HTTP/1.1\r\n" + ON + b"\r\n",
    "an escaped nul in the path": b"GET /w/%00/e/%00/ HTTP/1.1\r\n" + ON + b"\r\n",
    "escaped bytes that are no utf-8": b"GET /w/%ff%fe/ HTTP/1.1\r\n" + ON + b"\r\n",
    "nul in a header": b"GET /login HTTP/1.1\r\n" + ON + b"Cookie: __Host-session=\x00\r\n\r\n",
    "latin-1 in a header": b"GET /fleet HTTP/1.1\r\n" + ON + b"Cookie: __Host-session=\xe9\xff\r\nHX-Request: \xe9"
    b"\r\n\r\n",
    "a header without an end": b"GET /login HTTP/1.1\r\n" + ON + b"X: " + b"a" * 200_000,
    "two lengths": b"POST /login HTTP/1.1\r\n" + ON + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "length and chunks": b"POST /login HTTP/1.1\r\n" + ON
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /fleet HTTP/1.1\r\n\r\n",
    "a body that stops": b"POST /login HTTP/1.1\r\n" + ON + b"Content-Length: 500\r\n\r\nusername=",
    "a method of nobody": b"BREW /fleet HTTP/1.1\r\n" + ON + b"\r\n",
    "another address form": b"GET https://evil.example/fleet HTTP/1.1\r\n" + ON + b"\r\n",
    "a web socket": b"GET /fleet HTTP/1.1\r\n" + ON + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no http": b"\x16\x03\x01\x02\x00\x01\x00",
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_request__that_is_none__is_refused_and_hurts_nobody(portal: str, name: str) -> None:
    answer = raw(portal, MALFORMED[name])
    status = answer.partition(b"\r\n")[0]
    assert not status.startswith(b"HTTP/1.1 5"), answer[:300]
    assert b"evil.example" not in answer
    assert b"Traceback" not in answer
    assert httpx.get(f"{portal}/healthz").status_code == 200
