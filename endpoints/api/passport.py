"""Passports: what answered a request, or would have answered at a moment; and what of a day can be answered for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action, visible_workspaces
from endpoints.access.services import About
from endpoints.api.fields import StrictQuery
from endpoints.api.figures import Moment
from endpoints.api.operation import Call, operation
from endpoints.api.rules import narrowed_to, on_workspace
from endpoints.api.shapes import Shape
from endpoints.api.view import ApiView
from endpoints.challenges.coverage import Mark
from endpoints.challenges.facts import Passport as Found
from endpoints.challenges.facts import Sure
from endpoints.challenges.facts_json import document
from endpoints.challenges.selectors import lookup
from endpoints.challenges.selectors.coverage import coverage_of
from endpoints.challenges.selectors.passport import passport_at, passport_of
from endpoints.challenges.services.reads import note_read
from endpoints.core.errors import Invalid, NotFound
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_id_by_name


class PassportQuery(StrictQuery):
    """Which request, and as of which knowledge."""

    id = serializers.CharField(max_length=300, help_text="Azure's request id, or the client's.")
    near = Moment(required=False, help_text="About when it was made: the nearest come first.")
    known = Moment(required=False, help_text="As it would have been answered at that moment.")


class MomentQuery(StrictQuery):
    """Which moment, and as of which knowledge."""

    at = Moment(help_text="The moment asked about.")
    known = Moment(required=False, help_text="As it would have been answered at that later moment.")


class DayQuery(StrictQuery):
    """Which UTC day."""

    day = serializers.DateField(help_text="Today's part that is over, where it is today.")


class FactOut(Shape):
    """One answer. `value` is text, a number, a list or a map; null where it is not known, or there is none.

    `alternatives` are what it may be where `sure` is "one of several". `ref` names an object of the portal.
    """

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    value = serializers.JSONField(allow_null=True)
    sure = serializers.ChoiceField(choices=[one.value for one in Sure])
    source = serializers.CharField()  # type: ignore[assignment]  # as above
    reason = serializers.CharField()
    alternatives = serializers.ListField()
    ref = serializers.CharField()
    known_at = serializers.DateTimeField(allow_null=True)


class SectionOut(Shape):
    """Facts that belong together."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    facts = FactOut(many=True)


class PassportOut(Shape):
    """What was true of one request, in the form in which cases keep it. `sure`: of which model answered.

    `known` null: as known when it was made. `corrections`: what is known now and was not then.
    """

    v = serializers.IntegerField()
    endpoint_id = serializers.IntegerField()
    at = serializers.DateTimeField()
    sure = serializers.ChoiceField(choices=[one.value for one in Sure])
    verdict = serializers.CharField()
    made_at = serializers.DateTimeField()
    known = serializers.DateTimeField(allow_null=True)
    corrections = serializers.ListField(child=serializers.CharField())
    sections = SectionOut(many=True)


class PassportsOut(Shape):
    """Passports of every request that has the id, the nearest or newest first. Empty: there is no record of it.

    `is_cut`: there are still more.
    """

    request_id = serializers.CharField()
    client_id = serializers.CharField()
    items = PassportOut(many=True)
    is_cut = serializers.BooleanField()


class PartOut(Shape):
    """A part of a lane."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    mark = serializers.ChoiceField(choices=[one.value for one in Mark])
    words = serializers.CharField()


class LaneOut(Shape):
    """`mirror`, `log`, `split`, or `answer`: what a passport says. Its parts leave no gap."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    parts = PartOut(many=True)


class CoverageOut(Shape):
    """What of a day can be answered for. `ambiguous_seconds`: the split or a model was being changed."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    ambiguous_seconds = serializers.FloatField()
    lanes = LaneOut(many=True)


MOST = 10
"""Passports in one answer: each is some twenty reads."""


class Passports(ApiView):
    """`/predictions/passport`."""

    @operation(
        narrowed_to(Action.PREDICTIONS_VIEW),
        name="passport_get",
        summary="Which model answered a request",
        query=PassportQuery,
        answers={200: PassportsOut},
    )
    def get(self, call: Call) -> Response:
        """With the split then, who approved it, health, and how sure each is. More than one: the client retried."""
        places = visible_workspaces(call.principal, Action.PREDICTIONS_VIEW)
        found = lookup(call.query["id"], workspace_ids=places, near=call.query.get("near"))
        known = _known(call)
        items = [document(passport_of(row, known=known)) for row in found.found[:MOST]]
        for row in found.found[:MOST]:
            note_read(
                principal=call.principal,
                subject=row.ref,
                workspace_id=row.workspace_id,
                endpoint_id=row.endpoint_id,
            )
        told = {
            "request_id": found.request_id,
            "client_id": found.client_id,
            "items": items,
            "is_cut": found.is_cut or len(found.found) > MOST,
        }
        return Response(told)


class PassportAt(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/passport`."""

    @operation(
        on_workspace(Action.PREDICTIONS_VIEW),
        name="passport_at",
        summary="Which model would have answered at a moment",
        query=MomentQuery,
        answers={200: PassportOut},
        problems=(404,),
    )
    def get(self, call: Call, name: str) -> Response:
        """Without a record: by the split that was in force."""
        endpoint_id, at = _endpoint(call, name), call.query["at"]
        if at > db_now():
            raise Invalid({"at": ["This moment is to come. Only the past can be answered for."]})
        made: Found = passport_at(endpoint_id, at, known=_known(call))
        return Response(document(made))


class Coverage(ApiView):
    """`/workspaces/{ws}/endpoints/{name}/coverage`."""

    @operation(
        on_workspace(Action.PREDICTIONS_VIEW),
        name="coverage_get",
        summary="What of a day can be answered for",
        query=DayQuery,
        answers={200: CoverageOut},
        problems=(404,),
    )
    def get(self, call: Call, name: str) -> Response:
        """The mirror's freshness, the log, the split, and what a passport says, as parts without gaps."""
        day: date = call.query["day"]
        found = coverage_of(_endpoint(call, name), day)
        if found is None:
            raise NotFound(f"{day} has not begun.")
        told: dict[str, Any] = {
            "since": found.since,
            "until": found.until,
            "ambiguous_seconds": found.ambiguous_seconds,
            "lanes": [
                {"name": one.name, "label": one.label, "parts": list(one.parts)} for one in found.lanes
            ],
        }
        return Response(CoverageOut(told).data)


def _known(call: Call) -> datetime | None:
    known: datetime | None = call.query.get("known")
    if known is not None and known > db_now():
        raise Invalid({"known": ["What will be known then nobody can say; leave it out for now."]})
    return known


def _endpoint(call: Call, name: str) -> int:
    endpoint_id = endpoint_id_by_name(call.workspace.id, name)
    subject = ref("endpoint", endpoint_id)
    call.about = About(subject, call.workspace.id, subject)
    return endpoint_id
