"""The room's Django app."""

from __future__ import annotations

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "endpoints.metrics"
    label = "metrics"
