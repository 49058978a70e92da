"""Writes of the room: minutes, rollups, retention, collectors, budgets."""
