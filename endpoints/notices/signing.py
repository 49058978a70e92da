"""How a receiver knows that a webhook is ours and of now: HMAC-SHA256 over the time and the body. Pure."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256

HEADER = "Opsportal-Signature"
TOLERANCE_SECONDS = 300
_HEADER = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})", re.ASCII)


def channel_key(secret: str, channel_id: int) -> str:
    """The key of one channel, out of the portal's secret: kept nowhere, and of no use for another channel."""
    return hmac.new(secret.encode(), f"notices.channel:{channel_id}".encode(), sha256).hexdigest()


def signature(key: str, at: int, body: bytes) -> str:
    """The header's value: `t=` seconds since 1970, `v1=` hex of HMAC-SHA256(key, "{t}.{body}")."""
    return f"t={at},v1={_digest(key, at, body)}"


def verifies(key: str, header: str, body: bytes, now: int) -> bool:
    """What a receiver does: the digest fits, and the time is at most five minutes off. The reference for the manual."""
    found = _HEADER.fullmatch(header)
    if not found or abs(now - int(found[1])) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(found[2], _digest(key, int(found[1]), body))


def _digest(key: str, at: int, body: bytes) -> str:
    return hmac.new(key.encode(), f"{at}.".encode() + body, sha256).hexdigest()
