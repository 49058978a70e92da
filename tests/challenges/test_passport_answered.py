"""Which deployment and model answered, by what was said and by the split: what is certain, what is not, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from endpoints.challenges.answered import pinned, who_answered
from endpoints.challenges.facts import Sure
from endpoints.challenges.moment import Build, Moment, Served, SplitThen, Weights
from endpoints.challenges.passport import passport
from endpoints.challenges.seen import SeenRow

AT = datetime(2026, 11, 23, 7, 14, 22, tzinfo=UTC)
ROW = SeenRow(1, date(2026, 11, 23), "r:x", AT)
ALL_BLUE = SplitThen((Weights({"blue": 100}, {}),))
HALF = SplitThen((Weights({"blue": 90, "green": 10}, {}),))
SHADOW = SplitThen((Weights({"blue": 100}, {"green": 20}),))
SWITCH = SplitThen((Weights({"blue": 100}, {}), Weights({"green": 100}, {})), "It was being switched.")
MIRROR_MOVED = SplitThen(
    (Weights({"blue": 100}, {}), Weights({"blue": 100}, {"green": 10})), "It was being switched."
)
GOING_OFF = SplitThen((Weights({"blue": 100}, {}), Weights({}, {})), "It was being switched.")
NOTHING = SplitThen((Weights({}, {}),))
UNKNOWN = SplitThen((), "Azure was last read before that.")


def row(source: str, **values: Any) -> SeenRow:
    """A record whose every field is one source's word."""
    origin = dict.fromkeys(values, source)
    return replace(ROW, **values, origin=origin, **{f"{source}_known_at": AT})


def logged(**values: Any) -> SeenRow:
    return row("log", **values)


def told(**values: Any) -> SeenRow:
    return row("caller", **values)


@pytest.mark.parametrize("split", [ALL_BLUE, HALF, SWITCH, UNKNOWN, NOTHING], ids=str)
def test_deployment__that_the_log_names__is_certain_whatever_the_split(split: SplitThen) -> None:
    found = who_answered(logged(deployment="green"), split)
    assert (found.names, found.sure, found.source) == (("green",), Sure.CERTAIN, "Azure's traffic log")


@pytest.mark.parametrize(
    ("split", "names", "sure", "reason"),
    [
        (ALL_BLUE, ("blue",), Sure.CERTAIN, "It had all traffic."),
        (HALF, ("blue", "green"), Sure.ONE_OF, "The split was blue 90\u00a0%, green 10\u00a0%"),
        (SWITCH, ("blue", "green"), Sure.ONE_OF, "It was being switched."),
        (UNKNOWN, (), Sure.UNKNOWN, "Azure was last read before that."),
        (NOTHING, (), Sure.UNKNOWN, "No deployment had traffic then"),
    ],
    ids=["all to one", "two with weight", "switch", "uncovered", "switched off"],
)
def test_deployment__that_nobody_names__is_as_sure_as_the_split(
    split: SplitThen, names: tuple[str, ...], sure: Sure, reason: str
) -> None:
    for one in (None, told(status=200)):
        found = who_answered(one, split)
        assert (found.names, found.sure) == (names, sure)
        assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("split", "names", "sure"),
    [
        (ALL_BLUE, ("green", "blue"), Sure.ONE_OF),
        (HALF, ("green", "blue"), Sure.ONE_OF),
        (SWITCH, ("green", "blue"), Sure.ONE_OF),
        (UNKNOWN, (), Sure.UNKNOWN),
        (NOTHING, (), Sure.UNKNOWN),
    ],
    ids=["no weight", "one of two", "switch", "uncovered", "switched off"],
)
def test_deployment__that_only_the_caller_names__is_not_proven(
    split: SplitThen, names: tuple[str, ...], sure: Sure
) -> None:
    found = who_answered(told(deployment="green"), split)
    assert (found.names, found.sure) == (names, sure)
    assert "The caller says green" in found.reason


def test_deployment__while_only_mirrored_traffic_is_switched__is_certain() -> None:
    found = who_answered(None, MIRROR_MOVED)
    assert (found.names, found.sure) == (("blue",), Sure.CERTAIN)


def test_deployment__while_traffic_is_switched_off__answered_or_nobody_did() -> None:
    both = moment(GOING_OFF, blue=served("blue", "risk:7"))
    made = passport(told(app_version="1"), both, made_at=AT)
    assert (made.sure, made.verdict) == (
        Sure.ONE_OF,
        "blue with risk:7 or nobody answered. It was being switched.",
    )
    model = made.fact("model")
    assert model is not None
    assert len(model.alternatives) == 2


@pytest.mark.parametrize(("status", "sure"), [(200, Sure.CERTAIN), (424, Sure.CERTAIN), (404, Sure.ONE_OF)])
def test_deployment__of_an_answered_request_while_traffic_is_switched_off__is_the_only_one_left(
    status: int, sure: Sure
) -> None:
    found = who_answered(told(status=status), GOING_OFF)
    assert (found.names, found.sure) == (("blue",), sure)


def test_deployment__that_caller_and_split_agree_on__is_certain() -> None:
    found = who_answered(told(deployment="blue"), ALL_BLUE)
    assert (found.names, found.sure, found.source) == (("blue",), Sure.CERTAIN, "mirror")


def test_deployment__contradicted_by_the_caller__is_the_logs_with_the_conflict_said() -> None:
    said = replace(logged(deployment="blue"), conflicts={"deployment": {"caller": "green"}})
    found = who_answered(said, HALF)
    assert (found.names, found.sure, found.reason) == (("blue",), Sure.CERTAIN, "The caller says green.")


def test_deployment__in_the_log_with_only_mirrored_traffic__may_be_a_copy() -> None:
    found = who_answered(logged(deployment="green"), SHADOW)
    assert (found.names, found.sure) == (("green", "blue"), Sure.ONE_OF)
    assert "a copy, whose answer nobody got" in found.reason


def test_deployment__with_mirrored_traffic_that_the_caller_saw_answer__is_certain() -> None:
    both = replace(logged(deployment="green"), also={"deployment": ("caller",)})
    found = who_answered(both, SHADOW)
    assert (found.names, found.sure) == (("green",), Sure.CERTAIN)


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_deployment__of_a_request_that_azure_refused_itself__is_certainly_none(status: int) -> None:
    found = who_answered(logged(status=status), HALF)
    assert (found.names, found.sure, found.nobody) == ((), Sure.CERTAIN, True)
    made = passport(logged(status=status), moment(HALF), made_at=AT)
    assert made.sure is Sure.CERTAIN
    assert made.verdict.startswith("No model answered.")


def test_deployment__of_a_request_by_header_without_a_name__cannot_be_said() -> None:
    found = who_answered(told(pinned=True), ALL_BLUE)
    assert (found.names, found.sure) == ((), Sure.UNKNOWN)


@pytest.mark.parametrize(
    ("said", "split", "value", "source"),
    [
        (logged(deployment="green"), ALL_BLUE, True, "mirror"),
        (logged(deployment="green"), HALF, None, ""),
        (logged(deployment="green"), SWITCH, None, ""),
        (logged(deployment="green"), UNKNOWN, None, ""),
        (logged(deployment="green"), SHADOW, None, ""),
        (told(deployment="green"), ALL_BLUE, None, ""),
        (told(deployment="green", pinned=True), ALL_BLUE, True, "caller"),
        (told(pinned=False), HALF, False, "caller"),
    ],
)
def test_header__is_named_only_where_weight_0_proves_it_or_the_caller_says_so(
    said: SeenRow, split: SplitThen, value: bool | None, source: str
) -> None:
    found = pinned(said, split, who_answered(said, split))
    assert (found.value, found.source) == (value, source)


def served(name: str, *models: str, reason: str = "It is not known.") -> tuple[Served, ...]:
    builds = tuple(Build(model, "sklearn:3", "scoring:1", "Standard_DS3_v2") for model in models)
    return (Served(7, name, builds, reason),)


def moment(split: SplitThen, **by_name: tuple[Served, ...]) -> Moment:
    return Moment(1, "checkout-risk", AT, split, by_name)


def test_passport__of_a_certain_deployment_and_model__says_so_in_one_sentence() -> None:
    made = passport(logged(deployment="blue"), moment(HALF, blue=served("Blue", "risk:7")), made_at=AT)
    assert made.verdict == "Blue answered, with risk:7, certain."
    assert made.sure is Sure.CERTAIN
    found = made.fact("deployment")
    assert found is not None
    assert (found.value, found.ref) == ("Blue", "deployment:7")


def test_passport__of_two_deployments_with_one_model__is_certain_of_the_model() -> None:
    both = moment(HALF, blue=served("blue", "risk:7"), green=served("green", "risk:7"))
    made = passport(None, both, made_at=AT)
    assert (made.sure, made.verdict) == (
        Sure.CERTAIN,
        "One of blue or green answered; with risk:7 in any case, certain.",
    )
    model = made.fact("model")
    assert model is not None
    assert (model.value, model.reason) == ("risk:7", "Whichever of blue and green answered: both had it.")


def test_passport__of_two_models__names_both_and_why() -> None:
    both = moment(SWITCH, blue=served("blue", "risk:7"), green=served("green", "risk:8"))
    made = passport(None, both, made_at=AT)
    assert made.sure is Sure.ONE_OF
    assert made.verdict == "One of blue with risk:7 or green with risk:8 answered. It was being switched."
    model = made.fact("model")
    assert model is not None
    assert (model.value, model.alternatives) == (None, ("risk:7", "risk:8"))


def test_passport__of_a_deployment_that_is_not_on_record__cannot_say_the_model() -> None:
    made = passport(logged(deployment="blue"), moment(HALF), made_at=AT)
    assert made.sure is Sure.UNKNOWN
    assert made.verdict == (
        "blue answered, certain. Cannot say with which model: No deployment blue of that time is on record."
    )


def test_passport__of_a_deployment_in_the_middle_of_an_update__has_both_its_models() -> None:
    updated = moment(
        HALF, blue=served("blue", "risk:7", "risk:8", reason="blue itself was being changed then.")
    )
    made = passport(logged(deployment="blue"), updated, made_at=AT)
    assert made.sure is Sure.ONE_OF
    assert "with one of risk:7 or risk:8. blue itself was being changed then." in made.verdict


def test_passport__without_a_split__says_why_not_and_guesses_nothing() -> None:
    made = passport(None, moment(UNKNOWN), made_at=AT)
    assert (made.sure, made.verdict) == (Sure.UNKNOWN, "Cannot say: Azure was last read before that.")
    for name in ("deployment", "model", "environment", "code", "split", "p95", "approval", "confidence"):
        found = made.fact(name)
        assert found is not None
        assert (found.value, found.sure) == (None, Sure.UNKNOWN)
        assert found.reason.endswith(".")


@pytest.mark.parametrize("version", ["8", "risk:8"])
def test_model__that_the_model_itself_contradicts__is_one_of_two(version: str) -> None:
    said = replace(logged(deployment="blue"), model_version=version)
    said = replace(said, origin={**said.origin, "model_version": "model"})
    made = passport(said, moment(HALF, blue=served("blue", "risk:7")), made_at=AT)
    model = made.fact("model")
    assert model is not None
    assert (model.sure, model.alternatives, made.sure) == (Sure.ONE_OF, ("risk:7", version), Sure.ONE_OF)


def test_model__that_the_caller_contradicts__stays_with_the_conflict_said() -> None:
    said = replace(logged(deployment="blue"), model_version="6")
    said = replace(said, origin={**said.origin, "model_version": "caller"})
    model = passport(said, moment(HALF, blue=served("blue", "risk:7")), made_at=AT).fact("model")
    assert model is not None
    assert (model.value, model.sure) == ("risk:7", Sure.CERTAIN)
    assert "The caller says 6, and Azure had risk:7 deployed." in model.reason


def test_model__that_everybody_agrees_on__is_said_twice() -> None:
    said = replace(logged(deployment="blue"), model_version="7")
    said = replace(said, origin={**said.origin, "model_version": "model"})
    model = passport(said, moment(HALF, blue=served("blue", "risk:7")), made_at=AT).fact("model")
    assert model is not None
    assert (model.sure, model.reason) == (Sure.CERTAIN, "The model says 7, too.")
