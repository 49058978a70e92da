"""Vaults and their secrets as the scenario tells them. A secret may follow an endpoint's key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from emulator.values import guid


@dataclass(frozen=True, slots=True)
class Secret:
    name: str
    value: str | None = None
    key_of: str | None = None
    """The endpoint whose key in force it always holds, as an ARM id, instead of a value."""
    which: Literal["Primary", "Secondary"] = "Primary"
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Vault:
    name: str
    id: str
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """By lower-case name: names compare without regard to case."""


@dataclass(frozen=True, slots=True)
class Vaults:
    items: tuple[Vault, ...] = ()

    def at(self, host: str) -> Vault | None:
        """The vault that a host name's first label names; under any other host the first one."""
        label = host.partition(".")[0].lower()
        named = next((vault for vault in self.items if vault.name.lower() == label), None)
        return named or (self.items[0] if self.items else None)


def content(secret: Secret, key_of: Callable[[str, str], str | None]) -> str | None:
    """What the secret holds now; None where its endpoint is gone."""
    return secret.value if secret.key_of is None else key_of(secret.key_of, secret.which)


def version(seed: int, vault: Vault, secret: Secret, value: str) -> str:
    """32 hexadecimal digits that change with the value. Older versions are not kept."""
    return guid(seed, "secret", vault.id.lower(), secret.name.lower(), value).replace("-", "")
