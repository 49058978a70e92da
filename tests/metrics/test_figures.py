"""Business figures: defined on record, taken whole or not at all, replaced and never added, kept around changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.metrics.figures import MOST_FIGURES, Definition, Kind, Value
from endpoints.metrics.models import Figure, FigureMinute
from endpoints.metrics.selectors import (
    figure_named,
    figure_series,
    figures,
    figures_between,
    sent_minutes,
)
from endpoints.metrics.services import Taken, drop_old, end_figure, keep
from endpoints.metrics.services.partitions import make
from endpoints.metrics.windows import Grain
from tests.metrics.figuring import BASKET, CLICKS, MINUTE, clicks, defined, minute_ago, sent
from tests.metrics.storing import hour_ago, rows_of
from tests.support.people import make_endpoint, principal

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace)
    found.deployments.update(first_seen_at=hour_ago(200), azure_created_at=hour_ago(200))
    return found


def stored(endpoint: Endpoint) -> list[tuple[int, float]]:
    return [(one["count"], one["total"]) for one in rows_of("metrics_figure_minute")]


def test_a_figure__defined_by_who_may__is_on_record_and_there_once(
    endpoint: Endpoint, requester: User
) -> None:
    number = defined(requester, endpoint, BASKET)
    assert defined(requester, endpoint, BASKET) == number
    row = figure_named(endpoint.pk, "basket")
    assert (row.id, row.label, row.kind, row.unit, row.ended_at, row.newest) == (
        number, "Basket", Kind.MEAN, "EUR", None, None,
    )  # fmt: skip
    entry = Entry.objects.get(action="figure.defined")
    assert (entry.subject, entry.after["name"], entry.after["kind"]) == (f"figure:{number}", "basket", "mean")


@pytest.mark.parametrize("change", [{"kind": Kind.MEAN}, {"label": "Clicks"}])
def test_a_figure__that_is_to_mean_something_else__must_be_ended_first(
    endpoint: Endpoint, requester: User, change: dict[str, str]
) -> None:
    first = defined(requester, endpoint)
    with pytest.raises(Conflict, match="End it before it means something else"):
        defined(requester, endpoint, replace(CLICKS, **change))  # type: ignore[arg-type]
    end_figure(principal=principal(requester), endpoint_id=endpoint.pk, name=CLICKS.name)
    assert defined(requester, endpoint, replace(CLICKS, **change)) != first  # type: ignore[arg-type]
    assert Entry.objects.get(action="figure.ended").before["name"] == CLICKS.name


def test_a_figure__that_is_not_there__can_not_be_ended(endpoint: Endpoint, requester: User) -> None:
    with pytest.raises(NotFound, match="Nothing was changed"):
        end_figure(principal=principal(requester), endpoint_id=endpoint.pk, name="nothing")


def test_figures__of_one_endpoint__are_at_most_so_many(endpoint: Endpoint, requester: User) -> None:
    for number in range(MOST_FIGURES):
        defined(requester, endpoint, replace(CLICKS, name=f"f{number}"))
    with pytest.raises(Conflict, match="End one first"):
        defined(requester, endpoint)


def test_who_may_only_look__defines_and_sends_nothing(
    endpoint: Endpoint, requester: User, supervisor: User
) -> None:
    defined(requester, endpoint)
    with pytest.raises(Refused):
        defined(supervisor, endpoint, BASKET)
    with pytest.raises(Refused):
        sent(supervisor, endpoint, *clicks(minute_ago(5), [(10, 1)]))
    with pytest.raises(Refused):
        end_figure(principal=principal(supervisor), endpoint_id=endpoint.pk, name=CLICKS.name)
    assert (Figure.objects.count(), FigureMinute.objects.count()) == (1, 0)


def test_a_value__sent_again__replaces_and_never_adds(endpoint: Endpoint, requester: User) -> None:
    defined(requester, endpoint)
    begin = minute_ago(5)
    assert sent(requester, endpoint, *clicks(begin, [(10, 1), (20, 2)])) == Taken(2, 2)
    assert sent(requester, endpoint, *clicks(begin, [(10, 1), (20, 2)])) == Taken(2, 0)
    assert sent(requester, endpoint, *clicks(begin, [(12, 3)], "GREEN")) == Taken(1, 1)
    assert stored(endpoint) == [(12, 3), (20, 2)]


def test_a_batch__of_which_one_value_is_wrong__is_not_taken_at_all(
    endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint)
    good, late = clicks(minute_ago(5), [(10, 1)]), clicks(minute_ago(-5), [(10, 1)])
    with pytest.raises(Invalid) as caught:
        sent(requester, endpoint, *good, *late, *clicks(minute_ago(4), [(10, 11)]))
    assert list(caught.value.fields) == ["figures.1.minute", "figures.2.total"]
    assert stored(endpoint) == []
    with pytest.raises(Invalid):
        sent(requester, endpoint)


def test_a_value__of_a_figure_that_was_ended__is_refused_and_the_former_ones_stay(
    endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint)
    begin = minute_ago(5)
    sent(requester, endpoint, *clicks(begin, [(10, 1)]))
    end_figure(principal=principal(requester), endpoint_id=endpoint.pk, name=CLICKS.name)
    with pytest.raises(Invalid, match="it was ended"):
        sent(requester, endpoint, *clicks(begin + MINUTE, [(10, 1)]))
    found = figures_between(endpoint.pk, CLICKS.name, ["green"], begin, begin + 9 * MINUTE)
    assert [one.count for one in found.by_deployment["green"]] == [10]
    assert found.unreadable.startswith("click-through was ended")


def test_values__of_a_deployment_that_was_just_deleted__are_still_taken(
    endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint)
    Deployment.objects.filter(endpoint=endpoint, name="green").update(deleted_at=minute_ago(2))
    assert sent(requester, endpoint, *clicks(minute_ago(5), [(10, 1)])).changed == 1
    Deployment.objects.filter(endpoint=endpoint, name="green").update(deleted_at=hour_ago(150))
    with pytest.raises(Invalid, match="no such deployment"):
        sent(requester, endpoint, *clicks(minute_ago(4), [(10, 1)]))


def test_figures_between__for_gates__are_whole_minutes_of_whom_one_asks_for(
    endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint)
    begin = minute_ago(9)
    sent(requester, endpoint, *clicks(begin, [(10, 1), (0, 0), (30, 3)]), *clicks(begin, [(7, 7)], "blue"))
    second = timedelta(seconds=1)
    with CaptureQueriesContext(connection) as queries:
        found = figures_between(
            endpoint.pk, CLICKS.name, ["Green", "red"], begin + second, begin + 3 * MINUTE
        )
    assert len(queries) == 2
    rows = found.by_deployment["green"]
    assert [(one.minute, one.count, one.value) for one in rows] == [
        (begin + MINUTE, 0, None),
        (begin + 2 * MINUTE, 30, 0.1),
    ]
    assert (found.by_deployment["red"], found.sent_until, found.unreadable) == ((), begin + 3 * MINUTE, "")


def test_figures_between__of_a_figure_that_nobody_defined__are_unreadable(endpoint: Endpoint) -> None:
    found = figures_between(endpoint.pk, "sales", ["green"], minute_ago(9), minute_ago(1))
    assert (found.figure, found.by_deployment, found.sent_until) == (None, {"green": ()}, None)
    assert found.unreadable == "Nobody defined a figure sales for this endpoint."


def test_figures_between__of_a_name_that_meant_something_else_then__are_those_of_that_time(
    endpoint: Endpoint, requester: User
) -> None:
    first, begin = defined(requester, endpoint), minute_ago(30)
    sent(requester, endpoint, *clicks(begin, [(10, 1)]))
    end_figure(principal=principal(requester), endpoint_id=endpoint.pk, name=CLICKS.name)
    Figure.objects.filter(pk=first).update(ended_at=minute_ago(10))
    second = defined(requester, endpoint, replace(CLICKS, label="Clicks of bots left out"))
    sent(requester, endpoint, *clicks(begin, [(8, 1)]), *clicks(minute_ago(5), [(9, 1)]))

    def read(since: datetime, until: datetime) -> tuple[int | None, list[int], bool]:
        found = figures_between(endpoint.pk, CLICKS.name, ["green"], since, until)
        counts = [one.count for one in found.by_deployment["green"]]
        return found.figure.id if found.figure else None, counts, bool(found.unreadable)

    assert read(begin, minute_ago(20)) == (first, [10], False)
    assert read(begin, minute_ago(1)) == (first, [10], True)
    assert read(minute_ago(9), minute_ago(1)) == (second, [9], False)
    Figure.objects.filter(pk=second).update(ended_at=minute_ago(3))
    assert read(minute_ago(2), minute_ago(1)) == (second, [], True)


def test_values__around_a_change__outlive_their_day(endpoint: Endpoint, requester: User) -> None:
    number = defined(requester, endpoint)
    old = hour_ago(0).replace(hour=0) - 5 * DAY
    make("figure_minute", [old.date()])
    _put(number, old, 240)
    keep(endpoint_id=endpoint.pk, since=old + 90 * MINUTE, until=old + 100 * MINUTE, cause="change:7")
    dropped = drop_old()
    assert f"metrics_figure_minute_{old:%Y%m%d}" in dropped.partitions
    assert dropped.kept == 60
    assert FigureMinute.objects.count() == 0
    found = figures_between(endpoint.pk, CLICKS.name, ["green"], old, old + DAY)
    rows = found.by_deployment["green"]
    assert [rows[0].minute, rows[-1].minute, len(rows)] == [old + 60 * MINUTE, old + 119 * MINUTE, 60]


def _put(figure_id: int, begin: datetime, minutes: int) -> None:
    """Values of a day whose retention has ended, as they were sent while it had not."""
    FigureMinute.objects.bulk_create(
        FigureMinute(figure_id=figure_id, deployment="green", minute=begin + n * MINUTE, count=n + 1, total=1)
        for n in range(minutes)
    )


def test_series__by_the_hour__are_what_its_minutes_come_to_and_have_gaps(
    endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint), defined(requester, endpoint, BASKET)
    begin = hour_ago(3)
    sent(requester, endpoint, *clicks(begin, [(100, 10), (300, 90)]), *clicks(begin + 120 * MINUTE, [(4, 1)]))
    sent(requester, endpoint, Value("basket", "blue", begin, 4, -10))
    rows = figures(endpoint.pk).rows
    assert [row.name for row in rows] == ["basket", "click-through"]
    basket, click = figure_series(rows, since=begin, until=begin + 180 * MINUTE, grain=Grain.HOUR)
    assert click.values == {"green": (0.25, None, 0.25)}
    assert click.counts == {"green": (400, None, 4)}
    assert basket.values == {"blue": (-2.5, None, None)}
    (by_minute,) = figure_series(rows[1:], since=begin, until=begin + 3 * MINUTE, grain=Grain.MINUTE)
    assert by_minute.values == {"green": (0.1, 0.3, None)}
    assert figure_series((), since=begin, until=begin + MINUTE, grain=Grain.MINUTE) == ()


def test_lists__of_figures_and_values__are_paged(endpoint: Endpoint, requester: User) -> None:
    for name in ("a", "b", "c"):
        defined(requester, endpoint, Definition(name, name, Kind.RATE))
    first = figures(endpoint.pk, limit=2)
    second = figures(endpoint.pk, before=first.next_before, limit=2)
    assert [row.name for row in (*first.rows, *second.rows)] == ["c", "b", "a"]
    assert second.next_before is None
    defined(requester, endpoint)
    begin = minute_ago(5)
    sent(requester, endpoint, *clicks(begin, [(1, 1), (2, 1)]), *clicks(begin, [(3, 1)], "blue"))
    number, until, found, after = figure_named(endpoint.pk, CLICKS.name).id, begin + 9 * MINUTE, [], None
    for _ in range(3):
        page = sent_minutes(number, begin, until, after=after, limit=1)
        found += [(one.deployment, one.count) for one in page.rows]
        after = page.next_after
    assert (found, after) == ([("blue", 3), ("green", 1), ("green", 2)], None)
    only = sent_minutes(number, begin, until, deployment="Green")
    assert [one.count for one in only.rows] == [1, 2]


def test_figures__that_were_ended__are_listed_unless_only_living_ones_are_asked_for(
    endpoint: Endpoint, requester: User
) -> None:
    defined(requester, endpoint)
    end_figure(principal=principal(requester), endpoint_id=endpoint.pk, name=CLICKS.name)
    assert [row.ended_by for row in figures(endpoint.pk).rows] == [f"user:{requester.pk}"]
    assert figures(endpoint.pk, ended=False).rows == ()
