"""`matrix.yaml`, and how an address compares with its row.

A row says for each workspace which status everybody gets; `here` is where the insiders hold their roles, `there`
is where only the outsider has any. `send` is the body, `with` overrides parameters of the address; `$name` is
what has that name in the stage's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from tests.access_matrix.addresses import Address, addresses
from tests.access_matrix.stage import HERE, INSIDERS, PRINCIPALS, THERE, Stage

TABLE: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("matrix.yaml").read_text())
ADDRESSES = {address.row: address for address in addresses()}
_SEES = {HERE: set(INSIDERS), THERE: {"outsider"}}


def compare(row: str, stage: Stage) -> None:
    """Call the address as everybody, in both places; fails with the row as it was found."""
    places = places_of(row)
    found = {place: _found(stage, ADDRESSES[row], place) for place in places}
    said = {place: said_row(row, place) for place in places}
    assert found == said, f"found:\n{_as_table(row, found)}"


def call(
    stage: Stage, who: str, address: Address, place: str, *, by_token: bool = False
) -> tuple[int, bytes]:
    """Status and body of one request, whose deeds are undone."""
    with nullcontext() if address.is_async else undone():
        answer = stage.call(who, address, place, TABLE.get(address.row, {}), by_token=by_token)
        body = b"" if answer.streaming else answer.content  # a stream that nobody began to read holds nothing
    return answer.status_code, body


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is rolled back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def places_of(row: str) -> list[str]:
    """An address that names nothing of a workspace is the same in both."""
    names = [*ADDRESSES[row].parameters, *map(str, TABLE.get(row, {}).get("send", {}).values())]
    of_a_workspace = [name for name in names if name.startswith("$") or name in ("ws", "number", "seq")]
    return [HERE, THERE] if of_a_workspace else [HERE]


def said_row(row: str, place: str) -> dict[int, list[str]]:
    """Everybody by status, as the table says."""
    said = TABLE.get(row, {}).get(place, {})
    return {status: _people(names) for status, names in sorted(said.items())}


def _people(names: str) -> list[str]:
    return [who for name in names.split() for who in (INSIDERS if name == "insiders" else (name,))]


def _found(stage: Stage, address: Address, place: str) -> dict[int, list[str]]:
    """Everybody by the status that they get. Whoever may not see a workspace reads none of its words, anywhere."""
    found: dict[int, list[str]] = {}
    for who in PRINCIPALS:
        status, body = call(stage, who, address, place)
        found.setdefault(status, []).append(who)
        for where, seers in _SEES.items():
            secret = stage.places[where].secret.encode()
            assert who in seers or secret not in body, f"{who} reads of {where} at {address.row}"
    return dict(sorted(found.items()))


def _as_table(row: str, found: dict[str, dict[int, list[str]]]) -> str:
    lines = [f"{row}:"]
    for place, by_status in found.items():
        inner = ", ".join(f"{status}: {_names(people)}" for status, people in by_status.items())
        lines.append(f"  {place}: {{{inner}}}")
    return "\n".join(lines)


def _names(people: list[str]) -> str:
    return " ".join(people).replace(" ".join(INSIDERS), "insiders")
