"""The room's registration with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "endpoints.audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from endpoints.audit import checks  # noqa: F401 - imported for what it registers
