"""The verbs of a change, one file each. Pages, API and executor call these and nothing else writes."""

from endpoints.changes.services.advance import advance_change, override_gate
from endpoints.changes.services.after_review import review_after
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.break_glass import break_glass
from endpoints.changes.services.comment import comment_change
from endpoints.changes.services.drills import finish_drills, order_drill
from endpoints.changes.services.edit import edit_change
from endpoints.changes.services.expire import expire_due
from endpoints.changes.services.hold import hold_change, resume_change
from endpoints.changes.services.probe import probe_now
from endpoints.changes.services.reject import reject_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.request_capacity import request_capacity
from endpoints.changes.services.rollback import Receipt, roll_back
from endpoints.changes.services.rules import (
    ProposedRule,
    RuleDraft,
    decide_rule,
    propose_rule,
    propose_rule_end,
    withdraw_rule,
)
from endpoints.changes.services.sample import set_sample
from endpoints.changes.services.schedule import schedule_change, start_due, unschedule_change
from endpoints.changes.services.start import start_change
from endpoints.changes.services.templates import end_template, make_template
from endpoints.changes.services.withdraw import withdraw_change

__all__ = [
    "ProposedRule",
    "Receipt",
    "RuleDraft",
    "advance_change",
    "approve_change",
    "break_glass",
    "comment_change",
    "decide_rule",
    "edit_change",
    "end_template",
    "expire_due",
    "finish_drills",
    "hold_change",
    "make_template",
    "order_drill",
    "override_gate",
    "probe_now",
    "propose_rule",
    "propose_rule_end",
    "reject_change",
    "request_capacity",
    "request_change",
    "resume_change",
    "review_after",
    "roll_back",
    "schedule_change",
    "set_sample",
    "start_change",
    "start_due",
    "unschedule_change",
    "withdraw_change",
    "withdraw_rule",
]
