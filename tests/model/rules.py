"""What must hold in every state of the model, and in every life that goes on for ever."""

from __future__ import annotations

from tests.model.rollout import AT_WORK, BASE, CANARY, FULL, World


def candidate_serves_again(world: World) -> bool:
    """Rolled back and read twice, and yet the candidate gets traffic. Not even drift excuses it."""
    return world.back == "succeeded" and world.split in (CANARY, FULL)


def candidate_serves_unseen(world: World) -> bool:
    """The same, and the next reading would take it for a write of ours, so that nobody is told."""
    return candidate_serves_again(world) and world.split in world.expected


def breaks_a_rule(world: World) -> bool:
    """Any of the rules that are judged as moves are made, and that no drift excuses."""
    return bool(world.flaws) or (candidate_serves_again(world) and not world.drift)


def unsettled(world: World) -> bool:
    """What must not go on for ever: a change at work, or a rollback whose target is not in force."""
    if world.back:
        return not world.drift and not (world.back == "succeeded" and world.split == BASE)
    return world.change in AT_WORK
