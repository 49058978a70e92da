"""What can be done: one verb each."""

from endpoints.capacity.services.finding_life import claim, comment, dismiss, postpone, release
from endpoints.capacity.services.read_autoscale import read_autoscale
from endpoints.capacity.services.roll_up import Rolled, roll_up_day, roll_up_due
from endpoints.capacity.services.set_rules import set_rules

__all__ = [
    "Rolled",
    "claim",
    "comment",
    "dismiss",
    "postpone",
    "read_autoscale",
    "release",
    "roll_up_day",
    "roll_up_due",
    "set_rules",
]
