"""Preconditions and keys that come as headers."""

from __future__ import annotations

import re
from hashlib import sha256

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from endpoints.api.errors import PreconditionFailed, PreconditionRequired
from endpoints.core.errors import Invalid

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="The change's `content_hash` as you read it, in quotes (its ETag).",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 64 visible ASCII characters of your choice. The same key from the same person on the same "
    "address does the thing once, however often it is sent.",
)
_KEY = re.compile(r"^[\x21-\x7e]{1,64}$")


def idempotency_key(request: Request) -> str:
    """The caller's key as it is stored: bound to this address, so that another one may use it again."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return ""
    if not _KEY.match(given):
        raise Invalid({"Idempotency-Key": ["A key has 1 to 64 visible ASCII characters."]})
    return sha256(f"{request.method} {request.path.lower()}\n{given}".encode()).hexdigest()


def etag(content_hash: str) -> dict[str, str]:
    """The header that names a change's content."""
    return {"ETag": f'"{content_hash}"'}


def matched(request: Request, content_hash: str, number: int) -> str:
    """The content that the caller saw, which is the one that is there now.

    A wildcard would seal whatever is there, so it is taken for none.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given or given == "*":
        raise PreconditionRequired(
            f"Send If-Match with the content_hash of CR-{number} that you looked at. Nothing was stored."
        )
    if given.strip('"') != content_hash:
        raise PreconditionFailed(
            f"CR-{number} is not as you saw it any more: If-Match names another content. Nothing was stored; "
            "read what is new first."
        )
    return content_hash
