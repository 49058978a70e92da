"""The room's Django app."""

from __future__ import annotations

from django.apps import AppConfig


class ChallengesConfig(AppConfig):
    name = "endpoints.challenges"
    label = "challenges"
