"""The table of findings: one line each, with what it would take to act on it, and sums that the lines add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.urls import reverse

from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.capacity.life import ENDED
from endpoints.capacity.selectors.findings import FindingPage, FindingRow
from endpoints.capacity.worth import CENT, in_cents
from endpoints.metrics import selectors as metrics
from endpoints.metrics.windows import Grain
from endpoints.web import capacity_terms as terms
from endpoints.web.capacity_money import cents, of
from endpoints.web.sparks import Spark, spark_of
from endpoints.web.states import Sign
from endpoints.web.wording import UNKNOWN

SPARK_DAYS = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One finding. `amount`: a month's, at most; `least`: at least, "" where that is the same.

    `types`: the name to be typed before it is filed, "" where nothing is deleted. `work`: no change can do it.
    `may`: whether this person may act on it, and why not.
    """

    row: FindingRow
    href: str
    endpoint_href: str
    amount: str
    least: str
    where: str
    size: str
    to: str
    evidence: str
    spark: Spark | None
    sign: Sign
    who: str
    verb: str
    types: str
    work: bool
    bulk: bool
    acts: bool
    may: Decision
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """One currency's: what this page's lines come to, what is on other pages ("" for nothing), and all of it."""

    currency: str
    here: str
    elsewhere: str
    all: str


@dataclass(frozen=True, slots=True)
class Table:
    lines: tuple[Line, ...]
    totals: tuple[Total, ...]
    count: int
    unpriced: int

    @property
    def bulk(self) -> bool:
        """Whether anything here can be filed together."""
        return self.first_bulk is not None

    @property
    def first_bulk(self) -> Line | None:
        """Where somebody goes who ticked nothing."""
        return next((line for line in self.lines if line.bulk), None)


def table(me: Principal, found: FindingPage, names: Mapping[int | None, str]) -> Table:
    """The lines of a page with their sums. `names`: of the people who claimed any."""
    shown, totals = _sums(found)
    may: dict[int, Decision] = {}
    for row in found.rows:
        if row.workspace_id not in may:
            may[row.workspace_id] = decide(
                me, Action.FINDING_WORK, workspace_id=row.workspace_id, workspace=row.workspace
            )
    sparks = _sparks(found.rows)
    lines = tuple(
        line(row, may[row.workspace_id], names, amount=shown.get(row.id), spark=sparks.get(row.id))
        for row in found.rows
    )
    return Table(lines, totals, found.count, found.unpriced)


def line(
    row: FindingRow,
    may: Decision,
    names: Mapping[int | None, str],
    *,
    amount: str | None = None,
    spark: Spark | None = None,
) -> Line:
    """One finding as a line."""
    told, is_delete = row.told, row.kind in terms.DELETES
    high, low = row.high, row.low
    acts = row.state in ("open", "claimed")
    return Line(
        row=row,
        href=reverse("web:finding", kwargs={"number": row.id}),
        endpoint_href=reverse("web:endpoint", kwargs={"ws": row.workspace, "name": row.endpoint}),
        amount=amount or (UNKNOWN if high is None else cents(high.amount)),
        least=cents(low.amount) if low and high and low.amount != high.amount else "",
        where=terms.where(row),
        size=terms.size(told.now_sku, told.now_instances),
        to=told.to,
        evidence=told.evidence[0] if told.evidence else "",
        spark=spark,
        sign=terms.sign_of(row.state),
        who=names.get(row.claimed_by, "") if row.claimed_by is not None else "",
        verb=terms.verb(row),
        types=(row.deployment or row.endpoint) if is_delete else "",
        work=row.kind in terms.AS_WORK,
        bulk=acts and row.kind in terms.IN_BULK and may.allowed,
        acts=acts,
        may=may,
        notes=notes_of(row),
    )


def notes_of(row: FindingRow) -> tuple[str, ...]:
    """What else is to be known: evidence after the first, what it does to peak load, and what is not added."""
    others = [
        f"Noted, not added: {terms.kind_words(kind).lower()}"
        + (f" would save {of(high)} a month on the same instances." if high else " on the same instances.")
        for kind, high in row.told.others
    ]
    return tuple(filter(None, [*row.told.evidence[1:], row.told.effect, *others]))


def _sums(found: FindingPage) -> tuple[dict[int, str], tuple[Total, ...]]:
    """Each line's cents, by id, and the sums; of what is over nothing is added up."""
    shown: dict[int, str] = {}
    totals = []
    for currency, total in sorted(found.sums.items(), key=lambda pair: -pair[1]):
        here = {
            str(row.id): row.high.amount
            for row in found.rows
            if row.high and row.high.currency == currency and row.state not in ENDED
        }
        rest = total - sum(here.values(), Decimal(0))
        told = in_cents(here | {"rest": rest})
        shown |= {int(name): cents(amount) for name, amount in told.items() if name != "rest"}
        on_page = total.quantize(CENT) - told["rest"]
        totals.append(Total(currency, cents(on_page), cents(told["rest"]) if rest else "", cents(total)))
    return shown, tuple(totals)


def _sparks(rows: Sequence[FindingRow]) -> dict[int, Spark]:
    """Requests a day, of those findings that are of one deployment."""
    ids = {row.id: row.deployment_id for row in rows if row.deployment_id is not None}
    if not ids:
        return {}
    until = datetime.combine(max(row.told.until for row in rows) + timedelta(days=1), time(), tzinfo=UTC)
    found = metrics.series(
        sorted(set(ids.values())),
        since=until - timedelta(days=SPARK_DAYS),
        until=until,
        grain=Grain.DAY,
        columns=("requests",),
    )
    sparks = {
        number: spark_of(found.by_deployment[deployment]["requests"])
        for number, deployment in ids.items()
        if deployment in found.by_deployment
    }
    return {number: spark for number, spark in sparks.items() if spark is not None}
