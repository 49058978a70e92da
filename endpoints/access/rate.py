"""At most 30 orders a minute and person, pages and API together.

What a person did stands in the ledger, refusals included, so the ledger is the counter: it is one for all
processes, and needs neither a table nor a cache of its own.
"""

from __future__ import annotations

from datetime import timedelta

from endpoints.access.policies import Principal
from endpoints.audit import selectors as ledger
from endpoints.dispatch import db_now

RATE = 30
WINDOW = timedelta(minutes=1)
_ENTRIES_EACH = 4  # a request that does one thing writes up to so many entries


def seconds_to_wait(principal: Principal) -> float:
    """0.0 while the person may go on. Counts requests, not entries: asking for a change makes more than one."""
    now = db_now()
    found = ledger.entries(
        ledger.Scope(everything=True),
        ledger.Filters(actor=principal.ref, since=now - WINDOW),
        limit=RATE * _ENTRIES_EACH,
    )
    first = {row.request_id: row.at for row in found.rows if row.request_id}
    begun = sorted(first.values(), reverse=True)
    return 0.0 if len(begun) < RATE else (begun[RATE - 1] + WINDOW - now).total_seconds()
