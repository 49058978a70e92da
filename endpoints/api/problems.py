"""A problem document (RFC 9457): what is wrong, what was not done, and a reference to quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from endpoints.core.request import current_request_id

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:opsportal:problem:"
NOTHING_CHANGED = "Nothing was changed."
NOTHING_SENT = "Nothing was sent to Azure."


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` is the last part of `type`, stable for programs; `errors` maps fields to sentences."""

    status: int
    kind: str
    title: str
    detail: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, instance: str) -> dict[str, Any]:
        """The body, with nothing in it that JSON in UTF-8 can't carry."""
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": clean(self.detail),
            "instance": clean(instance),
            "request_id": current_request_id.get(),
        }
        if self.errors:
            body["errors"] = {
                clean(name): [clean(text) for text in self.errors[name]] for name in self.errors
            }
        return body


def clean(text: str, limit: int = 2000) -> str:
    """Text that came from outside, fit to be sent back."""
    return text.encode("utf-8", "replace").decode()[:limit]


def also(detail: str, undone: str) -> str:
    """`detail` with what did not happen, unless it says so itself."""
    says = any(words in detail for words in ("othing was", "othing is", "was not ", "were not ", "so it was"))
    return detail if says or not undone else f"{detail} {undone}"
