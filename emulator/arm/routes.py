"""How a path finds its handler: by provider, then by the words of the path. `providers.py` lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.arm.call import Call, Reply
from emulator.cloud import Cloud
from emulator.errors import ArmError

Handler = Callable[[Cloud, Call], Reply]
Key = tuple[str, int, int, tuple[str, ...]]
"""Method, length of the path before the provider, length after it, and the words (not the names) after it."""


@dataclass(frozen=True, slots=True)
class Route:
    run: Handler
    action: str | None
    """The role action that a caller needs; None where being signed in is enough."""


@dataclass(frozen=True, slots=True)
class Match:
    route: Route
    subscription: str
    group: str
    named: tuple[str, ...]
    scope: str


Table = dict[Key, Route]
ANY_SCOPE = -1
SUBSCRIPTION = 2
GROUP = 4
TENANT = 0


def at(method: str, before: int, words: str) -> Key:
    """The key of a pattern such as `workspaces/*/onlineEndpoints`."""
    parts = words.lower().split("/")
    return method, before, len(parts), tuple(parts[0::2])


def find(providers: dict[str, Table], method: str, path: str) -> Match:
    """The route of a path, or ARM's 404 for what this emulator does not serve."""
    parts = path.strip("/").split("/")
    lower = [part.lower() for part in parts]
    if lower[0] not in {"subscriptions", "providers"} or "providers" not in lower[:-1]:
        raise ArmError(404, "InvalidResourceType", f"Nothing is served at '{path}'.")
    split = len(lower) - 1 - lower[::-1].index("providers")
    table = providers.get(lower[split + 1])
    if table is None:
        raise ArmError(404, "InvalidResourceNamespace", f"The namespace '{parts[split + 1]}' is not served.")
    rest = tuple(lower[split + 2 :])
    for before in (split, ANY_SCOPE):
        route = table.get((method, before, len(rest), rest[0::2]))
        if route is not None:
            return Match(
                route,
                parts[1] if split else "",
                parts[3] if split > 3 else "",
                tuple(parts[split + 3 :: 2]),
                _scope(parts, split),
            )
    raise _unserved(table, path, method, split, rest)


def _scope(parts: list[str], split: int) -> str:
    """What permissions are checked against: the named resource, without a trailing collection or action."""
    named = (len(parts) - split - 2) // 2 * 2
    kept = split + 2 + named if named else split
    return "/" + "/".join(parts[:kept])


def _unserved(table: Table, path: str, method: str, before: int, rest: tuple[str, ...]) -> ArmError:
    methods = {key[0] for key in table if key[1:] == (before, len(rest), rest[0::2])}
    if methods:
        return ArmError(
            405, "HttpMethodNotSupported", f"The method '{method}' is not supported at this resource."
        )
    return ArmError(404, "InvalidResourceType", f"The resource type could not be found at '{path}'.")
