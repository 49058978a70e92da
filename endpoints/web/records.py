"""The record of one request: found by its id, with what answered it, as known now or as known then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, decide, may_anywhere, require, visible_workspaces
from endpoints.challenges.facts import Passport
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors import Lookup, lookup
from endpoints.challenges.selectors.coverage import coverage_of
from endpoints.challenges.selectors.passport import passport_of
from endpoints.challenges.services import matches
from endpoints.challenges.services.reads import note_read
from endpoints.core.errors import Invalid, Unavailable
from endpoints.dispatch import db_now
from endpoints.web import asof, display, facts
from endpoints.web.names import of_refs
from endpoints.web.pages import PageRequest, on_object, page, render
from endpoints.web.states import Sign
from endpoints.web.strip import strip

ID_LENGTH, HASH_LENGTH = 300, 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of several records under an id."""

    row: SeenRow
    workspace: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a hash that somebody gave; no sign: nobody gave one, or it is none."""

    typed: str
    sign: Sign | None
    words: str = ""
    error: str = ""


@page(on_object(Action.PREDICTIONS_VIEW))
def record(request: PageRequest, *, asked: str) -> HttpResponseBase:
    """The passport of the one record, or of the one chosen; a list where there are several; checks where none is."""
    me, text = request.principal, asked.strip()[:ID_LENGTH]
    known, problem = _known(request)
    typed = request.GET.get("body_sha256", "")
    places = _places(me)
    found = lookup(text, workspace_ids=places)
    if not found.found:
        return render(
            request, "challenges/record.html", _nothing(text, me, found), section="challenges", status=404
        )
    names = access.workspace_names(row.workspace_id for row in found.found)
    chosen = _chosen(request, found)
    passport = passport_of(chosen, known=known) if chosen else None
    if chosen:
        note_read(
            principal=me, subject=chosen.ref, workspace_id=chosen.workspace_id, endpoint_id=chosen.endpoint_id
        )
    context: dict[str, Any] = {
        "asked": text,
        "row": chosen,
        "attempts": [_attempt(text, row, names, chosen) for row in found.found],
        "is_cut": found.is_cut,
        "problem": problem,
        "checks": (),
        "passport": passport,
        "may_raise": None,
        **(_shown(me, chosen, passport, names, known, typed) if chosen and passport else {}),
    }
    return render(
        request, "challenges/record.html", context, section="challenges", status=422 if problem else 200
    )


def _shown(
    me: Principal,
    row: SeenRow,
    passport: Passport,
    names: dict[int, str],
    known: datetime | None,
    typed: str,
) -> dict[str, Any]:
    workspace = names.get(row.workspace_id, "")
    coverage = coverage_of(row.endpoint_id, passport.at.astimezone(UTC).date())
    zone = display.current().zone
    return {
        "workspace": workspace,
        "sign": facts.SIGNS[passport.sure],
        "sections": facts.sections(passport, of_refs(facts.refs_of(passport))),
        "known": known,
        "zone": str(zone),
        "known_typed": f"{known.astimezone(zone):%Y-%m-%dT%H:%M:%S}" if known else "",
        "proof": _proof(row, typed),
        "strip": strip(coverage, passport.at) if coverage else None,
        "endpoint_href": reverse("web:endpoint", kwargs={"ws": workspace, "name": row.endpoint_name}),
        "coverage_href": f"{reverse('web:coverage', kwargs={'ws': workspace, 'name': row.endpoint_name})}"
        f"?day={passport.at.astimezone(UTC):%Y-%m-%d}",
        "may_raise": decide(me, Action.CASE_WORK, workspace_id=row.workspace_id, workspace=workspace),
        "raise_href": f"{reverse('web:challenge_new')}?{urlencode({'cid': row.request_id or row.client_id})}",
    }


def _proof(row: SeenRow, typed: str) -> Proof:
    """Whether a body is that of the request: its holder hashes it, so that the body itself never comes here."""
    text = typed.strip()[:HASH_LENGTH]
    if not text:
        return Proof("", None)
    try:
        same = matches(row, text)
    except Invalid as error:
        return Proof(text, None, error=error.message)
    except Unavailable as error:
        return Proof(text, Sign("unknown", "Cannot say"), error.message)
    if same is None:
        return Proof(text, Sign("unknown", "Cannot say"), "Nobody sent a fingerprint of this request's body.")
    if same:
        return Proof(text, Sign("ok", "The same"), "A body with this hash is the body of this request.")
    words = (
        "A body with this hash is not the body of this request. One byte that differs makes it another one."
    )
    return Proof(text, Sign("bad", "Another one"), words)


def _places(me: Principal) -> frozenset[int]:
    """Where this person may see records; Refused in words where they see workspaces and no records."""
    places = visible_workspaces(me, Action.PREDICTIONS_VIEW)
    if not places and (seen := visible_workspaces(me)):
        require(me, Action.PREDICTIONS_VIEW, workspace_id=min(seen))
    return places


def _known(request: PageRequest) -> tuple[datetime | None, str]:
    """As of which knowledge; "" or what is wrong with it."""
    text = request.GET.get("known", "").strip()[:60]
    if not text:
        return None, ""
    try:
        known = asof.parsed(text)
    except ValueError as error:
        return None, f"{error} Shown is what is known now."
    if known > db_now():
        return None, "That moment has not come. Shown is what is known now."
    return known, ""


def _chosen(request: PageRequest, found: Lookup) -> SeenRow | None:
    """The one that the address names by its place, or the only one."""
    wanted = request.GET.get("record", "")
    named = next((row for row in found.found if row.ref == wanted), None)
    return named or (found.found[0] if len(found.found) == 1 else None)


def _attempt(text: str, row: SeenRow, names: dict[int, str], chosen: SeenRow | None) -> Attempt:
    address = reverse("web:record", kwargs={"asked": text})
    href = f"{address}?{urlencode({'record': row.ref})}"
    return Attempt(row, names.get(row.workspace_id, ""), href, chosen is not None and row.ref == chosen.ref)


def _nothing(text: str, me: Principal, found: Lookup) -> dict[str, Any]:
    """What was looked at, so that nobody takes "none found" for "there was none"."""
    slugs = sorted(
        row.slug for row in access.workspaces(me) if decide(me, Action.PREDICTIONS_VIEW, workspace_id=row.id)
    )
    checks = [
        ("As Azure's request id", found.request_id or "it is none: that would be a GUID"),
        ("As the client's request id", found.client_id or "it is none: letters, digits, - and _"),
        ("Workspaces looked in", ", ".join(slugs)),
        (
            "Records are kept",
            f"{settings.OPSPORTAL.prediction_days} days, by whole months; longer where a case or legal hold needs them",
        ),
        ("Sources", "Azure's traffic log where it is exported, callers and models where they send records"),
    ]
    return {
        "asked": text,
        "row": None,
        "attempts": [],
        "is_cut": False,
        "problem": "",
        "passport": None,
        "checks": checks,
        "may_raise": may_anywhere(me, Action.CASE_WORK),
        "raise_href": f"{reverse('web:challenge_new')}?{urlencode({'cid': text})}",
    }
