"""Servers of somebody else's, named by DATABASE_URL and BROKER_URL: looked at once before anything starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
import redis

from opsportal.embedded import commands
from opsportal.embedded.postgres import ServerUnavailable

OLDEST_POSTGRESQL = 15
_PATIENCE_SECONDS = 5


@dataclass(frozen=True)
class TheirDatabase:
    """`owner_url` migrates; without one of its own it is the same role that the portal uses."""

    url: str
    owner_url: str

    @classmethod
    def from_environment(cls) -> TheirDatabase | None:
        url = os.environ.get("DATABASE_URL")
        return cls(url, os.environ.get("OPSPORTAL_OWNER_DATABASE_URL") or url) if url else None

    @property
    def prepare(self) -> tuple[str, ...]:
        """How to migrate it. One role for everything can't be kept from rewriting history: it owns the tables."""
        role, owner = (unquote(urlsplit(url).username or "") for url in (self.url, self.owner_url))
        if role == owner:
            return ("python", "manage.py", "migrate", "--no-input")
        return (*commands.PREPARE, "--role", role)

    def check(self) -> None:
        """ServerUnavailable with one sentence when it can't be used."""
        for name, url in (("DATABASE_URL", self.url), ("OPSPORTAL_OWNER_DATABASE_URL", self.owner_url)):
            try:
                with psycopg.connect(url, connect_timeout=_PATIENCE_SECONDS) as session:
                    version = session.info.server_version // 10_000
            except psycopg.Error as error:
                cause = " ".join(str(error).split())
                raise ServerUnavailable(
                    f"{name} is set but can't be used: {cause} Nothing was started."
                ) from None
            if version < OLDEST_POSTGRESQL:
                raise ServerUnavailable(
                    f"{name} leads to PostgreSQL {version}; the portal needs {OLDEST_POSTGRESQL} or newer. "
                    "Nothing was started."
                )


def check_broker(url: str) -> None:
    """ServerUnavailable with one sentence when it can't be used."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=_PATIENCE_SECONDS) as session:
            session.ping()
    except (redis.RedisError, ValueError) as error:
        raise ServerUnavailable(
            f"BROKER_URL is set but can't be used: {error}. Nothing was started."
        ) from None
