"""Writes of the room: what was read of Azure's lists of sizes and usages."""

from endpoints.prices.services.read import Outcome, read_prices
from endpoints.prices.services.readings import add_missing, due_readings

__all__ = ["Outcome", "add_missing", "due_readings", "read_prices"]
