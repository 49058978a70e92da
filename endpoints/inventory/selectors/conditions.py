"""A filter's terms as conditions on endpoints."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from django.db.models import Exists, OuterRef, Q

from endpoints.inventory.filters import Query, Term
from endpoints.inventory.marks import ATTENTION, Severity
from endpoints.inventory.models import Deployment

_SEVERITIES = {severity.word: severity for severity in Severity}


def condition(query: Query) -> Q:
    """Terms of one key widen each other; keys and negations narrow. Needs the annotation `severity_now`."""
    wanted = sorted((term for term in query.terms if not term.negated), key=lambda term: term.key)
    whole = Q()
    for _, terms in groupby(wanted, key=lambda term: term.key):
        either = Q()
        for term in terms:
            either |= _CONDITIONS[term.key](term)
        whole &= either
    for term in query.terms:
        if term.negated:
            whole &= ~_CONDITIONS[term.key](term)
    return whole


def _name(term: Term) -> Q:
    return Q(name_key=term.value) if term.exact else Q(name_key__contains=term.value)


def _workspace(term: Term) -> Q:
    if term.exact:
        return Q(workspace__slug=term.value)
    return Q(workspace__slug__icontains=term.value)


def _environment(term: Term) -> Q:
    return Q(workspace__environment__istartswith=term.value)


def _state(term: Term) -> Q:
    """A provisioning state, a mark, a severity, or `attention` for all that somebody should look at."""
    if term.value == "attention":
        return Q(severity_now__gte=ATTENTION)
    either = Q(provisioning_state__iexact=term.value) | Q(marks__contains=[{"code": term.value}])
    severity = _SEVERITIES.get(term.value)
    return either if severity is None else either | Q(severity_now=severity)


def _owner(term: Term) -> Q:
    if term.value == "none" and not term.exact:
        return Q(owner="")
    return Q(owner__iexact=term.value) if term.exact else Q(owner__icontains=term.value)


def _tag(term: Term) -> Q:
    name, has_value, value = term.value.partition("=")
    return Q(tags__contains={name: value}) if has_value else Q(tags__has_key=name)


def _sku(term: Term) -> Q:
    return _some_deployment(Q(instance_type__icontains=term.value))


def _model(term: Term) -> Q:
    return _some_deployment(Q(model__icontains=term.value.replace(":", "/versions/")))


def _some_deployment(which: Q) -> Q:
    return Q(Exists(Deployment.objects.filter(which, endpoint=OuterRef("pk"), deleted_at=None)))


_CONDITIONS: dict[str, Callable[[Term], Q]] = {
    "name": _name,
    "ws": _workspace,
    "env": _environment,
    "state": _state,
    "owner": _owner,
    "tag": _tag,
    "sku": _sku,
    "model": _model,
}
