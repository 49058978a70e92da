"""What can be done: one verb each."""

from endpoints.notices.services.channels import (
    Added,
    add_channel,
    end_channel,
    signing_key,
    test_channel,
)
from endpoints.notices.services.deliver import deliver_due
from endpoints.notices.services.ledger import tell_broken, tell_checkpoint
from endpoints.notices.services.publish import publish

__all__ = [
    "Added",
    "add_channel",
    "deliver_due",
    "end_channel",
    "publish",
    "signing_key",
    "tell_broken",
    "tell_checkpoint",
    "test_channel",
]
