"""What the API takes about capacity, and of which workspaces and days a call is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, timedelta
from zoneinfo import available_timezones

from rest_framework import serializers

from endpoints.access import selectors as access
from endpoints.access.policies import Action, require, visible_workspaces
from endpoints.api.fields import StrictBody, StrictQuery, Text, Whole
from endpoints.api.operation import Call
from endpoints.api.paging import PageQuery
from endpoints.capacity.causes import Cause
from endpoints.capacity.life import State
from endpoints.capacity.proposals import Kind
from endpoints.capacity.selectors.daily import MOST_DAYS, NAMES, Wanted
from endpoints.capacity.selectors.findings import Query
from endpoints.core.errors import Invalid
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_id_by_name

USUAL_DAYS = 30
_VERSION = "The finding's `version` as you read it; another one is answered 409."
_NO_NAME = "Name the workspace too: endpoints of one name exist in several."


def several(words: Iterable[str]) -> serializers.RegexField:
    """A field for words with commas between them, each one of those that there are."""
    named = list(words)
    one = f"({'|'.join(map(re.escape, named))})"
    return serializers.RegexField(
        rf"^{one}(,{one})*$",
        required=False,
        max_length=200,
        help_text="One, or several with commas between.",
        error_messages={"invalid": f"Those taken are: {', '.join(named)}; of several, with commas between."},
    )


class PlaceFields(StrictQuery):
    """A workspace; by default all whose capacity the caller may see."""

    workspace = serializers.CharField(required=False, max_length=63)


class PeriodFields(PlaceFields):
    """Days in UTC, `until` not among them; by default the last 30, today's too."""

    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False, help_text=f"At most {MOST_DAYS} days after `since`.")


class DayFields(PeriodFields):
    """Rows of the ledger: all that is given must hold."""

    endpoint = serializers.CharField(required=False, max_length=255, help_text="Needs `workspace`.")
    cause = serializers.ChoiceField(choices=list(Cause), required=False)
    part = serializers.ChoiceField(
        choices=[*NAMES, "unpriced"], required=False, help_text="Only rows with such seconds."
    )
    owner = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Empty: of whom none is named."
    )
    team = serializers.CharField(required=False, allow_blank=True, max_length=200)


class FindingFields(PlaceFields):
    """Findings: all that is given must hold."""

    state = several(State)
    kind = several(Kind)
    owner = serializers.CharField(required=False, max_length=200)
    team = serializers.CharField(required=False, max_length=200)
    endpoint = serializers.CharField(required=False, max_length=255, help_text="Needs `workspace`.")
    q = serializers.CharField(
        required=False, max_length=200, help_text="In a name of endpoint or deployment."
    )


class CursorFields(PageQuery):
    """A list by pages."""

    cursor = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=300,
        help_text="Where the page begins; `next` has it.",
    )


class PlaceQuery(CursorFields, PlaceFields):
    """Query of a list."""


class PeriodQuery(PeriodFields):
    """Query of sums."""


class PeriodPageQuery(CursorFields, PeriodFields):
    """Query of a list of days."""


def _known_zone(name: str) -> None:
    if name not in available_timezones():
        raise serializers.ValidationError(
            ["This is no time zone. They have names such as Europe/Berlin or UTC."]
        )


class HeatQuery(PeriodFields):
    """Query of the hours of the week."""

    zone = serializers.CharField(
        default="UTC", max_length=64, validators=[_known_zone], help_text="By whose clock, as Europe/Berlin."
    )
    limit = serializers.IntegerField(min_value=1, max_value=50, default=20, help_text="How many at most.")


class DaysQuery(CursorFields, DayFields):
    """Query of the ledger's rows."""


class FindingsQuery(CursorFields, FindingFields):
    """Query of the findings."""


class ClaimIn(StrictBody):
    """It is the caller's from now on."""

    version = Whole(min_value=1, help_text=_VERSION)
    due = serializers.DateField(required=False, allow_null=True, default=None)
    comment = Text(max_length=2000, required=False, default="", allow_blank=True)


class ReleaseIn(StrictBody):
    """Nobody has it any more."""

    version = Whole(min_value=1, help_text=_VERSION)
    comment = Text(max_length=2000, required=False, default="", allow_blank=True)


class FileIn(StrictBody):
    """Asks for the change that would save. `typed`: of a delete, the name of what is deleted, as a person types it."""

    version = Whole(min_value=1, help_text=_VERSION)
    reason = Text(max_length=2000, required=False, default="", allow_blank=True)
    typed = Text(max_length=255, required=False, default="", allow_blank=True)
    due = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Of what no change can do: when it shall be done.",
    )


class PostponeIn(StrictBody):
    """Not before a day, and why."""

    version = Whole(min_value=1, help_text=_VERSION)
    until = serializers.DateField()
    reason = Text(max_length=2000)


class DismissIn(StrictBody):
    """Not at all, and why."""

    version = Whole(min_value=1, help_text=_VERSION)
    reason = Text(max_length=2000)


class FindingCommentIn(StrictBody):
    """Words for whoever looks at it next."""

    comment = Text(max_length=2000)


class CapacityRulesIn(StrictBody):
    """All the rules of a workspace; one that is left out is as usual. `seen`: the number of those you looked at."""

    rules = serializers.DictField()
    reason = Text(max_length=2000)
    seen = Whole(min_value=0, help_text="Their `number` as you read it; another one is answered 409.")


def reach(call: Call) -> list[int]:
    """The workspaces that a call is of: the one that it names, or all whose capacity the caller may see."""
    slug = call.query.get("workspace")
    if slug is None:
        return sorted(visible_workspaces(call.principal, Action.CAPACITY_VIEW))
    found = access.workspace_by_slug(call.principal, slug, Action.CAPACITY_VIEW)
    require(call.principal, Action.CAPACITY_VIEW, workspace_id=found.id, workspace=found.slug)
    return [found.id]


def period(call: Call) -> tuple[date, date]:
    """Since when and until before when. Invalid for days that follow wrongly, and for too many."""
    until = call.query.get("until") or db_now().astimezone(UTC).date() + timedelta(days=1)
    if until.year < 2000:
        raise Invalid({"until": ["There is nothing of that time."]})
    since = call.query.get("since") or until - timedelta(days=USUAL_DAYS)
    if since >= until:
        raise Invalid({"until": ["It must come after since."]})
    if (until - since).days > MOST_DAYS:
        raise Invalid({"since": [f"Ask for {MOST_DAYS} days at most."]})
    return since, until


def wanted_days(call: Call) -> Wanted:
    """The ledger's rows that a query asks for."""
    ids, (since, until) = reach(call), period(call)
    return Wanted(
        workspace_ids=ids,
        since=since,
        until=until,
        cause=call.query.get("cause", ""),
        owner=call.query.get("owner"),
        team=call.query.get("team"),
        endpoint_id=_endpoint(call, ids),
        part=call.query.get("part", ""),
    )


def wanted_findings(call: Call) -> Query:
    """The findings that a query asks for."""
    ids, query = reach(call), call.query
    return Query(
        workspace_ids=ids,
        states=_words(query.get("state")),
        kinds=_words(query.get("kind")),
        owner=query.get("owner", ""),
        team=query.get("team", ""),
        text=query.get("q", ""),
        endpoint_id=_endpoint(call, ids),
    )


def _words(given: str | None) -> list[str]:
    return given.split(",") if given else []


def _endpoint(call: Call, workspace_ids: list[int]) -> int | None:
    name = call.query.get("endpoint")
    if name is None:
        return None
    if call.query.get("workspace") is None:
        raise Invalid({"endpoint": [_NO_NAME]})
    return endpoint_id_by_name(workspace_ids[0], name)
