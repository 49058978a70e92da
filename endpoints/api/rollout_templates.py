"""Rollout templates of a workspace: plans that are kept to be used again."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api.fields import Flag, StrictBody, Text, Whole
from endpoints.api.operation import Call, operation
from endpoints.api.paging import NumberedQuery, page
from endpoints.api.rollout_inputs import LARGEST_SECONDS, TermsIn, terms_of
from endpoints.api.rollout_shapes import TermsOut
from endpoints.api.rules import on_workspace
from endpoints.api.shapes import ActorOut, Refs, Shape, named, next_field, person
from endpoints.api.view import ApiView
from endpoints.changes import services
from endpoints.changes.selectors import TemplateRow, template, templates
from endpoints.changes.services.request import MOST_STEPS
from endpoints.core.errors import NotFound


class WeightStepIn(StrictBody):
    """One step of whoever is the candidate."""

    weight = Whole(min_value=1, max_value=100, help_text="Percent of the candidate.")
    bake = Whole(min_value=0, max_value=LARGEST_SECONDS, default=0, help_text="Seconds.")
    click = Flag(default=False, help_text="Then a person must say go.")


class TemplateIn(StrictBody):
    """A plan that is kept."""

    name = Text(max_length=80)
    steps = WeightStepIn(many=True, min_length=1, max_length=MOST_STEPS)  # type: ignore[call-arg]  # for the list
    terms = TermsIn(required=False)


class WeightStepOut(Shape):
    """Percent of the candidate, seconds of bake, and whether a person says go then."""

    weight = serializers.IntegerField()
    bake = serializers.IntegerField()
    click = serializers.BooleanField()


class TemplateOut(Shape):
    """A template. `ended_at` null: it is offered."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    steps = WeightStepOut(many=True)
    terms = TermsOut()
    made_by = ActorOut()
    made_at = serializers.DateTimeField()
    ended_by = ActorOut(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class TemplateListOut(Shape):
    """A page of templates, newest first."""

    items = TemplateOut(many=True)
    next = next_field()


class TemplatesQuery(NumberedQuery):
    """Query of a workspace's templates."""

    ended = serializers.BooleanField(default=False, help_text="Those that are offered no more instead.")


class Templates(ApiView):
    """`/workspaces/{ws}/templates`."""

    @operation(
        on_workspace(Action.RULES_VIEW),
        name="templates_list",
        summary="Rollout templates of a workspace",
        query=TemplatesQuery,
        answers={200: TemplateListOut},
    )
    def get(self, call: Call) -> Response:
        """Those that are offered, or with `ended` the others."""
        found = templates(
            call.principal,
            call.workspace.id,
            ended=call.query["ended"],
            before=call.query.get("before"),
            limit=call.query["limit"],
        )
        names = named(people=_people(found.rows))
        items = [_shown(row, names) for row in found.rows]
        return Response(page(call.request, items, before=found.older))

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.RULES_PROPOSE),
        name="templates_make",
        summary="Keep a rollout template",
        body=TemplateIn,
        answers={201: TemplateOut},
        problems=(409,),
        example={
            "name": "Canary",
            "steps": [{"weight": 5, "bake": 900}, {"weight": 25, "bake": 3600}, {"weight": 100}],
            "terms": {"gates": [{"kind": "errors"}], "watch": 1800, "warm": 24},
        },
    )
    def post(self, call: Call) -> Response:
        """A name is given once while it is offered, so that what is sent twice is a conflict the second time."""
        number = services.make_template(
            principal=call.principal,
            workspace_id=call.workspace.id,
            name=call.body["name"],
            steps=[(step["weight"], step["bake"], step["click"]) for step in call.body["steps"]],
            terms=terms_of(call.body.get("terms", {})),
        )
        return _answer(template(call.principal, number), status=201)


class Template(ApiView):
    """`/workspaces/{ws}/templates/{template}`."""

    @operation(
        on_workspace(Action.RULES_VIEW),
        name="templates_get",
        summary="One rollout template",
        answers={200: TemplateOut},
    )
    def get(self, call: Call, template: int) -> Response:
        """Ended or not."""
        return _answer(_there(call, template))

    @operation(
        on_workspace(Action.RULES_VIEW, then=Action.RULES_PROPOSE),
        name="templates_end",
        summary="End a rollout template",
        answers={204: None},
        problems=(409,),
    )
    def delete(self, call: Call, template: int) -> Response:
        """It is offered no more. Changes that were made of it stay as they are."""
        services.end_template(principal=call.principal, template_id=_there(call, template).id)
        return Response(status=204)


def _there(call: Call, number: int) -> TemplateRow:
    row = template(call.principal, number)
    if row.workspace_id != call.workspace.id:
        raise NotFound("There is no such template here.")
    call.about = About(f"template:{row.id}", row.workspace_id)
    return row


def _answer(row: TemplateRow, *, status: int = 200) -> Response:
    return Response(_shown(row, named(people=_people([row]))), status=status)


def _people(rows: Any) -> set[int | None]:
    return {one for row in rows for one in (row.made_by, row.ended_by)}


def _shown(row: TemplateRow, names: Refs) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "steps": [{"weight": weight, "bake": bake, "click": click} for weight, bake, click in row.steps],
        "terms": row.terms,
        "made_by": person(row.made_by, names),
        "made_at": row.made_at,
        "ended_by": person(row.ended_by, names) if row.ended_by else None,
        "ended_at": row.ended_at,
    }
    return dict(TemplateOut(fields).data)
