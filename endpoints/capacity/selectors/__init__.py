"""Reads of the ledger and of autoscale settings, as frozen rows. Callers ask for rights before."""

from endpoints.capacity.selectors.autoscale import Autoscale, Scaled, autoscale_of
from endpoints.capacity.selectors.ledger import Ledger, Sums, fleet_ledger, fleet_ledger_from_days

__all__ = ["Autoscale", "Ledger", "Scaled", "Sums", "autoscale_of", "fleet_ledger", "fleet_ledger_from_days"]
