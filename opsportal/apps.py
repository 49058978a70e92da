"""Lets Django load what belongs to the project itself: the Celery application and the project's commands."""

from __future__ import annotations

from django.apps import AppConfig


class OpsportalConfig(AppConfig):
    name = "opsportal"
    verbose_name = "Project"

    def ready(self) -> None:
        # Whoever sends a task by name uses Celery's current application, which must be ours and configured.
        from opsportal import celery  # noqa: F401 - imported for what it registers
