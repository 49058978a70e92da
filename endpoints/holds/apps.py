"""The room's Django app."""

from __future__ import annotations

from django.apps import AppConfig


class HoldsConfig(AppConfig):
    name = "endpoints.holds"
    label = "holds"
