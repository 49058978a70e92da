"""The telemetry page: what is missing and why, who reads, how far back-fills are."""

from __future__ import annotations

from datetime import timedelta

from endpoints.access.models import User, Workspace
from endpoints.challenges.models import LogCursor
from endpoints.metrics.models import Backfill, Collector, CollectorRun
from tests.support.measured import now, tell
from tests.support.people import SUBSCRIPTION, make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read, words


def collector(**values: object) -> Collector:
    return Collector.objects.create(
        subscription=SUBSCRIPTION, region="westeurope", due_at=now(), cadence_seconds=60, **values
    )


def test_endpoints__are_listed_worst_first_with_the_reason(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    fine, refused = make_endpoint(workspace, "fine"), make_endpoint(workspace, "refused")
    make_endpoint(workspace, "new")
    tell(fine, minute=now() - timedelta(minutes=4), log_categories=["AmlOnlineEndpointTrafficLog"],
         diagnostics_read_at=now())  # fmt: skip
    tell(
        refused,
        minute=now() - timedelta(hours=5),
        state="forbidden",
        reason="The identity may not read metrics.",
    )
    page = read(sign_in(requester).get("/telemetry").content)
    section = page.one("section", aria_labelledby="endpoints")
    names = [words(one.text) for one in page.all("th", scope="row") if "tbody" in one.inside]
    assert names.index("refused") < names.index("new") < names.index("fine")
    text = words(section.text)
    assert "The identity may not read metrics." in text
    assert "AmlOnlineEndpointTrafficLog" in text
    assert "Its diagnostic settings were not read yet." in text


def test_endpoints__of_one_state__are_a_filter_with_its_count(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    tell(make_endpoint(workspace, "slow"), minute=now(), state="late", reason="Late.")
    make_endpoint(workspace, "new")
    client = sign_in(requester)
    page = read(client.get("/telemetry").content)
    tile = next(one for one in page.all("a") if words(one.text) == "1 late")
    listed = read(client.get(tile.attributes["href"]).content)
    assert [words(one.text) for one in listed.all("th", scope="row")] == ["slow"]


def test_collector__that_is_throttled__says_until_when_and_how_late(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    one = collector(
        retry_at=now() + timedelta(minutes=3), failures=2, cadence_reason="Slower, to keep within the quota."
    )
    run = CollectorRun.objects.create(
        collector=one, outcome="failed", started_at=now(), ended_at=now(), since=now(), until=now(), calls=12,
        lag_seconds=420, error="Azure answered 429.", error_code="429",
    )  # fmt: skip
    Collector.objects.filter(pk=one.pk).update(last_run=run)
    text = words(
        read(sign_in(requester).get("/telemetry").content).one("section", aria_labelledby="collectors").text
    )
    for said in (
        "throttled",
        "7 min",
        "every 1 min",
        "Slower, to keep within the quota.",
        "Azure answered 429.",
    ):
        assert said in text


def test_backfill__shows_how_far_it_is(sign_in: SignIn, requester: User, workspace: Workspace) -> None:
    make_endpoint(workspace)
    Backfill.objects.create(
        collector=collector(), since=now() - timedelta(days=30), until=now(), cursor=now() - timedelta(days=12),
        asked_by=f"user:{requester.pk}", asked_at=now(), due_at=now(), points=1000,
    )  # fmt: skip
    text = words(
        read(sign_in(requester).get("/telemetry").content).one("section", aria_labelledby="backfills").text
    )
    assert "40 %" in text
    assert "Rosa" in text


def test_outsider__sees_neither_endpoint_nor_collector(
    sign_in: SignIn, admin: User, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    collector()
    text = words(read(sign_in(admin).get("/telemetry").content).one("main").text)
    assert "checkout-risk" not in text
    assert "westeurope" not in text
    assert "You see no workspace" in text


def test_list__longer_than_a_page__goes_on(sign_in: SignIn, requester: User, workspace: Workspace) -> None:
    for number in range(53):
        make_endpoint(workspace, f"endpoint-{number:02}", deployments=("blue",))
    client = sign_in(requester)
    first = read(client.get("/telemetry").content)
    second = read(client.get(first.one("a", rel="next").attributes["href"]).content)
    assert len(second.all("th", scope="row")) == 3
    assert client.get("/telemetry?after=nonsense").status_code == 200


def test_logs__that_can_not_be_read__say_why_how_far_and_when_it_is_tried_again(
    sign_in: SignIn, requester: User, workspace: Workspace
) -> None:
    moment = now()
    for name, failures, until, reason in (
        ("fine", 0, moment, ""),
        ("off", 0, None, "No diagnostic setting."),
        ("broken", 3, moment - timedelta(hours=2), "The portal may not query it."),
    ):
        LogCursor.objects.create(
            endpoint=make_endpoint(workspace, name), due_at=moment + timedelta(minutes=4),
            failures=failures, read_until=until, reason=reason,
        )  # fmt: skip
    section = read(sign_in(requester).get("/telemetry").content).one("section", aria_labelledby="logs")
    text = words(section.text)
    assert "1 log read" in text and "Of 1 endpoint no traffic log" in text
    for said in ("broken", "3 failures", "The portal may not query it."):
        assert said in text
    assert "fine" not in text
