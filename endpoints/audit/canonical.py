"""Canonical JSON: one value, one byte string, in any language and for ever.

UTF-8 without BOM, keys sorted by code point, no spaces; strings escape only `"`, `\\`, and U+0000 to U+001F
(\\b \\t \\n \\f \\r, else \\u00xx in lower case); integers within ±(2^53 - 1); no floats; text as it came.
Fixed vectors stand in tests/audit/test_canonical.py: they may be added to, never changed.
"""

from __future__ import annotations

import json

LARGEST_INTEGER = 2**53 - 1  # beyond it, readers that use doubles would round


class NotCanonical(ValueError):
    """The value has no canonical form; the caller must change it (a float becomes an integer or text)."""


def canonical(value: object) -> bytes:
    """The canonical bytes of `value`; NotCanonical names the first place that has none."""
    _check(value, "")
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _check(value: object, path: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, int):
        _check_integer(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        _check_object(value, path)
    else:
        raise NotCanonical(
            f"{path or 'the value'} is a {type(value).__name__}: the ledger takes no such thing"
        )


def _check_object(value: dict[object, object], path: str) -> None:
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotCanonical(f"{path or 'the value'} has a key that is no text: {key!r}")
        _check_text(key, f"{path}.{key}")
        _check(item, f"{path}.{key}")


def _check_integer(value: int, path: str) -> None:
    if abs(value) > LARGEST_INTEGER:
        raise NotCanonical(f"{path or 'the value'} is an integer beyond 2^53 - 1: write it as text")


def _check_text(value: str, path: str) -> None:
    if "\x00" in value:
        raise NotCanonical(f"{path or 'the value'} holds a NUL character, which the database can't keep")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonical(f"{path or 'the value'} holds half a character (a lone surrogate)") from None
