"""Sends a mail through the operator's server, encrypted, unless the server is this very machine."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from endpoints.notices.errors import NotSent
from endpoints.notices.hosts import LOCAL
from endpoints.notices.letters import Letter, as_text, one_line

SECONDS = 10.0
LONGEST_ADDRESS = 254
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)


@dataclass(frozen=True, slots=True)
class Server:
    """`is_tls`: encrypted from the first byte (smtps); else STARTTLS is asked for."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls: bool


def is_address(text: str) -> bool:
    """Whether this is one plain mail address, with nothing before or behind it."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def server(url: str) -> Server:
    """The server that OPSPORTAL_MAIL_URL names; NotSent in words, without the value, when it names none."""
    if not url:
        raise NotSent("This portal has no mail server: OPSPORTAL_MAIL_URL is not set.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in ("smtp", "smtps"):
        raise NotSent("OPSPORTAL_MAIL_URL is not of the form smtp://user:password@host:587 or smtps://….")
    is_tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(host, port or (465 if is_tls else 587), user, password, is_tls)


def compose(letter: Letter, *, to: str, sender: str, delivery_id: int) -> EmailMessage:
    """The mail. Sent twice, it has the same Message-ID twice: mail programs show one."""
    if not is_address(sender):
        raise NotSent("This portal has no mail address to send from: OPSPORTAL_MAIL_FROM is not one.")
    mail = EmailMessage()
    mail["From"] = Address(display_name="opsportal", addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = one_line(f"[opsportal] {letter.subject}")
    mail["Date"] = format_datetime(letter.made_at)
    mail["Message-ID"] = f"<notice-{letter.message_id}-{delivery_id}@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(as_text(letter))
    return mail


def send(through: Server, mail: EmailMessage) -> None:
    """Hand the mail over; NotSent when the server does not take it. Of its answers only the code is told."""
    try:
        with _connected(through) as smtp:
            if through.user:
                smtp.login(through.user, through.password)
            smtp.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise NotSent(f"The mail server does not take mail for this address ({code}).") from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"The mail server does not accept the portal's sign-in ({error.smtp_code}).") from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"The mail server refused the mail ({error.smtp_code}).") from error
    except ssl.SSLError as error:
        raise NotSent("No encrypted connection to the mail server could be made.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent("The mail server does not answer as one.") from error


def _connected(through: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if through.is_tls:
        return smtplib.SMTP_SSL(through.host, through.port, timeout=SECONDS, context=context)
    smtp = smtplib.SMTP(through.host, through.port, timeout=SECONDS)
    try:
        smtp.ehlo_or_helo_if_needed()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
        elif through.host not in LOCAL:
            raise NotSent("The mail server offers no encryption, so nothing was sent to it.")
    except BaseException:
        smtp.close()
        raise
    return smtp
