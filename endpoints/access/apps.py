"""The room's registration with Django."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "endpoints.access"
    default_auto_field = "django.db.models.BigAutoField"
