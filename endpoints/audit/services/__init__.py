"""What the room does: record, check, seal, anchor, erase."""

from endpoints.audit.services.anchoring import anchor_new, note_anchoring
from endpoints.audit.services.checkpoints import make_checkpoint, make_due_checkpoint
from endpoints.audit.services.erase import erase
from endpoints.audit.services.record import PERSONAL_FIELDS, commitment, record
from endpoints.audit.services.verify import remember_verification

__all__ = [
    "PERSONAL_FIELDS",
    "anchor_new",
    "commitment",
    "erase",
    "make_checkpoint",
    "make_due_checkpoint",
    "note_anchoring",
    "record",
    "remember_verification",
]
