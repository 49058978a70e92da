"""The headline of capacity: what was spent, what of it was idle, what could be saved, and what was. Pure.

Each figure carries its formula in words and an address where its rows are. The parts of a month add up to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from endpoints.capacity.day import PARTS
from endpoints.capacity.selectors import Ledger
from endpoints.capacity.selectors.money import Month
from endpoints.capacity.selectors.standing import Standing
from endpoints.prices.selectors.basis import Basis
from endpoints.web.capacity_money import adding_up, cents, instance_hours, part_of
from endpoints.web.prices_view import SOURCES
from endpoints.web.wording import UNKNOWN, ago, plural


@dataclass(frozen=True, slots=True)
class Figure:
    """`tone` "", "warn" or "unknown". `formula`: how it was worked out. `href` is where its rows are, or ""."""

    label: str
    value: str
    note: str
    formula: tuple[str, ...]
    href: str = ""
    link: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """One currency's figures."""

    currency: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Links:
    """Where the rows of figures are."""

    days: str
    findings: str
    filed: str
    savings: str


@dataclass(frozen=True, slots=True)
class Saves:
    """By currency what could be saved and what was filed, with the number of findings; what was verified."""

    could: Mapping[str, Standing]
    filed: Mapping[str, Standing]
    realised: Mapping[str, Decimal]


def strips(
    month: date, ledgers: Sequence[Ledger], ahead: Mapping[str, Month], saves: Saves, links: Links
) -> tuple[Strip, ...]:
    """One of each currency; what has no price is in none of them. `ledgers`: of the month so far."""
    spent = {one.currency: one for one in ledgers if one.currency}
    known = dict.fromkeys([*spent, *(name for name in (*saves.could, *saves.filed, *saves.realised) if name)])
    return tuple(
        Strip(
            name,
            (
                *_month(month, spent.get(name), ahead.get(name), links),
                *_saves(name, saves, _expected(spent.get(name), ahead.get(name)), links),
            ),
        )
        for name in known
    )


def _expected(ledger: Ledger | None, ahead: Month | None) -> Decimal | None:
    """What the month is expected to come to; None: that is not known."""
    return ahead.forecast if ledger and ahead else None


def _month(month: date, ledger: Ledger | None, ahead: Month | None, links: Links) -> tuple[Figure, ...]:
    name = f"{month:%B}"
    if ledger is None:
        return (
            Figure(f"Spent in {name} so far", UNKNOWN, "no priced day is in the ledger", (), tone="unknown"),
        )
    amounts = ledger.total.amounts
    shown, paid = adding_up({part: amounts[part] for part in PARTS}), amounts["paid"]
    identity = (
        f"{cents(paid)} paid = {shown['useful']} used + {shown['unserved']} unserved + {shown['over']} over"
        f" + {shown['unknown']} of which nothing can be told."
    )
    days = f"{plural(len(ledger.days), 'day')} of {name} in the ledger; every hour is instances x its price."
    return (
        Figure(
            f"Spent in {name} so far",
            cents(paid),
            _ahead(paid, ahead),
            (identity, days, *([ahead.words] if ahead and ahead.words else [])),
            links.days,
            "Rows of the month",
            "warn" if _over_plan(paid, ahead) else "",
        ),
        Figure(
            "Unserved",
            shown["unserved"],
            f"{part_of(amounts['unserved'], paid)} of it; no request came",
            ("Paid time in which nobody asked anything. Over is another number; the two are never added.", identity),
            f"{links.days}&part=unserved",
            "Rows without requests",
        ),
        Figure(
            "Over",
            shown["over"],
            f"{part_of(amounts['over'], paid)} of it; more than needed",
            ("Requests came, and fewer instances would have carried them. Unserved is another number.", identity),
            f"{links.days}&part=over",
            "Rows with too many",
        ),
        Figure(
            "Cannot tell",
            shown["unknown"],
            f"{part_of(amounts['unknown'], paid)} of it; no metrics",
            ("Paid, and Azure has not said whether anybody asked. Counted neither as used nor as idle.", identity),
            f"{links.days}&part=unknown",
            "Rows that cannot be told",
            "unknown" if amounts["unknown"] else "",
        ),
    )  # fmt: skip


def _ahead(paid: Decimal, ahead: Month | None) -> str:
    """`forecast 11 900.00 (11 200.00 to 12 600.00); plan 12 000.00`."""
    if ahead is None:
        return "forecast not known yet"
    said = "forecast not known yet" if ahead.forecast is None else f"forecast {cents(ahead.forecast)}"
    if ahead.forecast is not None and ahead.forecast_low is not None and ahead.forecast_high is not None:
        said += f" ({cents(ahead.forecast_low)} to {cents(ahead.forecast_high)})"
    if ahead.plan is None:
        return f"{said}; no plan covers all of it"
    over = _over_plan(paid, ahead)
    return f"{said}; plan {cents(ahead.plan)}" + (f", over it by {cents(over)}" if over else "")


def _over_plan(paid: Decimal, ahead: Month | None) -> Decimal | None:
    if ahead is None or ahead.plan is None:
        return None
    expected = paid if ahead.forecast is None else max(paid, ahead.forecast)
    return expected - ahead.plan if expected > ahead.plan else None


def _saves(currency: str, saves: Saves, expected: Decimal | None, links: Links) -> tuple[Figure, ...]:
    nothing = Standing("", currency, Decimal(0), Decimal(0), 0)
    could, filed = saves.could.get(currency, nothing), saves.filed.get(currency, nothing)
    share = f", {part_of(could.high, expected)} of the forecast" if expected else ""
    least = f"; at least {cents(could.low)}" if could.count and could.low != could.high else ""
    return (
        Figure(
            "Could save a month",
            cents(could.high),
            f"in {plural(could.count, 'finding')}{share}{least}",
            (
                "The sum of the findings below that are open or claimed. Each instance is in it once: where two ways"
                " would save on it, the larger one.",
                *_unpriced(saves.could),
            ),
            links.findings,
            "Its findings",
        ),
        Figure(
            "Filed",
            cents(filed.high),
            f"a month, in {plural(filed.count, 'finding')}",
            ("Changes were asked for and are not done. Nothing of it is saved yet.",),
            links.filed,
            "Filed findings",
        ),
        Figure(
            "Realised",
            cents(saves.realised.get(currency, Decimal(0))),
            "a month, verified",
            (
                "What the ledger shows: paid time after an action against the same hours before it. Only what was"
                " verified counts.",
            ),
            links.savings,
            "What was really saved",
        ),
    )


def _unpriced(could: Mapping[str, Standing]) -> tuple[str, ...]:
    if "" not in could:
        return ()
    return (f"{plural(could[''].count, 'finding')} without a known price: in no sum.",)


def price_words(basis: tuple[Basis, ...]) -> str:
    """Whose prices these are and how old; that none are known, else."""
    if not basis:
        return "No price was read yet: money is unknown, and only hours are counted."
    said = [
        f"{SOURCES.get(one.source, one.source)}, {one.currency}, {plural(one.sizes, 'size')},"
        f" newest price of {one.newest:%Y-%m-%d} ({ago(one.newest)})"
        for one in basis
    ]
    return f"Prices: {'; '.join(said)}. List prices on Linux, less your agreements."


def unpriced_words(ledgers: Sequence[Ledger], could: Mapping[str, Standing]) -> str:
    """What of the month has no price at all, in hours, and how many findings have none."""
    seconds = sum(one.total.unpriced_seconds for one in ledgers)
    said = [f"{instance_hours(seconds)} of instances have no known price"] if seconds else []
    if "" in could:
        said.append(f"{plural(could[''].count, 'finding')} without a known price")
    return f"{' and '.join(said)}: in no sum." if said else ""
