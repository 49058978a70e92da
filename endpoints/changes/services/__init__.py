"""The verbs of a change, one file each. Pages, API and executor call these and nothing else writes."""

from endpoints.changes.services.advance import advance_change, override_gate
from endpoints.changes.services.approve import approve_change
from endpoints.changes.services.edit import edit_change
from endpoints.changes.services.expire import expire_due
from endpoints.changes.services.hold import hold_change, resume_change
from endpoints.changes.services.reject import reject_change
from endpoints.changes.services.request import request_change
from endpoints.changes.services.rollback import Receipt, roll_back
from endpoints.changes.services.start import start_change
from endpoints.changes.services.withdraw import withdraw_change

__all__ = [
    "Receipt",
    "advance_change",
    "approve_change",
    "edit_change",
    "expire_due",
    "hold_change",
    "override_gate",
    "reject_change",
    "request_change",
    "resume_change",
    "roll_back",
    "start_change",
    "withdraw_change",
]
