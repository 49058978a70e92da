"""Input as it must be: no field that is not known, no text for a number, no number for a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from endpoints.api.problems import clean

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")
MOST_DEPLOYMENTS = 100
_LARGEST_NUMBER = 1e300


class StrictBody(serializers.Serializer[Any]):
    """A JSON object with these fields and no others."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise ValidationError({"": ["Send a JSON object."]})
        unknown = sorted(clean(str(name), 60) for name in set(data) - set(self.fields))
        if unknown:
            known = ", ".join(self.fields) or "none"
            raise ValidationError(
                {"": [f"{', '.join(unknown[:5])}: no such field here. Those taken are: {known}."]}
            )
        return super().to_internal_value(data)


class StrictQuery(StrictBody):
    """Query parameters: each at most once, and none that is not known."""


class Text(serializers.CharField):
    """A JSON string; numbers and booleans are not taken for one."""

    default_error_messages = {"invalid": "Give text."}  # noqa: RUF012 - DRF merges this attribute over the classes

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON integer; "90", 90.0 and true are not taken for one."""

    default_error_messages = {"invalid": "Give a whole number."}  # noqa: RUF012 - as above

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class SplitField(serializers.DictField):
    """Percent by deployment, a complete map: {"blue": 90, "green": 10}. Names that differ in case are one."""

    child = Whole(min_value=0, max_value=100)

    def to_internal_value(self, data: Any) -> dict[str, int]:
        if not isinstance(data, Mapping):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if len(data) > MOST_DEPLOYMENTS:
            raise ValidationError([f"At most {MOST_DEPLOYMENTS} deployments; these are {len(data)}."])
        if wrong := [name for name in data if not NAME.match(str(name))]:
            raise ValidationError([f"{clean(str(wrong[0]), 60)!r} can't be the name of a deployment."])
        if len({str(name).lower() for name in data}) != len(data):
            raise ValidationError(["Two names differ only in case; Azure takes them for one deployment."])
        return super().to_internal_value(dict(data))


class Number(serializers.FloatField):
    """A JSON number; "90", true and what overflows are not taken for one."""

    default_error_messages = {"invalid": "Give a number."}  # noqa: RUF012 - as above

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, int | float) or isinstance(data, bool) or abs(data) > _LARGEST_NUMBER:
            self.fail("invalid")
        return super().to_internal_value(data)


class Exact(serializers.DecimalField):
    """A decimal number as JSON text: amounts must not pass through binary fractions."""

    default_error_messages = {"invalid": 'Give a decimal number as text, such as "0.15".'}  # noqa: RUF012 - as above

    def __init__(self, **more: Any) -> None:
        super().__init__(max_digits=20, decimal_places=9, **more)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """JSON's true or false and nothing that only resembles them."""

    default_error_messages = {"invalid": "Give true or false."}  # noqa: RUF012 - as above

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data
