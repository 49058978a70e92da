"""Where the portal sends messages to: channels with how they go, the forms that make, try and end one, deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, decide
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.notices import selectors, services
from endpoints.notices.rows import ChannelRow, DeliveryRow, DeliveryState, Kind
from endpoints.notices.topics import TOPICS
from endpoints.web.names import of_refs
from endpoints.web.pages import PageRequest, on_installation, page, render, to
from endpoints.web.settings_of import number_typed
from endpoints.web.states import Sign

FIELDS = ("name", "kind", "address", "workspace")
NOTHING_TYPED: dict[str, Any] = dict.fromkeys(FIELDS, "") | {"kind": Kind.MAIL, "topics": ()}
KINDS = [(Kind.MAIL, "mail"), (Kind.WEBHOOK, "a webhook")]
SIGNS = {
    DeliveryState.WAITING: Sign("waiting", "Waiting"),
    DeliveryState.FAILING: Sign("warn", "Failed, is tried again"),
    DeliveryState.SENT: Sign("quiet", "Sent"),
    DeliveryState.GIVEN_UP: Sign("bad", "Given up"),
}
STATES = ("", *DeliveryState)


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel in words."""

    row: ChannelRow
    sign: Sign
    where: str
    topics: tuple[str, ...]
    made_by: str
    ended_by: str


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery in words."""

    row: DeliveryRow
    sign: Sign
    what: str


@page(on_installation(Action.NOTICES_VIEW), "GET", "POST")
def notices(request: PageRequest) -> HttpResponseBase:
    """Channels and deliveries, and where their forms go."""
    if request.method == "GET":
        return _page(request)
    typed: dict[str, Any] = {name: request.POST.get(name, "").strip()[:2001] for name in FIELDS}
    typed["topics"] = tuple(request.POST.getlist("topics")[:30])
    try:
        return _do(request, typed)
    except Invalid as error:
        return _page(request, typed=typed, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, typed=typed, errors={"": [error.message]}, status=409)


def _do(request: PageRequest, typed: dict[str, Any]) -> HttpResponseBase:
    """What the pressed button orders. A signing key is shown in the answer alone, and in no address."""
    me, verb = request.principal, request.POST.get("do", "")
    if verb == "add":
        workspace_id = _workspace(me, typed["workspace"])
        given = {name: typed[name] for name in ("name", "kind", "address", "topics")}
        made = services.add_channel(principal=me, workspace_id=workspace_id, **given)
        if made.signing_key:
            return _page(request, key=made.signing_key)
        messages.success(request, "Messages go there from now on. Send a test to see whether they arrive.")
        return to("notices")
    number = number_typed(request.POST.get("channel", ""))
    try:
        if verb == "key":
            return _page(request, key=services.signing_key(principal=me, channel_id=number))
        messages.success(request, _say(request, verb, number))
    except NotFound:
        raise Conflict("There is no such channel. Nothing was done.") from None
    return to("notices")


def _say(request: PageRequest, verb: str, number: int) -> str:
    me = request.principal
    if verb == "test":
        services.test_channel(principal=me, channel_id=number)
        return "A test is on its way. What became of it is told under the deliveries; load the page again."
    if verb == "end":
        services.end_channel(principal=me, channel_id=number, reason=request.POST.get("reason", "")[:2001])
        return "Nothing is sent there any more."
    raise Invalid("The form did not say what to do. Nothing was changed.")


def _workspace(me: Principal, slug: str) -> int | None:
    """The workspace of the name; None for "", which is everything."""
    if not slug:
        return None
    known = {row.slug: row.id for row in access.all_workspaces(me)}
    if slug not in known:
        raise Invalid({"workspace": ["There is no such workspace. Nothing was added."]})
    return known[slug]


def _page(
    request: PageRequest,
    *,
    typed: dict[str, Any] | None = None,
    errors: dict[str, list[str]] | None = None,
    key: str = "",
    status: int = 200,
) -> HttpResponseBase:
    me, asked = request.principal, request.GET
    ended = asked.get("show") == "ended"
    state = asked.get("state", "") if asked.get("state", "") in STATES else ""
    known = {row.id: row.slug for row in access.all_workspaces(me)}
    found = selectors.channels(ended=ended, before=_cursor(asked, "begin"))
    sent = selectors.deliveries(
        state=DeliveryState(state) if state else None, before=_cursor(asked, "before")
    )
    context = {
        "channels": _channels(found.rows, known),
        "channel_pages": _pages(asked, "begin", found.before),
        "deliveries": [_delivery(row) for row in sent.rows],
        "delivery_pages": _pages(asked, "before", sent.before),
        "ended": ended,
        "state": state,
        "states": [("", "All"), *((one, SIGNS[one].text) for one in DeliveryState)],
        "here": reverse("web:notices"),
        "may_manage": decide(me, Action.NOTICES_MANAGE),
        "typed": typed or NOTHING_TYPED,
        "errors": errors or {},
        "key": key,
        "kinds": KINDS,
        "means": selectors.means(),
        "topics": list(TOPICS.values()),
        "workspaces": [("", "everything"), *((slug, slug) for slug in sorted(known.values()))],
    }
    return render(request, "settings/notices.html", context, section="notices", status=status)


def _channels(rows: tuple[ChannelRow, ...], slugs: dict[int, str]) -> list[ChannelLine]:
    names = of_refs({ref for row in rows for ref in (row.made_by, row.ended_by)})
    return [
        ChannelLine(
            row=row,
            sign=_sign(row),
            where=slugs.get(row.workspace_id, "?") if row.workspace_id else "everything",
            topics=tuple(TOPICS[name].says if name in TOPICS else name for name in row.topics),
            made_by=names.get(row.made_by, row.made_by),
            ended_by=names.get(row.ended_by, row.ended_by),
        )
        for row in rows
    ]


def _sign(row: ChannelRow) -> Sign:
    """Nothing sent yet is unknown: that a channel works is seen by what arrived."""
    if row.ended_at is not None:
        return Sign("off", "Ended")
    if row.failing:
        return Sign("warn", f"{row.waiting} not sent: it fails")
    if row.waiting:
        return Sign("waiting", f"{row.waiting} not sent yet")
    return Sign("unknown", "Nothing was sent yet") if row.last_sent_at is None else Sign("quiet", "All sent")


def _delivery(row: DeliveryRow) -> DeliveryLine:
    topic = TOPICS.get(row.topic)
    return DeliveryLine(row, SIGNS[row.state], topic.says if topic else "a test of the channel")


def _cursor(asked: QueryDict, name: str) -> int | None:
    return number_typed(asked.get(name, "")) or None


def _pages(asked: QueryDict, name: str, following: int | None) -> dict[str, str]:
    """Addresses of the first and the next page of one list; the other list stays where it is."""
    kept = {key: asked[key] for key in ("show", "state", "begin", "before") if key != name and asked.get(key)}
    here = reverse("web:notices")
    return {
        "first": f"{here}?{urlencode(kept)}" if asked.get(name) else "",
        "next": f"{here}?{urlencode(kept | {name: str(following)})}" if following else "",
    }
