"""What can be done: one verb each."""

from endpoints.capacity.services.file_finding import file_finding
from endpoints.capacity.services.finding_life import claim, comment, dismiss, postpone, release
from endpoints.capacity.services.follow_changes import follow_changes
from endpoints.capacity.services.read_autoscale import read_autoscale
from endpoints.capacity.services.roll_up import Rolled, roll_up_day, roll_up_due
from endpoints.capacity.services.set_rules import set_rules

__all__ = [
    "Rolled",
    "claim",
    "comment",
    "dismiss",
    "file_finding",
    "follow_changes",
    "postpone",
    "read_autoscale",
    "release",
    "roll_up_day",
    "roll_up_due",
    "set_rules",
]
