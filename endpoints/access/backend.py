"""Finds the account of a session, with its powers of this moment in the same query."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend

from endpoints.access.models import User
from endpoints.access.selectors.principals import account_with_powers


class Accounts(ModelBackend):
    """Django's own backend otherwise: password, and only active accounts."""

    def get_user(self, user_id: int) -> User | None:
        user = account_with_powers(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
