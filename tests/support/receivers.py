"""What receives outside the portal, in a thread of its own: a web server that remembers posts, and a mail server.

Both are real sockets on this machine, and both can misbehave as a test asks.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import cast

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


@dataclass(frozen=True)
class Post:
    """One request. Names of headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """A web server for webhooks. `answer` is what it writes back, byte by byte as it is; `drip` waits after each."""

    port: int = 0
    posts: list[Post] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    drip: float = 0.0
    connections: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.posts.append(Post(line, headers, body))
        for byte in self.answer:
            writer.write(bytes([byte]))
            await writer.drain()
            if self.drip:
                await asyncio.sleep(self.drip)
        writer.close()


@dataclass
class Mailbox:
    """A mail server. `tls` lets it offer STARTTLS; `refuse` is its answer to every recipient."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    refuse: str = ""

    async def serve(self, reader: Reader, writer: Writer) -> None:
        session = _Session(self, reader, writer)
        await session.say("220 sink ready")
        while line := (await reader.readline()).decode().strip():
            if not await session.take(line):
                break
        writer.close()


@dataclass
class _Session:
    box: Mailbox
    reader: Reader
    writer: Writer
    secure: bool = False

    async def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()

    async def take(self, line: str) -> bool:
        """Answer one command; False ends the session."""
        verb = line.split(" ")[0].upper()
        if verb == "STARTTLS" and self.box.tls:
            await self.say("220 go ahead")
            await self.writer.start_tls(self.box.tls)
            self.secure = True
        elif verb == "EHLO":
            offers = ["STARTTLS"] if self.box.tls and not self.secure else []
            lines = ["sink", *offers, "AUTH PLAIN", "8BITMIME"]
            await self.say(*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}")
        elif verb == "AUTH":
            self.box.signed_in.append(line)
            await self.say("235 welcome")
        elif verb == "RCPT":
            self.box.recipients.append(line)
            await self.say(self.box.refuse or "250 fine")
        elif verb == "DATA":
            await self.say("354 go on")
            await self._mail()
        else:
            await self.say("221 bye" if verb == "QUIT" else "250 fine")
        return verb != "QUIT"

    async def _mail(self) -> None:
        raw = (await self.reader.readuntil(b"\r\n.\r\n"))[: -len(b".\r\n")]
        self.box.mails.append(
            cast(EmailMessage, message_from_bytes(raw.replace(b"\r\n..", b"\r\n."), policy=SMTP))
        )
        self.box.encrypted.append(self.secure)
        await self.say("250 kept")


@contextmanager
def hook(tls: ssl.SSLContext | None = None) -> Iterator[Hook]:
    """A web server at `hook.url()`."""
    box = Hook()
    with _listening(box.serve, tls) as box.port:
        yield box


@contextmanager
def mailbox(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A mail server at `mailbox.port`."""
    box = Mailbox(tls=tls)
    with _listening(box.serve, None) as box.port:
        yield box


@contextmanager
def _listening(
    serve: Callable[[Reader, Writer], Awaitable[None]], tls: ssl.SSLContext | None
) -> Iterator[int]:
    """The port of a server that runs on a loop in another thread, until the end."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()

    async def quietly(reader: Reader, writer: Writer) -> None:
        # Who calls may hang up at any moment: that is what tests make them do.
        try:
            with suppress(OSError, EOFError, ssl.SSLError):
                await serve(reader, writer)
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(quietly, "0.0.0.0", 0, ssl=tls)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    def work() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(run())
        loop.run_until_complete(_ended(loop))
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(_cancel, loop)
        thread.join(5)


def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


async def _ended(loop: asyncio.AbstractEventLoop) -> None:
    """Handlers that were cancelled close their sockets, and sockets take a turn of the loop to close."""
    others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.01)
