"""The default of the whole installation, for views that are not `ApiView`s.

On its own, because REST_FRAMEWORK names it: it is imported while DRF is still importing its views.
"""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class Denied(BasePermission):
    """Answers nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False
