"""The room's Django app."""

from __future__ import annotations

from django.apps import AppConfig


class PricesConfig(AppConfig):
    name = "endpoints.prices"
    label = "prices"
