"""A plan as a form: weights with bakes, gates and terms as typed text, and the draft that it makes. Pure.

Everything that is wrong is found at once and told beside its field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from endpoints.changes.draft import Draft, DraftStep, shift, walk
from endpoints.changes.gatespec import GateSpec, Kind
from endpoints.changes.plan import LONGEST_BAKE, Base, Step, candidates
from endpoints.changes.terms import LONGEST_PLAN, LONGEST_WARM, LONGEST_WATCH, OnFailure, Terms
from endpoints.core import traffic
from endpoints.core.errors import Invalid
from endpoints.web.gate_form import GateTyped, filled, rows, specs_of
from endpoints.web.gate_form import typed as typed_gates
from endpoints.web.numbers_typed import number_of, plain

MINUTE, HOUR = 60, 3600
MOST_STEPS = 20
USUAL_STEPS = ((5, 10), (25, 20), (100, 0))
"""Percent, and minutes of bake."""
USUAL_WATCH, USUAL_WARM = 30, 24

Wrong = dict[str, list[str]]
Walk = tuple[tuple[int, int, bool], ...]
"""Percent, seconds of bake, and whether a person clicks then."""


@dataclass(frozen=True, slots=True)
class StepTyped:
    """One row of the plan."""

    weight: str = ""
    bake: str = "0"
    click: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.weight


@dataclass(frozen=True, slots=True)
class PlanTyped:
    """The form as it was typed. `watch` in minutes, `longest` and `warm` in hours, as their labels say."""

    candidate: str = ""
    steps: tuple[StepTyped, ...] = ()
    mirror: str = ""
    mirror_bake: str = "10"
    watch: str = "0"
    longest: str = ""
    warm: str = "0"
    on_failure: str = OnFailure.ROLL_BACK.value
    gates: tuple[GateTyped, ...] = field(default_factory=rows)

    def with_row(self) -> PlanTyped:
        """One more step, empty."""
        return replace(self, steps=(*self.steps, StepTyped())[:MOST_STEPS])

    def without_row(self, number: int) -> PlanTyped:
        """Without the step of that number, counted from 1."""
        left = tuple(step for place, step in enumerate(self.steps, start=1) if place != number)
        return replace(self, steps=left)


def usual(
    candidate: str, figures: Iterable[tuple[str, str]] = (), *, has_budget: bool = False, weights: str = ""
) -> PlanTyped:
    """What a plan begins with: small steps, a watch, and the gates that need no numbers of the endpoint's own.

    `weights`: "5-25-100" of a link; what is none of that is as if nothing had been said.
    """
    latency = Kind.P95_OVER_BUDGET if has_budget else Kind.P95_VS_STABLE
    return PlanTyped(
        candidate=candidate.lower(),
        steps=_steps_of(weights) or tuple(StepTyped(str(w), str(b)) for w, b in USUAL_STEPS),
        watch=str(USUAL_WATCH),
        warm=str(USUAL_WARM),
        gates=rows(figures, used=(latency, Kind.ERRORS, Kind.ERRORS_VS_STABLE)),
    )


def _steps_of(weights: str) -> tuple[StepTyped, ...]:
    parts = weights.split("-") if weights else []
    if not 0 < len(parts) <= MOST_STEPS or not all(_is_weight(part) for part in parts):
        return ()
    bakes = [10, *[20] * len(parts)]
    last = len(parts) - 1
    return tuple(
        StepTyped(part, "0" if place == last else str(bakes[place])) for place, part in enumerate(parts)
    )


def _is_weight(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= 100


def of_template(
    steps: Walk, terms: Terms, candidate: str, figures: Iterable[tuple[str, str]] = ()
) -> PlanTyped:
    """A template's plan as a form."""
    made = tuple(StepTyped(str(weight), plain(bake / MINUTE), click) for weight, bake, click in steps)
    return _with_terms(PlanTyped(candidate=candidate.lower(), steps=made), terms, figures)


def of_content(
    base: Base, steps: tuple[Step, ...], terms: Terms, figures: Iterable[tuple[str, str]] = ()
) -> PlanTyped | None:
    """A stored plan as a form; None for one that gives no single deployment one weight after another."""
    for name in candidates(base, steps):
        walked = steps[1:] if _is_mirror_step(base, steps[0], name) else steps
        if walked and _is_walk(base, walked, name):
            made = tuple(
                StepTyped(str(s.split.get(name, 0)), plain(s.bake / MINUTE), s.click) for s in walked
            )
            typed_plan = PlanTyped(candidate=name, steps=made)
            if walked is not steps:
                first = steps[0]
                typed_plan = replace(
                    typed_plan, mirror=str(first.mirror[name]), mirror_bake=plain(first.bake / MINUTE)
                )
            return _with_terms(typed_plan, terms, figures)
    return None


def _is_mirror_step(base: Base, step: Step, name: str) -> bool:
    return step.verb == "put_split" and step.split == base.split and list(step.mirror) == [name]


def _is_walk(base: Base, steps: tuple[Step, ...], name: str) -> bool:
    kept = {other: share for other, share in base.mirror.items() if other != name}
    return all(
        step.verb == "put_split"
        and step.split == shift(base.split, name, step.split.get(name, 0))
        and step.mirror == kept
        for step in steps
    )


def _with_terms(plan: PlanTyped, terms: Terms, figures: Iterable[tuple[str, str]]) -> PlanTyped:
    return replace(
        plan,
        watch=plain(terms.watch / MINUTE),
        longest=plain(terms.longest / HOUR) if terms.longest else "",
        warm=plain(terms.warm),
        on_failure=terms.on_failure.value,
        gates=filled(rows(figures), terms.gates),
    )


def typed(posted: Mapping[str, str]) -> PlanTyped:
    """The form that was sent."""

    def text(name: str) -> str:
        return posted.get(name, "").strip()[:30]

    return PlanTyped(
        candidate=posted.get("candidate", "").strip().lower()[:64],
        steps=tuple(
            StepTyped(text(f"weight-{n}"), text(f"bake-{n}"), posted.get(f"click-{n}") == "on")
            for n in range(1, MOST_STEPS + 1)
            if f"weight-{n}" in posted
        ),
        mirror=text("mirror"),
        mirror_bake=text("mirror-bake"),
        watch=text("watch"),
        longest=text("longest"),
        warm=text("warm"),
        on_failure=posted.get("on-failure", OnFailure.ROLL_BACK.value)[:20],
        gates=typed_gates(posted),
    )


def draft_of(
    plan: PlanTyped, live: Mapping[str, int], mirrored: Mapping[str, int], known: Iterable[str]
) -> Draft:
    """The draft on the split that is live. Invalid with everything that is wrong, by field."""
    wrong: Wrong = {}
    if plan.candidate not in {name.lower() for name in known}:
        wrong["candidate"] = ["Choose which deployment gets the traffic."]
    elif set(traffic.normalise(live)) <= {plan.candidate}:
        wrong["candidate"] = [f"There is no other deployment that {plan.candidate} could share traffic with."]
    steps, terms, found = _read(plan)
    mirror = _mirror(plan, found)
    if wrong or found:
        raise Invalid({**wrong, **found})
    return _with_mirror(walk(live, plan.candidate, steps, terms), plan.candidate, live, mirrored, mirror)


def walk_of(plan: PlanTyped) -> tuple[Walk, Terms]:
    """The plan of a template: no endpoint is meant yet. Invalid with everything that is wrong, by field."""
    steps, terms, wrong = _read(plan)
    if wrong:
        raise Invalid(wrong)
    return steps, terms


def _read(plan: PlanTyped) -> tuple[Walk, Terms, Wrong]:
    wrong: Wrong = {}
    steps = _steps(plan, wrong)
    gates, wrong_gates = specs_of(plan.gates)
    terms = _terms(plan, gates, wrong)
    return steps, terms, wrong | wrong_gates


def _steps(plan: PlanTyped, wrong: Wrong) -> Walk:
    """Rows that were left empty are no steps."""
    found = []
    for number, step in enumerate(plan.steps, start=1):
        if step.is_empty:
            continue
        if not _is_weight(step.weight):
            wrong[f"weight-{number}"] = [f"Step {number}: give a whole percent from 1 to 100."]
        bake = _whole(step.bake or "0", MINUTE, LONGEST_BAKE)
        if bake is None:
            most = LONGEST_BAKE // MINUTE
            wrong[f"bake-{number}"] = [f"Step {number}: give the bake in minutes, from 0 to {most:,}."]
        elif f"weight-{number}" not in wrong:
            found.append((int(step.weight), bake, step.click))
    if all(step.is_empty for step in plan.steps):
        wrong["steps"] = ["A plan has at least one step."]
    return tuple(found)


def _whole(text: str, unit: int, most: int) -> int | None:
    """The number of seconds, or whatever `unit` counts; None for what is no whole number of them in range."""
    value = number_of(text)
    exact = None if value is None else round(value * unit, 6)
    return int(exact) if exact is not None and exact == int(exact) and 0 <= exact <= most else None


def _terms(plan: PlanTyped, gates: tuple[GateSpec, ...], wrong: Wrong) -> Terms:
    read = {
        "watch": (plan.watch, MINUTE, LONGEST_WATCH, "minutes"),
        "longest": (plan.longest, HOUR, LONGEST_PLAN, "hours"),
        "warm": (plan.warm, 1, LONGEST_WARM, "hours"),
    }
    found: dict[str, int] = {}
    for name, (text, unit, most, words) in read.items():
        value = _whole(text or "0", unit, most)
        if value is None:
            wrong[name] = [f"Give a number of {words} from 0 to {most // unit:,}."]
        found[name] = value or 0
    if plan.on_failure not in set(OnFailure):
        wrong["on-failure"] = ["Choose what happens when a gate fails."]
    failure = OnFailure.HOLD if plan.on_failure == OnFailure.HOLD else OnFailure.ROLL_BACK
    return Terms(gates, found["watch"], found["longest"], found["warm"], failure)


def _mirror(plan: PlanTyped, wrong: Wrong) -> tuple[int, int] | None:
    """Percent and seconds of the mirror step; None for no such step."""
    if plan.mirror in ("", "0"):
        return None
    if not _is_weight(plan.mirror) or int(plan.mirror) > traffic.MIRROR_LIMIT_PERCENT:
        most = traffic.MIRROR_LIMIT_PERCENT
        wrong["mirror"] = [f"Azure mirrors a whole percent from 1 to {most}; leave it empty for none."]
    bake = _whole(plan.mirror_bake or "0", MINUTE, LONGEST_BAKE)
    if bake is None:
        wrong["mirror-bake"] = [f"Give the minutes from 0 to {LONGEST_BAKE // MINUTE:,}."]
    if bake is None or "mirror" in wrong:
        return None
    return int(plan.mirror), bake


def _with_mirror(
    draft: Draft,
    candidate: str,
    live: Mapping[str, int],
    mirrored: Mapping[str, int],
    mirror: tuple[int, int] | None,
) -> Draft:
    """A deployment has live or mirrored traffic: its mirroring ends with its first live share."""
    kept = {name: share for name, share in traffic.normalise(mirrored).items() if name != candidate}
    first, *rest = draft.steps
    if mirror is None:
        ends = kept if len(kept) < len(traffic.normalise(mirrored)) else None
        return replace(draft, steps=(replace(first, mirror=ends), *rest))
    percent, bake = mirror
    shadow = DraftStep(traffic.normalise(live), {candidate: percent}, bake)
    return replace(draft, steps=(shadow, replace(first, mirror={}), *rest))
