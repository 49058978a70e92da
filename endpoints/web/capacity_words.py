"""Changes of capacity in words: what a step does, what the whole change is for, what a setting would allow. Pure.

A change of capacity may have a step of traffic: the scream test, which takes a deployment's weight away for a while
before it is deleted, so that whoever still needs it is heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from endpoints.capacity.autoscale import Profile, Setting, setting_of
from endpoints.changes.lifecycle import Kind
from endpoints.changes.plan import DELETES, Step
from endpoints.changes.undo import goal as way_of
from endpoints.core import traffic
from endpoints.web.wording import length, plural
from endpoints.web.wording import split as split_words


def capacity_steps(steps: Sequence[Step]) -> list[Step]:
    """Those that do more than move traffic."""
    return [step for step in steps if step.verb != "put_split"]


def moves_traffic(before: traffic.Split, steps: Sequence[Step]) -> bool:
    """Whether the plan ends with another split than it began with."""
    return not traffic.same(steps[-1].split, before)


def is_scream(steps: Sequence[Step], place: int) -> bool:
    """Whether this step is the scream test of a delete that follows."""
    return steps[place].verb == "put_split" and deletes(steps[place + 1 :])


def deletes(steps: Sequence[Step]) -> bool:
    """Whether the plan deletes anything: what bakes in it is a scream test."""
    return any(step.verb in DELETES for step in steps)


def subject_of(steps: Sequence[Step]) -> str:
    """The deployment that a change of capacity is about; "" for the whole endpoint."""
    return next((step.deployment for step in capacity_steps(steps) if step.deployment), "")


def purpose(endpoint: str, steps: Sequence[Step]) -> str:
    """`scale basket-upsell/blue from 4 to 2 instances`, `delete endpoint hack-nov`: after a change's number."""
    return "; ".join(_purpose(endpoint, step) for step in capacity_steps(steps))


def _purpose(endpoint: str, step: Step) -> str:
    where = f"{endpoint}/{step.deployment}"
    match step.verb:
        case "patch_capacity":
            since = f"from {step.was} " if step.was else ""
            return f"scale {where} {since}to {plural(step.instances, 'instance')}"
        case "put_autoscale":
            return f"set autoscale of {where} to {document_words(step.document)}"
        case "delete_deployment":
            return f"delete {where}"
        case _:
            return f"delete endpoint {endpoint}"


def goal(steps: Sequence[Step]) -> str:
    """The same where the endpoint is plain from what stands beside it: `blue at 2 instances`, `blue deleted`."""
    return ", ".join(map(_goal, capacity_steps(steps)))


def _goal(step: Step) -> str:
    match step.verb:
        case "patch_capacity":
            return f"{step.deployment} at {plural(step.instances, 'instance')}"
        case "put_autoscale":
            return f"{step.deployment}: autoscale {document_words(step.document)}"
        case "delete_deployment":
            return f"{step.deployment} deleted"
        case _:
            return "endpoint deleted"


def begin(steps: Sequence[Step]) -> str:
    """What stands before, in the same words."""
    return ", ".join(map(_begin, capacity_steps(steps)))


def _begin(step: Step) -> str:
    match step.verb:
        case "patch_capacity" if step.was:
            return f"{step.deployment} at {plural(step.was, 'instance')}"
        case "patch_capacity":
            return step.deployment
        case "put_autoscale":
            return f"{step.deployment}: autoscale {document_words(step.previous)}"
        case "delete_deployment":
            return f"{step.deployment} stands"
        case _:
            return "endpoint stands"


def outcome(kind: Kind, before: traffic.Split, steps: Sequence[Step]) -> str:
    """What any change ends with: a split, what becomes of capacity, or for a rollback both."""
    if kind is Kind.ROLLBACK:
        split, _, beside = way_of(steps)
        told = [] if is_capacity(kind, before, steps) else [split_words(split)]
        return " with ".join([*told, *([beside.words] if beside else [])])
    return goal(steps) if kind is Kind.CAPACITY else split_words(steps[-1].split)


def is_capacity(kind: Kind, before: traffic.Split, steps: Sequence[Step]) -> bool:
    """Whether it is about capacity: a change of it, or a rollback that gives back instances and no traffic."""
    if kind is Kind.ROLLBACK:
        return bool(way_of(steps)[2]) and not moves_traffic(before, steps)
    return kind is Kind.CAPACITY


def label(step: Step) -> str:
    """What a step that is not of traffic is called in a list of steps."""
    match step.verb:
        case "patch_capacity":
            return f"{step.deployment} to {plural(step.instances, 'instance')}"
        case "put_autoscale":
            return f"Autoscale of {step.deployment}: {document_words(step.document)}"
        case "delete_deployment":
            return f"Delete {step.deployment}"
        case "delete_endpoint":
            return "Delete the endpoint"
        case _:
            return split_words(step.split)


def scream_label(steps: Sequence[Step], place: int) -> str:
    """Short, for a list of steps."""
    whose = subject_of(steps)
    weight = f"{whose} at weight 0" if whose else "All weights 0"
    return f"{weight}: scream test" if steps[place].bake else weight


def scream_words(steps: Sequence[Step], place: int) -> str:
    """`Weight 0, and 24 h in which a request would stop it (scream test)`."""
    weight = scream_label(steps, place).removesuffix(": scream test")
    if not steps[place].bake:
        return weight
    return f"{weight}, and {length(steps[place].bake)} in which a request would stop it (scream test)"


def note(step: Step) -> str:
    """What a step that is not of traffic does, under its label."""
    match step.verb:
        case "patch_capacity":
            return f"brings {step.deployment} to {plural(step.instances, 'instance')}; traffic stays as it is"
        case "put_autoscale":
            return (
                "Azure Monitor scales by it from then on" if step.document else "nothing scales it any more"
            )
        case "delete_deployment":
            return "its YAML files are kept first; what was deleted does not come back by itself"
        case _:
            return "with all its deployments; their YAML files are kept first"


def setting_in(document: Mapping[str, Any]) -> Setting:
    """The setting in a document as Azure keeps it, whole or only its `properties`."""
    inner = document.get("properties")
    return setting_of(inner if isinstance(inner, Mapping) else document)


def document_words(document: Mapping[str, Any] | None) -> str:
    """`1 to 3 instances`, `none`; what can't be understood says so."""
    if document is None:
        return "none"
    setting = setting_in(document)
    if not setting.profiles:
        return "a setting without profiles"
    words = [bounds(one) for one in setting.profiles]
    told = words[0] if len(set(words)) == 1 else "; ".join(words)
    return told if setting.enabled else f"{told}, switched off"


def bounds(profile: Profile) -> str:
    """`1 to 3 instances`; a bound that could not be read is unknown, never left out."""
    if profile.least is None or profile.most is None:
        return "bounds not known"
    if profile.least == profile.most:
        return f"always {plural(profile.least, 'instance')}"
    return f"{profile.least} to {plural(profile.most, 'instance')}"
