"""Mail through a real mail server: encrypted or not sent, one recipient, no header of somebody else's."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from endpoints.notices.errors import NotSent
from endpoints.notices.letters import Letter
from endpoints.notices.mail import Server, compose, is_address, send, server
from tests.notices.certificates import server_certificate
from tests.support.receivers import Mailbox, mailbox

AT = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
NOTE = "opsportal\n1200\nAAAA=\nhead 00\n\n— opsportal BBBB=\n"


def letter(**changes: str) -> Letter:
    told = {"subject": "CH-7 was raised", "text": ""} | changes
    return Letter(7, "case.raised", "case:7", told["subject"], AT, text=told["text"])


def mail(one: Letter) -> EmailMessage:
    return compose(one, to="team@example.org", sender="portal@example.org", delivery_id=3)


def at(box: Mailbox, host: str = "127.0.0.1", user: str = "", password: str = "") -> Server:
    return Server(host, box.port, user, password, is_tls=False)


def failing(through: Server) -> str:
    with pytest.raises(NotSent) as raised:
        send(through, mail(letter()))
    return raised.value.reason


def test_mail__handed_over__has_one_recipient_and_says_what_it_is() -> None:
    with mailbox() as box:
        send(at(box), mail(letter()))
    (got,) = box.mails
    assert [line.upper() for line in box.recipients] == ["RCPT TO:<TEAM@EXAMPLE.ORG>"]
    assert (got["From"], got["To"]) == ("opsportal <portal@example.org>", "team@example.org")
    assert got["Subject"] == "[opsportal] CH-7 was raised"
    assert got["Message-ID"] == "<notice-7-3@example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"] == "Mon, 01 Mar 2027 12:00:00 +0000"


def test_checkpoint__by_mail__arrives_to_the_letter() -> None:
    with mailbox() as box:
        send(at(box), mail(letter(text=NOTE)))
    assert str(box.mails[0].get_content()).replace("\r\n", "\n").startswith(NOTE)


@pytest.mark.parametrize("subject", ["a\r\nBcc: evil@example.org", "a\nb", "é" * 2000, "\u2028x", "🚀"])
def test_subject__whatever_it_holds__adds_no_header(subject: str) -> None:
    with mailbox() as box:
        send(at(box), mail(letter(subject=subject)))
    (got,) = box.mails
    assert got["Bcc"] is None
    assert len(box.recipients) == 1
    assert str(got["Subject"]).startswith("[opsportal] ")


def test_server__that_offers_encryption__gets_it_before_password_and_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server_certificate("127.0.0.1", tmp_path) as (serving, _), mailbox(serving) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        send(at(box, user="portal", password="pass word"), mail(letter()))
    assert box.encrypted == [True]
    told = base64.b64decode(box.signed_in[0].rpartition(" ")[2])
    assert told == b"\0portal\0pass word"


def test_server__with_a_certificate_that_nobody_vouches_for__gets_nothing(tmp_path: Path) -> None:
    with server_certificate("127.0.0.1", tmp_path) as (serving, _), mailbox(serving) as box:
        failed = failing(at(box, user="portal", password="x"))
    assert failed == "No encrypted connection to the mail server could be made."
    assert (box.mails, box.signed_in) == ([], [])


def test_server__elsewhere_that_offers_no_encryption__gets_nothing() -> None:
    with mailbox() as box:
        # The same socket under an address that is not among this machine's names.
        failed = failing(at(box, host="127.0.0.2", user="portal", password="x"))
    assert failed == "The mail server offers no encryption, so nothing was sent to it."
    assert (box.mails, box.signed_in, box.recipients) == ([], [], [])


def test_recipient__that_the_server_refuses__is_told_by_code_alone() -> None:
    with mailbox() as box:
        box.refuse = "550 SECRET words of the server"
        assert failing(at(box)) == "The mail server does not take mail for this address (550)."


def test_server__where_nobody_listens__is_told() -> None:
    with pytest.raises(NotSent, match="does not answer"):
        send(Server("127.0.0.1", 1, "", "", is_tls=False), mail(letter()))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail.example.org", Server("mail.example.org", 587, "", "", False)),
        ("smtps://mail.example.org", Server("mail.example.org", 465, "", "", True)),
        ("smtp://a%40b:p%3Aq@mail.example.org:25", Server("mail.example.org", 25, "a@b", "p:q", False)),
    ],
)
def test_setting__of_the_mail_server__is_read(url: str, found: Server) -> None:
    assert server(url) == found


@pytest.mark.parametrize(
    "url", ["", "mail.example.org", "http://mail.example.org", "smtp://:1", "smtp://h:99999"]
)
def test_setting__that_names_no_server__is_told_without_its_value(url: str) -> None:
    with pytest.raises(NotSent) as raised:
        server(url)
    assert "OPSPORTAL_MAIL_URL" in raised.value.reason
    assert not url or url not in raised.value.reason


def test_server__shown_in_a_log__does_not_tell_its_password() -> None:
    assert "hush" not in repr(server("smtp://u:hush@mail.example.org"))


def test_sender__that_is_no_address__is_told() -> None:
    with pytest.raises(NotSent, match="OPSPORTAL_MAIL_FROM"):
        compose(letter(), to="team@example.org", sender="", delivery_id=1)


@pytest.mark.parametrize("text", ["a@example.org", "a.b+c@mail.example.org", "x'y@ex-ample.org"])
def test_address__that_is_one__is_taken(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a@b", "@example.org", "a@", "a b@example.org", "a@example.org,b@example.org", "A <a@example.org>",
        "a@example.org\r\nBcc: b@example.org", "a@example..org", ".a@example.org", "a@-example.org", "ä@example.org",
        '"a b"@example.org', "a@example.org ", "a@[127.0.0.1]", "a" * 250 + "@example.org",
    ],
)  # fmt: skip
def test_address__that_is_none_or_several__is_refused(text: str) -> None:
    assert not is_address(text)
