"""Pages with metrics: words and numbers without script, charts as JSON, files, unknown told as unknown."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.inventory.models import Deployment, Endpoint, EndpointRevision
from endpoints.metrics.models import Budget, BudgetDecision, BudgetProposal
from tests.support.measured import measure, now, tell, tell_latest
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn
from tests.web.reading import read, words

HOME = "/w/mlw-prod-weu/e/checkout-risk/"
CHARTS = ("latency", "errors", "requests", "split", "use", "replicas")


def budget(endpoint: Endpoint, p95: float | None = 100.0, failures: float | None = 0.01) -> None:
    asked = BudgetProposal.objects.create(
        endpoint=endpoint, p95_ms=p95, failure_share=failures, reason="As agreed", proposed_by="user:1",
        proposed_at=now() - timedelta(days=2),
    )  # fmt: skip
    BudgetDecision.objects.create(
        proposal=asked, accepted=True, decided_by="user:1", decided_at=asked.proposed_at
    )
    Budget.objects.create(
        endpoint=endpoint, proposal=asked, p95_ms=p95, failure_share=failures, since=asked.proposed_at,
        set_by="user:1",
    )  # fmt: skip


@pytest.fixture
def measured(workspace: Workspace) -> Endpoint:
    """Two deployments with three hours of minutes, the last ten of which are not there yet."""
    endpoint = make_endpoint(workspace, traffic={"blue": 90, "green": 10})
    since = now() - timedelta(hours=3)
    for deployment in Deployment.objects.filter(endpoint=endpoint):
        Deployment.objects.filter(pk=deployment.pk).update(azure_created_at=since, first_seen_at=since)
        share = 0.9 if deployment.name == "blue" else 0.1
        measure(deployment, since=since, until=now() - timedelta(minutes=10), share=share)
    return endpoint


@pytest.fixture
def client(sign_in: SignIn, requester: User) -> Client:
    return sign_in(requester)


def test_endpoint__without_script__says_and_lists_what_each_chart_shows(
    client: Client, measured: Endpoint
) -> None:
    budget(measured)
    page = read(client.get(HOME).content)
    captions = [words(one.text) for one in page.all("figcaption")]
    assert len(captions) == len(CHARTS)
    assert "p95 was over its budget of 100 ms in 170 of 170 known minutes" in captions[0]
    tables = [one for one in page.all("table") if one.attributes.get("class") == "rows data"]
    assert len(tables) == len(CHARTS)
    assert all("≥" in one.text or "-" in one.text for one in tables), (
        "six hours were asked for, three are known"
    )


def test_endpoint__never_measured__is_unknown_in_every_chart_and_zero_in_none(
    client: Client, workspace: Workspace
) -> None:
    make_endpoint(workspace)
    page = read(client.get(HOME).content)
    for caption in page.all("figcaption"):
        assert "not known" in caption.text or "nothing is known" in caption.text, caption.text
    cells = {one.text for one in page.all("td") if "data" in " ".join(one.inside)}
    assert "0" not in cells
    assert "no metrics yet" in words(page.one("span", id="metrics-age").text)


@pytest.mark.parametrize("chart", CHARTS)
def test_chart__as_json__has_the_figure_the_words_and_the_table(
    client: Client, measured: Endpoint, chart: str
) -> None:
    answer = client.get(f"{HOME}charts/{chart}.json?range=6h")
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    found = json.loads(answer.content)
    assert found["figure"]["data"]
    assert found["caption"] in found["label"]
    assert len(found["table"]["rows"][0]) == len(found["table"]["head"]) + 1
    assert len(answer.content) < 120 * 1024


def test_charts__of_a_day_of_minutes__are_small_enough(client: Client, measured: Endpoint) -> None:
    sizes = [len(client.get(f"{HOME}charts/{chart}.json?range=24h").content) for chart in CHARTS]
    page = len(client.get(f"{HOME}?range=24h").content)
    assert (sum(sizes) + page) / 1024 < 500


def test_chart__unknown_by_name_or_of_no_deployment__is_not_found(client: Client, measured: Endpoint) -> None:
    assert client.get(f"{HOME}charts/pie.json").status_code == 404
    assert client.get(f"{HOME}charts/weight.json?deployment=nobody").status_code == 404
    assert client.get(f"{HOME}charts/latency.json?range=nonsense").status_code == 200


def test_charts__never_say_zero_for_the_minutes_that_are_not_there(
    client: Client, measured: Endpoint
) -> None:
    found = json.loads(client.get(f"{HOME}charts/requests.json?range=6h").content)
    line = next(trace for trace in found["figure"]["data"] if "x0" in trace)
    assert line["y"][:170] == [None] * 170
    assert line["y"][-9:] == [None] * 9
    assert all(value is not None for value in line["y"][185:345])


def test_export__has_every_known_minute_once_in_utc(client: Client, measured: Endpoint) -> None:
    answer = client.get(f"{HOME}metrics.csv?range=6h")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 2 * 170
    assert len({(row["time"], row["deployment"]) for row in rows}) == len(rows)
    assert all(row["time"].endswith("Z") for row in rows)
    assert {row["gpu_avg"] for row in rows} == {""}, "unknown is empty, not 0"
    about = json.loads(client.get(f"{HOME}metrics.json?range=1h&deployment=blue").content)
    assert {row["deployment"] for row in about["rows"]} == {"blue"}
    assert about["units"]["p95"] == "ms"


def test_export__of_a_range_that_makes_no_sense__makes_no_file(client: Client, measured: Endpoint) -> None:
    assert client.get(f"{HOME}metrics.csv?range=nonsense").status_code == 422
    assert client.get(f"{HOME}metrics.xlsx").status_code == 404


def test_endpoint__asked_for_a_range_that_makes_no_sense__says_so_and_shows_another(
    client: Client, measured: Endpoint
) -> None:
    page = read(client.get(f"{HOME}?since=soon").content)
    assert "“soon” is no time that can be read." in words(page.one("main").text)


def test_observed__in_requests__stands_beside_the_other_two_truths(
    client: Client, measured: Endpoint
) -> None:
    """The split was read nine hours ago, too, so it is certain to have been in force since."""
    older = EndpointRevision.objects.get(endpoint=measured)
    older.pk = None
    older.earliest = older.latest = now() - timedelta(hours=9)
    older.save(force_insert=True)
    page = read(client.get(HOME).content)
    truths = [words(one.text) for one in page.all("div") if one.inside[-1] == "dl"]
    assert truths[2].startswith("Observed in requests")
    assert "blue 9" in truths[2]
    assert "As ordered" in words(page.one("div", **{"class": "observed"}).text)


def test_deployment__shows_its_figures_and_who_it_belongs_to(client: Client, measured: Endpoint) -> None:
    blue = Deployment.objects.get(endpoint=measured, name="blue")
    budget(measured)
    tell_latest(blue, minute=now() - timedelta(minutes=4), requests=810, p95=412.0, cpu_max=61.0, instances=3)
    page = read(client.get(f"{HOME}d/blue/").content)
    assert words(page.one("h1").text) == "blue of checkout-risk in mlw-prod-weu"
    now_shown = words(page.one("section", aria_labelledby="now").text)
    assert "412 ms over budget" in now_shown
    assert "810/min" in now_shown
    assert "green" not in " ".join(one.text for one in page.all("figcaption"))
    uses = words(page.one("section", aria_labelledby="uses").text)
    assert "CPU" in uses
    assert "GPU" not in uses


def test_deployment__whose_newest_minute_is_long_gone__shows_no_figure_as_if_it_were_of_now(
    client: Client, measured: Endpoint
) -> None:
    blue = Deployment.objects.get(endpoint=measured, name="blue")
    tell_latest(blue, minute=now() - timedelta(hours=2), requests=810, p95=412.0)
    shown = words(read(client.get(f"{HOME}d/blue/").content).one("section", aria_labelledby="now").text)
    assert "412" not in shown
    assert "Nothing is known since" in shown


def test_deployment__that_is_not_there__is_not_found(client: Client, measured: Endpoint) -> None:
    assert client.get(f"{HOME}d/nobody/").status_code == 404


def test_parts_of_the_page__come_alone_for_htmx(client: Client, measured: Endpoint) -> None:
    for address, inside, outside in (
        (HOME, b"Observed in requests", b"Data table"),
        (f"{HOME}?part=more", b"First seen here", b"Observed in requests"),
        (f"{HOME}d/blue/", b"Replicas running", b"Data table"),
    ):
        answer = client.get(address, HTTP_HX_REQUEST="true")
        assert answer.status_code == 200, address
        assert inside in answer.content
        assert outside not in answer.content
        assert b"<html" not in answer.content


def test_fleet__shows_the_figures_beside_the_budget_and_says_why_there_are_none(
    client: Client, workspace: Workspace
) -> None:
    good, late, _ = (make_endpoint(workspace, name) for name in ("good", "late", "never"))
    budget(good, p95=200.0)
    tell(good, minute=now() - timedelta(minutes=4), requests=1204, p95=231.0, failure_share=0.0038,
         spark=[5.0] * 24, spark_until=now())  # fmt: skip
    tell(late, minute=now() - timedelta(hours=2), state="late", reason="Azure is late.", p95=99.0)
    page = read(client.get("/fleet").content)
    rows = [words(one.text) for one in page.all("tr") if "tbody" in one.inside]
    text = {name: next(row for row in rows if f" {name} " in row) for name in ("good", "late", "never")}
    for said in ("231 msbudget 200 ms", "0.38 %", "1 204/min"):
        assert said in text["good"]
    assert "unknownmetrics are late - -" in text["late"]
    assert "99 ms" not in text["late"]
    assert "unknownno metrics yet - -" in text["never"]
    assert len(page.all("svg", **{"class": "spark"})) == 1


def test_fleet__over_budget__is_counted_and_a_filter(client: Client, workspace: Workspace) -> None:
    over = make_endpoint(workspace, "over-it")
    make_endpoint(workspace, "within")
    mark = {
        "code": "over-budget",
        "severity": 5,
        "label": "over budget",
        "sentence": "p95 was over the budget.",
    }
    Endpoint.objects.filter(pk=over.pk).update(marks=[mark], severity=5)
    page = read(client.get("/fleet").content)
    tile = next(one for one in page.all("a") if "over their latency budget" in one.text)
    assert words(tile.text).startswith("1 ")
    listed = read(client.get(tile.attributes["href"]).content)
    assert [words(one.text) for one in listed.all("th", scope="row")] == ["over-it"]


def test_fleet_export__has_figures_and_leaves_unknown_ones_empty(
    client: Client, workspace: Workspace
) -> None:
    tell(make_endpoint(workspace, "good"), minute=now(), requests=12.0, p95=231.0)
    make_endpoint(workspace, "never")
    rows = list(csv.DictReader(io.StringIO(client.get("/fleet?format=csv").content.decode("utf-8-sig"))))
    by_name = {row["name"]: row for row in rows}
    assert by_name["good"]["p95"] == "231"
    assert (by_name["never"]["p95"], by_name["never"]["metrics_state"]) == ("", "none-yet")
