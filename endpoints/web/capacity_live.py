"""What is ordered of capacity, what Azure reports and what runs: the truths of a change of capacity, as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from endpoints.capacity.selectors import Scaled, autoscale_of
from endpoints.changes.lifecycle import State
from endpoints.changes.plan import Step
from endpoints.changes.selectors import ChangeProgress
from endpoints.inventory.selectors import DeploymentState
from endpoints.metrics import selectors as metrics
from endpoints.metrics.windows import Grain, ceiled
from endpoints.web import capacity_words as words
from endpoints.web import display
from endpoints.web.latest import figures_of
from endpoints.web.numbers import MISSING
from endpoints.web.wording import ago, clock, count, percent, plural

REQUESTS = "Requests since weight 0"


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that is said of what is changed. `note` says from when it is, or why it is not known."""

    label: str
    value: str
    note: str


def truths(progress: ChangeProgress, ordered_note: str) -> list[Truth]:
    """What the step at work orders, and what is seen of it; [] for a step that is of traffic alone."""
    steps, place = progress.steps, progress.rollout.step
    step = steps[place]
    if step.verb == "put_split" and not words.is_scream(steps, place):
        return []
    one = _deployment(progress, words.subject_of(steps) if step.verb == "put_split" else step.deployment)
    label = "Ordered" if progress.row.started_at else "Asked for"
    found = [Truth(label, _ordered(steps, place), ordered_note), _azure(progress, step, one)]
    if words.deletes(steps):
        found += _requests(progress, one)
    elif one is not None and step.verb == "patch_capacity":
        found.append(_running(one))
    return found


def _deployment(progress: ChangeProgress, name: str) -> DeploymentState | None:
    return next((one.deployment for one in progress.weights if one.name == name), None)


def _ordered(steps: Sequence[Step], place: int) -> str:
    step = steps[place]
    match step.verb:
        case "put_split":
            return "weight 0"
        case "patch_capacity":
            return plural(step.instances, "instance")
        case "put_autoscale":
            return f"autoscale {words.document_words(step.document)}"
        case _:
            return "deleted"


def _azure(progress: ChangeProgress, step: Step, one: DeploymentState | None) -> Truth:
    label = "Azure reports"
    if step.verb == "put_autoscale":
        return _setting(label, one)
    whole = step.verb == "delete_endpoint" or (
        step.verb == "put_split" and not words.subject_of(progress.steps)
    )
    if progress.live is None:
        return Truth(label, "gone", "the endpoint is not there any more")
    read = f"read {ago(progress.live.read_ended)}"
    if whole:
        return Truth(label, f"stands with {plural(_standing(progress), 'deployment')}", read)
    if one is None:
        return Truth(label, "gone", read)
    if step.verb == "patch_capacity":
        told = "unknown" if one.instance_count is None else plural(one.instance_count, "instance")
        return Truth(
            label, told, f"{one.provisioning_state or 'state not reported'}, read {ago(one.read_ended)}"
        )
    weight = progress.live.traffic.get(one.name.lower(), 0)
    return Truth(label, f"stands, weight {percent(weight)}", read)


def _standing(progress: ChangeProgress) -> int:
    return sum(1 for one in progress.weights if one.deployment)


def _setting(label: str, one: DeploymentState | None) -> Truth:
    if one is None:
        return Truth(label, "unknown", "the deployment is gone")
    found = autoscale_of([one.id]).get(one.id)
    if found is None or found.state is Scaled.UNKNOWN:
        return Truth(label, "unknown", found.reason if found else "Autoscale settings were never read here.")
    told = words.document_words(found.document) if found.state is Scaled.SET else "none"
    return Truth(label, f"autoscale {told}", f"read {ago(found.checked_at)}")


def _running(one: DeploymentState) -> Truth:
    current = figures_of(metrics.latest([one.id]).get(one.id), None)
    told = "unknown" if current.instances == MISSING else f"{current.instances} running"
    return Truth("Replicas", told, current.why)


def _requests(progress: ChangeProgress, one: DeploymentState | None) -> list[Truth]:
    """Whether anybody asked since the scream test began: minutes that are not known are told, and are no silence."""
    began = scream_since(progress)
    if began is None:
        return []
    asked = [one] if one else [each.deployment for each in progress.weights if each.deployment]
    ids = [each.id for each in asked if each is not None]
    if not ids:
        return []
    # The minute in which it came into force had its traffic by right.
    since, until = ceiled(began, Grain.MINUTE), progress.row.ended_at or display.current().moment()
    if until <= since:
        return [Truth(REQUESTS, "unknown", "its first minute is not over")]
    told, missing = _counted(ids, since, until)
    note = f"{plural(missing, 'minute')} not known" if missing else "every minute known"
    return [
        Truth(
            REQUESTS,
            "unknown" if told is None else count(told),
            f"{note}, since {clock(since, seconds=False)}",
        )
    ]


def _counted(ids: list[int], since: datetime, until: datetime) -> tuple[int | None, int]:
    """The requests that are known of, None where nothing is, and the minutes of which nothing is known."""
    found = metrics.series(ids, since=since, until=until)
    rows = list(found.by_deployment.values())
    known = [value for row in rows for value in row.get("requests", ()) if value is not None]
    minutes = len(known)
    if found.grain is not Grain.MINUTE:
        minutes = sum(int(value or 0) for row in rows for value in row.get("request_minutes", ()))
    whole = len(ids) * int((until - since).total_seconds() // 60)
    return (round(sum(known)) if known else None), max(0, whole - minutes)


def scream_since(progress: ChangeProgress) -> datetime | None:
    """When the scream test came into force; None: not yet."""
    screams = [place for place in range(len(progress.steps)) if words.is_scream(progress.steps, place)]
    return next(
        (
            moved.at
            for moved in progress.moved
            if moved.step in screams and moved.after in (State.BAKING, State.HELD)
        ),
        None,
    )
