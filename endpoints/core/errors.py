"""What rooms raise. The text is for people: it says what is wrong and, where it matters, what was not done.

OpsportalError
├── NotFound       there is no such thing, or not for this person (the two look the same on purpose)
├── Refused        the person may not do this; the reason says why
├── Invalid        the input is wrong; `fields` maps a field's name to its messages
├── Conflict       the world moved on: state, version or somebody else's work forbids it now
└── Unavailable    something this needs does not answer; nothing was done

Edges alone turn these into pages and statuses (`web/errors.py`, `api/errors.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class OpsportalError(Exception):
    """Base of all errors that a person may read."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(OpsportalError):
    """No such thing, or none that this person may see."""


class Refused(OpsportalError):
    """Policy says no."""


class Conflict(OpsportalError):
    """The state that the caller acted on is not the state any more."""


class Unavailable(OpsportalError):
    """A part that is needed does not answer; nothing was done."""


class Invalid(OpsportalError):
    """Input that can't be used. `fields` maps field names (or "" for the whole) to sentences."""

    def __init__(self, fields: Mapping[str, Sequence[str]] | str) -> None:
        by_field = {"": [fields]} if isinstance(fields, str) else {k: list(v) for k, v in fields.items()}
        self.fields: dict[str, list[str]] = by_field
        super().__init__(" ".join(text for texts in by_field.values() for text in texts))
