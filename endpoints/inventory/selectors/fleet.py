"""The fleet: one row per living endpoint, worst first, in three queries whatever its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import (
    Case,
    Count,
    Expression,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Greatest, JSONObject

from endpoints.access.policies import visible_workspaces
from endpoints.access.principals import Principal
from endpoints.core.errors import Invalid
from endpoints.core.traffic import Split
from endpoints.inventory import filters, marks
from endpoints.inventory.assets import short
from endpoints.inventory.marks import ATTENTION, Mark, Severity
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.inventory.selectors.conditions import condition
from endpoints.inventory.selectors.freshness import Freshness, freshness_of, with_age

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class _Ranked(TypedDict):
    severity_now: int


# All that `_row` reads.
_LISTED = (
    "id", "workspace_id", "slug", "environment", "name", "location", "marks", "provisioning_state", "traffic",
    "mirror_traffic", "owner", "auth_mode", "public_network_access", "unreadable_since", "last_read_ended",
    "briefs",
)  # fmt: skip
# One document for each endpoint: an array of documents is read one by one.
_BRIEFS = Subquery(
    Deployment.objects.filter(endpoint_id=OuterRef("pk"), deleted_at=None)
    .order_by()
    .values("endpoint_id")
    .annotate(
        told=JSONBAgg(
            JSONObject(
                name="name",
                provisioning_state="provisioning_state",
                model="model",
                instance_type="instance_type",
                instance_count="instance_count",
            ),
            order_by="name_key",
        )
    )
    .values("told")
)


@dataclass(frozen=True, slots=True)
class DeploymentBrief:
    """`model` is short (`risk:7`); `instance_count` None: Azure did not say."""

    name: str
    provisioning_state: str
    model: str
    instance_type: str
    instance_count: int | None


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One endpoint in a list. `marks` are worst first; `status` is the label of the worst, or "quiet".

    `beside` is what a higher room asked for with it.
    """

    id: int
    workspace_id: int
    workspace: str
    environment: str
    name: str
    location: str
    severity: Severity
    status: str
    marks: tuple[Mark, ...]
    provisioning_state: str
    traffic: Split
    mirror_traffic: Split
    deployments: tuple[DeploymentBrief, ...]
    owner: str
    auth_mode: str
    public_network_access: str
    read_at: datetime | None
    is_stale: bool
    unreadable_since: datetime | None
    beside: Any = None

    @property
    def cursor(self) -> str:
        """Where the next page begins when this row ends one."""
        return f"{int(self.severity)}.{self.id}.{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class FleetPage:
    """`next_cursor` is "" on the last page. `problems` are the parts of the filter that made no sense."""

    rows: tuple[FleetRow, ...]
    next_cursor: str
    problems: tuple[str, ...]
    freshness: Mapping[int, Freshness]


@dataclass(frozen=True, slots=True)
class FleetCounts:
    """How many endpoints match a filter, by severity; `attention` sums those that somebody should look at.

    `known` are all of the workspaces that were asked about, filtered or not. `marked` counts those that match and
    have the mark that was asked for.
    """

    total: int
    attention: int
    by_severity: Mapping[str, int]
    known: int
    marked: int = 0


def fleet_rows(
    workspace_ids: Iterable[int],
    *,
    text: str = "",
    cursor: str = "",
    limit: int = 50,
    ages: Mapping[int, Freshness] | None = None,
    beside: Expression | None = None,
) -> FleetPage:
    """A page of the fleet. Invalid when the cursor is none that a page gave.

    `ages`: the workspaces' freshness where it is at hand. `beside`: what a higher room wants to know of each
    endpoint, as an expression over it, so that its page needs no second query; its value is `FleetRow.beside`.
    """
    query, ages = filters.parse(text), freshness_of(workspace_ids) if ages is None else ages
    found = _matching(query, ages)
    if cursor:
        found = found.filter(_after(cursor))
    ordered = found.order_by("-severity_now", "name_key", "pk")
    shown = ordered.annotate(
        slug=F("workspace__slug"),
        environment=F("workspace__environment"),
        briefs=_BRIEFS,
    )
    columns: tuple[str, ...] = _LISTED
    if beside is not None:
        shown, columns = shown.annotate(beside=beside), (*_LISTED, "beside")
    endpoints = list(shown.values_list(*columns, named=True)[: limit + 1])
    rows = _rows(endpoints[:limit], ages)
    more = len(endpoints) > limit
    return FleetPage(rows, rows[-1].cursor if more else "", query.problems, ages)


def fleet_counts(
    workspace_ids: Iterable[int],
    *,
    text: str = "",
    ages: Mapping[int, Freshness] | None = None,
    mark: tuple[str, Severity] | None = None,
) -> FleetCounts:
    """Counts that serve as filters (`state:<severity>`, `state:attention`).

    `ages`: the freshness that a page came with, also of workspaces that its filter leaves out. `mark`: one whose
    endpoints are to be counted too, with its severity, so that no endpoint below that is looked at.
    """
    wanted = set(workspace_ids)
    ages = freshness_of(wanted) if ages is None else ages
    living = Endpoint.objects.filter(workspace_id__in=list(ages), deleted_at=None)
    query = filters.parse(text)
    matches: Count | F
    if query.terms:
        ranked = living.annotate(severity_now=_severity_now(ages))
        matches = Count("pk", filter=condition(query))
    else:
        ranked, matches = living.annotate(severity_now=F("severity")), F("all")
    marked = Count("pk", filter=_is_marked(mark) & condition(query)) if mark else Value(0)
    grouped = (
        ranked.order_by()
        .values_list("workspace_id", "severity")
        .annotate(all=Count("pk"), found=matches, marked=marked)
    )
    counts: Counter[Severity] = Counter()
    known = of_mark = 0
    for workspace_id, severity, number, found, with_mark in grouped:
        known += number
        of_mark += with_mark if workspace_id in wanted else 0
        if workspace_id in wanted:
            counts[_aged(Severity(severity), ages[workspace_id])] += found
    return FleetCounts(
        total=counts.total(),
        attention=sum(number for severity, number in counts.items() if severity >= ATTENTION),
        by_severity={severity.word: counts[severity] for severity in reversed(Severity)},
        known=known,
        marked=of_mark,
    )


def _is_marked(mark: tuple[str, Severity]) -> Q:
    code, severity = mark
    return Q(severity__gte=severity, marks__contains=[{"code": code}])


def endpoint_count(principal: Principal) -> int:
    """How many living endpoints this principal may see."""
    return Endpoint.objects.filter(workspace_id__in=visible_workspaces(principal), deleted_at=None).count()


def endpoint_names(endpoint_ids: Iterable[int]) -> dict[int, str]:
    """Names for references, of deleted endpoints too. Knows no rights: ask for what may be shown."""
    return dict(Endpoint.objects.filter(pk__in=list(endpoint_ids)).values_list("pk", "name"))


def _matching(
    query: filters.Query, ages: Mapping[int, Freshness]
) -> QuerySet[WithAnnotations[Endpoint, _Ranked], Any]:
    living = Endpoint.objects.filter(workspace_id__in=list(ages), deleted_at=None)
    return living.annotate(severity_now=_severity_now(ages)).filter(condition(query))


def _severity_now(ages: Mapping[int, Freshness]) -> Case | F:
    """What was found when it was read; old data is unknown unless it was worse."""
    stale = [workspace_id for workspace_id, age in ages.items() if age.is_stale]
    if not stale:
        return F("severity")
    at_least = Greatest(F("severity"), Value(int(Severity.UNKNOWN)))
    return Case(
        When(workspace_id__in=stale, then=at_least), default=F("severity"), output_field=IntegerField()
    )


def _aged(severity: Severity, age: Freshness) -> Severity:
    """`_severity_now` for one endpoint."""
    return max(severity, Severity.UNKNOWN) if age.is_stale else severity


def _after(cursor: str) -> Q:
    try:
        severity, number, name = cursor.split(".", 2)
        worst, pk = int(severity), int(number)
    except ValueError:
        raise Invalid("This page of the list does not exist; start at the first one.") from None
    same = Q(severity_now=worst)
    return Q(severity_now__lt=worst) | same & (Q(name_key__gt=name) | Q(name_key=name, pk__gt=pk))


def _rows(endpoints: list[Any], ages: Mapping[int, Freshness]) -> tuple[FleetRow, ...]:
    return tuple(_row(endpoint, ages[endpoint.workspace_id]) for endpoint in endpoints)


def _brief(told: Mapping[str, Any]) -> DeploymentBrief:
    return DeploymentBrief(**{**told, "model": short(told["model"])})


def _row(endpoint: Any, age: Freshness) -> FleetRow:
    found = with_age(stored_marks(endpoint), age)
    severity = marks.worst(found)
    return FleetRow(
        id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        workspace=endpoint.slug,
        environment=endpoint.environment,
        name=endpoint.name,
        location=endpoint.location,
        severity=severity,
        status=found[0].label if found and severity > Severity.QUIET else Severity.QUIET.word,
        marks=found,
        provisioning_state=endpoint.provisioning_state,
        traffic=endpoint.traffic,
        mirror_traffic=endpoint.mirror_traffic,
        deployments=tuple(_brief(told) for told in endpoint.briefs or ()),
        owner=endpoint.owner,
        auth_mode=endpoint.auth_mode,
        public_network_access=endpoint.public_network_access,
        read_at=last_read(endpoint, age),
        is_stale=age.is_stale,
        unreadable_since=endpoint.unreadable_since,
        beside=getattr(endpoint, "beside", None),
    )


def stored_marks(endpoint: Endpoint) -> tuple[Mark, ...]:
    return tuple(
        Mark(one["code"], Severity(one["severity"]), one["label"], one["sentence"]) for one in endpoint.marks
    )


def last_read(endpoint: Endpoint, age: Freshness) -> datetime | None:
    """When this endpoint was last read: by itself, or with its workspace while it is readable."""
    if endpoint.unreadable_since is not None or age.read_at is None:
        return endpoint.last_read_ended
    return max(endpoint.last_read_ended, age.read_at)
