"""Business figures as somebody sends them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from endpoints.access.models import User
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from endpoints.metrics.figures import Definition, Kind, Value
from endpoints.metrics.services import Taken, define_figure, write_figures
from tests.support.people import principal

MINUTE = timedelta(minutes=1)
CLICKS = Definition("click-through", "Click-through", Kind.RATE)
BASKET = Definition("basket", "Basket", Kind.MEAN, "EUR")


def minute_ago(minutes: int) -> datetime:
    """The beginning of a whole minute so long ago."""
    return db_now().astimezone(UTC).replace(second=0, microsecond=0) - minutes * MINUTE


def defined(user: User, endpoint: Endpoint, wanted: Definition = CLICKS) -> int:
    return define_figure(principal=principal(user), endpoint_id=endpoint.pk, wanted=wanted).figure_id


def sent(user: User, endpoint: Endpoint, *values: Value) -> Taken:
    return write_figures(principal=principal(user), endpoint_id=endpoint.pk, values=values)


def clicks(begin: datetime, counts: Iterable[tuple[int, float]], deployment: str = "green") -> list[Value]:
    """One value a minute from `begin` on, of so many views and clicks."""
    return [
        Value(CLICKS.name, deployment, begin + n * MINUTE, count, total)
        for n, (count, total) in enumerate(counts)
    ]
