"""The room's Django app."""

from __future__ import annotations

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "endpoints.inventory"
    label = "inventory"
