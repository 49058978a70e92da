"""A plan as a form: what is typed becomes the draft that is meant, and every mistake is told at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints.changes.draft import Draft, planned
from endpoints.changes.gatespec import GateSpec, Kind, gate
from endpoints.changes.plan import Base
from endpoints.changes.terms import OnFailure, Terms
from endpoints.core.errors import Invalid
from endpoints.web import gate_form, plan_form
from endpoints.web.numbers_typed import number_of, plain

LIVE, KNOWN = {"blue": 90, "red": 10}, ["blue", "green", "red"]
SENT = {
    "candidate": "green",
    "weight-1": "5",
    "bake-1": "10",
    "weight-2": "25",
    "bake-2": "1.5",
    "click-2": "on",
    "weight-3": "100",
    "bake-3": "",
    "watch": "30",
    "longest": "6",
    "warm": "24",
    "on-failure": "hold",
    "gate-0": "errors",
    "use-0": "on",
    "limit-0": "0,5",
    "least-0": "500",
    "gate-1": "cpu",
    "limit-1": "nonsense",
    "least-1": "200",
    "gate-2": "figure:clicks",
    "figure-kind-2": "rate",
    "use-2": "on",
    "limit-2": "3",
    "least-2": "100",
    "direction-2": "under",
    "relative-2": "on",
    "dry-2": "on",
}


def draft(sent: dict[str, str], live: dict[str, int] = LIVE, mirrored: dict[str, int] | None = None) -> Draft:
    return plan_form.draft_of(plan_form.typed(sent), live, mirrored or {}, KNOWN)


def test_form__with_all_fields__is_the_draft_that_it_says() -> None:
    made = draft(SENT)
    assert [(dict(step.split), step.bake, step.click) for step in made.steps] == [
        ({"blue": 86, "green": 5, "red": 9}, 600, False),
        ({"blue": 68, "green": 25, "red": 7}, 90, True),
        ({"green": 100}, 0, False),
    ]
    terms = made.terms
    assert (terms.watch, terms.longest, terms.warm, terms.on_failure) == (1800, 21600, 24, OnFailure.HOLD)
    errors, clicks = terms.gates
    assert (errors.kind, errors.limit, errors.min_requests) == (Kind.ERRORS, 0.005, 500)
    assert (clicks.figure, clicks.limit, clicks.direction) == ("clicks", 0.03, "under")
    assert clicks.relative
    assert clicks.dry_run


def test_form__with_many_mistakes__names_each_beside_its_field() -> None:
    wrong = SENT | {
        "candidate": "purple",
        "weight-1": "0",
        "bake-1": "-1",
        "weight-2": "12.5",
        "bake-3": "999999",
        "mirror": "60",
        "mirror-bake": "x",
        "watch": "1e3",
        "longest": "99999",
        "warm": "1.5",
        "on-failure": "explode",
        "limit-0": "",
        "least-0": "1.5",
        "limit-2": "0",
        "least-2": "0",
    }
    with pytest.raises(Invalid) as caught:
        draft(wrong)
    assert set(caught.value.fields) == {
        "candidate", "weight-1", "bake-1", "weight-2", "bake-3", "mirror", "mirror-bake", "watch", "longest",
        "warm", "on-failure", "limit-0", "least-0", "limit-2",
    }  # fmt: skip


@pytest.mark.parametrize("live", [{}, {"green": 100}])
def test_form__for_a_candidate_with_nobody_beside_it__says_so(live: dict[str, int]) -> None:
    with pytest.raises(Invalid) as caught:
        draft(SENT, live)
    assert "no other deployment" in caught.value.fields["candidate"][0]


def test_form__with_empty_rows__has_no_steps_of_them() -> None:
    made = draft(SENT | {"weight-2": "", "weight-4": "", "bake-4": "20"})
    assert [step.split["green"] for step in made.steps] == [5, 100]
    with pytest.raises(Invalid) as caught:
        draft({key: value for key, value in SENT.items() if not key.startswith("weight")})
    assert caught.value.fields["steps"] == ["A plan has at least one step."]


def test_mirror_first__is_a_step_of_its_own_and_ends_with_the_first_live_share() -> None:
    made = draft(SENT | {"mirror": "20", "mirror-bake": "5"})
    first, second, *_ = planned(made, {})
    assert (first.split, first.mirror, first.bake) == ({"blue": 90, "red": 10}, {"green": 20}, 300)
    assert (second.split["green"], second.mirror) == (5, {})


def test_mirrored_candidate__without_a_mirror_step__is_mirrored_no_more_once_it_is_live() -> None:
    assert {len(step.mirror) for step in planned(draft(SENT, mirrored={"green": 20}), {"green": 20})} == {0}
    kept = planned(draft(SENT, {"blue": 100}, {"red": 20}), {"red": 20})
    assert kept[0].mirror == {"red": 20}


@pytest.mark.parametrize(
    "weights", ["", "5-25-0", "5--25", "x", "101", "5-25-100 ", "１０-100", "-".join(["1"] * 21)]
)
def test_link__with_weights_that_are_none__is_the_usual_plan(weights: str) -> None:
    assert [step.weight for step in plan_form.usual("green", weights=weights).steps] == ["5", "25", "100"]


def test_link__with_weights__bakes_all_but_the_last() -> None:
    steps = plan_form.usual("Green", weights="1-10-50-100").steps
    assert [(step.weight, step.bake) for step in steps] == [
        ("1", "10"),
        ("10", "20"),
        ("50", "20"),
        ("100", "0"),
    ]


def test_usual_gates__hold_latency_against_a_budget_only_where_there_is_one() -> None:
    def used(plan: plan_form.PlanTyped) -> set[str]:
        return {row.key for row in plan.gates if row.used}

    assert used(plan_form.usual("green")) == {"p95_vs_stable", "errors", "errors_vs_stable"}
    assert "p95_over_budget" in used(plan_form.usual("green", has_budget=True))


SPECS = st.one_of(
    st.builds(
        lambda kind, least, dry, alpha: gate(kind, min_requests=least, dry_run=dry, alpha=alpha),
        st.sampled_from([kind for kind in Kind if kind is not Kind.FIGURE]),
        st.integers(1, 10_000_000),
        st.booleans(),
        st.sampled_from([0.01, 0.05]),
    ),
    st.builds(
        lambda kind, direction, relative: gate(
            Kind.FIGURE, figure="clicks", figure_kind=kind, direction=direction, relative=relative, limit=0.25
        ),
        st.sampled_from(["rate", "mean"]),
        st.sampled_from(["over", "under"]),
        st.booleans(),
    ),
)
STEPS = st.lists(
    st.tuples(st.integers(1, 100), st.integers(0, 20_000), st.booleans()), min_size=1, max_size=6
).filter(lambda steps: all(a[0] != b[0] for a, b in pairwise(steps)))


def as_sent(plan: plan_form.PlanTyped) -> dict[str, str]:
    """The fields as a browser would send them."""
    sent: dict[str, str] = {
        "candidate": plan.candidate, "mirror": plan.mirror, "mirror-bake": plan.mirror_bake, "watch": plan.watch,
        "longest": plan.longest, "warm": plan.warm, "on-failure": plan.on_failure,
    }  # fmt: skip
    for number, step in enumerate(plan.steps, start=1):
        sent |= {f"weight-{number}": step.weight, f"bake-{number}": step.bake}
        sent |= {f"click-{number}": "on"} if step.click else {}
    for number, row in enumerate(plan.gates):
        told: dict[str, Any] = {
            "gate": row.key, "limit": row.limit, "least": row.least, "direction": row.direction,
            "figure-kind": row.figure_kind, "more": row.more, "use": "on" if row.used else "",
            "dry": "on" if row.dry_run else "", "relative": "on" if row.relative else "",
        }  # fmt: skip
        sent |= {f"{name}-{number}": text for name, text in told.items() if text}
    return sent


@given(
    STEPS, st.lists(SPECS, max_size=4, unique_by=lambda spec: (spec.kind, spec.figure)), st.integers(0, 600)
)
def test_template__shown_and_sent_again__is_the_same(
    steps: list[tuple[int, int, bool]], gates: list[GateSpec], watch: int
) -> None:
    terms = Terms(tuple(gates), watch * 60, 0, 12, OnFailure.HOLD)
    walked = tuple((weight, bake * 6, click) for weight, bake, click in steps)
    again, kept = plan_form.walk_of(plan_form.typed(as_sent(plan_form.of_template(walked, terms, "green"))))
    assert again == walked
    assert set(kept.gates) == set(terms.gates)
    assert (kept.watch, kept.warm, kept.on_failure) == (terms.watch, terms.warm, terms.on_failure)


@settings(deadline=None)
@given(STEPS, st.booleans())
def test_stored_plan__shown_and_sent_again__is_the_same(
    steps: list[tuple[int, int, bool]], mirrors: bool
) -> None:
    sent = as_sent(plan_form.of_template(tuple((w, b * 6, c) for w, b, c in steps), Terms(), "green"))
    made = draft(sent | ({"mirror": "10"} if mirrors else {}))
    base = Base({"blue": 90, "red": 10}, {}, "h")
    stored = planned(made, base.mirror)
    shown = plan_form.of_content(base, stored, made.terms)
    assert shown is not None
    assert planned(draft(as_sent(shown)), base.mirror) == stored


def test_stored_plan__that_moves_two_deployments__has_no_form() -> None:
    base = Base({"blue": 100}, {}, "h")
    made = planned(Draft.single({"blue": 50, "green": 25, "red": 25}), {})
    assert plan_form.of_content(base, made, Terms()) is None


@pytest.mark.parametrize("text", ["", "x", "1e3", "nan", "inf", "１", "1.2.3", "9" * 40, "- 1", "0x1"])
def test_number__that_is_none__is_none(text: str) -> None:
    assert number_of(text) is None


@given(st.decimals(-1_000_000, 1_000_000, places=6, allow_nan=False))
def test_number__written_and_read__is_the_same(value: Any) -> None:
    assert number_of(plain(float(value))) == pytest.approx(float(value), abs=1e-9)


def test_gate__in_words__says_what_limits_it() -> None:
    assert "at most 0.5" in gate_form.words(gate("errors_vs_stable"))
    figure = gate(Kind.FIGURE, figure="clicks", limit=0.3, direction="under", dry_run=True)
    assert (
        gate_form.words(figure)
        == "clicks: at least 30\u00a0%, from 200 requests on; dry run, it never stops anything"
    )


def test_gates_of_a_form__with_what_no_form_sends__are_refused_or_left_out() -> None:
    rows = gate_form.typed({"gate-0": "no-such-kind", "gate-1": "figure:", "gate-2": "errors", "use-2": "on"})
    assert [row.key for row in rows] == ["errors"]
    sent = {"gate-0": "errors", "use-0": "on", "limit-0": "1", "least-0": "200"}
    for more in (
        '{"no_such_field": 1}',
        '{"alpha": "x"}',
        '{"alpha": 7}',
        "[1]",
        "{",
        '{"min_minutes": true}',
    ):
        _, wrong = gate_form.specs_of(gate_form.typed(sent | {"more-0": more}))
        assert set(wrong) == {"limit-0"}, more
    specs, wrong = gate_form.specs_of(gate_form.typed(sent | {"more-0": '{"min_minutes": 9}'}))
    assert [(spec.min_minutes, spec.limit) for spec in specs] == [(9, 0.01)]
    assert not wrong
