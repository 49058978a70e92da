"""Confidence, high-risk share and scores of records become figures by deployment and minute, which gates read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges.measures import MOST_SCORES, definitions, of_score
from endpoints.challenges.models import DirtyMinute
from endpoints.challenges.recorded import Source
from endpoints.challenges.selectors.scores import scores
from endpoints.challenges.services import take
from endpoints.challenges.services.aggregate import aggregate
from endpoints.core.errors import Invalid
from endpoints.inventory.models import DeploymentRevision, Endpoint
from endpoints.metrics.figures import Definition, Kind, Value
from endpoints.metrics.models import Figure
from endpoints.metrics.selectors import figures_between
from endpoints.metrics.services import define_figure, end_figure, write_figures
from tests.challenges.recording import MINUTE, SECOND, ago, guid, said
from tests.metrics.figuring import minute_ago
from tests.metrics.storing import hour_ago
from tests.support.people import make_endpoint, principal

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    found = make_endpoint(workspace)
    found.deployments.update(first_seen_at=hour_ago(24), azure_created_at=hour_ago(24))
    return found


def heard(endpoint: Endpoint, *words: dict[str, Any], source: Source = Source.CALLER) -> None:
    take([said(endpoint.pk, **word) for word in words], source=source)
    aggregate()
    assert DirtyMinute.objects.count() == 0


def counted(endpoint: Endpoint, figure: str, deployment: str = "blue") -> list[tuple[int, float]]:
    found = figures_between(endpoint.pk, figure, [deployment], hour_ago(3), ago(minutes=0))
    return [(one.count, round(one.total, 6)) for one in found.by_deployment[deployment] if one.count]


def test_records__of_a_minute__are_counted_by_deployment(endpoint: Endpoint) -> None:
    at = minute_ago(5)
    heard(
        endpoint,
        {"at": at, "client_id": "a", "deployment": "blue", "confidence": 0.5, "high_risk": True},
        {
            "at": at + 59 * SECOND,
            "client_id": "b",
            "deployment": "blue",
            "confidence": 0.7,
            "high_risk": False,
        },
        {"at": at + MINUTE, "client_id": "c", "deployment": "blue", "confidence": 0.9, "scores": {"x": 4.0}},
        {"at": at, "client_id": "d", "deployment": "green", "scores": {"x": 1.5, "Y.z": -2.0}},
        {"at": at, "client_id": "e", "confidence": 0.1},
        {"at": at, "client_id": "f", "deployment": "nobody-saw-it", "confidence": 0.1},
    )
    assert counted(endpoint, "confidence") == [(2, 1.2), (1, 0.9)]
    assert counted(endpoint, "high_risk") == [(2, 1)]
    assert counted(endpoint, "score-x") == [(1, 4.0)]
    assert counted(endpoint, "score-x", "green") == [(1, 1.5)]
    assert counted(endpoint, of_score("Y.z").name, "green") == [(1, -2.0)]
    assert counted(endpoint, "confidence", "green") == []
    row = Figure.objects.get(name="high_risk")
    assert (row.kind, row.label, row.made_by) == ("rate", "High-risk share", "system:challenges")
    assert Entry.objects.filter(action="figure.defined", actor="system:challenges").count() == 4


def test_a_record__that_is_moved_or_corrected__is_counted_where_it_is(endpoint: Endpoint) -> None:
    at = minute_ago(5)
    heard(
        endpoint,
        {"at": at, "client_id": "a", "deployment": "blue", "confidence": 0.5},
        {"at": at, "client_id": "b", "deployment": "blue", "confidence": 0.7},
    )
    log = {"at": at + MINUTE, "request_id": guid(1), "client_id": "a", "deployment": "green"}
    heard(endpoint, log, source=Source.LOG)
    assert counted(endpoint, "confidence") == [(1, 0.7)]
    assert counted(endpoint, "confidence", "green") == [(1, 0.5)]
    log = {"at": at, "request_id": guid(2), "client_id": "b", "deployment": "green"}
    heard(endpoint, log, source=Source.LOG)
    assert counted(endpoint, "confidence") == []


def test_a_figure__of_somebody__stays_theirs_and_one_that_was_ended_stays_ended(
    endpoint: Endpoint, requester: User
) -> None:
    who = principal(requester)
    define_figure(principal=who, endpoint_id=endpoint.pk, wanted=Definition("confidence", "Mine", Kind.MEAN))
    word = {"at": minute_ago(5), "client_id": "a", "deployment": "blue", "confidence": 0.5, "high_risk": True}
    heard(endpoint, word)
    assert counted(endpoint, "confidence") == []
    assert counted(endpoint, "high_risk") == [(1, 1)]
    end_figure(principal=who, endpoint_id=endpoint.pk, name="high_risk")
    heard(endpoint, word | {"client_id": "b"})
    assert Figure.objects.filter(name="high_risk", ended_at=None).count() == 0


def test_values__of_what_the_portal_counts__are_taken_from_nobody(
    endpoint: Endpoint, requester: User
) -> None:
    at = minute_ago(5)
    heard(endpoint, {"at": at, "client_id": "a", "deployment": "blue", "confidence": 0.5})
    forged = Value("confidence", "blue", at, 1000, 999)
    with pytest.raises(Invalid, match="counts this one itself"):
        write_figures(principal=principal(requester), endpoint_id=endpoint.pk, values=[forged])
    assert counted(endpoint, "confidence") == [(1, 0.5)]


def test_scores__of_odd_names__are_figures_of_their_own() -> None:
    names = {of_score(name).name for name in ("fraud", "Fraud", "fr.aud", "x" * 41, "fr-aud")}
    assert len(names) == 5
    assert "score-fraud" in names
    assert len(definitions(str(number) for number in range(50))) == 2 + MOST_SCORES


def test_scores__of_a_deployment_that_changed_its_model__stand_by_version(
    endpoint: Endpoint,
) -> None:
    old, new = ago(minutes=50), ago(minutes=20)
    _had(
        endpoint,
        "teal",
        ("azureml:triage:6", old - MINUTE, old),
        ("azureml:triage:7", new - 10 * MINUTE, new),
    )
    for minutes, confidence in ((40, 0.2), (39, 0.4), (25, 0.9), (10, 0.8)):
        heard(
            endpoint,
            {"at": ago(minutes=minutes), "client_id": f"c{minutes}", "deployment": "teal", "confidence": confidence},
        )  # fmt: skip
    found = scores(endpoint.pk, hour_ago(3), ago(minutes=0))
    assert [row.name for row in found.figures] == ["confidence"]
    assert [(row.model, row.sums["confidence"].count) for row in found.rows] == [
        ("triage:6", 2), ("triage:7", 1), ("", 1),
    ]  # fmt: skip
    six, seven, rest = (row.sums["confidence"] for row in found.rows)
    assert (six.value, seven.value, six.is_enough) == (pytest.approx(0.3), 0.8, False)
    assert rest.value == pytest.approx(0.9)


def _had(endpoint: Endpoint, name: str, *states: tuple[str, datetime, datetime]) -> None:
    """A deployment with these models, each with the earliest and the latest moment at which it began."""
    made = endpoint.deployments.get(name_key="blue")
    kept = made.revisions.get()
    made.pk, made.name, made.name_key, made.latest_revision = None, name, name, None
    made.arm_id = f"{made.arm_id}-{name}"
    made.save()
    for number, (model, earliest, latest) in enumerate(states):
        DeploymentRevision.objects.create(
            deployment=made, earliest=earliest, latest=latest, known_at=latest,
            state_hash=f"{number:064}", state=kept.state | {"model": model},
        )  # fmt: skip


def test_scores__of_an_endpoint_without_records__are_none(endpoint: Endpoint) -> None:
    found = scores(endpoint.pk, hour_ago(3), ago(minutes=0))
    assert (found.figures, found.rows) == ((), ())
