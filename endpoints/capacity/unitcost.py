"""What a thousand predictions cost, and what they leave: unknown requests or prices make it unknown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from endpoints.core.money import Money

THOUSAND = 1000
LEAST_KNOWN = Decimal("0.5")
"""Of less known time nothing is said: the rest may have been anything."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Per 1,000 predictions; None: not known. `words` say why not, or what is not in it."""

    per_thousand: Decimal | None
    margin: Decimal | None
    words: str


def unit(
    paid: Decimal | None, unknown: Decimal, currency: str, requests: float | None, value: Money | None
) -> Unit:
    """`unknown` is the part of what was `paid` in time of which no requests are known: it is in neither number.

    `value` is what one prediction is worth. Failed requests are predictions too: they were paid for.
    """
    if paid is None or not currency:
        return Unit(None, None, "No price is known for most of it, or not how many instances there were.")
    if requests is None or paid - unknown < paid * LEAST_KNOWN:
        return Unit(None, None, "Of most of the time that was paid for no requests are known.")
    if requests <= 0:
        return Unit(None, None, "No predictions in the time that is known: all of it was for nothing.")
    each = (paid - unknown) * THOUSAND / Decimal(str(requests))
    words = (
        f"Without the {unknown / paid:.1%} of the money of whose time no requests are known."
        if unknown * 1000 >= paid
        else ""
    )
    if value is None:
        return Unit(each, None, words)
    if value.currency != currency:
        return Unit(
            each,
            None,
            f"Its value is in {value.currency}, its cost in {currency}: no margin. {words}".strip(),
        )
    return Unit(each, value.amount * THOUSAND - each, words)
