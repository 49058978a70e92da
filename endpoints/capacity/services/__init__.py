"""What can be done: one verb each."""

from endpoints.capacity.services.agree import agree, end_agreement
from endpoints.capacity.services.file_finding import file_finding
from endpoints.capacity.services.finding_life import claim, comment, dismiss, postpone, release
from endpoints.capacity.services.follow_changes import follow_changes
from endpoints.capacity.services.judge_savings import judge_savings
from endpoints.capacity.services.look import look_due, look_for_findings
from endpoints.capacity.services.money_inputs import set_plan, set_value
from endpoints.capacity.services.publish_reports import publish_reports
from endpoints.capacity.services.read_autoscale import read_autoscale
from endpoints.capacity.services.roll_up import Rolled, begin_ledger, roll_up_day, roll_up_due
from endpoints.capacity.services.set_rules import set_rules
from endpoints.capacity.services.watch_money import watch_money

__all__ = [
    "Rolled",
    "agree",
    "begin_ledger",
    "claim",
    "comment",
    "dismiss",
    "end_agreement",
    "file_finding",
    "follow_changes",
    "judge_savings",
    "look_due",
    "look_for_findings",
    "postpone",
    "publish_reports",
    "read_autoscale",
    "release",
    "roll_up_day",
    "roll_up_due",
    "set_plan",
    "set_rules",
    "set_value",
    "watch_money",
]
