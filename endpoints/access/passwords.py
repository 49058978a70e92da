"""What a password must be: long, not common, not the account's own name. No composition rules, no expiry."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from endpoints.access.models import User
from endpoints.core.errors import Invalid

LONGEST = 256  # a limit for the hasher's sake only


def check_password_rules(password: str, user: User) -> None:
    """Raise Invalid with every reason why `user` can't have this password; the rules are the settings'."""
    if len(password) > LONGEST or "\x00" in password:
        raise Invalid({"password": [f"A password has at most {LONGEST} characters, none of them NUL."]})
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({"password": list(error.messages)}) from error
