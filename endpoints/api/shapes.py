"""Shapes of answers that several subjects share. They name fields; they compute nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from endpoints.access import selectors as access

Refs = dict[str, str]


class Shape(serializers.Serializer[Any]):
    """An answer, or a part of one: read from a row's attributes or a dict's keys."""


def shape_names(shape: type[Shape]) -> set[str]:
    """The names of a shape's fields."""
    return set(shape().get_fields())


class ProblemOut(Shape):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="`urn:opsportal:problem:…`, stable for programs.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong and what was not done, for people.")
    instance = serializers.CharField()
    request_id = serializers.CharField(help_text="Quote this when you ask for help.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the field of this name
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Sentences by field; an empty name is the whole.",
    )


class ActorOut(Shape):
    """Who did something: a person, or one of the portal's processes."""

    ref = serializers.CharField()
    name = serializers.CharField()


def actor(ref: str, names: Refs) -> dict[str, str]:
    """A ref with its name, out of `named`."""
    return {"ref": ref, "name": names.get(ref, ref)}


def person(user_id: int | None, names: Refs) -> dict[str, str]:
    """A person by number, out of `named`; None is the portal itself."""
    return actor("system:executor" if user_id is None else f"user:{user_id}", names)


def named(refs: Iterable[str] = (), *, people: Iterable[int | None] = ()) -> Refs:
    """Names for refs and persons, in one query."""
    return access.display_names({*refs, *(f"user:{user_id}" for user_id in people if user_id is not None)})


class SplitOut(serializers.DictField):
    """Percent by deployment; a deployment that is not named has 0."""

    child = serializers.IntegerField()


def next_field() -> serializers.CharField:
    return serializers.CharField(
        allow_null=True, help_text="The address of the next page, relative to this server; null: the last."
    )
