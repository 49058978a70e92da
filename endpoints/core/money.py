"""An amount of one currency. Amounts are Decimals throughout: a sum must equal what people add up by hand."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """So much of a currency (its ISO code). What is not known is None, never an amount of 0."""

    amount: Decimal
    currency: str

    def times(self, factor: int | Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def __add__(self, other: Money) -> Money:
        """The sum; ValueError for two currencies, which have no sum without a rate."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} can't be added.")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{plain(self.amount)} {self.currency}"


def plain(amount: Decimal) -> str:
    """Every digit that counts, two decimals at least, no exponent: 0.293, 12.00."""
    text = f"{amount.normalize():f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(2, '0')}"
