"""One text and one hash per content, whatever the order of keys. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no spaces and UTF-8: equal contents become equal bytes."""
    return _encode(value).encode()


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
