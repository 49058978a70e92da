"""What the operator's settings let the portal send by, for whoever makes a channel."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from endpoints.notices import mail
from endpoints.notices.errors import NotSent


@dataclass(frozen=True, slots=True)
class Means:
    """`no_mail`: why no mail can be sent, or "". `hosts`: where webhooks may go, as the setting has them."""

    no_mail: str
    hosts: tuple[str, ...]


def means() -> Means:
    """As the settings are now."""
    config = settings.OPSPORTAL
    try:
        mail.server(config.mail_url.get_secret_value())
    except NotSent as error:
        return Means(error.reason, tuple(config.webhook_hosts))
    if not mail.is_address(config.mail_from):
        return Means(
            "OPSPORTAL_MAIL_FROM is no mail address, so no mail is sent.", tuple(config.webhook_hosts)
        )
    return Means("", tuple(config.webhook_hosts))
