"""What can be done: one verb each."""

from endpoints.capacity.services.file_finding import file_finding
from endpoints.capacity.services.finding_life import claim, comment, dismiss, postpone, release
from endpoints.capacity.services.follow_changes import follow_changes
from endpoints.capacity.services.look import look_due, look_for_findings
from endpoints.capacity.services.read_autoscale import read_autoscale
from endpoints.capacity.services.roll_up import Rolled, begin_ledger, roll_up_day, roll_up_due
from endpoints.capacity.services.set_rules import set_rules

__all__ = [
    "Rolled",
    "begin_ledger",
    "claim",
    "comment",
    "dismiss",
    "file_finding",
    "follow_changes",
    "look_due",
    "look_for_findings",
    "postpone",
    "read_autoscale",
    "release",
    "roll_up_day",
    "roll_up_due",
    "set_rules",
]
