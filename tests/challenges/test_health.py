"""Figures around a request and the place of a confidence: the minute before the hour, and unknown never zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from endpoints.challenges.answered import Answered
from endpoints.challenges.confidence import ModelSpan, place, same_model_around
from endpoints.challenges.context import health_section
from endpoints.challenges.facts import Fact, Sure
from endpoints.challenges.health import Figures, Grain, Health, finest, of_hour, of_minute
from endpoints.challenges.moment import Moment, SplitThen

AT = datetime(2026, 11, 23, 7, 14, tzinfo=UTC)
DAY, NEXT = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def facts(health: Health | None, *names: str, past: bool = False) -> dict[str, Fact]:
    moment = Moment(1, "checkout-risk", AT, SplitThen(()), health=health)
    answered = Answered(names, Sure.CERTAIN if len(names) == 1 else Sure.ONE_OF, "mirror", "")
    return {one.name: one for one in health_section(moment, answered, is_past_knowledge=past).facts}


def test_minute__in_which_nobody_asked__failed_nobody() -> None:
    assert of_minute({"requests": 0.0}).errors == 0


def test_minute__of_which_azure_says_only_requests__has_no_errors_rather_than_zero() -> None:
    found = of_minute({"requests": 5.0, "status_5xx": 1.0})
    assert (found.errors, found.error_share) == (None, None)


def test_finest__takes_the_hour_only_where_the_minute_is_not_known() -> None:
    hour = of_hour({"requests": 60.0, "p95": 100.0, "p95_max": 400.0})
    assert finest(of_minute({"p95": 90.0}), hour).grain is Grain.MINUTE
    assert finest(of_minute({}), hour) == hour
    assert finest(None, None).is_empty


def test_health__of_the_hour__says_that_it_is_and_what_its_worst_minute_was() -> None:
    health = Health({"blue": Figures(Grain.HOUR, 60.0, 0.0, 0.0, 100.0, 400.0)}, budget_p95=150.0)
    found = facts(health, "blue")
    assert found["p95"].value == "100"
    assert "its median minute; its worst had 400" in found["p95"].reason
    assert "this is of the whole hour." in found["requests"].reason
    assert found["budget_p95"].value == "150"
    assert not health.has_minutes


def test_health__of_several__is_told_of_each_and_of_whom_not() -> None:
    health = Health({"blue": Figures(Grain.MINUTE, 10.0, 1.0, 0.0, 90.0)})
    found = facts(health, "blue", "green")
    assert found["p95"].value == {"blue": "90", "green": None}
    assert "Of green it is not known." in found["p95"].reason


def test_health__of_nobody_knows_whom__is_unknown() -> None:
    found = facts(Health({}))
    assert (found["p95"].value, found["p95"].sure) == (None, Sure.UNKNOWN)


def test_health__for_past_knowledge__says_that_figures_are_as_known_now() -> None:
    health = Health({"blue": Figures(Grain.MINUTE, 10.0, 1.0, 0.0, 90.0)})
    assert "As known now" in facts(health, "blue", past=True)["p95"].reason
    assert "As known now" not in facts(health, "blue")["p95"].reason


def test_place__of_ties__is_in_the_middle_of_them() -> None:
    found = place(0.5, [0.4] * 20 + [0.5] * 20 + [0.6] * 20, is_all=True)
    assert (found.percentile, found.of) == (50, 60)
    assert place(0.5, [0.4] * 29, is_all=True).percentile is None


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([("7", None, -5)], (0, 24)),
        ([("7", None, -5), ("8", 9, 9.5)], (0, 9)),
        ([("6", None, -5), ("7", 2, 2.5)], (2.5, 24)),
        ([("6", None, -5), ("7", 2, 2.5), ("7", 4, 4.5), ("8", 20, 21)], (2.5, 20)),
        ([("8", 9, 9.5)], (7, 7)),
    ],
)
def test_peers__are_those_of_the_time_in_which_certainly_the_same_model_was_there(
    spans: list[tuple[str, float | None, float]], expected: tuple[float, float]
) -> None:
    known = [ModelSpan(model, None if first is None else at(first), at(last)) for model, first, last in spans]
    assert same_model_around(known, at(7), DAY, NEXT) == (at(expected[0]), at(expected[1]))
