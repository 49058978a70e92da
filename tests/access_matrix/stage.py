"""Two workspaces with the same things in them, and everybody who may ask."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.http import HttpResponseBase
from django.test import Client

from endpoints.access.models import ApiToken, User, Workspace
from endpoints.access.roles import WORKSPACE_ROLES, Role
from endpoints.audit.models import Entry
from endpoints.capacity.models import Alert, PredictionValue, Saving, SpendPlan
from endpoints.challenges import services as challenges
from endpoints.changes import services
from endpoints.changes.models import Change, ChangeRevision
from endpoints.changes.selectors import rollback_offer
from endpoints.changes.terms import Terms
from endpoints.dispatch import db_now
from endpoints.holds.scope import Scope
from endpoints.holds.services import stop_the_line
from endpoints.inventory.models import Endpoint
from endpoints.metrics.figures import Definition, Kind
from endpoints.metrics.services import define_figure, propose_budget
from tests.access_matrix.addresses import Address
from tests.capacity.found import found
from tests.capacity.ledgered import agreed, ledgered
from tests.challenges.cases import raised
from tests.holds.support import ahead, freeze
from tests.notices.support import kept_channel
from tests.support.load import serve
from tests.support.people import browser, make_endpoint, make_person, make_workspace, principal, token_for

HERE, THERE = "here", "there"
SLUGS = {HERE: "mlw-prod-weu", THERE: "mlw-test-neu"}
ROLES = ("requester", "reviewer", "operator", "supervisor", "finops", "auditor")
INSIDERS = ("author", *ROLES)
PRINCIPALS = (*INSIDERS, "admin", "outsider", "anonymous")
SCOPES = ("read", "change", "approve", "rollback", "audit", "admin", "predictions", "cases")


@dataclass
class Place:
    """What an address can name in one workspace. `secret` stands in texts that only its people may read."""

    workspace: Workspace
    secret: str
    number: int
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Stage:
    """People by principal's name, their sessions and tokens, and the two workspaces."""

    people: dict[str, User]
    sessions: dict[str, str]
    tokens: dict[str, str]
    places: dict[str, Place]

    def call(
        self, who: str, address: Address, place: str, row: dict[str, Any], *, by_token: bool = False
    ) -> HttpResponseBase:
        """One request, with the row's `send` and `with`, where `$name` is what has that name in the place.

        Azure was read just now: what nobody read for two minutes is approved with a warning only.
        """
        Endpoint.objects.update(last_read_began=Now(), last_read_ended=Now())
        there = self.places[place].values
        values = there | {key: _filled(value, there) for key, value in row.get("with", {}).items()}
        body = {key: _filled(value, there) for key, value in row.get("send", {}).items()}
        headers = {"If-Match": f'"{values["seen"]}"'}
        client = Client()
        if by_token:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        elif who in self.sessions:
            client.cookies["sessionid"] = self.sessions[who]
        return _send(client, address, address.path(values), body, headers)


def build() -> Stage:
    places = {name: _place(slug, f"words-of-{name}") for name, slug in SLUGS.items()}
    here, there = SLUGS[HERE], SLUGS[THERE]
    people = {role: make_person(f"the-{role}", {here: [role]}) for role in ROLES}
    people["admin"] = make_person("the-admin", {"": [Role.ADMIN]})
    people["outsider"] = make_person("the-outsider", {there: sorted(WORKSPACE_ROLES)})
    people["author"] = User.objects.get(username="the-author")
    sessions = {name: browser(user).cookies["sessionid"].value for name, user in people.items()}
    tokens = {name: token_for(user, *SCOPES) for name, user in people.items()}
    token_id = ApiToken.objects.get(owner=people["author"]).pk
    for place in places.values():
        _name_things(place, token_id)
    return Stage(people, sessions, tokens, places)


def _place(slug: str, secret: str) -> Place:
    """A workspace with an endpoint, and a change of it by the author that waits for review."""
    workspace = make_workspace(slug)
    if not User.objects.filter(username="the-author").exists():
        make_person("the-author", {slug: [Role.REQUESTER]})
    author = User.objects.get(username="the-author")
    endpoint = make_endpoint(workspace, tags={"owner": secret})
    serve(endpoint.pk)
    asker = author if slug == SLUGS[HERE] else make_person("the-other-author", {slug: [Role.REQUESTER]})
    number = services.request_change(
        principal=principal(asker), endpoint_id=endpoint.pk, split={"blue": 90, "green": 10}, reason=secret
    )
    proposer = make_person(f"the-proposer-{slug}", {slug: [Role.OPERATOR]})
    proposed = propose_budget(
        principal=principal(proposer),
        endpoint_id=endpoint.pk,
        p95_ms=250,
        failure_share=0.01,
        reason="What was promised.",
    )
    clicks = Definition("clicks", "Clicks", Kind.RATE)
    define_figure(principal=principal(proposer), endpoint_id=endpoint.pk, wanted=clicks)
    rule = services.propose_rule(
        principal=principal(proposer),
        workspace_id=workspace.pk,
        draft=services.RuleDraft("Two for risk", "risk-*", required=2),
        reason="After the incident of May.",
    )
    template = services.make_template(
        principal=principal(proposer),
        workspace_id=workspace.pk,
        name="Canary",
        steps=[(10, 600, False), (100, 0, True)],
        terms=Terms(),
    )
    named = {"proposal": proposed.proposal_id, "rule": rule.rule_id, "template": template}
    named["channel"] = kept_channel(workspace)
    named["freeze"] = freeze(proposer, Scope(workspace.pk, "no-such-*"), ahead()).pk
    named["stop"] = _stop_of_what_is_gone(workspace, proposer)
    named |= _case_of(workspace, endpoint, secret)
    named |= _capacity_of(endpoint, secret)
    return Place(workspace, secret, number, named)


def _case_of(workspace: Workspace, endpoint: Endpoint, secret: str) -> dict[str, Any]:
    """An open case with evidence, and another one; the question is for this workspace's people only."""
    raiser = make_person(f"the-raiser-{workspace.slug}", {workspace.slug: [Role.SUPERVISOR]})
    first, other = (raised(raiser, endpoint, question=secret) for _ in range(2))
    now = db_now()
    hold = challenges.ask_hold(
        principal=principal(raiser), case_id=first.pk, since=now - timedelta(days=1), until=now, reason=secret
    )
    first.refresh_from_db()
    return {
        "case": first.pk,
        "case_version": first.version,
        "other_case": other.pk,
        "raiser": f"user:{raiser.pk}",
        "evidence": 1,
        "hold": hold,
    }


def _capacity_of(endpoint: Endpoint, secret: str) -> dict[str, Any]:
    """A day in the ledger and a finding; why it is one is for this workspace's people only."""
    blue, green = (endpoint.deployments.get(name=name) for name in ("blue", "green"))
    day = ledgered(blue, green)
    finding = found(green, why=secret)
    _money_of(endpoint, secret)
    return {
        "finding": finding.pk,
        "finding_version": finding.version,
        "agreement": agreed(endpoint.workspace_id).pk,
        "deployment_number": blue.pk,
        "day": day,
    }


def _money_of(endpoint: Endpoint, secret: str) -> None:
    """An act that saved, and what people said; every word is for this workspace's people only."""
    now, said = db_now(), {"reason": secret, "made_by": "system:command", "made_at": db_now()}
    acted = found(endpoint.deployments.get(name="blue"), state="verified", why=secret)
    Saving.objects.create(finding=acted, state="verified", acted_at=now, words=secret)
    SpendPlan.objects.create(workspace=endpoint.workspace, team=secret, amount=1, currency="EUR", **said)
    PredictionValue.objects.create(endpoint=endpoint, amount=2, currency="EUR", **said)
    for ended in (None, now):
        Alert.objects.create(
            workspace=endpoint.workspace, kind="over_plan", key=f"over:{ended}", words=secret, since=now,
            ended_at=ended,
        )  # fmt: skip


def _stop_of_what_is_gone(workspace: Workspace, by: User) -> int:
    """A stop that is told on every page and holds nothing of what the table asks for. An administrator reads it."""
    gone = make_endpoint(workspace, "gone")
    made = stop_the_line(principal=principal(by), reason="It burns.", endpoint_id=gone.pk)
    Endpoint.objects.filter(pk=gone.pk).update(deleted_at=db_now())
    return made.stop_id


def _name_things(place: Place, token_id: int) -> None:
    change = Change.objects.get(pk=place.number)
    offer = rollback_offer(principal(change.author), change.endpoint_id, place.workspace.pk)
    place.values |= {
        "ws": place.workspace.slug,
        "name": "checkout-risk",
        "deployment": "blue",
        "file": "endpoint",
        "figure": "clicks",
        "figures": [
            {
                "figure": "clicks",
                "deployment": "blue",
                "minute": f"{db_now():%Y-%m-%dT%H:%M:00Z}",
                "count": 10,
                "total": 1,
            }
        ],
        "records": [{"at": f"{db_now():%Y-%m-%dT%H:%M:%SZ}", "client_id": "order-1"}],
        "number": change.pk,
        "next_week": f"{db_now() + timedelta(days=7):%Y-%m-%d}",
        "soon": f"{db_now() + timedelta(hours=1):%Y-%m-%dT%H:%M:00Z}",
        "seq": Entry.objects.filter(subject=f"change:{change.pk}").latest("seq").seq,
        "token_id": token_id,
        "workspace_number": place.workspace.pk,
        "seen": ChangeRevision.objects.get(change=change, number=change.revision).content_hash,
        "target": next(target.key for target in offer.targets if target.eligible),
    }


def _filled(value: Any, values: dict[str, Any]) -> Any:
    return values[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def _send(
    client: Client, address: Address, path: str, body: dict[str, Any], headers: dict[str, str]
) -> HttpResponseBase:
    if address.method == "GET":
        return client.get(path, headers=headers)
    if path.startswith("/api/"):
        return client.generic(
            address.method, path, json.dumps(body), content_type="application/json", headers=headers
        )
    return client.post(path, body, headers=headers)
