"""Reads of the ledger, as frozen rows. Callers ask for rights before."""

from endpoints.capacity.selectors.ledger import Ledger, Sums, fleet_ledger, fleet_ledger_from_days

__all__ = ["Ledger", "Sums", "fleet_ledger", "fleet_ledger_from_days"]
