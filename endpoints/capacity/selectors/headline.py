"""What could be saved, what was asked for, and what was verified, beside what the month cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from endpoints.capacity.life import State
from endpoints.capacity.selectors.month import month_of
from endpoints.capacity.selectors.standing import Standing, realised, standing, sums

_NONE = Standing("", "", Decimal(0), Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Headline:
    """One currency's. `spent` is of this month so far, None where none of its days is priced in this currency; all else
    is a month's, each instance once.

    `could_save` is of findings that nobody filed, put off or turned down yet: `findings` of them with a price. Those
    without one are `unpriced_findings`, in every currency's row the same.
    """

    currency: str
    spent: Decimal | None
    could_save_low: Decimal
    could_save: Decimal
    findings: int
    filed: Decimal
    realised: Decimal
    unpriced_findings: int


def headline(workspace_ids: Collection[int], today: date) -> tuple[Headline, ...]:
    """The currency in which most was spent first."""
    spent = {one.currency: one.spent for one in month_of(workspace_ids, today) if one.currency}
    stands = standing(workspace_ids)
    could, filed = sums(stands, (State.OPEN, State.CLAIMED)), sums(stands, (State.FILED,))
    saved = realised(workspace_ids)
    unpriced = could.get("", _NONE).count
    return tuple(
        Headline(
            currency=currency,
            spent=spent.get(currency),
            could_save_low=could.get(currency, _NONE).low,
            could_save=could.get(currency, _NONE).high,
            findings=could.get(currency, _NONE).count,
            filed=filed.get(currency, _NONE).high,
            realised=saved.get(currency, Decimal(0)),
            unpriced_findings=unpriced,
        )
        for currency in dict.fromkeys([*spent, *filter(None, could), *filter(None, filed), *saved])
    )
