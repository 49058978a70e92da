"""What can be done: one verb each."""

from endpoints.challenges.services.case_clocks import tell_due
from endpoints.challenges.services.case_evidence import choose_record, collect_evidence
from endpoints.challenges.services.case_verdict import confirm, decide, reopen, send_back
from endpoints.challenges.services.case_work import assign, comment, link
from endpoints.challenges.services.erasure import agree_erasure, ask_erasure, withdraw_erasure
from endpoints.challenges.services.fingerprints import matches
from endpoints.challenges.services.legal_holds import agree_hold, ask_hold, end_hold
from endpoints.challenges.services.pack import Pack, evidence_pack
from endpoints.challenges.services.policies import set_policy
from endpoints.challenges.services.raise_case import Challenge, raise_case
from endpoints.challenges.services.reads import note_read
from endpoints.challenges.services.take import Taken, send, take

__all__ = [
    "Challenge",
    "Pack",
    "Taken",
    "agree_erasure",
    "agree_hold",
    "ask_erasure",
    "ask_hold",
    "assign",
    "choose_record",
    "collect_evidence",
    "comment",
    "confirm",
    "decide",
    "end_hold",
    "evidence_pack",
    "link",
    "matches",
    "note_read",
    "raise_case",
    "reopen",
    "send",
    "send_back",
    "set_policy",
    "take",
    "tell_due",
    "withdraw_erasure",
]
