"""Who an entry is about, as opaque text: the ledger never holds a name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts.

    `ref` is "user:7", "system:executor" or "anonymous:visitor"; `auth` says how they proved it: "session",
    "token:3", "system", "command" or "none". `on_behalf` is the person whose order a machine carries out.
    `ip` is personal data: it is kept beside the entry, and the entry holds only a salted commitment to it.
    """

    ref: str
    auth: str
    on_behalf: str = ""
    ip: str = ""


SYSTEM_EXECUTOR = Actor("system:executor", "system")
SYSTEM_SYNC = Actor("system:sync", "system")
SYSTEM_CAPACITY = Actor("system:capacity", "system")
SYSTEM_LEDGER = Actor("system:ledger", "system")
SYSTEM_COMMAND = Actor("system:command", "command")
ANONYMOUS = Actor("anonymous:visitor", "none")
