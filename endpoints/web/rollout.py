"""Where a walked plan stands, for its live page: steps with their bakes, gates worst first, and why it waits. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from endpoints.changes.gatespec import GateSpec, Kind
from endpoints.changes.lifecycle import TERMINAL, Hold, State
from endpoints.changes.lifecycle import Kind as RowKind
from endpoints.changes.plan import Step, candidates, stables
from endpoints.changes.selectors import BakeView, ChangeProgress, ChangeRow, GateView, Running
from endpoints.changes.verdict import Outcome
from endpoints.web import capacity_words as words
from endpoints.web.bars import order_of
from endpoints.web.numbers import amount, share
from endpoints.web.states import Sign, sign_of
from endpoints.web.wording import NBSP, ahead, duration, hours, plural
from endpoints.web.wording import split as split_words

TO_COME = Sign("waiting", "To come")


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of the plan. `mark` is done, now, failed or ""; `share` of its bake 0 to 1, None where none runs."""

    label: str
    split: Mapping[str, int] | None
    plan: str
    mark: str = ""
    sign: Sign = TO_COME
    words: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Bullet:
    """Value, limit and interval on a line of 100 units."""

    value: float
    limit: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class GateCard:
    """One gate in the step at work. `chart` is its chart's key."""

    name: str
    sign: Sign
    value: str
    limit: str
    basis: str
    reason: str
    bullet: Bullet | None
    at: datetime | None
    may_override: bool
    chart: str


def is_staged(progress: ChangeProgress) -> bool:
    """Whether there is more to it than one step that is done as soon as Azure shows it."""
    terms = progress.rollout.terms
    walked = len(progress.steps) > 1 or any(step.bake or step.click for step in progress.steps)
    return walked or bool(terms.gates) or terms.watch > 0


def timer(seconds: float) -> str:
    """`14:52`, and `2:05:00` from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes:02}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def labels(progress: ChangeProgress | Running) -> list[str]:
    """What each step is called: the candidate's share where there is one candidate, else the whole split."""
    risen = candidates(progress.base, progress.steps)
    return [_label(progress.steps, place, risen) for place in range(len(progress.steps))]


def _label(steps: Sequence[Step], place: int, risen: Sequence[str]) -> str:
    step = steps[place]
    if step.verb != "put_split":
        return words.label(step)
    if words.is_scream(steps, place):
        return words.scream_label(steps, place)
    if len(risen) == 1 and risen[0] in step.split:
        return f"{step.split[risen[0]]}{NBSP}%"
    if len(risen) == 1 and risen[0] in step.mirror:
        return f"mirror {step.mirror[risen[0]]}{NBSP}%"
    return split_words(step.split)


def roles(progress: ChangeProgress) -> dict[str, str]:
    """What each deployment is in this plan; a rollback and a change of capacity have neither candidate nor stable."""
    if progress.row.kind in (RowKind.ROLLBACK, RowKind.CAPACITY):
        return {}
    known = dict.fromkeys(stables(progress.base, progress.steps), "stable")
    return known | dict.fromkeys(candidates(progress.base, progress.steps), "candidate")


def order(progress: ChangeProgress) -> list[str]:
    """One order of patterns for every bar and chart of the page: what was stable keeps its own to the end."""
    names = [one.name for one in progress.weights]
    names += [step.deployment for step in progress.steps if step.deployment]
    return order_of(progress.base.split, progress.row.after, names=names)


def sign(progress: ChangeProgress) -> Sign:
    """The state, with the step that it is about."""
    rollout = progress.rollout
    return sign_at(progress.row, rollout.step, len(progress.steps), rollout.bake, rollout.hold)


def sign_at(row: ChangeRow, step: int, steps: int, bake: BakeView | None, hold: Hold | None) -> Sign:
    """A planned wait is no alarm; any other hold is."""
    at = f", step {step + 1} of {steps}" if steps > 1 else ""
    if row.state is State.BAKING:
        return Sign("running", _baking(words.deletes(row.steps), bake) + at)
    if row.state is State.HELD and hold is Hold.CLICK:
        return Sign("waiting", f"Waiting for a click{at}")
    if row.state is State.HELD:
        return Sign("warn", f"Held{at}")
    found = sign_of(row.state, kind=row.kind)
    return Sign(found.kind, found.text + at, found.next) if row.active else found


def _baking(scream: bool, bake: BakeView | None) -> str:
    if scream:
        return "Scream test"
    return "Watching" if bake and bake.watch else "Baking"


def steps(progress: ChangeProgress) -> list[StepLine]:
    """Every step with when it was in force and how far it has baked."""
    times, last = _times(progress), len(progress.steps) - 1
    found = []
    for number, (step, label) in enumerate(zip(progress.steps, labels(progress), strict=True)):
        plan = _planned(progress.steps, number, progress.rollout.terms.watch if number == last else 0)
        line = StepLine(label, step.split if step.verb == "put_split" and step.split else None, plan)
        found.append(_line(progress, number, line, *times.get(number, (None, None))))
    return found


def _line(
    progress: ChangeProgress, number: int, line: StepLine, began: datetime | None, left: datetime | None
) -> StepLine:
    at_work = progress.rollout.step
    if number < at_work or progress.row.state is State.SUCCEEDED:
        return replace(line, mark="done", sign=Sign("quiet", "Passed"), words=_between(began, left))
    if number > at_work:
        return replace(line, sign=Sign("off", "Not reached")) if progress.row.state in TERMINAL else line
    return _at_work(progress, line, began, left)


def _at_work(
    progress: ChangeProgress, line: StepLine, began: datetime | None, left: datetime | None
) -> StepLine:
    state, bake = progress.row.state, progress.rollout.bake
    if state in TERMINAL:
        return replace(line, mark="failed", sign=Sign("off", "Not finished"), words=_between(began, left))
    if state is State.DRIFTED:
        return replace(
            line, mark="failed", sign=Sign("warn", "Stopped by drift"), words=_between(began, left)
        )
    if progress.row.started_at is None:
        return line
    if state not in (State.BAKING, State.HELD):
        found = sign_of(state, kind=progress.row.kind)
        return replace(line, mark="now", sign=Sign(found.kind, found.text))
    if bake is None:
        return replace(line, mark="now", sign=Sign("warn", "Held before it"), words="Not ordered yet.")
    since = f"In force since {hours(began)}." if began else "In force."
    words = f"{_baked(bake)} {since}".strip()
    part = bake.share if bake.wanted else None
    return replace(line, mark="now", sign=_in_force(progress, bake), words=words, share=part)


def _in_force(progress: ChangeProgress, bake: BakeView) -> Sign:
    if progress.row.state is State.BAKING:
        return Sign("running", _baking(words.deletes(progress.steps), bake))
    if progress.rollout.hold is Hold.CLICK:
        return Sign("waiting", "Waits for a click")
    return Sign("warn", "Held")


def baked_words(bake: BakeView | None) -> str:
    """`14:52 of 20:00`; "" where nothing bakes."""
    return f"{timer(bake.baked)} of {timer(bake.wanted)}" if bake and bake.wanted else ""


def _baked(bake: BakeView) -> str:
    if not bake.wanted:
        return ""
    full = f", full {ahead(bake.ends_at)} at the earliest" if bake.ends_at else ""
    return f"{baked_words(bake)}{full}."


def _planned(steps: Sequence[Step], place: int, watch: int) -> str:
    step = steps[place]
    if step.verb != "put_split":
        return words.note(step)
    if words.is_scream(steps, place):
        return f"a request in {duration(step.bake)} holds it" if step.bake else "no request is waited for"
    parts = [f"mirrors {split_words(step.mirror)}"] if step.mirror else []
    parts += [f"bakes {duration(step.bake)}"] if step.bake else []
    parts += [f"watched {duration(watch)}"] if watch else []
    parts += ["then waits for a click"] if step.click else []
    return ", ".join(parts) or "on as soon as Azure reports it twice"


def _times(progress: ChangeProgress) -> dict[int, tuple[datetime | None, datetime | None]]:
    """When each step came into force, and when it was left."""
    began: dict[int, datetime] = {}
    left: dict[int, datetime] = {}
    for moved in progress.moved:
        if moved.after in (State.BAKING, State.SUCCEEDED):
            began.setdefault(moved.step, moved.at)
        if moved.after == State.APPLYING and moved.step > 0:
            left.setdefault(moved.step - 1, moved.at)
        if moved.after in TERMINAL:
            left.setdefault(moved.step, moved.at)
    return {number: (began.get(number), left.get(number)) for number in {*began, *left}}


def step_marks(progress: ChangeProgress) -> list[tuple[datetime, str]]:
    """When each step came into force, with what it is called: for the time axis of charts."""
    named, times = labels(progress), _times(progress)
    return [(began, named[number]) for number, (began, _) in sorted(times.items()) if began]


def _between(began: datetime | None, left: datetime | None) -> str:
    if began and left and left > began:
        return f"{hours(began)} to {hours(left)}"
    return f"at {hours(began)}" if began else ""


_SEVERITY = (Outcome.FAIL, Outcome.ERROR, None, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)


def gates(
    progress: ChangeProgress, names: Mapping[int | None, str], *, may_override: bool = False
) -> list[GateCard]:
    """Those that can hold it first, the worst first; dry runs and what was overridden after them."""
    specs = {spec.name: spec for spec in progress.rollout.terms.gates}
    places = {name: place for place, name in enumerate(specs)}
    ranked = sorted(progress.rollout.gates, key=lambda one: (_is_idle(one), _SEVERITY.index(one.outcome)))
    overridable = may_override and progress.rollout.bake is not None
    return [
        _card(one, specs[one.name], names, chart=f"gate-{places[one.name]}", may=overridable and holds(one))
        for one in ranked
    ]


def holds(one: GateView) -> bool:
    """Whether this gate keeps the next step back now."""
    return not _is_idle(one) and one.outcome is not Outcome.PASS and not one.excused


def _is_idle(one: GateView) -> bool:
    return one.dry_run or one.overridden_by is not None


def _card(
    one: GateView, spec: GateSpec, names: Mapping[int | None, str], *, chart: str, may: bool
) -> GateCard:
    return GateCard(
        name=one.name,
        sign=verdict(one, spec, names),
        value=figure(spec, one.value),
        limit=limit_words(spec, one.limit, known=one.value is not None),
        basis=_basis(one),
        reason=one.reason,
        bullet=bullet(one),
        at=one.at,
        may_override=may,
        chart=chart,
    )


def verdict(one: GateView, spec: GateSpec, names: Mapping[int | None, str]) -> Sign:
    """What a gate says in a few words; unknown is neither within nor over."""
    kind, text = _said(one, spec)
    if one.overridden_by is not None:
        by = names.get(one.overridden_by, "somebody")
        return Sign("held", f"Overridden by {by}; measured: {text.lower()}")
    return Sign("held", f"Dry run: {text.lower()}") if one.dry_run else Sign(kind, text)


def _said(one: GateView, spec: GateSpec) -> tuple[str, str]:
    if one.outcome is None:
        return "waiting", "Not measured yet"
    if one.excused:
        compared = one.requests is None and one.value is None
        return "quiet", "Nothing to compare" if compared else "Excused: as bad before"
    if one.outcome is Outcome.PASS:
        return "quiet", "Within"
    if one.outcome is Outcome.FAIL:
        return "bad", "Under" if spec.direction == "under" else "Over"
    return "unknown", "Cannot tell" if one.outcome is Outcome.ERROR else "Not enough data"


def figure(spec: GateSpec, value: float | None) -> str:
    """What was measured: a share of requests or of minutes, or the points beyond the stable's."""
    if value is None:
        return "no data"
    if in_points(spec):
        points = f"{abs(value) * 100:.2g}{NBSP}points"
        return points if value >= 0 else f"{points} less"
    return share(value)


def in_points(spec: GateSpec) -> bool:
    """Whether its value is a difference from the stable's."""
    return spec.against_stable and not spec.counts_minutes


def limit_words(spec: GateSpec, limit: float | None, *, known: bool = True) -> str:
    """What it must keep to, after its value; what the value is of is left out where there is none."""
    if limit is None:
        limit = spec.share if spec.counts_minutes else spec.limit
    if spec.counts_minutes:
        return (
            f"{'of minutes; ' if known else ''}must stay under {share(limit)}{'' if known else ' of minutes'}"
        )
    if in_points(spec):
        most = f"must stay under {limit * 100:.3g}{NBSP}points"
        return f"beyond stable; {most}" if known else f"{most} beyond stable"
    side = "over" if spec.kind is Kind.FIGURE and spec.direction == "under" else "under"
    return f"must stay {side} {share(limit)}"


def _basis(one: GateView) -> str:
    parts = [f"n{NBSP}={NBSP}{amount(one.requests)}"] if one.requests is not None else []
    parts += [plural(one.minutes, "minute")] if one.minutes else []
    return ", ".join(parts) or f"n{NBSP}unknown"


def bullet(one: GateView) -> Bullet | None:
    """The value against its limit, from zero on; None where either is unknown, or the limit is not above zero."""
    if one.value is None or one.limit is None or one.limit <= 0:
        return None
    most = max(one.value, one.limit) * 1.25
    low, high = one.detail.get("low"), one.detail.get("high")
    return Bullet(
        value=_place(one.value, most),
        limit=_place(one.limit, most),
        low=None if low is None else _place(low, most),
        high=None if high is None else _place(high, most),
    )


def _place(value: float, most: float) -> float:
    return round(max(0.0, min(1.0, value / most)) * 100, 2)


def next_measurement(progress: ChangeProgress) -> str:
    """When gates are asked again."""
    at = progress.rollout.next_measurement
    if at is None:
        return ""
    due = ahead(at)
    return "The next measurement is due." if due == "now" else f"Next measurement {due}."


_HELD = {
    Hold.CLICK: "Waiting for a click.",
    Hold.PERSON: "Held by a person.",
    Hold.INCONCLUSIVE: "Held: a gate can't tell yet.",
    Hold.ERROR: "Held: a gate could not be measured.",
    Hold.FAILED: "Held: a gate failed.",
    Hold.CHECK: "Held by a check before the step.",
    Hold.STOP: "Held by a freeze or a stop.",
    Hold.OVERTIME: "Held: it takes longer than planned.",
}


def held_banner(progress: ChangeProgress, said: str = "") -> dict[str, str] | None:
    """Why it is held; `said` are the words of the person who holds it."""
    rollout = progress.rollout
    if progress.row.state is not State.HELD or rollout.hold is None:
        return None
    if rollout.hold is Hold.CLICK:
        text = f"Step {rollout.step + 1} is in force and has baked. The plan wants a person to say go."
        return {"kind": "info", "title": _HELD[Hold.CLICK], "text": text}
    words = f"“{said}”" if rollout.hold is Hold.PERSON and said else rollout.hold_reason
    more = progress.row.attention if progress.row.attention != rollout.hold_reason else ""
    return {"kind": "warn", "title": _HELD[rollout.hold], "text": f"{words} {more}".strip()}


def why_not_advance(progress: ChangeProgress) -> str:
    """Why nobody can order the next step now; "" when a person can."""
    rollout = progress.rollout
    if rollout.bake is None:
        return "Its step is not in force."
    if not rollout.terms.gates or rollout.gates_outcome is Outcome.PASS:
        return ""
    return f"Its gates do not all pass: {rollout.gates_reason or 'none was measured yet.'}"
