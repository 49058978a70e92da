"""Idle money day by day as small pictures of one height, and savings ranked; each with its answer in words. Pure.

Unserved and over stand beside each other and are never added. A day that is not in the ledger is a gap, not a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from endpoints.capacity.life import ENDED
from endpoints.capacity.selectors.findings import FindingRow
from endpoints.capacity.selectors.ledger import Ledger
from endpoints.capacity.selectors.trend import Trend
from endpoints.web import capacity_terms as terms
from endpoints.web.capacity_money import cents, money, part_of
from endpoints.web.charts import runs
from endpoints.web.numbers import MISSING
from endpoints.web.wording import UNKNOWN, plural

WIDTH, HEIGHT = 600, 56
MOST_CAUSES = 4
MOST_BARS = 12
BAR = 100
OTHERS = "of other causes"

Values = Sequence[Decimal | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One series. `bars` and `gaps` are SVG's x, y, width, height and x, width. `part`, `cause`: what its rows are."""

    title: str
    total: str
    highest: str
    bars: tuple[tuple[str, str, str, str], ...]
    gaps: tuple[tuple[str, str], ...]
    part: str
    cause: str


@dataclass(frozen=True, slots=True)
class TrendView:
    """Small multiples of one height with their caption, and the same as a table, newest day first."""

    currency: str
    caption: str
    top: str
    first: date
    last: date
    panels: tuple[Panel, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One saving. `width` is of BAR; `so_far`: it and all before it, as a part of all."""

    name: str
    href: str
    amount: str
    width: str
    so_far: str


@dataclass(frozen=True, slots=True)
class Pareto:
    currency: str
    caption: str
    bars: tuple[Bar, ...]


def trend_view(ledger: Ledger, found: Trend | None, since: date, until: date) -> TrendView:
    """The days of one currency."""
    days = [since + timedelta(days=at) for at in range((until - since).days)]
    made = found.made if found else frozenset(ledger.days)
    series: list[tuple[str, str, str, Values]] = [
        ("Unserved, of every cause", "unserved", "", _of(ledger, "unserved", days, made)),
        ("Over: more than was needed", "over", "", _of(ledger, "over", days, made)),
    ]
    series += _causes(found, days) if found else []
    top = max(
        (value for _, _, _, values in series for value in values if value is not None), default=Decimal(0)
    )
    panels = tuple(_panel(*one, days=days, top=top) for one in series)
    return TrendView(
        currency=ledger.currency,
        caption=_caption(ledger, days, made),
        top=cents(top),
        first=days[0],
        last=days[-1],
        panels=panels,
        head=tuple(title for title, *_ in series),
        rows=tuple(
            (f"{day:%Y-%m-%d}", *(MISSING if (value := values[at]) is None else cents(value) for *_, values in series))
            for at, day in reversed(list(enumerate(days)))
        ),
    )  # fmt: skip


def _of(ledger: Ledger, part: str, days: Sequence[date], made: frozenset[date]) -> Values:
    return [
        ledger.days[day].amounts[part] if day in ledger.days else Decimal(0) if day in made else None
        for day in days
    ]


def _causes(found: Trend, days: Sequence[date]) -> list[tuple[str, str, str, Values]]:
    """Those that cost most, and the others together."""
    ranked = sorted(found.causes, key=lambda cause: (-sum(found.causes[cause].values()), cause))
    shown = ranked if len(ranked) <= MOST_CAUSES else ranked[: MOST_CAUSES - 1]
    rest = [cause for cause in ranked if cause not in shown]
    series = [
        (_unserved(terms.cause_words(cause)), "", cause, _days_of(found, [cause], days)) for cause in shown
    ]
    return series + ([(_unserved(OTHERS), "unserved", "", _days_of(found, rest, days))] if rest else [])


def _unserved(words: str) -> str:
    """A part of the first picture says that it is one."""
    return f"Unserved: {words[:1].lower()}{words[1:]}"


def _days_of(found: Trend, causes: Sequence[str], days: Sequence[date]) -> Values:
    return [
        sum((found.causes[cause].get(day, Decimal(0)) for cause in causes), Decimal(0))
        if day in found.made
        else None
        for day in days
    ]


def _panel(title: str, part: str, cause: str, values: Values, *, days: Sequence[date], top: Decimal) -> Panel:
    step = WIDTH / len(days)
    bars = []
    for at, value in enumerate(values):
        if not value:
            continue
        height = max(1.0, float(value / top) * HEIGHT)
        bars.append(
            (f"{at * step + step * 0.1:.1f}", f"{HEIGHT - height:.1f}", f"{step * 0.8:.1f}", f"{height:.1f}")
        )
    known = [(value, days[at]) for at, value in enumerate(values) if value is not None]
    most = max(known, default=None)
    return Panel(
        title=title,
        total=cents(sum((value for value, _ in known), Decimal(0))) if known else UNKNOWN,
        highest=f"highest {cents(most[0])} on {most[1]:%m-%d}" if most and most[0] else "none in these days",
        bars=tuple(bars),
        gaps=tuple(
            (f"{begin * step:.1f}", f"{(end - begin) * step:.1f}")
            for begin, end in runs(value is None for value in values)
        ),
        part=part,
        cause=cause,
    )


def _caption(ledger: Ledger, days: Sequence[date], made: frozenset[date]) -> str:
    unserved, over, paid = (ledger.total.amounts[name] for name in ("unserved", "over", "paid"))
    where = ledger.currency
    words = [
        f"In {plural(len(days), 'day')} {money(unserved, where)} ({part_of(unserved, paid)} of what was paid) went to"
        f" time in which no request came, and {money(over, where)} ({part_of(over, paid)}) to more instances than were"
        " needed."
    ]
    if ledger.causes and unserved:
        cause, (_, amount) = max(ledger.causes.items(), key=lambda pair: (pair[1][1], pair[0]))
        words.append(
            f"Most of the unserved time: {terms.cause_words(cause).lower()}, {money(amount, where)},"
            f" {part_of(amount, unserved)} of it."
        )
    missing = sum(day not in made for day in days)
    if missing:
        words.append(
            f"{plural(missing, 'day is', 'days are')} not in the ledger; nothing is known of them here."
        )
    return " ".join(words)


def pareto(rows: Sequence[FindingRow], sums: Mapping[str, Decimal]) -> Pareto | None:
    """The savings of the currency in which most could be saved, largest first. None: no price is known."""
    if not sums:
        return None
    currency, total = max(sums.items(), key=lambda pair: pair[1])
    mine = [
        row
        for row in rows
        if row.high and row.high.currency == currency and row.high.amount > 0 and row.state not in ENDED
    ]
    if not mine or not total:
        return None
    first = mine[0].high.amount if mine[0].high else Decimal(0)
    bars, so_far = [], Decimal(0)
    for row in mine[:MOST_BARS]:
        amount = row.high.amount if row.high else Decimal(0)
        so_far += amount
        bars.append(
            Bar(
                name=f"{terms.where(row)}: {terms.kind_words(row.kind).lower()}",
                href=f"#SV-{row.id}",
                amount=cents(amount),
                width=f"{float(amount / first) * BAR:.1f}",
                so_far=part_of(so_far, total),
            )
        )
    return Pareto(currency, _pareto_words(mine, total, currency), tuple(bars))


def _pareto_words(rows: Sequence[FindingRow], total: Decimal, currency: str) -> str:
    """How few of them make up most of it."""
    so_far, many = Decimal(0), 0
    for row in rows:
        so_far, many = so_far + (row.high.amount if row.high else Decimal(0)), many + 1
        if so_far >= total * Decimal("0.8"):
            break
    which = "The first one comes" if many == 1 else f"The first {many} come"
    return f"{which} to {part_of(so_far, total)} of the {money(total, currency)} a month that could be saved here."
