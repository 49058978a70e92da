"""Channels that the portal sends messages through, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal
from endpoints.access.services import About
from endpoints.api.fields import StrictBody, Text
from endpoints.api.operation import Call, operation
from endpoints.api.paging import LARGEST_ID, NumberedQuery, page
from endpoints.api.rules import on_installation
from endpoints.api.shapes import ActorOut, Shape, actor, named, next_field, shape_names
from endpoints.api.view import ApiView
from endpoints.core.errors import Invalid
from endpoints.core.ids import ref
from endpoints.notices import selectors, services
from endpoints.notices.rows import ChannelRow, DeliveryRow, DeliveryState, Kind


class ChannelOut(Shape):
    """Where messages go, while `ended_at` is null. `workspace` null: of all, and of the installation."""

    id = serializers.IntegerField()
    workspace = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=list(Kind))
    name = serializers.CharField()
    address = serializers.CharField(help_text="Of a webhook its host and end: the rest may be a secret.")
    topics = serializers.ListField(child=serializers.CharField())
    made_by = ActorOut()
    made_at = serializers.DateTimeField()
    ended_by = ActorOut(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField(help_text="Messages that are not sent yet.")
    failing = serializers.IntegerField(help_text="Of these, those that were tried already.")
    given_up = serializers.IntegerField(help_text="Messages that nobody tries to send any more.")
    last_sent_at = serializers.DateTimeField(allow_null=True)


class ChannelListOut(Shape):
    """A page of channels."""

    items = ChannelOut(many=True)
    next = next_field()


class AddedOut(ChannelOut):
    """A new channel."""

    signing_key = serializers.CharField(help_text="Of a webhook; empty for mail.")


class KeyOut(Shape):
    """What a webhook's receiver checks signatures with."""

    signing_key = serializers.CharField()


class DeliveryOut(Shape):
    """A message on its way through a channel. `reason`: why the last attempt failed."""

    id = serializers.IntegerField()
    channel = serializers.IntegerField()
    topic = serializers.CharField()
    subject = serializers.CharField()
    link = serializers.CharField(help_text="A path of the portal, or empty.")
    state = serializers.ChoiceField(choices=list(DeliveryState))
    made_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    attempts = serializers.IntegerField()
    reason = serializers.CharField()
    sent_at = serializers.DateTimeField(allow_null=True)
    given_up_at = serializers.DateTimeField(allow_null=True)


class DeliveryListOut(Shape):
    """A page of deliveries."""

    items = DeliveryOut(many=True)
    next = next_field()


class ChannelIn(StrictBody):
    """A channel."""

    kind = serializers.ChoiceField(choices=list(Kind))
    name = Text(max_length=80)
    address = Text(max_length=2000, help_text="A mail address, or a URL whose host the operator allows.")
    topics = serializers.ListField(child=Text(max_length=60), max_length=30)
    workspace = Text(
        max_length=63, required=False, allow_null=True, help_text="Its short name; null is everything."
    )


class EndIn(StrictBody):
    """Why it is ended."""

    reason = Text(max_length=2000, required=False, default="", allow_blank=True)


class ChannelsQuery(NumberedQuery):
    """Query of the channels."""

    show = serializers.ChoiceField(choices=["standing", "ended"], default="standing")


class DeliveriesQuery(NumberedQuery):
    """Query of the deliveries."""

    channel = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    state = serializers.ChoiceField(choices=list(DeliveryState), required=False)


class Channels(ApiView):
    """`/notices/channels`."""

    @operation(
        on_installation(Action.NOTICES_VIEW),
        name="channels_list",
        summary="List channels for messages",
        query=ChannelsQuery,
        answers={200: ChannelListOut},
    )
    def get(self, call: Call) -> Response:
        """Those in use, or those that were ended; newest first."""
        found = selectors.channels(
            ended=call.query["show"] == "ended", before=call.query.get("before"), limit=call.query["limit"]
        )
        return Response(page(call.request, _channels(found.rows), before=found.before))

    @operation(
        on_installation(Action.NOTICES_MANAGE),
        name="channels_add",
        summary="Make a channel for messages",
        body=ChannelIn,
        answers={201: AddedOut},
        problems=(409,),
        example={
            "kind": "webhook",
            "name": "Case desk",
            "address": "https://hooks.example.org/opsportal",
            "topics": ["case.raised", "case.due"],
            "workspace": None,
        },
    )
    def post(self, call: Call) -> Response:
        """Send messages of these topics there from now on. It can't be changed: end it and make another."""
        given = {name: call.body[name] for name in ("kind", "name", "address", "topics")}
        made = services.add_channel(
            principal=call.principal,
            workspace_id=_workspace(call.principal, call.body.get("workspace")),
            **given,
        )
        shown = _channel(made.channel_id) | {"signing_key": made.signing_key}
        return Response(
            shown, status=201, headers={"Location": f"/api/v1/notices/channels/{made.channel_id}"}
        )


class Channel(ApiView):
    """`/notices/channels/{channel}`."""

    @operation(
        on_installation(Action.NOTICES_VIEW),
        name="channels_get",
        summary="One channel for messages",
        answers={200: ChannelOut},
        problems=(404,),
    )
    def get(self, call: Call, channel: int) -> Response:
        """One channel, also when it was ended."""
        return Response(_channel(channel))


class ChannelEnd(ApiView):
    """`/notices/channels/{channel}/end`."""

    @operation(
        on_installation(Action.NOTICES_MANAGE),
        name="channels_end",
        summary="End a channel for messages",
        body=EndIn,
        answers={200: ChannelOut},
        problems=(404, 409),
    )
    def post(self, call: Call, channel: int) -> Response:
        """Send nothing there any more. What waits is not sent; what was sent stays on record."""
        call.about = About(ref("channel", channel))
        services.end_channel(principal=call.principal, channel_id=channel, reason=call.body["reason"])
        return Response(_channel(channel))


class ChannelTest(ApiView):
    """`/notices/channels/{channel}/test`."""

    @operation(
        on_installation(Action.NOTICES_MANAGE),
        name="channels_test",
        summary="Send a test through a channel",
        answers={202: DeliveryOut},
        problems=(404, 409),
    )
    def post(self, call: Call, channel: int) -> Response:
        """Send a message to this channel alone; the list of deliveries tells what became of it."""
        call.about = About(ref("channel", channel))
        services.test_channel(principal=call.principal, channel_id=channel)
        (row,) = selectors.deliveries(channel_id=channel, limit=1).rows
        return Response(_delivery(row), status=202)


class ChannelKey(ApiView):
    """`/notices/channels/{channel}/key`."""

    @operation(
        on_installation(Action.NOTICES_MANAGE),
        name="channels_key",
        summary="Show the signing key of a webhook",
        answers={200: KeyOut},
        problems=(404, 409),
    )
    def post(self, call: Call, channel: int) -> Response:
        """The key once more, for the receiver. That somebody looked at it is on record."""
        call.about = About(ref("channel", channel))
        return Response({"signing_key": services.signing_key(principal=call.principal, channel_id=channel)})


class Deliveries(ApiView):
    """`/notices/deliveries`."""

    @operation(
        on_installation(Action.NOTICES_VIEW),
        name="deliveries_list",
        summary="What was, is or will be sent",
        query=DeliveriesQuery,
        answers={200: DeliveryListOut},
    )
    def get(self, call: Call) -> Response:
        """Newest first; of one channel, or in one state."""
        state = call.query.get("state")
        found = selectors.deliveries(
            channel_id=call.query.get("channel"),
            state=DeliveryState(state) if state else None,
            before=call.query.get("before"),
            limit=call.query["limit"],
        )
        return Response(page(call.request, [_delivery(row) for row in found.rows], before=found.before))


def _workspace(me: Principal, slug: str | None) -> int | None:
    if slug is None:
        return None
    known = {row.slug: row.id for row in access.all_workspaces(me)}
    if slug not in known:
        raise Invalid({"workspace": ["There is no such workspace. Nothing was added."]})
    return known[slug]


def _channel(number: int) -> dict[str, Any]:
    return _channels([selectors.channel(number)])[0]


def _channels(rows: Sequence[ChannelRow]) -> list[dict[str, Any]]:
    names = named(who for row in rows for who in (row.made_by, row.ended_by) if who)
    slugs = access.workspace_names({row.workspace_id for row in rows if row.workspace_id is not None})
    return [
        dict(
            ChannelOut(
                {name: getattr(row, name) for name in shape_names(ChannelOut) - {"workspace"}}
                | {
                    "workspace": slugs.get(row.workspace_id) if row.workspace_id is not None else None,
                    "made_by": actor(row.made_by, names),
                    "ended_by": actor(row.ended_by, names) if row.ended_by else None,
                }
            ).data
        )
        for row in rows
    ]


def _delivery(row: DeliveryRow) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in shape_names(DeliveryOut) - {"channel"}}
    return dict(DeliveryOut(fields | {"channel": row.channel_id}).data)
