"""Who writes beside the scenario's identities: people and applications by their names."""

from __future__ import annotations

from emulator.fold import Who
from emulator.values import guid


def person(name: str) -> Who:
    return Who(guid("person", name), name, "User")


def writer(
    name: str, *, upn: str | None = None, app_id: str | None = None, object_id: str | None = None
) -> Who:
    """An application if it has an `app_id`, else a person."""
    kind = "User" if app_id is None else "Application"
    return Who(object_id or guid("person", name), name, kind, upn=upn, app_id=app_id)
