"""Whose capacity costs what: owners and teams, those with most unserved money first, columns that add up. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from endpoints.capacity.selectors.ledger import Ledger, Sums
from endpoints.web.capacity_export import NOBODY
from endpoints.web.capacity_money import adding_up, cents, part_of

MOST = 15
COLUMNS = ("unserved", "over", "unknown", "paid")
REST = "rest"


@dataclass(frozen=True, slots=True)
class OwnerLine:
    """`query`: the filter of its rows, "" for the rest of them."""

    owner: str
    team: str
    query: str
    amounts: tuple[str, ...]
    idle: str


@dataclass(frozen=True, slots=True)
class Owners:
    """`total` is the ledger's, to which the lines add up in each column."""

    currency: str
    lines: tuple[OwnerLine, ...]
    total: tuple[str, ...]
    caption: str


def owners(ledger: Ledger) -> Owners:
    """One currency's."""
    ranked = sorted(ledger.owners.items(), key=lambda pair: (-pair[1].amounts["unserved"], pair[0]))
    shown, rest = ranked[:MOST], ranked[MOST:]
    told = {name: _column(shown, rest, name) for name in COLUMNS}
    lines = [
        OwnerLine(
            owner=owner or "nobody is named",
            team=team,
            query=urlencode({"owner": owner or NOBODY, "team": team or NOBODY}),
            amounts=tuple(told[name][str(at)] for name in COLUMNS),
            idle=part_of(sums.amounts["unserved"], sums.amounts["paid"]),
        )
        for at, ((owner, team), sums) in enumerate(shown)
    ]
    if rest:
        lines.append(
            OwnerLine(f"{len(rest)} others", "", "", tuple(told[name][REST] for name in COLUMNS), "")
        )
    return Owners(
        currency=ledger.currency,
        lines=tuple(lines),
        total=tuple(cents(ledger.total.amounts[name]) for name in COLUMNS),
        caption=_caption(ranked, ledger),
    )


def _column(
    shown: list[tuple[tuple[str, str], Sums]], rest: list[tuple[tuple[str, str], Sums]], name: str
) -> dict[str, str]:
    parts = {str(at): sums.amounts[name] for at, (_, sums) in enumerate(shown)}
    parts[REST] = sum((sums.amounts[name] for _, sums in rest), Decimal(0))
    return adding_up(parts)


def _caption(ranked: list[tuple[tuple[str, str], Sums]], ledger: Ledger) -> str:
    if not ranked:
        return "Nothing was paid in these days."
    (owner, team), sums = ranked[0]
    name = owner or "what has no owner"
    of_team = f" ({team})" if team else ""
    unserved = part_of(sums.amounts["unserved"], ledger.total.amounts["unserved"])
    return f"Most unserved money is with {name}{of_team}: {unserved} of it. Owners are those of today's tags."
