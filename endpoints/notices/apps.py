"""The room's Django app."""

from __future__ import annotations

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "endpoints.notices"
    label = "notices"
